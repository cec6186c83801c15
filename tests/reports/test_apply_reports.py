"""What is told while and after an apply."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from reconciler.core.errors import SourceLocation
from reconciler.core.outcome import ApplyResult, MissingPin, Outcome
from reconciler.reports import RESULT_FORMATS
from reconciler.reports.apply_report import render_result
from reconciler.reports.text_progress import render_finished, render_running, render_started
from reconciler.reports.text_style import Style
from tests.reports.samples import (
    CREATE,
    CREATED,
    DELETE,
    DELETED,
    ERROR,
    FAILED,
    LIVE,
    RESUMED,
    SKIPPED,
    UNNEEDED,
    UPDATE,
    UPDATED,
    WARNING,
)

ID = "oidc-connection-test-1"


def test_beginnings() -> None:
    assert render_started(CREATE) == "acme/okta: Creating..."
    assert render_started(RESUMED) == f"acme/okta: Creating... [id={ID}]"
    assert render_started(UPDATE) == f"acme/okta: Modifying... [id={ID}]"
    assert render_started(DELETE) == f"acme/okta: Destroying... [id={ID}]"


def test_waiting() -> None:
    assert render_running(CREATE, 10) == "acme/okta: Still creating... [10s elapsed]"
    assert render_running(UPDATE, 20.4) == f"acme/okta: Still modifying... [id={ID}, 20s elapsed]"


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (CREATED, f"acme/okta: Creation complete after 1s [id={ID}]"),
        (UPDATED, f"acme/okta: Modifications complete after 12s [id={ID}]"),
        (DELETED, "acme/okta: Destruction complete after 0s"),
        (UNNEEDED, "acme/okta: Destruction not needed, already done"),
        (FAILED, "acme/okta: Modifications failed"),
        (SKIPPED, "acme/okta: Destruction skipped: interrupted"),
    ],
)
def test_ends(outcome: Outcome, line: str) -> None:
    assert render_finished(outcome) == line


def test_progress_in_colour_has_a_bold_address() -> None:
    assert render_started(CREATE, style=Style(color=True)) == "\x1b[1macme/okta:\x1b[0m Creating..."


def test_all_applied() -> None:
    text = render_result(ApplyResult((CREATED, UPDATED, UPDATED, UNNEEDED)))
    assert "Apply complete! Resources: 1 added, 2 changed, 0 destroyed." in text.splitlines()


def test_the_verdict_is_whole_in_colour_too() -> None:
    text = render_result(ApplyResult((CREATED,)), style=Style(color=True))
    assert "\x1b[1;32mApply complete! Resources: 1 added, 0 changed, 0 destroyed.\x1b[0m\n" in text


@pytest.mark.parametrize(
    "result",
    [
        ApplyResult((CREATED, FAILED)),
        ApplyResult((CREATED, SKIPPED)),
        ApplyResult((CREATED,), interrupted=True),
        ApplyResult((CREATED,), diagnostics=(ERROR,)),
    ],
)
def test_complete_is_never_said_unless_it_is(result: ApplyResult) -> None:
    assert "complete!" not in render_result(result).replace("incomplete!", "")
    document = json.loads(RESULT_FORMATS["json"](result))
    assert document["complete"] is False


def test_what_failed_and_what_was_skipped_is_counted() -> None:
    text = render_result(ApplyResult((CREATED, FAILED, SKIPPED, SKIPPED), diagnostics=(ERROR, WARNING)))
    assert (
        "Apply incomplete! Resources: 1 added, 0 changed, 0 destroyed. 1 failed, 2 skipped. "
        "1 error in the plan."
    ) in text
    assert "Refused: unknown key 'isuer' [unknown-key]" in text
    assert "duplicate-scope" not in text


def test_an_interrupted_run_says_so() -> None:
    text = render_result(ApplyResult((CREATED, SKIPPED), interrupted=True))
    assert "Apply interrupted! Resources: 1 added, 0 changed, 0 destroyed. 0 failed, 1 skipped." in text


def test_a_failure_has_everything_that_support_asks_for() -> None:
    expected = """╷
