"""The examples, and the cases of `tests/plans`, on the emulator for the real command."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.support.values import SCOPE

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/reconciler.yaml"))
CASES = sorted(path.parent for path in ROOT.glob("tests/plans/*/desired.yaml"))
_CONNECTION_KINDS = ("oidc", "saml", "external")
# what the emulator cannot be made to answer: broken answers, and live objects without their fields
_ACCEPTED = dict.fromkeys(
    ("issuer-host-change", "token-url-host-change", "secret-kept", "endpoint-off-site"), "warn"
)
"""Cases move connections between hosts on purpose, which blocks a plan by default."""

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
UNANSWERABLE = frozenset(
    {
        "live-answer-malformed",
        "live-arrays-null-or-absent",
        "live-fields-null-or-absent",
        "live-object-of-another-organization",
        "organization-unreadable",
        "organization-unreadable-nothing-else",
    }
)


@dataclass(frozen=True)
class Case:
    """A folder of `tests/plans`: what is said in the call, and what its golden plan says."""

    folder: Path

    @property
    def words(self) -> tuple[str, ...]:
        options = self._options
        targets = [word for address in options.get("targets", ()) for word in ("--target", address)]
        rotate = [word for address in options.get("rotate", ()) for word in ("--rotate", address)]
        return (*targets, *rotate)

    @property
    def plan_words(self) -> tuple[str, ...]:
        return (*self.words, "--no-secrets") if self._options.get("no_secrets") else self.words

    @property
    def secrets(self) -> dict[str, str]:
        found: dict[str, str] = self._options.get("secrets", {"OKTA_CLIENT_SECRET": "live-secret-okta"})
        return found

    @property
    def golden(self) -> Any:
        return json.loads((self.folder / "plan.json").read_text())

    @property
    def _options(self) -> dict[str, Any]:
        file = self.folder / "options.yaml"
        return yaml.safe_load(file.read_text()) if file.exists() else {}

    def settle(self, place: Workplace) -> None:
        """Make the case's declaration and its live state those of the workplace."""
        desired = (self.folder / "desired.yaml").read_text(encoding="utf-8")
        project_id = place.emulator.settings.project.project_id
        place.write("desired.yaml", desired.replace(SCOPE.principal, project_id))
        limits = {"requests_per_second": 500, **self._options.get("limits", {})}
        place.write(
            "reconciler.yaml",
            json.dumps({"organizations": ["desired.yaml"], "limits": limits, "policies": _ACCEPTED}),
        )
        place.emulator.set_switch("empty-string", "clears")
        for issuer in self._discoverable:
            endpoints = {name: f"{issuer}/{name}" for name in _ENDPOINTS}
            place.emulator.set_discovery(issuer, {"issuer": issuer, **endpoints})
        for name, value in self.secrets.items():
            place.setenv(name, value)
        for organization in json.loads((self.folder / "live.json").read_text()):
            _bring_to_life(place, organization)

    @property
    def _discoverable(self) -> list[str]:
        """The issuers of new default connections: they have to become active."""
        documents = yaml.safe_load_all((self.folder / "desired.yaml").read_text())
        connections = [entry for document in documents if document for entry in _entries(document)]
        return [entry["issuer"] for entry in connections if entry.get("default") and "issuer" in entry]


def _entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    return list((document.get("connections") or {}).values())


def is_answerable(folder: Path) -> bool:
    """Whether the case can be played: not if it is about Git's history, or wants a rotation every time."""
    options = (folder / "options.yaml").read_text() if (folder / "options.yaml").exists() else ""
    return folder.name not in UNANSWERABLE and not re.search(r"^(past|rotate):", options, re.MULTILINE)


def _bring_to_life(place: Workplace, document: dict[str, Any]) -> None:
    organization = dict(document["organization"])
    external_id = organization.pop("organization_external_id", None)
    default = organization.pop("sso_default_connection_id", None)
    slug = organization.pop("organization_slug")
    place.emulator.add_organization(
        slug, organization_slug=slug, organization_external_id=external_id or None, **organization
    )
    for kind in _CONNECTION_KINDS:
        for connection in document.get("connections", {}).get(f"{kind}_connections") or ():
            if connection.get("client_secret") and set(connection["client_secret"]) == {"*"}:
                place.emulator.set_switch("client-secret", "masked")
            place.emulator.add_connection(slug, kind, **connection)
    place.emulator.edit_organization(slug, sso_default_connection_id=default or None)


def quickstart_secrets(folder: Path) -> tuple[str, ...]:
    """The names of all variables that the manifests of an example refer to."""
    texts = [path.read_text() for path in folder.glob("organizations/**/*.yaml")]
    return tuple(part.partition("}")[0] for text in texts for part in text.split("${env:")[1:])
