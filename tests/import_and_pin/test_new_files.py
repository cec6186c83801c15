"""New files are created completely or not at all, and never replace another."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import UsageError
from reconciler.storage.files import create_atomically
from tests.import_and_pin.estate import fill

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workplace import Workplace


def test_a_new_file_is_written_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "a/b/c.yaml"
    assert create_atomically(path, "é\n")
    assert path.read_bytes() == "é\n".encode()
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert [file.name for file in path.parent.iterdir()] == ["c.yaml"]


@pytest.mark.parametrize("kind", ["file", "folder", "link", "dead link"])
def test_an_existing_file_is_kept(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "x.yaml", tmp_path / "other"
    if kind == "file":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(other)
    if kind == "link":
        other.write_text("mine")
    assert not create_atomically(path, "theirs")
    assert path.is_symlink() is ("link" in kind)
    assert not path.is_file() or path.read_text() == "mine"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_without_hard_links_it_is_created_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "no hard links here")

    monkeypatch.setattr("os.link", refuse)
    assert create_atomically(tmp_path / "x.yaml", "text")
    assert not create_atomically(tmp_path / "x.yaml", "other")
    assert (tmp_path / "x.yaml").read_text() == "text"


def test_an_unwritable_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write .*file/x\.yaml"):
        create_atomically(tmp_path / "file/x.yaml", "text")


def test_an_interrupted_import_keeps_its_files_and_can_continue(place: Workplace) -> None:
    fill(place.emulator, 60)
    place.write("reconciler.yaml", "limits: {requests_per_second: 1000, concurrency: 1}")
    place.emulator.add_fault("list-connections:latency:seconds=0.05")
    process = place.start("import", "--all")
    folder = place.root / "organizations"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not (folder.is_dir() and len([*folder.iterdir()]) > 5):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    begun = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert 5 < len(begun) < 60
    assert (place.root / ".env.example").is_file()
    place.emulator.clear_faults()
    assert place.run("import", "--all").code == 0
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(after) == 60
    assert {name: after[name] for name in begun} == begun
    assert place.run("plan", "--no-secrets", "--detailed-exitcode").code == 0


def test_a_new_manifest_names_the_schema_that_the_project_has(place: Workplace) -> None:
    """An editor checks the file, wherever it is written to; without the schema, no line leads nowhere."""
    for slug in ("acme", "globex", "initech"):
        place.emulator.add_organization(slug)
    place.run("import", "acme")
    place.write("schemas/organization.schema.json", "{}")
    place.run("import", "globex")
    place.run("import", "initech", "--into", "organizations/deep/er")
    names = ("organizations/acme.yaml", "organizations/globex.yaml", "organizations/deep/er/initech.yaml")
    first = [(place.root / name).read_text().splitlines()[0] for name in names]
    assert first == [
        "# Imported by reconciler. Fields that are not declared here are left unchanged.",
        "# yaml-language-server: $schema=../schemas/organization.schema.json",
        "# yaml-language-server: $schema=../../../schemas/organization.schema.json",
    ]


def test_an_unknown_organization_is_told_with_the_command_that_lists_all(place: Workplace) -> None:
    run = place.run("import", "nope", "--format", "json")
    assert run.code == 1
    (diagnostic,) = run.document["diagnostics"]
    assert diagnostic["code"] == "not-imported"
    assert "nope" in diagnostic["summary"]
    assert diagnostic["hint"] == "`reconciler list --all` lists the organizations of this project"
