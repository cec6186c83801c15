"""Looking ahead in files tells who is coming, changes nothing that is read, and stays within bounds."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from reconciler.manifests import foresight, load_project, stream_manifests
from reconciler.manifests.foresight import Upcoming, look_ahead
from reconciler.manifests.limits import ReadLimits
from reconciler.manifests.reading import read_text
from reconciler.manifests.text import ORGANIZATION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def upcoming(folder: Path, *contents: bytes) -> list[Upcoming]:
    files = [folder / f"{index:04d}.yaml" for index in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    return list(look_ahead(map(str, files), ReadLimits()))


def seen(folder: Path, content: bytes) -> tuple[str, ...]:
    return upcoming(folder, content)[0].foreseen


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"organization: acme\n", ("acme",)),
        (b"organization: acme", ("acme",)),
        (b"organization:   acme  # the first customer\r\nprune: true\r\n", ("acme",)),
        (b"organization: 'crm|7'\n", ("crm|7",)),
        (b'prune: false\norganization: "acme"\n', ("acme",)),
        (b"# ours\n---\norganization: acme\n---\norganization: beta\n", ("acme", "beta")),
    ],
)
def test_the_usual_ways_of_writing_it_are_seen(
    tmp_path: Path, content: bytes, expected: tuple[str, ...]
) -> None:
    assert seen(tmp_path, content) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"organization_id: organization-live-1\n",
        b"connections:\n  organization: acme\n",
        b"# organization: acme\n",
        b"{organization: acme}\n",
        b"organization: ${var:tenant}\n",
        b"organization: a\n",
        b"organization: acme inc\n",
        b"organization: 'acme\"\n",
        b"organization: \xff\xfe\n",
        b"organization:acme\n",
        b"organization: acme#b\n",
        b"organization: >-\n  acme\n",
    ],
)
def test_whatever_is_written_otherwise_is_left_to_the_reading(tmp_path: Path, content: bytes) -> None:
    assert seen(tmp_path, content) == ()


LINES = (
    "organization: acme",
    "organization: beta  # the second",
    "organization: 'crm|7'",
    'organization: "delta"',
    "  organization: below",
    "# organization: said",
    "- organization: listed",
    "---",
    "prune: true",
    "connections:",
    "  okta: |",
    "    organization: quoted",
    "note: >-",
    "? complex",
    ": value",
    "{organization: flow}",
    "",
)


@given(st.lists(st.sampled_from(LINES), max_size=8))
@example(["organization: acme", "connections:", "  okta: |", "    organization: quoted"])
@example(["---", "organization: acme", "---", "organization: beta  # the second"])
def test_what_is_seen_in_a_sound_file_is_what_it_declares(lines: list[str]) -> None:
    """Or else it is not seen; a wrong guess would cost a request."""
    content = "\n".join(lines).encode()
    read = read_text(content, "a.yaml", ReadLimits())
    assume(not read.findings.diagnostics)
    declared = {one.value.get("organization") for _, one in read.documents if isinstance(one.value, dict)}
    assume(all(isinstance(one, str) and re.fullmatch(ORGANIZATION, one) for one in declared))
    assert set(foresight._seen_in(content)) <= declared


def test_a_line_within_a_quoted_text_is_taken_for_one(tmp_path: Path) -> None:
    """Nothing is parsed. It costs a place in a search, and nobody is planned who is not declared."""
    assert seen(tmp_path, b"note: 'begins\norganization: beta\n  and ends'\n") == ("beta",)


def test_every_organization_is_told_once_and_before_its_turn(tmp_path: Path) -> None:
    count = foresight._FILES_AHEAD + 3
    told: set[str] = set()
    for index, one in enumerate(upcoming(tmp_path, *(b"organization: o%d\n" % n for n in range(count)))):
        assert told.isdisjoint(one.foreseen)
        told.update(one.foreseen)
        assert len(told) == min(index + foresight._FILES_AHEAD, count)


def test_no_more_than_some_bytes_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is read again, and nothing else changes."""
    monkeypatch.setattr(foresight, "_BYTES_AHEAD", 40)
    contents = [b"organization: o%02d\n" % index for index in range(6)]
    found = upcoming(tmp_path, *contents)
    assert [one.fetched for one in found] == [*contents[:2], None, None, None, None]
    assert found[0].foreseen == ("o00", "o01", "o02", "o03", "o04", "o05")


def test_room_that_becomes_free_is_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "_BYTES_AHEAD", 40)
    monkeypatch.setattr(foresight, "_FILES_AHEAD", 2)
    contents = [b"organization: o%02d\n" % index for index in range(6)]
    assert [one.fetched for one in upcoming(tmp_path, *contents)] == contents


def test_a_file_full_of_organizations_is_not_believed(tmp_path: Path) -> None:
    assert len(seen(tmp_path, b"organization: acme\n" * 1000)) == foresight._MOST_SEEN


def test_a_file_that_cannot_be_read_is_reported_in_its_turn(tmp_path: Path) -> None:
    folder = tmp_path / "organizations"
    folder.mkdir()
    (folder / "a.yaml").write_text("organization: acme\n")
    os.mkfifo(folder / "b.yaml")
    (folder / "c.yaml").write_bytes(b"organization: acme\n" + b"#" * ReadLimits().max_bytes)
    (folder / "d.yaml").write_text("organization: delta\n")
    codes = [
        (file.shown, [found.code for found in file.diagnostics])
        for file in stream_manifests(["organizations"], load_project(None, tmp_path), {})
        if file.path is not None
    ]
    assert codes == [
        ("organizations/a.yaml", []),
        ("organizations/b.yaml", ["unreadable-file"]),
        ("organizations/c.yaml", ["file-too-large"]),
        ("organizations/d.yaml", []),
    ]


def test_files_are_fetched_as_they_are_taken(tmp_path: Path) -> None:
    """An estate of any size begins at once, and ends with what was there."""
    asked = 0

    def names() -> Iterator[str]:
        nonlocal asked
        for _ in range(3 * foresight._FILES_AHEAD):
            asked += 1
            yield str(tmp_path / "missing.yaml")

    taken = look_ahead(names(), ReadLimits())
    assert isinstance(next(taken).fetched, FileNotFoundError)
    assert asked == foresight._FILES_AHEAD
    next(taken)
    assert asked == foresight._FILES_AHEAD + 1
