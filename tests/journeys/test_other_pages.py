"""Executes the pages that have no story of their own, and checks what a page has to show for itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import PAGES, ROOT, blocks, name_of, read
from tests.journeys.story import telling, unmarked

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.workplace import Workplace

STORIES = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}


def has_story(page: Path) -> bool:
    return page.stem.replace("-", "_") in STORIES


@pytest.mark.parametrize(
    "page", [page for page in PAGES if unmarked(page) and not has_story(page)], ids=name_of
)
def test_commands_print_what_the_page_shows(
    page: Path, bare: Workplace, matches_golden: Callable[[str, Path], None]
) -> None:
    with telling(page, bare, matches_golden) as story:
        story.play_all()


def test_every_guide_with_commands_has_a_story() -> None:
    guides = [page for page in PAGES if page.parent.name == "how-to" and unmarked(page)]
    assert not [page.name for page in guides if not has_story(page)]


def test_an_excerpt_is_part_of_its_file() -> None:
    """`not executed: an excerpt of FILE, …`"""
    excerpts = [
        block for page in PAGES for block in blocks(page) if block.reason.startswith("an excerpt of ")
    ]
    assert excerpts
    for block in excerpts:
        file = block.reason.removeprefix("an excerpt of ").partition(",")[0]
        assert block.text in read(ROOT / file), file
