"""The drift report, word by word."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.address import Address
from reconciler.core.drift import DriftKind, DriftReport, Finding, FindingStatus
from reconciler.core.errors import Diagnostic, Severity, SourceLocation
from reconciler.core.plan import Unmanaged
from reconciler.reports.text_drift import render_drift
from reconciler.reports.text_style import Style
from tests.support.values import SCOPE, WHEN, live_connection

if TYPE_CHECKING:
    from reconciler.core.change import Value

QUIET = DriftReport(scope=SCOPE, created_at=WHEN, organizations=3)
HEADLINE = "Project project-test-1 (test) at test.stytch.com\n\n"
PLACE = SourceLocation("organizations/acme.yaml", line=4, column=3)


def finding(name: str = "okta", kind: DriftKind = DriftKind.CHANGED, **more: Any) -> Finding:
    given: dict[str, Any] = {"organization_id": "o", "location": PLACE, "first_seen": WHEN}
    return Finding(address=Address("acme", name), kind=kind, **(given | more))


def changed(attribute: str, declared: Value | None, live: Value | None, **more: Any) -> Finding:
    return finding(
        attribute=attribute, declared=declared, live=live, connection_id="oidc-connection-test-1", **more
    )


def report(*findings: Finding, **more: Any) -> DriftReport:
    return replace(QUIET, findings=findings, **more)


def test_no_drift() -> None:
    assert render_drift(QUIET) == HEADLINE + "No drift. The live state matches the configuration.\n"


def test_what_differs_stands_side_by_side() -> None:
    text = render_drift(
        report(
            changed("issuer", "https://acme.okta.com", "https://evil.example"),
            changed("client_secret", None, None),
            changed("custom_scopes", ("email", "openid"), ()),
            changed("attribute_mapping", {"groups": "groups"}, {}),
            changed("client_id", "0oa1", ""),
        )
    )
    assert (
        text
        == HEADLINE
        + """\
Look at these first:
  ! acme/okta issuer: declared "https://acme.okta.com", live "https://evil.example"
  ! acme/okta client_id: declared "0oa1", live ""
  ! acme/okta attribute_mapping: declared {"groups" = "groups"}, live {}

  # acme/okta is not as declared
  # organizations/acme.yaml:4:3
  ~ oidc_connection "okta" [id=oidc-connection-test-1] {
      ~ issuer
            declared = "https://acme.okta.com"
            live     = "https://evil.example"
      ~ client_secret
            declared = (sensitive value)
            live     = (sensitive value)
      ~ custom_scopes
            declared = ["email", "openid"]
            live     = []
      ~ attribute_mapping
            declared = {"groups" = "groups"}
            live     = {}
      ~ client_id
            declared = "0oa1"
            live     = ""
    }
    # to accept what is live: reconciler import --update acme/okta

Drift: 0 missing, 5 changed, 0 unexpected.
"""
    )


def test_what_is_missing_or_unexpected_takes_a_line() -> None:
    text = render_drift(
        report(
            finding("gone", DriftKind.MISSING),
            finding("begun", DriftKind.MISSING, connection_id="oidc-connection-test-2"),
            finding("buried", DriftKind.UNEXPECTED, connection_id="oidc-connection-test-3", location=None),
        )
    )
    assert (
        text
        == HEADLINE
        + """\
  # acme/gone is declared, but not live
  # organizations/acme.yaml:4:3
  - oidc_connection "gone"

  # acme/begun is declared, but its create was interrupted
  # organizations/acme.yaml:4:3
  - oidc_connection "begun" [id=oidc-connection-test-2]

  # acme/buried is live, but declared absent
  + oidc_connection "buried" [id=oidc-connection-test-3]

