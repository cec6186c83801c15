"""Converts a YAML document to a declared organization: interpolates, validates, and builds core values."""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from reconciler.core.address import Address
from reconciler.core.connection import OidcConnection
from reconciler.core.errors import Severity
from reconciler.core.state import DesiredConnection, DesiredOrganization, Discovery, Lifecycle, Presence
from reconciler.manifests.field_types import has_field
from reconciler.manifests.interpolation import Interpolation
from reconciler.manifests.organization_model import OrganizationManifest
from reconciler.manifests.text_patterns import ORGANIZATION, find_typographic
from reconciler.manifests.validation import validate
from reconciler.manifests.yaml_errors import report_unsafe_escapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.errors import SourceLocation
    from reconciler.manifests.environments import RunEnvironment
    from reconciler.manifests.findings import DocumentFindings
    from reconciler.manifests.organization_model import ConnectionManifest
    from reconciler.manifests.project import Project
    from reconciler.manifests.source_file import Source
    from reconciler.manifests.yaml_reader import Node, Path

EXPECTED_SCOPES: Final = ("openid", "email", "profile")
"""The server's defaults; sources differ on whether declared scopes replace them or are added."""

_DEFAULT_LIFECYCLE: Final = Lifecycle()


class OrganizationReader:
    """Reads the documents of one run, with the project's defaults and variables."""

    def __init__(self, project: Project, variables: Mapping[str, str]) -> None:
        self._defaults, self._environment = project.defaults, project.environment
        self._interpolation = Interpolation(
            variables={**project.variables, **variables},
            policy=project.secret_policy,
            holds_secret=_is_client_secret,
            has_field=partial(has_field, OrganizationManifest),
        )

    def read(self, document: Node, source: Source, findings: DocumentFindings) -> DesiredOrganization | None:
        """Return what a document declares, or None after reporting its errors."""
        findings.organization = _reference(document.value)
        if "\\" in source.text:
            report_unsafe_escapes(document.value, (), findings)
        values = self._interpolation.apply(document.value, findings)
        manifest = validate(OrganizationManifest, values, findings)
        if manifest is None:
            return None
        self._environment.check(manifest, findings)
        _check_connections(manifest, findings)
        return None if findings.error_count else self._organization(manifest, document, source)

    def _organization(
        self, manifest: OrganizationManifest, document: Node, source: Source
    ) -> DesiredOrganization:
        reference = manifest["organization"]
        return DesiredOrganization(
            reference=reference,
            location=source.location(document.span.start),
            organization_id=self._environment.choose(manifest.get("organization_id")),
            other_ids=self._environment.others(manifest.get("organization_id")),
            prune=manifest.get("prune", self._defaults.prune),
            connections=tuple(
                self._connection(Address(reference, name), connection, document, source)
                for name, connection in manifest.get("connections", {}).items()
            ),
        )

    def _connection(
        self, address: Address, manifest: ConnectionManifest, document: Node, source: Source
    ) -> DesiredConnection:
        discovery = manifest.get("discovery")
        return DesiredConnection(
            address=address,
            connection=_declared(address.connection, manifest, self._environment),
            other_ids=self._environment.others(manifest.get("connection_id")),
            location=_location(("connections", address.connection), document, source),
            secret_location=_location(("connections", address.connection, "client_secret"), document, source)
            if "client_secret" in manifest
            else None,
            presence=Presence(manifest.get("state", "present")),
            is_default=manifest.get("default", False),
            previous_display_names=tuple(manifest.get("previous_display_names", ())),
            discovery=Discovery(discovery) if discovery else self._defaults.discovery,
            secret_expires_on=manifest.get("secret_expires_on"),
            lifecycle=_lifecycle(manifest),
        )


def _declared(name: str, manifest: ConnectionManifest, environment: RunEnvironment) -> OidcConnection:
    scopes, mapping = manifest.get("custom_scopes"), manifest.get("attribute_mapping")
    return OidcConnection(
        display_name=manifest.get("display_name", name),
        identity_provider=manifest.get("identity_provider"),
        issuer=manifest.get("issuer"),
        client_id=manifest.get("client_id"),
        client_secret=manifest.get("client_secret"),
        authorization_url=manifest.get("authorization_url"),
        token_url=manifest.get("token_url"),
        userinfo_url=manifest.get("userinfo_url"),
        jwks_url=manifest.get("jwks_url"),
        custom_scopes=None if scopes is None else _shared_scopes(tuple(scopes)),
        attribute_mapping=None if mapping is None else _shared_mapping(tuple(mapping.items())),
        connection_id=environment.choose(manifest.get("connection_id")),
    )


@lru_cache(maxsize=256)
def _shared_scopes(scopes: tuple[str, ...]) -> tuple[str, ...]:
    """Return scopes sorted, as one value that equal lists share: most connections have the same."""
    return tuple(sorted(set(scopes)))


