"""Checks that a page whose commands fail, print something else or are left out is detected."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.journeys.story import Story, compare_output
from tests.support.workplace import CompletedRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.workplace import Workplace

HEAD = "<!-- project: none -->\n\n"
EXPLAINED = "```console\n$ reconciler explain too-many-deletes\n{output}```\n"


@pytest.fixture
def tell(bare: Workplace, tmp_path: Path) -> Iterator[Callable[[str], Story]]:
    with ExitStack() as stack:

        def open_story(text: str) -> Story:
            page = tmp_path / "page.md"
            page.write_text(HEAD + text, encoding="utf-8")
            return Story(page, bare, stack)

        yield open_story


def test_output_is_filled_in_and_then_stays(tell: Callable[[str], Story]) -> None:
    story = tell(EXPLAINED.format(output=""))
    story.play("")
    printed = story.text()
    assert "--allow-deletes" in printed
    again = tell(printed.removeprefix(HEAD))
    again.play("")
    assert again.text() == printed


def test_other_output_is_not_what_the_page_shows(tell: Callable[[str], Story]) -> None:
    text = EXPLAINED.format(output="something else\n")
    story = tell(text)
    story.play("")
    assert story.text() != HEAD + text


@pytest.mark.parametrize(
    "block",
    [
        EXPLAINED.format(output="...\nsomething else\n...\n"),
        "```sh\nreconciler explain nonsense\n```\n",
        "```sh\nreconciler explain too-many-deletes  # exit code 2\n```\n",
        "```sh\ncat nowhere | cat\n```\n",
    ],
)
def test_a_command_that_fails_or_prints_something_else_fails(
    tell: Callable[[str], Story], block: str
) -> None:
    with pytest.raises(AssertionError, match=r"page\.md:3"):
        tell(block).play("")


@pytest.mark.parametrize(
    ("block", "is_complete"),
    [
        ("```sh\nreconciler --version\n```\n", False),
        ("```text\nwords\n```\n", False),
        ("<!-- not executed: an example -->\n```text\nwords\n```\n", True),
        ("- item\n\n  ```sh\n  reconciler --version\n  ```\n", False),
        ("```yaml\n# organizations/acme.yaml\norganization: acme\n```\n", False),
    ],
)
def test_a_block_that_is_left_out_has_to_be_marked(
    tell: Callable[[str], Story], block: str, is_complete: bool
) -> None:
    story = tell(block)
    if is_complete:
        assert story.text() == HEAD + block
    else:
        with pytest.raises(AssertionError, match="not executed, and not marked"):
            story.text()


def test_the_ids_of_a_run_are_learned_from_its_output() -> None:
    page, run = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2))
    ended = CompletedRun(0, f"acme = organization-test-{run}\n", "")
    assert compare_output(f"acme = organization-test-{page}\n", ended) == {page: run}


@pytest.mark.parametrize(
    ("expected", "out", "outcome"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n...\n", "a\nb\nc\n", True),
        ("...\nc\n", "a\nb\nc\n", True),
        ("a\n...\nc\n", "a\nb\nb\nc\n", True),
        ("a\n", "a\nb\n", False),
        ("a\nc\n", "a\nb\nc\n", False),
        ("a\n...\nb\n", "a\nb\nc\n", False),
        ("a.\n", "ab\n", False),
        ("", "", True),
        ("", "a\n", False),
    ],
)
def test_output_that_differs_from_the_page_is_detected(expected: str, out: str, outcome: bool) -> None:
    assert (compare_output(expected, CompletedRun(0, out, "")) is not None) is outcome
