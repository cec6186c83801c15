"""Files that another process reads are what they are when they are read here, whatever becomes of it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifests import ReadLimits, load_project, stream_manifests
from reconciler.manifests.parcel import NOTHING, pack, unpack
from reconciler.manifests.reading import ReadFile, read_file, read_text
from reconciler.manifests.second_reader import SecondReader
from tests.manifests.everything import EVERYTHING

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.manifests import ManifestFile, Project

LIMITS = ReadLimits()
GOOD = """\
organization: customer-{0}
connections:
  okta:
    client_id: "0oa{0}"
    custom_scopes: [openid, email, profile]
"""
ODD = {
    "date": "organization: dated\nconnections: {okta: {secret_expires_on: 2027-03-31}}\n",
    "everything": EVERYTHING,
    "broken": "organization: [\n",
    "unknown": "organization: unknown\nconections: {}\n",
    "twice": GOOD.format(1),
    "warned": "organization: warned\nconnections: {okta: {custom_scopes: [openid]}}\n",
    "marked": "\ufefforganization: marked\nconnections:\n  okta: {client_id: ä}\n",
    "several": "---\n---\norganization: first\n---\norganization: second\nconnections: {okta: {}}\n",
    "aliases": "organization: aliases\nconnections:\n  a: &a {client_id: x}\n  b: *a\n",
    "empty": "",
    "large": f"# {'x' * 300_000}\n{GOOD.format('large')}",
    "invisible": "organization: hidden # \u202e\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "organizations"
    folder.mkdir()
    for index in range(40):
        (folder / f"{index:03}.yaml").write_text(GOOD.format(index), encoding="utf-8")
    for index, (name, content) in enumerate(ODD.items()):
        (folder / f"{3 * index:03}-{name}.yaml").write_text(content, encoding="utf-8")
    (folder / "017-latin.yaml").write_bytes(b"organization: caf\xe9\n")
    (folder / "018-nowhere.yaml").symlink_to("nowhere.yaml")
    (folder / os.fsdecode(b"019-\xff.yaml")).write_text(GOOD.format("odd"), encoding="utf-8")
    return load_project(None, tmp_path)


def found_by(project: Project, second: SecondReader | None) -> list[ManifestFile]:
    return list(stream_manifests((), project, {"tenant": "acme"}, second))


def process_of(second: SecondReader) -> subprocess.Popen[bytes] | None:
    process = vars(second)["_process"]
    assert process is None or isinstance(process, subprocess.Popen)
    return process


@pytest.mark.parametrize("meanwhile", [0, 1, 30, 1000])
def test_what_is_found_is_the_same(project: Project, meanwhile: int) -> None:
    alone = found_by(project, None)
    assert sum(bool(file.diagnostics) for file in alone) >= 7
    with SecondReader(1, meanwhile) as second:
        assert found_by(project, second) == alone


def test_the_other_process_does_hand_over_what_it_reads(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_here: list[Path] = []

    def noted(file: Path, shown: str, limits: ReadLimits) -> ReadFile:
        read_here.append(file)
        return read_file(file, shown, limits)

    monkeypatch.setattr("reconciler.manifests.second_reader.read_file", noted)
    with SecondReader(1, 5) as second:
        files = found_by(project, second)
    assert len(files) == 56
    assert 5 <= len(read_here) <= 5 + 7
    assert {file.name for file in read_here[5:]} <= {
        "000-date.yaml",
        "003-everything.yaml",
        "006-broken.yaml",
        "017-latin.yaml",
        "018-nowhere.yaml",
        "033-invisible.yaml",
    }


@pytest.mark.parametrize("after", [1, 2, 9])
def test_when_it_dies_the_rest_is_read_here(project: Project, after: int) -> None:
    for file in (project.root / "organizations").glob("0??.yaml"):
        file.write_text(f"# {'x' * 9000}\n{file.read_text()}")  # more than fits on the way
    alone = found_by(project, None)
    with SecondReader(1, 0) as second:
        stream = stream_manifests((), project, {"tenant": "acme"}, second)
        found = [next(stream) for _ in range(after)]
        process = process_of(second)
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        found += stream
        assert found == alone
        assert process_of(second) is None
        assert process.poll() is not None


def test_one_that_says_nothing_is_not_waited_for(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.manifests.second_reader.LONGEST_WAIT", 0.2)
    alone = found_by(project, None)
    with SecondReader(1, 0) as second:
        stream = stream_manifests((), project, {"tenant": "acme"}, second)
        found = [next(stream)]
        process = process_of(second)
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        assert found + list(stream) == alone
        assert process.returncode is not None


@pytest.mark.parametrize("interpreter", ["", "/nowhere/python", "/bin/false"])
def test_where_it_cannot_start_everything_is_read_here(
    project: Project, monkeypatch: pytest.MonkeyPatch, interpreter: str
) -> None:
    alone = found_by(project, None)
    monkeypatch.setattr(sys, "executable", interpreter)
    with SecondReader(1, 0) as second:
        assert found_by(project, second) == alone


def test_without_room_for_its_task_everything_is_read_here(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_words: object) -> object:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    alone = found_by(project, None)
    monkeypatch.setattr("reconciler.manifests.second_reader.TemporaryFile", refuse)
    with SecondReader(1, 0) as second:
        assert found_by(project, second) == alone


def test_for_a_few_files_there_is_no_other_process(project: Project) -> None:
    with SecondReader() as second:
        found_by(project, second)
        assert process_of(second) is None
        assert not second.is_behind()


def test_on_one_processor_there_is_none(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0}, raising=False)
    with SecondReader(1) as second:
        second.begin(["a.yaml"], project.read_limits)
        assert process_of(second) is None


def test_it_ends_with_the_one_that_started_it(project: Project) -> None:
    with SecondReader(1, 0) as second:
        stream = stream_manifests((), project, {}, second)
        next(stream)
        process = process_of(second)
        assert process is not None
    assert process.returncode is not None
    assert len(list(stream)) == 55  # whoever goes on asks this process


def test_it_is_behind_until_something_arrives(project: Project) -> None:
    with SecondReader(1, 0) as second:
        next(stream_manifests((), project, {}, second))
        assert second.is_behind()
        process = process_of(second)
        assert process is not None
        end = time.monotonic() + 30
        while second.is_behind() and time.monotonic() < end:
            time.sleep(0.01)
        assert not second.is_behind()


@pytest.mark.parametrize("written", ["", "x", "\0" * 4, "\3\0\0\0abc", "hello world, this is a hook\n"])
def test_what_a_hook_of_python_writes_is_no_parcel(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(f"import sys; sys.stdout.write({written!r})", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(hooks))
    alone = found_by(project, None)
    with SecondReader(1, 0) as second:
        assert found_by(project, second) == alone
        assert (process_of(second) is None) == bool(written)


def test_another_version_reads_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.manifests.second_reader.program", lambda: "/elsewhere/reconciler")
    alone = found_by(project, None)
    with SecondReader(1, 0) as second:
        assert found_by(project, second) == alone
        assert process_of(second) is None


def test_it_imports_nothing_from_where_the_manifests_are(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A pull request could bring a file of that name."""
    for name in ("yaml.py", "json.py", "reconciler.py"):
        (tmp_path / name).write_text("open('imported', 'w').close()\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with SecondReader(1, 0) as second:
        found = found_by(project, second)
    assert len(found) == 56
    assert not (tmp_path / "imported").exists()


SCALARS = st.text(max_size=5) | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.none()
LISTS = st.lists(SCALARS, max_size=3)
PLAIN = SCALARS | LISTS | st.dictionaries(st.text(max_size=5), SCALARS | LISTS, max_size=3)


@given(PLAIN | st.dates() | st.lists(st.dates()))
@settings(max_examples=300, deadline=None)
def test_a_parcel_holds_the_file_or_nothing(value: Any) -> None:
    content = yaml.safe_dump({"organization": "acme", "connections": value}, allow_unicode=True).encode()
    read = read_text(content, "acme.yaml", LIMITS)
    parcel = pack("acme.yaml", read)
    if parcel == NOTHING:
        return
    found = unpack("acme.yaml", parcel, "acme.yaml", LIMITS)
    assert found is not None
    assert found.source == read.source
    assert unpack("beta.yaml", parcel, "beta.yaml", LIMITS) is None
    assert places(found) == places(read)
    assert [one.value for _, one in found.documents] == [one.value for _, one in read.documents]


def places(read: ReadFile) -> list[Any]:
    def spot(mark: Any) -> tuple[int, int, int]:
        return mark.index, mark.line, mark.column

    return [
        (index, spot(one.start), one.is_empty, {name: spot(mark) for name, mark in one.marks.items()})
        for index, one in read.documents
    ]


def test_a_plain_manifest_is_in_its_parcel() -> None:
    assert pack("acme.yaml", read_text(GOOD.encode(), "acme.yaml", LIMITS)) != NOTHING
    for name in ("date", "broken", "invisible"):
        assert pack("acme.yaml", read_text(ODD[name].encode(), "acme.yaml", LIMITS)) == NOTHING
