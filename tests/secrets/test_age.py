"""Secrets in age files: read by pyrage, written by Debian's age too, and one clear line for what is wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

import pyrage
import pytest

from reconciler.core.address import Address
from reconciler.core.errors import SecretUnavailable
from reconciler.manifests.secret_document import InvalidSecretDocument, read_secret_document
from reconciler.secrets import (
    AgeSettings,
    SecretAccess,
    SecretPolicy,
    WantedSecret,
    parse_reference,
    resolve_reference,
    resolve_secrets,
)
from reconciler.secrets.age import encrypt, recipients

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CANARY = "canary-5d1e"
IDENTITY = pyrage.x25519.Identity.generate()
OKTA = Address("acme", "okta")
AGE = shutil.which("age")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str | bytes, name: str = "acme.age", *, armored: bool = True) -> Path:
        content = text.encode() if isinstance(text, str) else text
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_bytes(pyrage.encrypt(content, [IDENTITY.to_public()], armored=armored))
        return file

    return write


def access_to(root: Path, identity: str = str(IDENTITY), **changes: object) -> SecretAccess:
    return SecretAccess(
        policy=SecretPolicy(
            root=root, store_allow={"age": ("*",)}, own=(parse_reference("${env:AGE_IDENTITY}"),)
        ),
        environment={"AGE_IDENTITY": identity} if identity else {},
        age=AgeSettings(identity=parse_reference("${env:AGE_IDENTITY}")),
        read_document=read_secret_document,
    )


def resolve(root: Path, text: str = "${age:acme.age#okta}", identity: str = str(IDENTITY)) -> str:
    return resolve_reference(parse_reference(text), access_to(root, identity), OKTA).reveal()


def refusal(root: Path, text: str = "${age:acme.age#okta}", identity: str = str(IDENTITY)) -> str:
    with pytest.raises(SecretUnavailable) as refused:
        resolve(root, text, identity)
    message = str(refused.value)
    assert CANARY not in message
    assert identity not in message or not identity
    assert "\n" not in message
    assert refused.value.__cause__ is None
    return message


@pytest.mark.parametrize("armored", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "okta: canary-5d1e",
        "# comment\nentra: other\nokta: 'canary-5d1e'\n",
        '{"okta": "canary-5d1e"}',
        '{\n\t"okta": "\\u0063anary-5d1e"\n}\n',
        "okta: |-\n  canary-5d1e\n",
        "{okta: canary-5d1e}",
    ],
)
def test_a_value_is_read_by_its_key(
    tmp_path: Path, write: Callable[..., Path], text: str, armored: bool
) -> None:
    write(text, armored=armored)
    assert resolve(tmp_path) == CANARY


@pytest.mark.parametrize("value", [" padded ", "two\nlines\n", "ünï🔑", "0123", "no", "'quoted\"", "\u2028"])
def test_a_value_is_taken_as_it_is(tmp_path: Path, write: Callable[..., Path], value: str) -> None:
    write(json.dumps({"okta": value}))
    assert resolve(tmp_path) == value


@pytest.mark.parametrize("value", ["0123", "no", "1e3", "2027-01-01", "[a]", "{a: b}", "", "~", "1.0"])
def test_what_is_no_text_has_to_be_quoted(tmp_path: Path, write: Callable[..., Path], value: str) -> None:
    write(f"okta: {value}\nentra: {CANARY}\n")
    assert refusal(tmp_path) == "the value of 'okta' in the age file acme.age is not text: quote it"
    assert resolve(tmp_path, "${age:acme.age#entra}") == CANARY


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"okta: {CANARY}\nokta: b", "duplicate-key (line 2)"),
        (f'{{"okta": "{CANARY}", "okta": "b"}}', "JSON with a key twice"),
        (f"- {CANARY}", "not one mapping"),
        (CANARY, "not one mapping"),
        (f"okta: [{CANARY}", "not YAML (line"),
        (f"okta: &a {CANARY}\nb: *a", "too-many-aliases"),
        (f"a: 1\n---\nokta: {CANARY}", "not one mapping"),
        ("\xff" + CANARY, "not one mapping"),
        (f'{{"okta": "{CANARY}\\ud800"}}', "JSON with a key twice"),
        ("".join(f"k{index}: {CANARY}\n" for index in range(60_000)), "it has more than 10000 keys"),
        (json.dumps(dict.fromkeys(map(str, range(60_000)), CANARY)), "it has more than 10000 keys"),
    ],
)
def test_a_document_that_cannot_be_read_is_refused_without_its_content(
    tmp_path: Path, write: Callable[..., Path], text: str, reason: str
) -> None:
    write(text)
    message = refusal(tmp_path)
    assert message.startswith("what the age file acme.age holds cannot be read: ")
    assert reason in message


def test_an_error_about_a_document_has_no_cause_that_holds_it() -> None:
    with pytest.raises(InvalidSecretDocument) as refused:
        read_secret_document(f'{{"okta": "{CANARY}\\ud800"}}')
    assert refused.value.__cause__ is None
    assert CANARY not in "".join(traceback.format_exception(refused.value))


def test_a_file_with_endless_keys_refuses_itself_alone(tmp_path: Path, write: Callable[..., Path]) -> None:
    write("".join(f"k{index}: v\n" for index in range(170_000)), "globex.age", armored=False)
    write(f"okta: {CANARY}")
    wanted = [
        WantedSecret(parse_reference(f"${{age:{slug}.age#okta}}"), Address(slug, "okta"))
        for slug in ("globex", "acme")
    ]
    resolved = resolve_secrets(wanted, replace(access_to(tmp_path), seconds=5))
    assert [secret.reveal() for secret in resolved.secrets.values()] == [CANARY]
    assert [str(failure.error) for failure in resolved.failures] == [
        "what the age file globex.age holds cannot be read: it has more than 10000 keys: split it"
    ]


@pytest.mark.parametrize("armored", [True, False])
def test_a_file_with_endless_recipients_is_not_decrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, armored: bool
) -> None:
    (tmp_path / "acme.age").write_bytes(
        pyrage.encrypt(CANARY.encode(), [IDENTITY.to_public()] * 102, armored=armored)
    )
    monkeypatch.setattr(pyrage, "decrypt", None)
    assert "encrypted for more than 100 recipients" in refusal(tmp_path)


@pytest.mark.parametrize("armored", [True, False])
def test_a_file_for_a_hundred_recipients_is_read(tmp_path: Path, armored: bool) -> None:
    settings = AgeSettings(recipients=(str(IDENTITY.to_public()),) * 100)
    (tmp_path / "acme.age").write_bytes(encrypt(f"okta: {CANARY}", recipients(settings), armored=armored))
    assert resolve(tmp_path) == CANARY
    with pytest.raises(SecretUnavailable, match="more than 100 keys"):
        recipients(replace(settings, recipients=settings.recipients * 2))


def test_a_key_that_is_not_there_is_named(tmp_path: Path, write: Callable[..., Path]) -> None:
    write("okta: a")
    assert refusal(tmp_path, "${age:acme.age#entra}") == (
        "there is no key 'entra' at age:acme.age; add it, or correct the reference"
    )


@pytest.mark.parametrize("cut", [2, 20, 100, 150])
def test_a_truncated_file_is_damaged(tmp_path: Path, write: Callable[..., Path], cut: int) -> None:
    for armored in (True, False):
        file = write(f"okta: {CANARY}", armored=armored)
        file.write_bytes(file.read_bytes()[:-cut])
        assert "damaged" in refusal(tmp_path)


def test_a_file_that_is_not_age_is_refused(tmp_path: Path) -> None:
    (tmp_path / "acme.age").write_text(f"okta: {CANARY}")
    assert "acme.age is not an age file" in refusal(tmp_path)
    (tmp_path / "acme.age").write_bytes(b"")
    assert "acme.age is not an age file" in refusal(tmp_path)
    (tmp_path / "acme.age").unlink()
    assert "there is no such file" in refusal(tmp_path)
    (tmp_path / "acme.age").mkdir()
    assert "it is a folder" in refusal(tmp_path)


def test_a_file_of_ten_megabytes_is_not_decrypted(tmp_path: Path, write: Callable[..., Path]) -> None:
    write(b"okta: " + b"x" * 10_000_000)
    assert refusal(tmp_path) == "the age file acme.age is larger than 2 MiB: split it"


def test_binary_content_is_refused(tmp_path: Path, write: Callable[..., Path]) -> None:
    write(b"okta: \xff" + CANARY.encode())
    assert "does not contain text" in refusal(tmp_path)


def test_a_file_for_another_identity_says_who_can_help(tmp_path: Path, write: Callable[..., Path]) -> None:
    write(f"okta: {CANARY}")
    message = refusal(tmp_path, identity=str(pyrage.x25519.Identity.generate()))
    assert message == (
        "the age file acme.age is not encrypted for this identity: ask a recipient of it to run "
        "`reconciler secrets rekey`"
    )


def test_an_identity_file_of_age_keygen_serves(tmp_path: Path, write: Callable[..., Path]) -> None:
    write(f"okta: {CANARY}")
    other = pyrage.x25519.Identity.generate()
    text = f"# created: 2026-11-01\n# public key: {IDENTITY.to_public()}\n{IDENTITY}\n\n{other}\n"
    assert resolve(tmp_path, identity=text) == CANARY


@pytest.mark.parametrize("identity", ["x", f"{CANARY}", "AGE-SECRET-KEY-1QQ", "# only a comment", "age1abc"])
def test_a_malformed_identity_is_named_and_not_shown(
    tmp_path: Path, write: Callable[..., Path], identity: str
) -> None:
    write(f"okta: {CANARY}")
    assert "${env:AGE_IDENTITY} holds no age identity" in refusal(tmp_path, identity=identity)


def test_a_missing_identity_is_named(tmp_path: Path, write: Callable[..., Path]) -> None:
    write(f"okta: {CANARY}")
    assert "the environment variable AGE_IDENTITY is not set" in refusal(tmp_path, identity="")
    access = replace(access_to(tmp_path), age=AgeSettings())
    with pytest.raises(SecretUnavailable, match="identity: "):
        resolve_reference(parse_reference("${age:acme.age#okta}"), access, OKTA)


def test_the_identity_itself_cannot_be_used_as_a_secret(tmp_path: Path, write: Callable[..., Path]) -> None:
    write(f"okta: {IDENTITY}")
    assert "holds a credential of the reconciler" in refusal(tmp_path)
    assert "AGE_IDENTITY is a credential" in refusal(tmp_path, "${env:AGE_IDENTITY}")


def test_a_file_is_decrypted_once_for_all_its_keys(
    tmp_path: Path, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write("".join(f"key-{number}: {CANARY}-{number}\n" for number in range(300)))
    decrypted = []
    plain = pyrage.decrypt

    def counted(*arguments: object) -> bytes:
        decrypted.append(1)
        content: bytes = plain(*arguments)
        return content

    monkeypatch.setattr(pyrage, "decrypt", counted)
    wanted = [WantedSecret(parse_reference(f"${{age:acme.age#key-{number}}}"), OKTA) for number in range(300)]
    resolved = resolve_secrets(wanted, access_to(tmp_path))
    assert not resolved.failures
    assert len(resolved.secrets) == 300
    assert len(decrypted) == 1


def test_a_link_is_followed_and_has_to_stay_in_the_project(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    project = tmp_path / "project"
    write(f"okta: {CANARY}", "project/secrets/acme.age")
    write(f"okta: {CANARY}", "outside.age")
    (project / "inside.age").symlink_to(project / "secrets/acme.age")
    (project / "acme.age").symlink_to(tmp_path / "outside.age")
    assert resolve(project, "${age:inside.age#okta}") == CANARY
    assert "outside the project" in refusal(project)


@pytest.mark.skipif(AGE is None, reason="needs age: make tools")
@pytest.mark.parametrize("options", [(), ("--armor",)])
def test_a_file_that_another_implementation_wrote_is_read(tmp_path: Path, options: tuple[str, ...]) -> None:
    assert AGE
    recipient = str(IDENTITY.to_public())
    command = [AGE, "--encrypt", *options, "--recipient", recipient, "--output", str(tmp_path / "acme.age")]
    subprocess.run(command, input=f"okta: {CANARY}".encode(), check=True, timeout=20)
    assert resolve(tmp_path) == CANARY
