"""One document → one declared organization."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

from reconciler.core.address import Address
from reconciler.core.connection import OidcConnection
from reconciler.core.errors import SourceLocation
from reconciler.core.state import DesiredConnection, DesiredOrganization, Discovery, Lifecycle, Presence
from reconciler.manifests import text
from reconciler.manifests.connection_rules import check_connections
from reconciler.manifests.definition import ConnectionManifest, OrganizationManifest
from reconciler.manifests.escapes import check_escapes
from reconciler.manifests.interpolation import Interpolation
from reconciler.manifests.recognition import UNRECOGNISED, recogniser
from reconciler.manifests.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.manifests.composer import Document
    from reconciler.manifests.events import Mark, Path, Value
    from reconciler.manifests.findings import DocumentFindings
    from reconciler.manifests.project import Project
    from reconciler.manifests.source import Source

_DEFAULT_LIFECYCLE: Final = Lifecycle()
_PRESENT: Final = Presence.PRESENT


class OrganizationReader:
    """Reads the documents of one run: the same project and the same variables for all of them."""

    def __init__(self, project: Project, variables: Mapping[str, str]) -> None:
        self._defaults = project.defaults
        self._interpolation = Interpolation(
            variables={**project.variables, **variables},
            policy=project.secret_policy,
            holds_secret=_is_client_secret,
        )
        self._recognise = recogniser(OrganizationManifest, self._interpolation.secret)

    def read(
        self, document: Document, source: Source, report: DocumentFindings
    ) -> DesiredOrganization | None:
        """Return what a document declares, or None if it has errors; these go to ``report``."""
        report.organization = _reference(document.value)
        if "\\" in source.text:
            check_escapes(document.value, (), report)
        manifest = self._manifest(document.value, report)
        if manifest is None:
            return None
        check_connections(manifest, report)
        return None if report.error_count else self._organization(manifest, document, source)

    def _manifest(self, value: Value, report: DocumentFindings) -> OrganizationManifest | None:
        found = self._recognise(value)
        if found is not UNRECOGNISED:
            return cast("OrganizationManifest", found)
        return validate(OrganizationManifest, self._interpolation.apply(value, report), report)

    def _organization(
        self,
        manifest: OrganizationManifest,
        document: Document,
        source: Source,
    ) -> DesiredOrganization:
        reference = manifest["organization"]
        start = _location(source, document.start)
        return DesiredOrganization(
            reference=reference,
            location=start,
            organization_id=manifest.get("organization_id"),
            prune=manifest.get("prune", self._defaults.prune),
            connections=tuple(
                self._connection(
                    Address(reference, name),
                    one,
                    _location(source, document.marks[name]) if name in document.marks else start,
                )
                for name, one in manifest.get("connections", {}).items()
            ),
        )

    def _connection(
        self,
        address: Address,
        manifest: ConnectionManifest,
        location: SourceLocation,
    ) -> DesiredConnection:
        return DesiredConnection(
            address=address,
            connection=_declared(address.connection, manifest),
            location=location,
            presence=Presence(manifest["state"]) if "state" in manifest else _PRESENT,
            previous_display_names=tuple(manifest.get("previous_display_names", ())),
            discovery=Discovery(manifest["discovery"])
            if "discovery" in manifest
            else self._defaults.discovery,
            secret_expires_on=manifest.get("secret_expires_on"),
            lifecycle=_lifecycle(manifest),
        )


def _declared(name: str, manifest: ConnectionManifest) -> OidcConnection:
    """Return what is declared."""
    get: Callable[..., Any] = manifest.get
    scopes, mapping = get("custom_scopes"), get("attribute_mapping")
    return OidcConnection(
        display_name=get("display_name", name),
        identity_provider=get("identity_provider"),
        issuer=get("issuer"),
        client_id=get("client_id"),
        client_secret=get("client_secret"),
        authorization_url=get("authorization_url"),
        token_url=get("token_url"),
        userinfo_url=get("userinfo_url"),
        jwks_url=get("jwks_url"),
        custom_scopes=None if scopes is None else _shared_scopes(tuple(scopes)),
        attribute_mapping=None if mapping is None else _shared_mapping(tuple(mapping.items())),
        connection_id=get("connection_id"),
    )


@lru_cache(maxsize=256)
def _shared_scopes(scopes: tuple[str, ...]) -> tuple[str, ...]:
    """Return a set of scopes, the same one for equal lists: connections that wait to be planned are many."""
    return tuple(sorted(set(scopes)))


@lru_cache(maxsize=256)
def _shared_mapping(items: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return dict(items)


def _lifecycle(manifest: ConnectionManifest) -> Lifecycle:
    if "lifecycle" not in manifest:
        return _DEFAULT_LIFECYCLE
    lifecycle = manifest["lifecycle"]
    return Lifecycle(
        prevent_destroy=lifecycle.get("prevent_destroy", False),
        ignore_changes=tuple(lifecycle.get("ignore_changes", ())),
    )


def _location(source: Source, mark: Mark) -> SourceLocation:
    if source.is_ascii:
        return SourceLocation(
            source.path, line=mark.line + 1, column=mark.column + 1, byte=mark.index + source.offset
        )
    return source.location(mark.index)


def _reference(value: object) -> str:
    reference = value.get("organization") if isinstance(value, dict) else None
    return reference if isinstance(reference, str) and re.fullmatch(text.ORGANIZATION, reference) else ""


def _is_client_secret(path: Path) -> bool:
    match path:
        case ("connections", _, "client_secret"):
            return True
        case _:
            return False
