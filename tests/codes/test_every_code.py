"""Every code that the program can emit is documented, and every documented code is provoked here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.core.codes import CODES
from tests.codes import (
    of_commands,
    of_files,
    of_folders,
    of_identity_providers,
    of_logins,
    of_risks,
    of_secret_stores,
    of_the_target,
)
from tests.codes.provoking import PROVOKING, emitted

if TYPE_CHECKING:
    from reconciler.core.codes import Code
    from tests.support.workplace import Workplace

CASES = (
    of_commands,
    of_files,
    of_folders,
    of_identity_providers,
    of_logins,
    of_risks,
    of_secret_stores,
    of_the_target,
)
"""The modules that enter cases."""


def test_every_code_has_a_case() -> None:
    assert CASES
    assert sorted(PROVOKING) == sorted(CODES)


@pytest.mark.parametrize("code", sorted(PROVOKING))
def test_the_command_emits_it_and_none_that_is_not_documented(place: Workplace, code: Code) -> None:
    codes = emitted(PROVOKING[code](place))
    assert code in codes
    assert codes <= {*CODES}
