"""Errors of an operation, and messages about connections that did not converge or need attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.connection import INFERRED_FIELDS
from reconciler.core.errors import ProviderError
from reconciler.core.matching import leftover_line
from reconciler.core.warnings import is_empty

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.withdrawal import Conflict


class DidNotConverge(ProviderError):
    """The live state cannot be brought to what is declared; nothing more should be tried."""


class NotListed(DidNotConverge):
    """A connection that must exist is not listed."""


class Overtaken(ProviderError):
    """While a create was held up, another run has done its work; judge the create again."""


class ConcurrentChange(ProviderError):
    """Someone else changed the connection after the plan was made; nothing was overwritten."""


class WriteRefused(ProviderError):
    """The service rejected a write for good. ``what`` names what it refuses, ``reason`` is its own text."""

    def __init__(self, what: str, error: ProviderError) -> None:
        super().__init__(
            f"did not converge: the service refuses {what}: {error.message}",
            status=error.status,
            error_type=error.error_type,
            request_id=error.request_id,
        )
        self.what = what
        self.reason = error.message


def did_not_converge(
    declared: OidcConnection, live: OidcConnection, remaining: Sequence[str], after: str
) -> str:
    """Name the fields that still differ, and after what."""
    return f"did not converge: {_differences(declared, live, remaining)}, {after}"


def changed_concurrently(declared: OidcConnection, live: OidcConnection, fields: Sequence[str]) -> str:
    """Name the fields that differ although this run did not leave them so."""
    return (
        f"did not converge: {_differences(declared, live, fields)}, which is not what this run left behind; "
        "someone else is writing, or the list lags; nothing more was sent, plan again"
    )


def found_duplicates(own_id: str, decision: Conflict, *, is_refused: bool) -> str:
    """Say that two connections of one name stay, which a person has to choose from.

    ``is_refused``: the service did not let this run withdraw, so it is for the other run to do so.
    """
    if decision.edited:
        fields = ", ".join(decision.edited)
        rest = f", and {', '.join(decision.ids)} of the same name exists" if decision.ids else ""
        return f"someone else changed {fields} of {own_id}{rest}: nothing was overwritten, plan again"
    appeared = f"created {own_id}, but {', '.join(decision.ids)} of the same name appeared in the meantime"
    if is_refused:
        return (
            f"{appeared}, and the run that created it has not withdrawn it; if that run is suspended, it "
            "does so when it goes on; if it was killed, delete its connection"
        )
    return (
        f"{appeared}, from another run or from a create whose response was lost; both stay: delete the wrong "
        "one, or pin the right one"
    )


def left_behind(connection_ids: Sequence[str], key: str) -> str:
    """Say that untouched connections of the same name are left, and how they can be deleted."""
    lines = " and ".join(leftover_line(connection_id, key) for connection_id in connection_ids)
    return (
        f"an interrupted create left {', '.join(connection_ids)} of the same name, pending and untouched: to "
        f"delete it, add {lines} below `connections:`"
    )


def still_pending(connection: OidcConnection) -> str:
    """Say why nobody can log in through a connection yet."""
    empty = [
        name
        for name in connection.declared_fields
        if is_empty(connection, name) and name not in {"custom_scopes", "attribute_mapping"}
    ]
    verb = "is" if len(empty) == 1 else "are"
    reason = f": {', '.join(empty)} {verb} empty" if empty else ""
    return f"{connection.connection_id} is still pending{reason}; nobody can log in through it"


def kept_urls(declared: OidcConnection, before: OidcConnection, live: OidcConnection) -> str:
    """Name the URLs that stayed although the issuer changed, or return nothing if none did.

    What the service does with them where discovery fails, or finds no such URL, is not documented.
    """
    if before.issuer in {live.issuer, ""}:
        return ""
    kept = [
        name
        for name in INFERRED_FIELDS
        if getattr(declared, name) is None and getattr(live, name) == getattr(before, name) != ""
    ]
    if not kept:
        return ""
    return f"the issuer changed, but the service kept {', '.join(kept)}: check them, or declare them"


def _differences(declared: OidcConnection, live: OidcConnection, names: Sequence[str]) -> str:
    live = live.masked()
    return "; ".join(
        "client_secret is not what was sent"
        if name == "client_secret"
        else f"{name} is {_quoted(getattr(live, name))}, declared {_quoted(getattr(declared, name))}"
        for name in names
    )


def _quoted(value: object) -> str:
    if isinstance(value, tuple):
        return f'"{" ".join(value)}"'
    return f'"{value}"' if isinstance(value, str) else str(value)
