"""The sample policy for Open Policy Agent, evaluated over plans as they are saved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from regopy import Interpreter  # type: ignore[import-untyped]  # it ships no types

ROOT = Path(__file__).parent.parent.parent
POLICY = ROOT / "examples/policy/rego/oidc.rego"
PLANS = ROOT / "tests/plans"

DENIED = {
    "update-issuer-declared-urls": ["acme/okta: issuer https://login.acme.com is not allowed"],
    "delete": ["acme/okta: active connections must be deleted manually"],
    "organization-unreadable": ["the plan is incomplete, so some changes cannot be checked"],
}
QUIET = ("create-full", "no-changes", "update-secret", "create-resumed")


@pytest.mark.parametrize(("case", "messages"), DENIED.items(), ids=DENIED)
def test_what_is_denied(case: str, messages: list[str]) -> None:
    assert evaluate(case, "deny") == messages


@pytest.mark.parametrize("case", QUIET)
def test_what_is_left_in_peace(case: str) -> None:
    assert evaluate(case, "deny") == []
    assert evaluate(case, "warn") == []


def test_what_is_warned_of() -> None:
    assert evaluate("update-attribute-mapping", "warn") == [
        "acme/okta: the attribute mapping changes, which can change group memberships"
    ]


def evaluate(case: str, rule: str) -> list[str]:
    """Return the messages of one rule about a case."""
    return messages_of(PLANS / case / "plan.json", rule)


def messages_of(plan: Path, rule: str) -> list[str]:
    """Return what conftest would say: the messages of one rule of the package `main`."""
    engine = Interpreter()
    engine.add_module("oidc", POLICY.read_text(encoding="utf-8"))
    engine.set_input(json.loads(plan.read_text(encoding="utf-8")))
    answer = json.loads(str(engine.query(f"data.main.{rule}")))
    messages: list[str] = answer["expressions"][0]
    return messages
