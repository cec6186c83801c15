"""Secrets in age files, from `secrets encrypt` to an empty plan, a rotation and new recipients."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyrage
import pytest

from tests.support.terminal import terminal
from tests.support.workplace import NO_CHANGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.workplace import CompletedRun, Workplace

CANARY = "canary-3a9d"
FIRST = pyrage.x25519.Identity.generate()
SECOND = pyrage.x25519.Identity.generate()
AGE = shutil.which("age")
NAME = "'.file': \"secrets/acme.age\"\n"


def project_file(*recipients: pyrage.x25519.Identity, allow: str = "secrets/{organization}.age#*") -> str:
    keys = ", ".join(str(identity.to_public()) for identity in recipients)
    return (
        "limits: {requests_per_second: 500}\n"
        f"secrets: {{age: {{identity: '${{env:AGE_IDENTITY}}', recipients: [{keys}], allow: ['{allow}']}}}}\n"
    )


@pytest.fixture
def vaulted(place: Workplace) -> Workplace:
    """Two organizations that refer to age files which do not exist yet."""
    place.write("reconciler.yaml", project_file(FIRST))
    for slug in ("acme", "globex"):
        place.declare(slug, client_secret=f"${{age:secrets/{slug}.age#sso}}")
        place.delenv(f"{slug.upper()}_CLIENT_SECRET")
    place.setenv("AGE_IDENTITY", str(FIRST))
    return place


@pytest.fixture
def encrypt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., CompletedRun]:
    def encrypt(place: Workplace, address: str, value: str = CANARY) -> CompletedRun:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(value.encode())))
        run = place.run("secrets", "encrypt", address)
        assert value not in run.output
        return run

    return encrypt


def decrypted(place: Workplace, slug: str, identity: pyrage.x25519.Identity = FIRST) -> str:
    text: str = pyrage.decrypt((place.root / f"secrets/{slug}.age").read_bytes(), [identity]).decode()
    return text


def files_with(place: Workplace, text: str) -> list[str]:
    files = [path for path in place.root.rglob("*") if path.is_file()]
    return [str(path) for path in files if text.encode() in path.read_bytes()]


def test_secrets_are_encrypted_applied_compared_and_rotated(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    for slug in ("acme", "globex"):
        run = encrypt(vaulted, f"{slug}/sso", f"{CANARY}-{slug}\n")
        assert run.code == 0, run.output
        assert run.out == (f"The secret of {slug}/sso is in secrets/{slug}.age, encrypted for 1 recipient.\n")
    applied = vaulted.run("apply", "--auto-approve", "-v")
    assert applied.code == 0, applied.output
    assert "PUT" in applied.err
    assert CANARY not in applied.output
    assert str(FIRST) not in applied.output
    assert vaulted.live("acme")[0]["client_secret"] == f"{CANARY}-acme"
    assert NO_CHANGES in vaulted.run("plan").out
    encrypt(vaulted, "acme/sso", "rotated-8c4b")
    assert "1 to change" in vaulted.run("plan", "--out", "plan.json").out
    applied = vaulted.run("apply", "plan.json", "--auto-approve")
    assert applied.code == 0, applied.output
    assert "rotated-8c4b" not in applied.output
    assert vaulted.live("acme")[0]["client_secret"] == "rotated-8c4b"
    assert NO_CHANGES in vaulted.run("plan").out
    assert not files_with(vaulted, CANARY)
    assert not files_with(vaulted, "rotated-8c4b")
    assert not files_with(vaulted, str(FIRST))


def test_a_new_file_needs_no_identity_and_one_that_exists_does(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    vaulted.delenv("AGE_IDENTITY")
    assert encrypt(vaulted, "acme/sso").code == 0
    before = (vaulted.root / "secrets/acme.age").read_bytes()
    run = encrypt(vaulted, "acme/sso", "other-71aa")
    assert run.code == 1
    assert "the environment variable AGE_IDENTITY is not set" in run.err
    assert (vaulted.root / "secrets/acme.age").read_bytes() == before
    assert "-----BEGIN AGE ENCRYPTED FILE-----" in before.decode()


@pytest.mark.skipif(AGE is None, reason="needs age: make tools")
def test_another_implementation_reads_what_is_written(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    assert AGE
    encrypt(vaulted, "acme/sso")
    vaulted.write("key.txt", f"{FIRST}\n")
    command = [AGE, "--decrypt", "--identity", "key.txt", "secrets/acme.age"]
    done = subprocess.run(command, cwd=vaulted.root, capture_output=True, check=True, timeout=20)
    assert done.stdout.decode() == f'{NAME}sso: "{CANARY}"\n'


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("", f'{NAME}sso: "{CANARY}"\n'),
        ("# hi\nb: x\n", f'# hi\nb: x\n{NAME}sso: "{CANARY}"\n'),
        ("b: x", f'b: x\n{NAME}sso: "{CANARY}"\n'),
        ("b: x\nsso: old # why\na: y\n", f'b: x\nsso: "{CANARY}" # why\na: y\n{NAME}'),
        ("'sso': |\n  old\na: y\n", f'sso: "{CANARY}"\na: "y"\n{NAME}'),
        ("{b: x}", f'b: "x"\n{NAME}sso: "{CANARY}"\n'),
        (
            '{"b": "x", "sso": "old"}',
            f'{{\n  "b": "x",\n  "sso": "{CANARY}",\n  ".file": "secrets/acme.age"\n}}\n',
        ),
    ],
)
def test_other_keys_and_their_order_stay(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun], text: str, edited: str
) -> None:
    file = vaulted.write("secrets/acme.age", "")
    file.write_bytes(pyrage.encrypt(text.encode(), [FIRST.to_public()]))
    run = encrypt(vaulted, "acme/sso")
    assert run.code == 0, run.output
    written = decrypted(vaulted, "acme")
    assert written == edited
    assert file.read_bytes().startswith(b"age-encryption.org/v1"), "a binary file stays one"


@pytest.mark.parametrize("command", [("encrypt", "acme/sso"), ("rekey",)])
def test_a_secret_that_somebody_else_stores_meanwhile_is_not_lost(
    vaulted: Workplace, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    file = vaulted.write("secrets/acme.age", "")
    file.write_bytes(pyrage.encrypt(b"sso: a", [FIRST.to_public()]))
    vaulted.write("secrets/globex.age", "").write_bytes(pyrage.encrypt(b"sso: b", [FIRST.to_public()]))
    theirs = pyrage.encrypt(f"sso: a\nentra: {CANARY}\n".encode(), [FIRST.to_public()])

    def encrypt_slowly(*arguments: Any, **options: Any) -> bytes:
        encrypted: bytes = encrypt_at_once(*arguments, **options)
        file.write_bytes(theirs)
        return encrypted

    encrypt_at_once = pyrage.encrypt
    monkeypatch.setattr(pyrage, "encrypt", encrypt_slowly)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"new-71aa")))
    run = vaulted.run("secrets", *command)
    assert run.code == 1
    assert "secrets/acme.age was changed during the run: run it again" in run.err
    assert file.read_bytes() == theirs


def test_a_connection_without_a_reference_gets_the_lines_to_add(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    vaulted.write("reconciler.yaml", project_file(FIRST, allow="elsewhere/*"))
    vaulted.declare("acme")
    run = encrypt(vaulted, "acme/sso")
    assert run.code == 0, run.output
    assert run.out.splitlines()[1:] == [
        "Add to the connection in its manifest:",
        "    client_secret: ${age:secrets/acme.age#sso}",
        "Add to the project file:",
        '    secrets: {age: {allow: ["secrets/{organization}.age#*"]}}',
    ]


@pytest.mark.parametrize(
    ("address", "value", "reason"),
    [
        ("acme/sso", "", "standard input is empty"),
        ("acme/sso", "\n", "standard input is empty"),
        ("acme/sso", "a\0b", "standard input holds a NUL byte"),
        ("acme/sso", "x" * 70_000, "standard input is larger than 64 KiB"),
        ("acme/nobody", CANARY, "no declared connection has the address 'acme/nobody'"),
    ],
)
def test_what_cannot_be_encrypted_is_one_clear_line(
    vaulted: Workplace, monkeypatch: pytest.MonkeyPatch, address: str, value: str, reason: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(value.encode())))
    run = vaulted.run("secrets", "encrypt", address)
    assert run.code == 1
    assert reason in run.err
    assert "Traceback" not in run.err
    assert not (vaulted.root / "secrets").exists()


def test_without_recipients_nothing_is_written(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    vaulted.write("reconciler.yaml", project_file())
    run = encrypt(vaulted, "acme/sso")
    assert run.code == 1
    assert "name at least the public key of the identity" in run.err
    assert not (vaulted.root / "secrets").exists()


def test_a_file_outside_of_the_project_is_not_written(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    (vaulted.root / "secrets").symlink_to(vaulted.root.parent)
    run = encrypt(vaulted, "acme/sso")
    assert run.code == 1
    assert not (vaulted.root.parent / "acme.age").exists()


def test_on_a_terminal_it_asks_twice_and_shows_nothing(vaulted: Workplace) -> None:
    with terminal(vaulted, "secrets", "encrypt", "acme/sso") as screen:
        screen.wait_for("Client secret of acme/sso")
        screen.type_hidden(CANARY)
        screen.wait_for("Repeat")
        screen.type_hidden(CANARY)
        code, result = screen.end()
    assert code == 0, screen.text
    assert "The secret of acme/sso is in secrets/acme.age" in result
    assert CANARY not in screen.screen + result
    assert decrypted(vaulted, "acme") == f'{NAME}sso: "{CANARY}"\n'


def test_new_recipients_can_read_what_old_ones_no_longer_can(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    for slug in ("acme", "globex"):
        encrypt(vaulted, f"{slug}/sso")
    vaulted.write("reconciler.yaml", project_file(SECOND))
    run = vaulted.run("secrets", "rekey")
    assert (run.code, run.out) == (0, "2 files encrypted for 1 recipient.\n"), run.output
    assert "the identity is not among `secrets.age.recipients`" in run.err
    assert decrypted(vaulted, "acme", SECOND) == f'{NAME}sso: "{CANARY}"\n'
    with pytest.raises(pyrage.DecryptError):
        decrypted(vaulted, "globex", FIRST)
    vaulted.setenv("AGE_IDENTITY", str(SECOND))
    assert vaulted.run("secrets", "check").code == 0
    assert vaulted.run("secrets", "rekey", "secrets/acme.age").out == "1 file encrypted for 1 recipient.\n"


def test_rekey_writes_nothing_if_one_file_cannot_be_decrypted(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    encrypt(vaulted, "acme/sso")
    file = vaulted.root / "secrets/globex.age"
    file.write_bytes(pyrage.encrypt(b"sso: x", [SECOND.to_public()]))
    before = (vaulted.root / "secrets/acme.age").read_bytes()
    run = vaulted.run("secrets", "rekey")
    assert run.code == 1
    assert "secrets/globex.age is not encrypted for this identity" in run.err
    assert (vaulted.root / "secrets/acme.age").read_bytes() == before
    vaulted.write("organizations/broken.yaml", "organization: [")
    assert vaulted.run("secrets", "rekey").code == 1, "a broken manifest could refer to a file"


def test_one_file_that_cannot_be_read_refuses_its_organization_alone(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    encrypt(vaulted, "globex/sso")
    (vaulted.root / "secrets/acme.age").write_bytes(pyrage.encrypt(b"sso: x", [SECOND.to_public()]))
    run = vaulted.run("plan")
    assert run.code == 1
    assert "${age:secrets/acme.age#sso} cannot be resolved: the age file secrets/acme.age is not" in run.out
    assert "globex/sso will be created" in run.out
    check = vaulted.run("secrets", "check")
    assert check.code == 1
    assert "1 of 2 secret references cannot be resolved." in check.out


def test_an_organization_cannot_use_the_file_of_another(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    encrypt(vaulted, "globex/sso")
    vaulted.declare("acme", client_secret="${age:secrets/globex.age#sso}")
    run = vaulted.run("validate")
    assert run.code == 1
    assert "${age:secrets/globex.age#sso} cannot be used: secrets.age.allow permits" in run.out
    assert "acme" not in vaulted.run("plan", "--format", "json").document["resource_changes"].__str__()


def test_a_variable_in_the_name_of_the_organization_counts(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    encrypt(vaulted, "globex/sso")
    manifest = vaulted.root / "organizations/globex.yaml"
    manifest.write_text(
        manifest.read_text().replace('"organization": "globex"', '"organization": "${var:name}"')
    )
    assert vaulted.run("validate", "--var", "name=globex").code == 0
    run = vaulted.run("validate", "--var", "name=initech")
    assert "${age:secrets/globex.age#sso} cannot be used" in run.out


def test_a_copy_of_the_file_of_another_organization_is_refused(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    """Who opens a pull request cannot decrypt a file, but can copy it, and name another issuer."""
    encrypt(vaulted, "globex/sso")
    encrypted = (vaulted.root / "secrets/globex.age").read_bytes()
    own = vaulted.root / "secrets/acme.age"
    own.write_bytes(encrypted)
    run = vaulted.run("plan")
    assert run.code == 1
    assert "the age file secrets/acme.age is a copy of another file" in run.out
    assert "globex/sso will be created" in run.out
    assert vaulted.run("secrets", "rekey").code == 1
    assert encrypt(vaulted, "acme/sso", "other-71aa").code == 1
    assert own.read_bytes() == encrypted
    own.unlink()
    own.symlink_to("globex.age")
    assert "is a link to one that secrets.age.allow does not permit" in vaulted.run("validate").out
    own.unlink()
    own.write_bytes(encrypted)
    assert vaulted.run("secrets", "rekey", "--renamed").code == 1
    assert vaulted.run("secrets", "rekey", "--renamed", "secrets/acme.age").code == 0
    assert vaulted.run("plan").code == 0


def test_a_saved_plan_cannot_use_what_is_no_longer_allowed(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    for slug in ("acme", "globex"):
        encrypt(vaulted, f"{slug}/sso")
    assert vaulted.run("plan", "--out", "plan.json").code == 0
    vaulted.write("reconciler.yaml", project_file(FIRST, allow="secrets/none#*"))
    run = vaulted.run("apply", "plan.json", "--auto-approve", "--any-inputs")
    assert run.code == 1
    assert "secrets.age.allow permits secrets/none#*" in run.output
    assert not vaulted.live("acme")


def test_without_the_identity_a_plan_that_compares_no_secrets_works(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    for slug in ("acme", "globex"):
        encrypt(vaulted, f"{slug}/sso")
    vaulted.delenv("AGE_IDENTITY")
    assert vaulted.run("plan", "--no-secrets").code == 0
    run = vaulted.run("plan")
    assert run.code == 1
    assert "the age identity is not available: the environment variable AGE_IDENTITY is not set" in run.output


def test_a_changed_file_selects_its_organization(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun]
) -> None:
    for slug in ("acme", "globex"):
        encrypt(vaulted, f"{slug}/sso")
    vaulted.git("init", "--quiet")
    vaulted.commit()
    vaulted.run("apply", "--auto-approve")
    encrypt(vaulted, "acme/sso", "rotated-8c4b")
    vaulted.commit()
    document = vaulted.run("plan", "--changed-since", "HEAD~1", "--format", "json").document
    assert [change["address"] for change in document["resource_changes"]] == ["acme/sso"]


@pytest.mark.parametrize("words", [("apply", "--auto-approve"), ("apply", "plan.json", "--auto-approve")])
def test_a_run_decrypts_each_file_once(
    vaulted: Workplace,
    encrypt: Callable[..., CompletedRun],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    for slug in ("acme", "globex"):
        encrypt(vaulted, f"{slug}/sso")
    assert vaulted.run("plan", "--out", "plan.json").code == 0
    decrypted_files = []
    plain = pyrage.decrypt

    def counted(content: bytes, identities: list[object]) -> bytes:
        decrypted_files.append(content)
        text: bytes = plain(content, identities)
        return text

    monkeypatch.setattr(pyrage, "decrypt", counted)
    assert vaulted.run(*words).code == 0
    assert len(decrypted_files) == len(set(decrypted_files)) == 2


def test_a_missing_extra_is_named_with_its_command(
    vaulted: Workplace, encrypt: Callable[..., CompletedRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    encrypt(vaulted, "acme/sso")
    monkeypatch.setitem(sys.modules, "pyrage", None)
    for words in (("plan",), ("secrets", "check"), ("secrets", "rekey")):
        run = vaulted.run(*words)
        assert run.code == 1
        assert "the scheme age needs an extra: pip install 'oidc-reconciler[age]'" in run.output


def test_the_project_itself_can_keep_its_secret_in_an_age_file(vaulted: Workplace) -> None:
    secret = os.environ["STYTCH_SECRET"]
    content = f'{{"stytch": "{secret}", "sso": "{CANARY}"}}'.encode()
    for name in ("own", "acme", "globex"):
        vaulted.write(f"secrets/{name}.age", "").write_bytes(pyrage.encrypt(content, [FIRST.to_public()]))
    vaulted.write(
        "reconciler.yaml", "target: {secret: '${age:secrets/own.age#stytch}'}\n" + project_file(FIRST)
    )
    vaulted.delenv("STYTCH_SECRET")
    refused = vaulted.run("plan")
    assert refused.code == 1
    assert "RECONCILER_ALLOWED_TARGET_REFERENCES=age:secrets/own.age#stytch" in refused.output
    vaulted.setenv("RECONCILER_ALLOWED_TARGET_REFERENCES", "age:secrets/own.age#stytch")
    run = vaulted.run("plan")
    assert run.code == 0, run.output
    vaulted.declare("acme", client_secret="${age:secrets/acme.age#stytch}")
    assert "holds a credential of the reconciler itself" in vaulted.run("plan").output
