"""`import --secrets age:TEMPLATE`: the estate is in Git with its secrets, encrypted, in one run."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pyrage
import pytest

from tests.support.workplace import NO_CHANGES, okta

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workplace import CompletedRun, Workplace

TEMPLATE = "age:secrets/{organization}.yaml.age#{connection}"
IDENTITY = pyrage.x25519.Identity.generate()
PLAIN = "canary~"


@pytest.fixture
def estate(place: Workplace) -> Workplace:
    """Three organizations with five connections, and a project file that names whom to encrypt for."""
    for slug, names in (("acme", ("Okta", "Entra")), ("globex", ("Okta",)), ("initech", ("A", "B"))):
        place.emulator.add_organization(slug)
        for name in names:
            secret = f"{PLAIN}{slug}: '{name}' \"#\n"
            place.emulator.add_connection(slug, **okta(name, client_id=name, client_secret=secret))
    settings = {
        "allow": ["secrets/{organization}.yaml.age#*"],
        "identity": "${env:AGE_IDENTITY}",
        "recipients": [str(IDENTITY.to_public())],
    }
    place.write("reconciler.yaml", json.dumps({"secrets": {"age": settings}}))
    return place


def imported(place: Workplace, *words: str) -> CompletedRun:
    run = place.run("import", *(words or ("--all",)), "--secrets", TEMPLATE, "--format", "json")
    assert run.code == 0, run.output
    assert PLAIN not in run.output
    return run


def decrypted(place: Workplace, slug: str) -> str:
    content = (place.root / f"secrets/{slug}.yaml.age").read_bytes()
    return str(pyrage.decrypt(content, [IDENTITY]), "utf-8")


def codes(run: CompletedRun) -> list[tuple[str, str]]:
    return [(finding["code"], finding["address"]) for finding in run.document["diagnostics"]]


def test_the_next_plan_compares_all_secrets_and_is_empty(estate: Workplace) -> None:
    """The import needs no identity: it encrypts."""
    document = imported(estate).document
    assert document["stored_secrets"] == 5
    assert document["secret_files"] == [f"secrets/{slug}.yaml.age" for slug in ("acme", "globex", "initech")]
    assert "AGE_IDENTITY" not in os.environ
    estate.setenv("AGE_IDENTITY", str(IDENTITY))
    planned = estate.run("plan", "--format", "json")
    assert planned.code == 0, planned.output
    summary = planned.document["summary"]
    assert [summary[name] for name in ("add", "change", "unchanged")] == [0, 0, 5]
    assert planned.document["diagnostics"] == []
    assert estate.run("secrets", "check").out == "5 secret references resolved.\n"

    estate.emulator.edit_connection(estate.live("acme")[0]["connection_id"], client_secret="another~value")
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in estate.run("plan").out
    assert not estate.emulator.request_log.writes


def test_no_plain_secret_is_on_disk(estate: Workplace, tmp_path: Path) -> None:
    imported(estate)
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or PLAIN.encode() not in file.read_bytes()
    assert not [file for file in estate.root.rglob("*") if file.suffix not in {".yaml", ".age", ""}]


def test_a_masked_secret_is_named_and_not_written(estate: Workplace) -> None:
    estate.emulator.edit_connection(estate.live("acme")[0]["connection_id"], client_secret="****")
    run = imported(estate)
    assert run.document["stored_secrets"] == 4
    assert codes(run) == [("secret-not-stored", "acme/okta")]
    (finding,) = run.document["diagnostics"]
    assert finding["summary"] == "the live secret of acme/okta was not stored: the API does not show it"
    assert "\nentra: " in decrypted(estate, "acme")
    assert "okta" not in decrypted(estate, "acme")


def test_what_is_stored_already_stays(estate: Workplace) -> None:
    """A file with keys of its own keeps them; a key with another value is named, an equal one is not."""
    before = "okta: of-somebody  # by hand\nother: x\n"
    path = estate.root / "secrets/acme.yaml.age"
    path.parent.mkdir()
    path.write_bytes(pyrage.encrypt(before.encode(), [IDENTITY.to_public()], armored=True))
    estate.setenv("AGE_IDENTITY", str(IDENTITY))
    run = imported(estate)
    assert codes(run) == [("secret-not-stored", "acme/okta")]
    assert "secrets/acme.yaml.age holds another value at 'okta', which stays" in run.out
    assert decrypted(estate, "acme").startswith(before)
    assert "\nentra: " in decrypted(estate, "acme")
    for manifest in (estate.root / "organizations").iterdir():
        manifest.unlink()
    again = imported(estate)
    assert codes(again) == [("secret-not-stored", "acme/okta")]
    assert again.document["secret_files"] == []


def test_a_file_that_cannot_be_decrypted_stays(estate: Workplace) -> None:
    path = estate.root / "secrets/acme.yaml.age"
    path.parent.mkdir()
    other = pyrage.x25519.Identity.generate().to_public()
    content = pyrage.encrypt(b"okta: x\n", [other], armored=True)
    path.write_bytes(content)
    estate.setenv("AGE_IDENTITY", str(IDENTITY))
    run = imported(estate)
    assert codes(run) == [("secret-not-stored", "acme/entra"), ("secret-not-stored", "acme/okta")]
    assert run.document["stored_secrets"] == 3
    assert path.read_bytes() == content


def test_appended_connections(estate: Workplace) -> None:
    """An existing file is decrypted, so that its keys stay."""
    imported(estate, "acme")
    estate.emulator.add_connection("acme", **okta("New", client_id="new", client_secret=f"{PLAIN}new"))
    estate.setenv("AGE_IDENTITY", str(IDENTITY))
    run = estate.run("import", "--add", "--secrets", TEMPLATE, "--format", "json")
    assert (run.code, PLAIN in run.output) == (0, False), run.output
    assert (run.document["stored_secrets"], codes(run)) == (1, [])
    assert decrypted(estate, "acme").endswith(f'new: "{PLAIN}new"\n')
    assert NO_CHANGES in estate.run("plan").out


def test_a_file_that_exists_needs_the_identity(estate: Workplace) -> None:
    path = estate.root / "secrets/acme.yaml.age"
    path.parent.mkdir()
    path.write_bytes(pyrage.encrypt(b"okta: x\n", [IDENTITY.to_public()], armored=True))
    run = imported(estate)
    assert codes(run) == [("secret-not-stored", "acme/entra"), ("secret-not-stored", "acme/okta")]
    assert "was not stored: the age identity is not available" in run.out


def test_what_cannot_be_written_is_an_error(estate: Workplace) -> None:
    estate.write("secrets", "a file where a folder has to be")
    run = estate.run("import", "acme", "--secrets", TEMPLATE)
    assert (run.code, PLAIN in run.output) == (1, False)
    assert "cannot write secrets/acme.yaml.age" in run.err


def test_all_organizations_in_one_file(estate: Workplace) -> None:
    estate.write(
        "reconciler.yaml",
        (estate.root / "reconciler.yaml").read_text().replace("{organization}.yaml.age", "all.age"),
    )
    run = estate.run("import", "--all", "--secrets", "age:secrets/all.age#{organization}/{connection}")
    assert run.code == 0, run.output
    assert "Secrets: 5 live secrets encrypted into 1 age file." in run.out
    estate.setenv("AGE_IDENTITY", str(IDENTITY))
    assert NO_CHANGES in estate.run("plan").out


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"recipients": []}, "live secrets cannot be encrypted: no recipients"),
        ({"allow": []}, "the project file permits no secret of the scheme age: add secrets: {age: {allow: ["),
    ],
)
def test_nothing_is_read_if_nothing_can_be_encrypted(
    estate: Workplace, change: dict[str, list[str]], reason: str
) -> None:
    settings = json.loads((estate.root / "reconciler.yaml").read_text())
    settings["secrets"]["age"] |= change
    if not change.get("recipients", True):
        del settings["secrets"]["age"]["recipients"]
    estate.write("reconciler.yaml", json.dumps(settings))
    run = estate.run("import", "--all", "--secrets", TEMPLATE)
    assert (run.code, run.out) == (1, "")
    assert reason in run.err
    assert not estate.emulator.request_log.entries
    assert not (estate.root / "organizations").exists()
