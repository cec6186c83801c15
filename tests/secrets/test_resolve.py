"""References become secrets, or findings that name everything but the value."""

from __future__ import annotations

import os
import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from reconciler.core.address import Address
from reconciler.core.connection import OidcConnection
from reconciler.core.errors import SecretUnavailable, SourceLocation
from reconciler.core.secret import Secret
from reconciler.core.state import DesiredConnection, Presence
from reconciler.secrets import (
    SCHEMES,
    SecretAccess,
    SecretPolicy,
    WantedSecret,
    parse_reference,
    resolve_reference,
    resolve_secrets,
    wanted_by,
)
from reconciler.secrets.store import Entry

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

CANARY = "canary-7c1f"


def access_to(root: Path, environment: Mapping[str, str]) -> SecretAccess:
    return SecretAccess(policy=SecretPolicy(root=root, env_allow=("*",)), environment=environment)


def resolve(text: str, root: Path, **environment: str) -> Secret:
    return resolve_reference(parse_reference(text), access_to(root, environment))


def refusal(text: str, root: Path, **environment: str) -> str:
    with pytest.raises(SecretUnavailable) as refused:
        resolve(text, root, **environment)
    assert CANARY not in str(refused.value)
    assert refused.value.__cause__ is None
    return str(refused.value)


@pytest.mark.parametrize("value", ["x", " padded ", "two\nlines\n", "ünï🔑", "${env:B}", "0"])
def test_a_variable_is_taken_as_it_is(tmp_path: Path, value: str) -> None:
    assert resolve("${env:A}", tmp_path, A=value, B="no").reveal() == value


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"x", "x"),
        (b"x\n", "x"),
        (b"x\r\n", "x"),
        (b"x\n\n", "x\n"),
        (b"x\r", "x\r"),
        (b" x \n", " x "),
        (b"\xef\xbb\xbfx", "\ufeffx"),
        ("ünï🔑\n".encode(), "ünï🔑"),
        (b"x" * 64 * 1024, "x" * 64 * 1024),
    ],
    ids=repr,
)
def test_a_file_loses_one_newline_and_nothing_else(tmp_path: Path, content: bytes, value: str) -> None:
    (tmp_path / "secret").write_bytes(content)
    assert resolve("${file:secret}", tmp_path).reveal() == value


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"\xff" + CANARY.encode(), "not UTF-8"),
        (CANARY.encode() + b"\0", "NUL"),
        (CANARY.encode() * 64 * 1024, "larger than 64 KiB"),
    ],
    ids=["empty", "newline", "not-utf-8", "nul", "too-large"],
)
def test_a_file_that_is_no_secret_is_refused_without_its_content(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "secret").write_bytes(content)
    message = refusal("${file:secret}", tmp_path)
    assert reason in message
    assert "secret" in message


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert "there is no such file" in refusal("${file:missing}", tmp_path)
    assert "it is a folder" in refusal("${file:folder}", tmp_path)
    assert "file name too long" in refusal(f"${{file:{'x' * 5000}}}", tmp_path)
    assert "not a regular file" in refusal("${file:pipe}", tmp_path)


def test_a_missing_or_empty_variable_is_refused_by_name(tmp_path: Path) -> None:
    assert "variable A is not set" in refusal("${env:A}", tmp_path)
    assert "variable A is empty" in refusal("${env:A}", tmp_path, A="")
    assert "variable A is not UTF-8" in refusal("${env:A}", tmp_path, A="\udcff" + CANARY)


def test_parts_are_put_together(tmp_path: Path) -> None:
    assert resolve("a-${env:A}-$${-${env:B}", tmp_path, A="1", B="2").reveal() == "a-1-${-2"


def test_an_unknown_scheme_names_the_known_ones(tmp_path: Path) -> None:
    assert refusal("${vualt:a}", tmp_path) == f"unknown secret scheme 'vualt'; known: {', '.join(SCHEMES)}"


def test_the_policy_holds_for_references_of_a_saved_plan_too(tmp_path: Path) -> None:
    assert "STYTCH_SECRET" in refusal("${env:STYTCH_SECRET}", tmp_path, STYTCH_SECRET=CANARY)
    (tmp_path.parent / "outside-secret").write_text(CANARY)
    assert "outside" in refusal("${file:../outside-secret}", tmp_path)


