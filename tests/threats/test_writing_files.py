"""Nothing is written through links that a pull request or another user made; modes are respected."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import UsageError
from reconciler.storage.files import check_writable, create_atomically, write_atomically

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

OUTPUTS = (("plan", "--out"), ("validate", "--output"), ("plan", "--output"))


@pytest.mark.parametrize("words", OUTPUTS, ids=" ".join)
@pytest.mark.parametrize("link", ["file", "folder", "dangling"])
def test_a_link_out_of_the_project_is_refused(
    place: Workplace, tmp_path: Path, words: tuple[str, str], link: str
) -> None:
    outside = tmp_path / "out"
    outside.mkdir()
    victim = outside / "victim"
    if link != "dangling":
        victim.write_text("precious")
    name = "results/victim" if link == "folder" else "victim"
    Path(name.partition("/")[0]).symlink_to(outside if link == "folder" else victim)
    run = place.run(*words, name)
    assert run.code == 1
    assert "a link leads out of the working directory" in run.err
    assert (victim.read_text() == "precious") if link != "dangling" else not victim.exists()


def test_a_link_within_the_project_is_followed(place: Workplace) -> None:
    Path("real.txt").write_text("")
    Path("link.txt").symlink_to("real.txt")
    assert place.run("validate", "--output", "link.txt").code == 0
    assert Path("link.txt").is_symlink()
    assert Path("real.txt").read_text()


def test_import_writes_into_no_linked_folder(served: Workplace, tmp_path: Path) -> None:
    served.setenv("STYTCH_BASE_URL", served.base_url)
    (tmp_path / "out").mkdir()
    (Path("organizations") / "acme.yaml").unlink()
    Path("organizations").rmdir()
    Path("organizations").symlink_to(tmp_path / "out")
    assert served.run("import", "acme").code == 1
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link to somebody else")
def test_a_link_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("real").write_text("precious")
    Path("link").symlink_to("real")
    os.lchown("link", 12345, 12345)
    for write in (check_writable, lambda path: write_atomically(path, "x")):
        with pytest.raises(UsageError, match="belongs to another user"):
            write(Path("link"))
    assert Path("real").read_text() == "precious"


def test_a_read_only_file_is_left_alone_and_modes_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a").write_text("precious")
    Path("a").chmod(0o440)
    with pytest.raises(UsageError, match="read-only"):
        write_atomically(Path("a"), "x")
    assert Path("a").read_text() == "precious"
    Path("a").chmod(0o640)
    write_atomically(Path("a"), "x")
    assert Path("a").stat().st_mode & 0o777 == 0o640


def test_a_folder_that_is_linked_elsewhere_gets_no_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    Path("folder").symlink_to("../out")
    with pytest.raises(UsageError, match="a link leads out"):
        create_atomically(Path("folder/new"), "x")


def test_a_path_that_is_given_may_lead_anywhere(place: Workplace, tmp_path: Path) -> None:
    for path in ("../above.txt", str(tmp_path / "absolute.txt"), "organizations/../here.txt"):
        assert place.run("validate", "--output", path).code == 0
        assert Path(path).read_text()