│ Failed: acme/okta could not be updated: PUT of connection okta: bad \\u001b[2Jthing \
[oidc_connection_issuer_url_invalid_format]
│
│ status 400; request_id request-id-test-7
│
│ hint: correct the issuer
╵
"""
    assert render_result(ApplyResult((FAILED,))).startswith(expected)


def test_what_happened_before_a_failure_is_told() -> None:
    text = render_result(ApplyResult((replace(FAILED, history=("created as oidc-connection-test-9",)),)))
    assert "; before that: created as oidc-connection-test-9\n" in text


def test_a_failure_of_which_little_is_known_says_little() -> None:
    bare = replace(FAILED, message="no answer", advice="", error_type="", request_id="", status=0)
    assert "│ Failed: acme/okta could not be updated: no answer\n╵" in render_result(ApplyResult((bare,)))


def test_warnings_and_the_history_are_shown() -> None:
    applied = replace(CREATED, warnings=("discovery failed",), history=("adopted after a lost answer",))
    text = render_result(ApplyResult((applied,)))
    assert "│ Warning: acme/okta: discovery failed\n" in text
    assert "acme/okta: adopted after a lost answer\n" in text


def test_skipped_and_unneeded_are_listed_with_their_reasons() -> None:
    text = render_result(ApplyResult((SKIPPED, UNNEEDED)))
    assert "acme/okta: Skipped, not destroyed: interrupted\n" in text
    assert "acme/okta: Nothing left to do: already destroyed\n" in text


def test_the_redirect_url_of_every_created_connection_comes_last() -> None:
    text = render_result(ApplyResult((CREATED, UPDATED)))
    assert text.endswith(f'\nacme/okta.redirect_url = "{LIVE.redirect_url}"\n')
    assert text.count(".redirect_url") == 1
    assert "Outputs" not in render_result(ApplyResult((UPDATED,)))


def test_the_pins_are_named() -> None:
    place = SourceLocation("organizations/acme.yaml", line=3, column=5)
    pins = (
        MissingPin(address="acme", id="organization-test-1", location=place, is_organization=True),
        MissingPin(address="acme/okta", id="oidc-connection-test-1", location=place),
    )
    assert render_result(ApplyResult((CREATED,), pins=pins)).endswith(
        "\nPins:\n\n"
        "# `reconciler pin` adds these ids to the manifests\n"
        'acme.organization_id = "organization-test-1"\n'
        'acme/okta.connection_id = "oidc-connection-test-1"\n'
    )


def test_the_document_says_the_same() -> None:
    result = ApplyResult((CREATED, FAILED, SKIPPED, UNNEEDED), diagnostics=(WARNING,))
    document = json.loads(RESULT_FORMATS["json"](result, style=Style(color=True)))
    assert document["summary"] == {
        "added": 1,
        "changed": 0,
        "destroyed": 0,
        "unneeded": 1,
        "failed": 1,
        "skipped": 1,
    }
    assert (document["complete"], document["errored"], document["interrupted"]) == (False, True, False)
    created, failed, skipped, unneeded = document["outcomes"]
    assert created["address"] == "acme/okta"
    assert created["action"] == "create"
    assert created["connection_id"] == ID
    assert created["redirect_url"] == LIVE.redirect_url
    assert failed["error"] == {
        "message": "PUT of connection okta: bad \x1b[2Jthing",
        "advice": "correct the issuer",
        "error_type": "oidc_connection_issuer_url_invalid_format",
        "request_id": "request-id-test-7",
        "http_status": 400,
    }
    assert (skipped["status"], skipped["reason"]) == ("skipped", "interrupted")
    assert unneeded["status"] == "unneeded"
    assert document["diagnostics"][0]["code"] == "duplicate-scope"


def test_the_document_of_a_good_run() -> None:
    unneeded = replace(UNNEEDED, connection=LIVE)
    document = json.loads(RESULT_FORMATS["json"](ApplyResult((UPDATED, unneeded))))
    assert (document["complete"], document["errored"]) == (True, False)
    assert document["outcomes"][1]["connection_id"] == ID


def test_the_document_is_ascii() -> None:
    result = ApplyResult((replace(FAILED, message="\u202e\x9b"),))
    assert RESULT_FORMATS["json"](result, style=Style(color=True)).isascii()
