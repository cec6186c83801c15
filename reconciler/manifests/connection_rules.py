"""What the connections of one organization must not do to each other, or to themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Severity

if TYPE_CHECKING:
    from reconciler.manifests.definition import ConnectionManifest, OrganizationManifest
    from reconciler.manifests.events import Path
    from reconciler.manifests.findings import DocumentFindings

EXPECTED_SCOPES: Final = ("openid", "email", "profile")
"""A declared value replaces these defaults of the server, or is added to them: sources differ."""


def check_connections(manifest: OrganizationManifest, report: DocumentFindings) -> None:
    """Report what a single value cannot show."""
    names: dict[str, str] = {}
    for name, connection in manifest.get("connections", {}).items():
        display_name = connection.get("display_name", name)
        other = names.setdefault(display_name, name)
        if other != name:
            _duplicate_name(name, other, display_name, report)
        if "custom_scopes" in connection:
            _check_scopes(connection["custom_scopes"], ("connections", name, "custom_scopes"), report)
        if "previous_display_names" in connection:
            _check_previous_names(name, connection, report)


def _duplicate_name(name: str, other: str, display_name: str, report: DocumentFindings) -> None:
    first: Path = ("connections", other)
    report.add(
        "duplicate-display-name",
        ("connections", name, "display_name"),
        f"the connections {other!r} and {name!r} have the same display_name {display_name!r}",
        detail=f"the other one is at {report.location((*first, 'display_name'))}",
        hint="give each connection of an organization its own display_name; they are matched by it",
    )


def _check_scopes(scopes: list[str], path: Path, report: DocumentFindings) -> None:
    distinct = set(scopes)
    if len(distinct) == len(scopes) and distinct.issuperset(EXPECTED_SCOPES):
        return
    for index, scope in enumerate(scopes):
        if scope in scopes[:index]:
            report.add(
                "duplicate-scope",
                (*path, index),
                f"the scope {scope!r} is listed twice",
                hint="remove one of them",
                severity=Severity.WARNING,
            )
    missing = [scope for scope in EXPECTED_SCOPES if scope not in scopes]
    if scopes and missing:
        report.add(
            "missing-default-scopes",
            path,
            f"custom_scopes does not include {', '.join(missing)}",
            detail="declared scopes may replace the server's default of openid, email and profile",
            hint=f"add {' '.join(missing)}, unless logins shall do without",
            severity=Severity.WARNING,
        )


def _check_previous_names(name: str, connection: ConnectionManifest, report: DocumentFindings) -> None:
    display_name = connection.get("display_name", name)
    for index, previous in enumerate(connection["previous_display_names"]):
        if previous == display_name:
            report.add(
                "previous-name-is-current",
                ("connections", name, "previous_display_names", index),
                f"{previous!r} is the connection's display_name now, not a previous one",
                hint="remove it from previous_display_names, or change display_name",
            )
