"""Whatever the API turns out to do: it holds, or it is said what does not, and nobody writes in a loop."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from reconciler.core.secret import SecretReference
from reconciler.emulator import SWITCHES
from reconciler.reports import PLAN_FORMATS
from tests.convergence.operations import OPERATIONS
from tests.convergence.table import DEFAULT, PAGE, answers, page, row, run_all, said
from tests.support.estate import SECRETS

if TYPE_CHECKING:
    from reconciler.core.state import DesiredConnection
    from tests.convergence.laboratory import Cell
    from tests.convergence.table import Answer

BEYOND_PATIENCE = ("read-lag", "12")
NEVER_ANSWERED = ("lost-response", "every")


@pytest.fixture(scope="module")
def by_default() -> dict[str, Cell]:
    return run_all(DEFAULT)


@pytest.mark.parametrize("answer", tuple(answers()), ids="=".join)
def test_every_operation_converges_or_says_what_does_not(
    request: pytest.FixtureRequest, answer: Answer, by_default: dict[str, Cell]
) -> None:
    cells = run_all(answer)
    for cell in cells.values():
        nothing_is_written_again_and_again(cell, answer)
        nothing_is_doubled_in_silence(cell, answer)
        match cell.mark:
            case "=":
                it_holds(cell)
            case "≠":
                it_is_said_what_does_not_hold(cell)
            case _:
                assert not cell.writes
    if request.config.getoption("update_goldens"):
        return
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for line in (row(answer, cells), *said(answer, cells, by_default)):
        assert line in lines, "the page is out of date: run `make convergence`"


def it_holds(cell: Cell) -> None:
    assert cell.applied.is_complete
    assert PLAN_FORMATS["text"](cell.second, color=False).startswith("No changes. ")
    assert not cell.rewrites
    assert not cell.third.has_changes
    for one in cell.estate.desired.connections:
        assert differing(one, cell.estate.emulator.oidc_connections("acme")) == set()


def it_is_said_what_does_not_hold(cell: Cell) -> None:
    assert cell.sentences
    for sentence in cell.sentences:
        assert sentence.startswith("did not converge: ")
        assert "Traceback" not in sentence
    for name in cell.differing:
        assert name in " ".join(cell.sentences)


def nothing_is_written_again_and_again(cell: Cell, answer: Answer) -> None:
    most = 3 if answer == NEVER_ANSWERED else 2
    for writes in (cell.writes, cell.rewrites):
        assert max(writes.values(), default=0) <= most
        assert Counter(method for method, _path, _body in writes.elements())["POST"] <= 1


def nothing_is_doubled_in_silence(cell: Cell, answer: Answer) -> None:
    """Beyond patience a second run cannot see what the first one made; once it can, it says so."""
    if not cell.estate.doubled():
        return
    assert answer == BEYOND_PATIENCE
    while not (found := cell.estate.plan().diagnostics):
        assert cell.estate.seconds < 600, "the list does not get current"
    assert found[0].is_error
    assert all(
        connection["connection_id"] in found[0].summary
        for connection in cell.estate.emulator.connections("acme")
    )


def differing(one: DesiredConnection, live: tuple[dict[str, Any], ...]) -> set[str]:
    """The fields in which the server's own state is not what is declared."""
    named = [connection for connection in live if is_meant(one, connection)]
    if one.is_absent:
        return {found["connection_id"] for found in named}
    (found,) = named
    return {
        name
        for name in one.connection.declared_fields
        if as_stored(getattr(one.connection, name)) != comparable(name, found.get(name))
    }


def is_meant(one: DesiredConnection, found: dict[str, Any]) -> bool:
    pin = one.connection.connection_id
    return bool(
        found["connection_id"] == pin if pin else found["display_name"] == one.connection.display_name
    )


def as_stored(value: Any) -> Any:
    if isinstance(value, SecretReference):
        return SECRETS[value].reveal()
    return set(value) if isinstance(value, tuple) else value


def comparable(name: str, value: Any) -> Any:
    if name == "custom_scopes":
        return set(unquote(value or "").split())
    return value or {} if name == "attribute_mapping" else value


def test_every_open_question_has_its_rows() -> None:
    asked = {name for name, _value in answers()}
    numbered = {switch.name: switch.number for switch in SWITCHES}
    assert {numbered[name] for name in asked - {""}} == {f"U{number}" for number in range(1, 32)}


@cache
def table() -> tuple[list[str], ...]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return tuple([cell.strip() for cell in line.strip("|").split("|")] for line in lines)


def test_the_page_is_complete_and_holds_nothing_else(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("update_goldens"):
        PAGE.write_text(page(), encoding="utf-8")
    head, _rule, *rows = table()
    assert head[2:] == list(OPERATIONS)
    assert len(rows) == len(list(answers()))
    for cells in rows:
        assert len(cells) == len(head)
        assert set(cells[2:]) <= {"=", "≠", "⊘"}
