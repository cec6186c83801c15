"""300 connections over all six schemes: planned, applied, rotated, and no value of any in a wrong place."""

from __future__ import annotations

import base64
import json
import logging
import os
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pyrage
import pytest

from tests.idp.live import URLS
from tests.idp.provider import METADATA, RSA_KEY, leads_back
from tests.moto import REGION
from tests.support.relay import relay
from tests.support.workplace import NO_CHANGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.idp.provider import ScriptedProvider
    from tests.secret_stores.conftest import Stores
    from tests.support.relay import Relay
    from tests.support.workplace import CompletedRun, Workplace

    Stored = Mapping[str, Mapping[str, str]]

ORGANIZATIONS: Final = 50
REFERENCES: Final = {
    "env": "${{env:{NAME}_CLIENT_SECRET}}",
    "file": "${{file:secrets/{name}.txt}}",
    "age": "${{age:secrets/{name}.age#age}}",
    "vault": "${{vault:secret/sso/{name}#vault}}",
    "aws": "${{aws-sm:sso/{name}#aws}}",
    "keyring": "${{keyring:sso/{name}/keyring}}",
}
"""The connections of each organization, named by where their secrets are."""

OWN: Final = ("STYTCH_SECRET", "VAULT_TOKEN", "AGE_IDENTITY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""The credentials of the tool itself."""

PROJECT: Final[Mapping[str, Any]] = {
    "secrets": {
        "age": {"allow": ["secrets/{organization}.age#{connection}"], "identity": "${env:AGE_IDENTITY}"},
        "vault": {"allow": ["secret/sso/{organization}#{connection}"]},
        "aws-sm": {"allow": ["sso/{organization}#{connection}"]},
        "keyring": {"allow": ["sso/{organization}/{connection}"]},
    },
    "idp": {"ca_file": "ca.pem", "timeout": 10},
    "limits": {"requests_per_second": 10_000},
    "policies": {"private-host": "off"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """The project, its stores, and everything that its commands have said or sent."""

    place: Workplace
    stores: Stores
    provider: ScriptedProvider
    relays: tuple[Relay, Relay]
    identity: pyrage.x25519.Identity
    log: pytest.LogCaptureFixture

    def store(self, secrets: Stored, *, is_new: bool) -> None:
        """Store the value of each organization and scheme, each as its administrator would."""
        for name, values in secrets.items():
            self.place.setenv(f"{name.upper()}_CLIENT_SECRET", values["env"])
            self.place.write(f"secrets/{name}.txt", values["file"])
            text = json.dumps({"age": values["age"]}).encode()
            encrypted = pyrage.encrypt(text, [self.identity.to_public()], armored=True)
            (self.place.root / f"secrets/{name}.age").write_bytes(encrypted)
            self.stores.openbao.put(f"sso/{name}", {"vault": values["vault"]})
            (self.stores.moto.store if is_new else self.stores.moto.replace)(
                f"sso/{name}", {"aws": values["aws"]}
            )
            self.stores.gnome.store(f"sso/{name}", "keyring", values["keyring"])

    def run(self, *words: str) -> CompletedRun:
        """Run a command with all that it and its libraries can log; nothing of it may show a value."""
        self.log.clear()
        self.place.emulator.request_log.clear()
        with self.log.at_level(logging.DEBUG):
            return self.place.run(*words, "-v")

    def live(self, name: str) -> dict[str, str]:
        return {item["display_name"]: item["client_secret"] for item in self.place.live(name)}

    def texts(self, run: CompletedRun) -> Iterator[tuple[str, str]]:
        """Yield everything that may hold no value, and what it is."""
        yield "output", run.output
        yield "log", "\n".join(f"{record.name}: {record.getMessage()}" for record in self.log.records)
        for file in written(self.place.root):
            yield str(file), file.read_text(encoding="utf-8", errors="replace")
        yield (
            "requests to stores",
            "".join(part.decode("utf-8", "replace") for way in self.relays for part in way.sent),
        )
        yield (
            "requests to the service",
            "\n".join(
                f"{request.path} {request.query} {dict(request.headers) | {'authorization': ''}}"
                f" {'' if request.writes else request.body}"
                for request in self.place.emulator.request_log
            ),
        )
        yield "requests to providers", "".join(request.head for request in self.provider.requests)


def written(root: Path) -> Iterator[Path]:
    """Yield the files of the project and of its folder for temporary files, but those that hold secrets."""
    for file in chain(root.rglob("*"), (root.parent / "temporary").rglob("*")):
        if file.is_file() and not (file.parent.name == "secrets" and file.suffix == ".txt"):
            yield file


def spellings(secret: str) -> set[str]:
    """Return the forms in which a value might be shown: seven, and base64 at each place of a longer text."""
    content = secret.encode()
    aligned = {
        base64.b64encode(b"\0" * offset + content)[4 if offset else 0 : -4].decode() for offset in range(3)
    }
    return {
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        content.hex(),
        secret[::-1],
        *aligned,
        *(text.replace("+", "-").replace("/", "_") for text in aligned),
        "".join(f"\\u{ord(letter):04x}" for letter in secret),
    }


def canaries(version: str) -> dict[str, dict[str, str]]:
    """Return a value for each organization and scheme: letters, and what every encoding changes."""
    return {
        f"org{number}": {
            scheme: f'c4nary{version}{scheme}{number}end~"\\/+%{number}' for scheme in REFERENCES
        }
        for number in range(ORGANIZATIONS)
    }


def shown(estate: Estate, run: CompletedRun, secrets: Stored) -> list[tuple[str, str]]:
    """Return which value stands where, in any spelling."""
    values = [value for values in secrets.values() for value in values.values()]
    parts = [part for value in values for part in (value, value.partition("~")[0])]
    forms = {form: part for part in parts for form in spellings(part)}
    tokens = {os.environ[name]: name for name in OWN}
    found = []
    for where, text in estate.texts(run):
        known = forms | ({} if where == "requests to stores" else tokens)
        found += [(where, value) for form, value in known.items() if form in text]
    return found


def declare(place: Workplace, provider: ScriptedProvider) -> None:
    """Write the manifests; each connection has a client of its own at one provider on loopback."""
    place.write("reconciler.yaml", json.dumps(PROJECT))
    urls = {name: f"{provider.issuer}/{path}" for name, path in URLS.items()}
    for number in range(ORGANIZATIONS):
        name = f"org{number}"
        place.emulator.add_organization(name)
        connections = {
            scheme: {
                "issuer": provider.issuer,
                "client_id": f"{name}-{scheme}",
                "client_secret": reference.format(name=name, NAME=name.upper()),
                **urls,
            }
            for scheme, reference in REFERENCES.items()
        }
        document = {"organization": name, "connections": connections}
        place.write(f"organizations/{name}.yaml", json.dumps(document))


@pytest.fixture
def estate(
    place: Workplace, stores: Stores, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> Iterator[Estate]:
    identity = pyrage.x25519.Identity.generate()
    (place.root.parent / "temporary").mkdir()
    with relay(stores.openbao.address) as to_vault, relay(stores.moto.address) as to_aws:
        variables = {
            "AGE_IDENTITY": str(identity),
            "VAULT_ADDR": to_vault.address,
            "VAULT_TOKEN": stores.openbao.token(stores.openbao.policy("all-schemes", "secret/data/sso")),
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": to_aws.address,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "AKIACANARYKEYID",
            "AWS_SECRET_ACCESS_KEY": "c4nary-of-the-access-key",
            "AWS_SESSION_TOKEN": "c4nary-of-the-session-token",
            "TMPDIR": str(place.root.parent / "temporary"),
        }
        for name, value in variables.items():
            place.setenv(name, value)
        publish(provider)
        declare(place, provider)
        yield Estate(
            place=place,
            stores=stores,
            provider=provider,
            relays=(to_vault, to_aws),
            identity=identity,
            log=caplog,
        )


def publish(provider: ScriptedProvider) -> None:
    issuer = provider.issuer
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/keys",
    }
    provider.answer(METADATA, document)
    provider.answer("/keys", {"keys": [RSA_KEY]})
    provider.scripts["/authorize"] = leads_back(error="login_required")


@pytest.mark.proofs
@pytest.mark.timeout(600)
def test_an_estate_over_all_schemes_is_planned_applied_and_rotated_and_shows_nothing(estate: Estate) -> None:
    first, second = canaries("first"), canaries("second")
    number = ORGANIZATIONS * len(REFERENCES)
    estate.store(first, is_new=True)
    story = [
        (("secrets", "check"), f"{number} secret references resolved."),
        (("plan", "--out", "plan.json", "--output", "html=plan.html"), f"Plan: {number} to add, 0 to change"),
        (("apply", "plan.json"), f"Resources: {number} added, 0 changed, 0 destroyed."),
        (("plan",), NO_CHANGES),
        (("drift",), "No drift."),
        (("verify",), f"Checked {number} connections"),
    ]
    check(estate, story, first)
    assert {name: estate.live(name) for name in first} == first
    estate.store(second, is_new=False)
    rotation = [
        (("plan", "--out", "plan.json"), f"Plan: 0 to add, {number} to change, 0 to destroy."),
        (("apply", "plan.json"), f"Resources: 0 added, {number} changed, 0 destroyed."),
        (("plan",), NO_CHANGES),
    ]
    check(estate, rotation, second)
    assert {name: estate.live(name) for name in second} == second


def check(estate: Estate, story: list[tuple[tuple[str, ...], str]], secrets: Stored) -> None:
    for words, result in story:
        run = estate.run(*words)
        assert (run.code, result in run.out) == (0, True), run.output[-3000:]
        assert not shown(estate, run, secrets), words