def test_a_variable_that_copies_an_own_credential_is_refused(tmp_path: Path) -> None:
    message = refusal("${env:COPY}", tmp_path, COPY=CANARY, STYTCH_SECRET=CANARY)
    assert "credential of the reconciler" in message


def test_every_reference_gets_a_secret_or_a_finding_with_its_place(tmp_path: Path) -> None:
    place = SourceLocation("organizations/acme.yaml", line=3, column=5)
    wanted = [
        WantedSecret(parse_reference("${env:A}"), Address("acme", "okta"), place),
        WantedSecret(parse_reference("${env:B}"), Address("acme", "entra"), place),
        WantedSecret(parse_reference("${env:A}"), Address("beta", "okta"), place),
    ]
    resolved = resolve_secrets(wanted, access_to(tmp_path, {"A": CANARY}))
    assert resolved.secrets == {parse_reference("${env:A}"): Secret(CANARY)}
    assert [
        (diagnostic.code, diagnostic.address, diagnostic.location) for diagnostic in resolved.diagnostics
    ] == [("secret-unavailable", "acme/entra", place)]
    assert resolved.diagnostics[0].summary.startswith(
        "${env:B} cannot be resolved: the environment variable B"
    )
    assert CANARY not in repr(resolved)


def test_a_reference_that_one_organization_may_use_is_refused_for_another(tmp_path: Path) -> None:
    policy = SecretPolicy(root=tmp_path, env_allow=("{organization}__*",))
    reference = parse_reference("${env:ACME__OKTA}")
    wanted = [WantedSecret(reference, Address(slug, "okta")) for slug in ("acme", "globex", "acme")]
    access = SecretAccess(policy=policy, environment={"ACME__OKTA": CANARY})
    resolved = resolve_secrets(wanted, access)
    assert resolved.secrets == {reference: Secret(CANARY)}
    assert [str(secret.address) for secret in resolved.unresolved] == ["globex/okta"]
    with pytest.raises(SecretUnavailable, match=r"secrets\.env\.allow permits"):
        resolve_reference(reference, access)


def test_each_store_is_opened_once_and_asked_once_for_each_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    class FakeStore:
        def read(self, names: Collection[str]) -> Mapping[str, Entry | SecretUnavailable]:
            asked.append(tuple(names))
            return {name: Entry({"a": Secret(f"{name}-a"), "b": Secret(f"{name}-b")}) for name in names}

    backend = ModuleType("fake_backend")
    backend.__dict__["open_store"] = lambda _access: FakeStore()
    monkeypatch.setitem(sys.modules, "reconciler.secrets.vault", backend)
    references = [f"${{vault:{name}#{key}}}" for name in ("x", "y") for key in ("a", "b", "c")]
    wanted = [WantedSecret(parse_reference(text), Address("acme", "okta")) for text in references]
    policy = SecretPolicy(root=tmp_path, store_allow={"vault": ("*",)})
    resolved = resolve_secrets(wanted, SecretAccess(policy=policy, environment={}))
    assert asked == [("x", "y")]
    assert [secret.reveal() for secret in resolved.secrets.values()] == ["x-a", "x-b", "y-a", "y-b"]
    assert [str(failure.error) for failure in resolved.failures] == [
        f"there is no key 'c' at vault:{name}; add it, or correct the reference" for name in ("x", "y")
    ]


def test_tombstones_and_connections_without_a_secret_want_nothing(tmp_path: Path) -> None:
    reference = parse_reference("${env:A}")

    def declared(name: str, presence: Presence, secret: object) -> DesiredConnection:
        return DesiredConnection(
            address=Address("acme", name),
            connection=OidcConnection(client_secret=secret),  # type: ignore[arg-type]  # None and references
            location=SourceLocation("a.yaml"),
            presence=presence,
        )

    wanted = wanted_by(
        [
            declared("one", Presence.PRESENT, reference),
            declared("two", Presence.ABSENT, reference),
            declared("three", Presence.PRESENT, None),
        ]
    )
    assert [(one.reference, one.address) for one in wanted] == [(reference, Address("acme", "one"))]


def test_backends_are_imported_when_their_scheme_is_used() -> None:
    program = (
        "import sys, reconciler.secrets; print(*(one for one in sys.modules if 'reconciler.secrets.' in one))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "reconciler.secrets.resolve" in done.stdout
    assert "reconciler.secrets.env" not in done.stdout
    assert "reconciler.secrets.file" not in done.stdout
