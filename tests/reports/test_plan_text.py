"""What the golden cases of ``tests/plans`` do not show: colour, and plans that no case leads to."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.plan import Plan, PlanSummary
from reconciler.reports.text_plan import render_plan
from reconciler.reports.text_style import Style
from reconciler.reports.wording import NO_CHANGES
from tests.reports.samples import CREATE, DELETE, ERROR, UPDATE
from tests.support.values import SCOPE, WHEN, declared, desired, live, live_connection, plan, reference, whole

if TYPE_CHECKING:
    from reconciler.core.change import Update

EMPTY = Plan(scope=SCOPE, created_at=WHEN, summary=PlanSummary(organizations=1))
CHANGES = replace(
    EMPTY, changes=(CREATE, UPDATE, DELETE), summary=PlanSummary(add=1, change=1, destroy=1, organizations=1)
)


def without_color(text: str) -> str:
    return re.sub("\x1b\\[[0-9;]*m", "", text)


def test_colour_changes_nothing_but_colour() -> None:
    for reported in (EMPTY, CHANGES, replace(CHANGES, diagnostics=(ERROR,))):
        assert "\x1b" not in render_plan(reported)
        assert without_color(render_plan(reported, style=Style(color=True))) == render_plan(reported)


@pytest.mark.parametrize(
    "painted",
    [
        "  \x1b[32m+\x1b[0m create\n",
        "  \x1b[33m~\x1b[0m update in-place\n",
        "  \x1b[31m-\x1b[0m destroy\n",
        "\x1b[1m  # acme/okta\x1b[0m will be created\n",
        "\x1b[1m  # acme/okta\x1b[0m will be \x1b[31mdestroyed\x1b[0m\n",
        "      \x1b[33m~\x1b[0m client_id         = ",
        "\x1b[1mPlan: 1 to add, 1 to change, 1 to destroy.\x1b[0m\n",
    ],
)
def test_colours_are_terraforms(painted: str) -> None:
    changes = replace(CHANGES, changes=(CREATE, with_client_id(), DELETE))
    assert painted in render_plan(changes, style=Style(color=True))


def with_client_id() -> Update:
    return replace(UPDATE, before=replace(UPDATE.before, client_id="old"))


def test_the_lines_that_programs_look_for_are_whole_in_colour_too() -> None:
    assert NO_CHANGES in render_plan(EMPTY, style=Style(color=True))
    assert "Plan: 1 to add, 1 to change, 1 to destroy." in render_plan(CHANGES, style=Style(color=True))


def test_the_legend_names_only_symbols_that_occur() -> None:
    only_delete = replace(CHANGES, changes=(DELETE,), summary=PlanSummary(destroy=1))
    legend = render_plan(only_delete).split("\n\n")[1]
    assert "destroy" in legend
    assert "create" not in legend
    assert "update" not in legend


@pytest.mark.parametrize(
    "uncertain",
    [
        replace(EMPTY, summary=PlanSummary(organizations=2, refused=1)),
        replace(EMPTY, blocks=(ERROR,), summary=PlanSummary(organizations=2)),
        replace(EMPTY, diagnostics=(ERROR,), summary=PlanSummary(organizations=2)),
    ],
)
def test_no_changes_is_said_only_if_that_is_certain(uncertain: Plan) -> None:
    assert "No changes" not in render_plan(uncertain)
    assert "No differences were found in the organizations that could be planned." in render_plan(uncertain)


def test_warnings_come_before_errors_and_both_after_the_counts() -> None:
    warning = Diagnostic(Severity.WARNING, "stays-pending", "look here")
    text = render_plan(replace(CHANGES, diagnostics=(ERROR, warning)))
    assert text.index("Plan: 1") < text.index("Warning: look here") < text.index("Refused: unknown key")


def test_a_single_hidden_attribute_is_singular() -> None:
    connection = live_connection(1, display_name="okta", identity_provider="")
    organization = desired(declared(client_id="new"))
    text = render_plan(whole(plan(organization, live(connection))))
    assert "# (1 unchanged attribute hidden)" in text


def test_an_undeclared_secret_is_not_counted_as_hidden() -> None:
    connection = live_connection(1, display_name="okta")
    undeclared = render_plan(whole(plan(desired(declared(client_id="new")), live(connection))))
    declared_too = desired(declared(client_id="new", client_secret=reference("A")))
    assert "# (2 unchanged attributes hidden)" in undeclared
    assert "# (3 unchanged attributes hidden)" in render_plan(whole(plan(declared_too, live(connection))))


def test_values_that_only_a_live_mapping_can_have_are_shown() -> None:
    connection = live_connection(1, display_name="okta", attribute_mapping={"a": {"b": 1}, "n": None})
    text = render_plan(whole(plan(desired(declared(attribute_mapping={"a": "x"})), live(connection))))
    assert '~ "a" = {"b": 1} -> "x"' in text
    assert '- "n" = null' in text


def test_an_empty_collection_of_a_new_connection_is_shown_empty() -> None:
    organization = desired(declared(custom_scopes=(), attribute_mapping={}))
    text = render_plan(whole(plan(organization, live())))
    assert "+ custom_scopes     = []\n" in text
    assert "+ attribute_mapping = {}\n" in text