Drift: 2 missing, 0 changed, 1 unexpected.
"""
    )


def test_with_an_earlier_report_it_says_since_when() -> None:
    text = render_drift(
        report(
            changed("issuer", "a", "b", status=FindingStatus.EXISTING),
            finding("gone", DriftKind.MISSING),
            resolved=(changed("client_id", "a", "b", status=FindingStatus.RESOLVED),),
            unchecked=(finding("other", DriftKind.MISSING, status=FindingStatus.UNCHECKED),),
            previous_at="2026-11-20T12:00:00Z",
        )
    )
    assert f"      ~ issuer  # since {WHEN}\n" in text
    assert '  - oidc_connection "gone"  # new\n' in text
    assert text.endswith("""\
Drift: 1 missing, 1 changed, 0 unexpected.
Since 2026-11-20 12:00 UTC: 1 new, 1 still there, 1 resolved.
  resolved: acme/okta client_id (changed)
Unchecked: 1 earlier finding that this run could not check.
  unchecked: acme/other (missing)
""")


def test_what_could_not_be_read_is_no_good_news() -> None:
    diagnostic = Diagnostic(Severity.ERROR, "organization-not-read", "organization acme cannot be planned")
    text = render_drift(report(diagnostics=(diagnostic,), refused=1))
    assert (
        text
        == HEADLINE
        + """\
No drift was found in the organizations that could be read.
Refused: 1 of 3 organizations; this report is incomplete, the reasons are below.

╷
│ Refused: organization acme cannot be planned [organization-not-read]
╵
"""
    )


def test_what_limits_the_report_is_said() -> None:
    stranger = Unmanaged("acme", live_connection(7, display_name="other"))
    text = render_drift(report(unmanaged=(stranger,), secrets_compared=False))
    assert (
        text
        == HEADLINE
        + """\
No drift. The live state matches the configuration.
Secrets: not resolved and not compared.
Unmanaged: 1 connection not declared in any manifest; this is not drift.
  acme: "other" [id=oidc-connection-test-7]
"""
    )


def test_colours_leave_the_words_as_they_are() -> None:
    compared = report(changed("issuer", "a", "b"), finding("gone", DriftKind.MISSING), previous_at=WHEN)
    colored = render_drift(compared, style=Style(color=True))
    assert "\x1b[31mnot live\x1b[0m" in colored
    assert "\x1b[1mDrift: 1 missing, 1 changed, 0 unexpected.\x1b[0m" in colored
    assert "\x1b[1;32mNo drift. The live state matches the configuration.\x1b[0m" in render_drift(
        QUIET, style=Style(color=True)
    )


def test_names_from_outside_stay_names() -> None:
    hostile = "\x1b[2J\u202e\n"
    difference = changed(
        "attribute_mapping", {hostile: hostile}, {}, location=SourceLocation(hostile), first_seen=hostile
    )
    text = render_drift(report(replace(difference, address=Address(hostile, hostile), connection_id=hostile)))
    assert all(character == "\n" or character.isprintable() for character in text)
    assert len(text.splitlines()) == 15


@pytest.mark.parametrize(
    ("kind", "fields", "command"),
    [
        (DriftKind.CHANGED, {"attribute": "issuer"}, "reconciler import --update 'acme/a b'"),
        (DriftKind.CHANGED, {"attribute": "client_secret"}, ""),
        (DriftKind.CHANGED, {"attribute": "default_connection"}, ""),
        (DriftKind.UNDECLARED, {}, "reconciler import --add 'acme/a b'"),
        (DriftKind.UNKNOWN_ORGANIZATION, {}, "reconciler import acme"),
        (DriftKind.MISSING, {}, ""),
        (DriftKind.UNEXPECTED, {}, ""),
        (DriftKind.RISK, {"rule": "private-host"}, ""),
        (DriftKind.CHANGED, {"attribute": "issuer", "status": FindingStatus.RESOLVED}, ""),
    ],
)
def test_the_command_that_accepts_what_is_live(kind: DriftKind, fields: dict[str, Any], command: str) -> None:
    """Quoted for a shell; nothing for what no command takes into Git."""
    finding = Finding(address=Address("acme", "a b"), organization_id="o", kind=kind, **fields)
    assert finding.accept_command == command
