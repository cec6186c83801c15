"""Converts approvals, sign-in changes and ignored differences of a plan to JSON documents and back."""

from __future__ import annotations

from datetime import date

from reconciler.core.address import Address
from reconciler.core.approval import Approval, ApprovalUse
from reconciler.core.document_parts import SourceDocument, copy_fields, read_source, source_document
from reconciler.core.errors import SourceLocation
from reconciler.core.plan import IgnoredDifference, SignInChange
from reconciler.core.plan_document import ApprovalDocument, IgnoredDocument, SignInChangeDocument


def approval_document(use: ApprovalUse) -> ApprovalDocument:
    """Return the document of an approval and its status."""
    approval = use.approval
    source = copy_fields(SourceDocument, approval.location, filename=approval.location.path)
    return copy_fields(
        ApprovalDocument, approval, status=use.status, until=approval.until.isoformat(), source=source
    )


def read_approval(document: ApprovalDocument) -> ApprovalUse:
    """Return the approval in a document.

    Raises:
        ValueError: its date is none.
    """
    source, until = document.source, date.fromisoformat(document.until)
    location = SourceLocation(source.filename, line=source.line, column=source.column)
    approval = copy_fields(Approval, document, until=until, location=location)
    return ApprovalUse(approval=approval, status=document.status)


def sign_in_document(change: SignInChange) -> SignInChangeDocument:
    """Return the document of a change that decides who can sign in."""
    return copy_fields(
        SignInChangeDocument, change, address=str(change.address), source=source_document(change.location)
    )


def read_sign_in(document: SignInChangeDocument) -> SignInChange:
    """Return the change in a document."""
    address, location = _address(document.address), read_source(document.source)
    return copy_fields(SignInChange, document, address=address, already_live=True, location=location)


def ignored_document(difference: IgnoredDifference) -> IgnoredDocument:
    """Return the document of ignored differences."""
    return copy_fields(IgnoredDocument, difference, address=str(difference.address))


def read_ignored(document: IgnoredDocument) -> IgnoredDifference:
    """Return the ignored differences in a document."""
    return copy_fields(IgnoredDifference, document, address=_address(document.address))


def _address(text: str) -> Address:
    organization, _, connection = text.rpartition("/")
    return Address(organization, connection)
