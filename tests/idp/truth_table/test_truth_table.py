"""Each defect of a provider is found by its code and by nothing else; no right set-up raises anything."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.idp.truth_table.defects import DEFECTS
from tests.idp.truth_table.page import PAGE, page
from tests.idp.truth_table.right import RIGHT
from tests.idp.truth_table.rows import OP
from tests.idp.truth_table.survey import survey, survey_right

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.workplace import Workplace

DEFECTS_FOUND = {defect.what: defect.expected for defect in DEFECTS}
RIGHT_FOUND = {set_up.what: set_up.expected for set_up in RIGHT}


def test_the_table_is_as_long_as_it_has_to_be() -> None:
    assert len(DEFECTS_FOUND) == len(DEFECTS) >= 40
    assert sum(defect.part.startswith(OP) for defect in DEFECTS) >= 40
    assert len(RIGHT_FOUND) == len(RIGHT) >= 30
    known = Counter(set_up.identity_provider for set_up in RIGHT if not set_up.is_generic)
    assert len(known) == 10
    assert min(known.values()) >= 2


def test_the_page_has_the_rows_of_the_table(matches_golden: Callable[[str, Path], None]) -> None:
    matches_golden(page(DEFECTS_FOUND, RIGHT_FOUND), PAGE)


def test_the_page_is_what_verify_finds(place: Workplace, matches_golden: Callable[[str, Path], None]) -> None:
    defects, right = survey(place, DEFECTS), survey_right(place, RIGHT)
    matches_golden(page(defects, right), PAGE)
    assert (defects, right) == (DEFECTS_FOUND, RIGHT_FOUND)
