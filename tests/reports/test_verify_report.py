"""Reports of `verify`: what is new, and a readable table of the secrets that expire in a large project."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.drift import FindingStatus
from reconciler.core.errors import Severity
from reconciler.core.plan import Environment, Scope
from reconciler.core.verification import (
    ExpiryOrigin,
    ProviderFinding,
    SecretExpiry,
    Verification,
    VerifiedConnection,
    compare_with_previous,
    within_horizon,
)
from reconciler.reports import VERIFY_FORMATS
from reconciler.reports.markdown import render_markdown, render_news
from reconciler.reports.verify_report import verify_report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.codes import Code

TODAY = date(2026, 11, 29)
SCOPE = Scope("https://test.stytch.com", "project-test-1", Environment.TEST)
HOSTILE = "acme/x|y`<img src=x onerror=alert(1)>`@everyone\n::error::![a](https://evil.example)\x1b[31m\u202e"


def finding(address: str, code: Code = "no-usable-key", **values: Any) -> ProviderFinding:
    fields: dict[str, Any] = {
        "severity": Severity.ERROR,
        "summary": f"{address}: it is so",
        "fingerprint": address + code,
    }
    return ProviderFinding(code=code, address=address, **{**fields, **values})


def verification(*findings: ProviderFinding, day: int = 29, **values: Any) -> Verification:
    connections = tuple(
        VerifiedConnection(address=item.address, issuer="https://idp.example.com", answered=("keys",))
        for item in findings
    )
    created_at = f"2026-11-{day}T03:17:00+00:00"
    fields: dict[str, Any] = {"connections": connections, "findings": findings, "created_at": created_at}
    return Verification(scope=SCOPE, **{**fields, **values})


def expiring(expiries: Iterable[SecretExpiry]) -> Verification:
    soon, later = within_horizon(expiries, TODAY)
    return verification(expiries=soon, expiries_later=later, secrets_without_date=2)


def second_night() -> Verification:
    first = verification(finding("acme/sso"), finding("globex/sso"), day=28)
    first = compare_with_previous(first, None, is_whole=True)
    second = verification(finding("acme/sso"), finding("initech/sso"), finding("acme/sso", "tls-chain"))
    return compare_with_previous(second, first, is_whole=True)


def test_each_finding_says_since_when_it_is_known() -> None:
    text = render_markdown(verify_report(second_night()))
    assert "`acme/sso` (since 2026-11-28), `initech/sso` (new)" in text
    assert "2 new, 1 still there, 1 resolved." in text
    assert "Resolved: 1 finding" in text
    plain = VERIFY_FORMATS["text"](second_night())
    assert "acme/sso, since 2026-11-28" in plain
    assert "resolved: globex/sso: it is so [no-usable-key]" in plain


def test_without_a_previous_report_nothing_is_called_new() -> None:
    for format_ in ("text", "markdown", "html"):
        text = VERIFY_FORMATS[format_](verification(finding("acme/sso"))).partition("<script>")[0]
        assert not re.search(r"\bnew\b", text)


def test_only_what_needs_action_is_news() -> None:
    first = verification(day=28)
    quiet = [
        finding("acme/sso", severity=Severity.INFO),
        finding("globex/sso", severity=Severity.WARNING, is_approved=True),
    ]
    report = verify_report(compare_with_previous(verification(*quiet), first, is_whole=True))
    assert render_news(report) == ""
    loud = finding("initech/sso", severity=Severity.WARNING)
    report = verify_report(compare_with_previous(verification(*quiet, loud), first, is_whole=True))
    assert "1 finding" in render_news(report)
    assert "initech/sso" in render_news(report)


def test_a_finding_that_becomes_more_severe_is_new_and_one_that_is_approved_is_known() -> None:
    warning, error = finding("acme/sso", severity=Severity.WARNING), finding("acme/sso")
    for before, after, status in (
        (warning, error, FindingStatus.NEW), (error, warning, FindingStatus.EXISTING)
    ):  # fmt: skip
        result = compare_with_previous(verification(after), verification(before, day=28), is_whole=True)
        assert [item.status for item in result.findings] == [status]


def test_secrets_that_expire_are_a_table() -> None:
    result = expiring(
        [
            SecretExpiry(address="acme/sso", origin=ExpiryOrigin.MANIFEST, expires_on=TODAY + timedelta(21)),
            SecretExpiry(address="globex/sso", origin=ExpiryOrigin.STORE, expires_on=TODAY),
            SecretExpiry(address="hooli/sso", origin=ExpiryOrigin.PROBE),
            SecretExpiry(address="later/sso", origin=ExpiryOrigin.MANIFEST, expires_on=date(2028, 1, 1)),
        ]
    )
    assert render_markdown(verify_report(result)).splitlines()[2:12] == [
        "**Client secrets that expire within 90 days**",
        "",
        "| Connection | Expires | Left | Known from |",
        "|---|---|---|---|",
        "| `hooli/sso` | unknown | **expired** | probe |",
        "| `globex/sso` | 2026-11-29 | **today** | store |",
        "| `acme/sso` | 2026-12-20 | 21 days | manifest |",
        "",
        "1 expire later; 2 secrets without a known date",
        "",
    ]
    text = VERIFY_FORMATS["text"](result)
    assert "  CONNECTION  EXPIRES     LEFT     KNOWN FROM\n  hooli/sso   unknown     expired  probe" in text
    assert "1 expire later; 2 secrets without a known date" in VERIFY_FORMATS["html"](result)


def test_a_thousand_secrets_stay_readable() -> None:
    """All within the horizon are in the page; a comment shows what fits, soonest first."""
    every = [
        SecretExpiry(
            address=f"customer-{number:04}/sso",
            origin=ExpiryOrigin.MANIFEST,
            expires_on=TODAY + timedelta(number % 730),
        )
        for number in range(1000)
    ]
    result = expiring(every)
    assert (len(result.expiries), result.expiries_later) == (182, 818)
    text = render_markdown(verify_report(result), max_bytes=8_000)
    assert len(text.encode()) <= 8_000
    (left,) = re.findall(r"… (\d+) more secrets", text)
    assert text.count("| manifest |") + int(left) == 182
    assert text.index("customer-0000") < text.index("customer-0730") < text.index("customer-0001")
    assert "818 expire later" in text
    assert VERIFY_FORMATS["html"](result).count("manifest") >= 182


@pytest.mark.parametrize("format_", ["text", "markdown", "html", "github", "sarif"])
def test_what_a_provider_says_is_inert(format_: str) -> None:
    hostile = finding(HOSTILE, summary=HOSTILE, detail=HOSTILE, hint=HOSTILE, first_seen=HOSTILE,
                      status=FindingStatus.EXISTING)  # fmt: skip
    result = verification(
        hostile,
        previous_at=HOSTILE,
        resolved=(hostile,),
        unchecked=(hostile,),
        expiries=(SecretExpiry(address=HOSTILE, origin=ExpiryOrigin.MANIFEST, expires_on=TODAY),),
    )
    text = VERIFY_FORMATS[format_](result)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\n::error::" not in text
    assert format_ != "html" or "<img" not in text