@lru_cache(maxsize=256)
def _shared_mapping(items: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return dict(items)


def _lifecycle(manifest: ConnectionManifest) -> Lifecycle:
    lifecycle = manifest.get("lifecycle")
    if lifecycle is None:
        return _DEFAULT_LIFECYCLE
    return Lifecycle(
        prevent_destroy=lifecycle.get("prevent_destroy", False),
        ignore_changes=tuple(lifecycle.get("ignore_changes", ())),
    )


def _location(path: Path, document: Node, source: Source) -> SourceLocation:
    """Return where the key at a path is; below an alias, where the alias is."""
    node = document.find(path)
    return source.location((node.key_span or document.span).start)


def _reference(value: object) -> str:
    reference = value.get("organization") if isinstance(value, dict) else None
    return reference if isinstance(reference, str) and re.fullmatch(ORGANIZATION, reference) else ""


def _is_client_secret(path: Path) -> bool:
    match path:
        case ("connections", _, "client_secret"):
            return True
        case _:
            return False


def _check_connections(manifest: OrganizationManifest, findings: DocumentFindings) -> None:
    """Report what the connections of one organization repeat or contradict."""
    _check_defaults(manifest, findings)
    names: dict[str, str] = {}
    for name, connection in manifest.get("connections", {}).items():
        if connection.get("state") == "unmanaged":
            _check_pinned(name, connection, findings)
            continue
        display_name = connection.get("display_name", name)
        first = names.setdefault(display_name, name)
        if first != name:
            _report_duplicate_name(name, first, display_name, findings)
        _check_typographic(connection, ("connections", name), findings)
        if "custom_scopes" in connection:
            _check_scopes(connection["custom_scopes"], ("connections", name, "custom_scopes"), findings)
        if "previous_display_names" in connection:
            _check_previous_names(name, connection, findings)


def _check_defaults(manifest: OrganizationManifest, findings: DocumentFindings) -> None:
    """Report a second default connection, and one that is declared absent or unmanaged."""
    connections = manifest.get("connections", {})
    defaults = [name for name, connection in connections.items() if connection.get("default")]
    for name in defaults[1:]:
        findings.add(
            "default-conflict",
            ("connections", name, "default"),
            f"the connections {defaults[0]!r} and {name!r} are both declared as the default connection",
            detail=f"the other one is at {findings.location(('connections', defaults[0], 'default'))}",
            hint="remove `default: true` from one of them",
        )
    for name in defaults:
        state = connections[name].get("state", "present")
        if state != "present":
            findings.add(
                "default-conflict",
                ("connections", name, "default"),
                f"the connection {name!r} is declared {state}, so it cannot be the default connection",
                detail=f"`state: {state}` is at {findings.location(('connections', name, 'state'))}",
                hint="remove one of the two lines",
            )


def _check_pinned(name: str, connection: ConnectionManifest, findings: DocumentFindings) -> None:
    if "connection_id" not in connection:
        findings.add(
            "unmanaged-not-pinned",
            ("connections", name, "state"),
            f"the connection {name!r} is declared unmanaged, and has no connection_id",
            detail="only an ID says for certain which live connection is left alone",
            hint="add the line `connection_id: …` with its ID; `reconciler list` shows it",
        )


def _report_duplicate_name(name: str, first: str, display_name: str, findings: DocumentFindings) -> None:
    findings.add(
        "duplicate-display-name",
        ("connections", name, "display_name"),
        f"the connections {first!r} and {name!r} have the same display_name {display_name!r}",
        detail=f"the other one is at {findings.location(('connections', first, 'display_name'))}",
        hint="give each connection of an organization its own display_name: connections are matched by it",
    )


def _check_typographic(connection: ConnectionManifest, path: Path, findings: DocumentFindings) -> None:
    """Warn about texts that may hold any character, and have what was hardly typed on purpose."""
    for name, value in (
        ("display_name", connection.get("display_name")),
        ("client_id", connection.get("client_id")),
    ):
        mismatch = find_typographic(value) if value and not value.isascii() else None
        if mismatch:
            findings.add(
                mismatch.code,
                (*path, name),
                f"`{name}` {mismatch.summary}",
                hint=mismatch.hint,
                severity=Severity.WARNING,
            )


def _check_scopes(scopes: list[str], path: Path, findings: DocumentFindings) -> None:
    for index, scope in enumerate(scopes):
        if scope in scopes[:index]:
            findings.add(
                "duplicate-scope",
                (*path, index),
                f"the scope {scope!r} is listed twice",
                hint="remove one of them",
                severity=Severity.WARNING,
            )
    missing = [scope for scope in EXPECTED_SCOPES if scope not in scopes]
    if scopes and missing:
        findings.add(
            "missing-default-scopes",
            path,
            f"custom_scopes does not include {', '.join(missing)}",
            detail="declared scopes may replace the server's defaults openid, email and profile",
            hint=f"add {' '.join(missing)}, unless logins should not request them",
            severity=Severity.WARNING,
        )


def _check_previous_names(name: str, connection: ConnectionManifest, findings: DocumentFindings) -> None:
    display_name = connection.get("display_name", name)
    for index, previous in enumerate(connection["previous_display_names"]):
        if previous == display_name:
            findings.add(
                "previous-name-is-current",
                ("connections", name, "previous_display_names", index),
                f"{previous!r} is the connection's current display_name, not a previous one",
                hint="remove it from previous_display_names, or change display_name",
            )
