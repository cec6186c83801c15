"""Ids by environment: chooses those of the run, and reports those that are of another environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.core.errors import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.manifests.findings import DocumentFindings
    from reconciler.manifests.organization_model import OrganizationManifest
    from reconciler.manifests.yaml_reader import Path

Ids: TypeAlias = "str | Mapping[str, str]"
"""One id, or a map of ids from test, live or a project_id."""

_KIND: Final = re.compile(r"(?:project|public-token|organization|oidc-connection)-(test|live)-")


@dataclass(frozen=True, slots=True)
class RunEnvironment:
    """The environment of a run, known from its project_id or public token; empty if that is unknown.

    ``is_lenient``: a single id of the other environment is only a warning, because `pin` rewrites it.
    """

    principal: str = ""
    is_lenient: bool = False

    @property
    def name(self) -> str:
        """The word test or live; empty if unknown."""
        return environment_of(self.principal)

    def entry(self, ids: object) -> object:
        """Return what a pin holds for this run: the entry of the project_id, or else of test or live."""
        chosen = ids.get(self.principal, ids.get(self.name)) if isinstance(ids, Mapping) else ids
        return None if isinstance(chosen, str) and self.is_foreign(chosen) else chosen

    def choose(self, ids: object) -> str | None:
        """Return the id for this run, if the pin holds one."""
        chosen = self.entry(ids)
        return chosen if isinstance(chosen, str) and chosen else None

    def others(self, ids: Ids | None) -> tuple[str, ...]:
        """Return the ids that are not for this run."""
        known = ids.values() if isinstance(ids, Mapping) else filter(None, (ids,))
        chosen = self.choose(ids)
        return tuple(dict.fromkeys(item for item in known if item != chosen))

    def is_foreign(self, identifier: str) -> bool:
        """Whether an id certainly belongs to the other environment."""
        return {self.name, environment_of(identifier)} == {"test", "live"}

    def key_in(self, ids: Mapping[str, object]) -> str:
        """Return the key of this run in a map: the project_id, if those of other projects have entries."""
        projects = [key for key in ids if environment_of(key) == self.name]
        is_project = self.principal.startswith("project-")
        return self.principal if projects and is_project else self.name

    def check(self, manifest: OrganizationManifest, findings: DocumentFindings) -> None:
        """Report the ids of a manifest that are of another environment than the run, or than their key."""
        if self.is_foreign(manifest["organization"]):
            findings.add(
                "wrong-environment",
                ("organization",),
                self._summary("organization", "an organization", manifest["organization"]),
                hint="name it by its slug or external ID, and pin it by environment: "
                f"`organization_id: {as_map(manifest['organization'])}`",
            )
        for path, noun, ids in _pins(manifest):
            if isinstance(ids, Mapping):
                _check_keys(path, noun, ids, findings)
            elif self.is_foreign(ids):
                findings.add(
                    "wrong-environment",
                    path,
                    self._summary(str(path[-1]), noun, ids),
                    hint=f"write a map: `{path[-1]}: {as_map(ids)}`; `reconciler pin` writes it, and adds "
                    f"the ID of {self.name}",
                    severity=Severity.WARNING if self.is_lenient else Severity.ERROR,
                )

    def _summary(self, field: str, noun: str, identifier: str) -> str:
        return (
            f"`{field}` is the ID of {noun} in {environment_of(identifier)}, but this run is for {self.name}"
        )


def environment_of(identifier: str) -> str:
    """Return the environment in the prefix of an id, a project_id or a public token; empty if none is."""
    match = _KIND.match(identifier)
    return match[1] if match else ""


def as_map(identifier: str) -> str:
    """Return a pin of one id as a map with one entry, on one line."""
    return f"{{{environment_of(identifier)}: {identifier}}}"


def _pins(manifest: OrganizationManifest) -> Iterator[tuple[Path, str, Ids]]:
    if "organization_id" in manifest:
        yield ("organization_id",), "an organization", manifest["organization_id"]
    for name, connection in manifest.get("connections", {}).items():
        if "connection_id" in connection:
            yield ("connections", name, "connection_id"), "a connection", connection["connection_id"]


def _check_keys(path: Path, noun: str, ids: Mapping[str, str], findings: DocumentFindings) -> None:
    """Report the entries of a map whose ids are of another environment than their keys."""
    for key, identifier in ids.items():
        expected = environment_of(key) or key
        if {expected, environment_of(identifier)} == {"test", "live"}:
            findings.add(
                "wrong-environment",
                (*path, key),
                f"`{path[-1]}.{key}` is the ID of {noun} in {environment_of(identifier)}",
                hint=f"write the ID in {expected}, or move this one to the entry "
                f"`{environment_of(identifier)}`",
            )
