"""`drift` with the identity provider as its third column: what is live, declared, and published."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.idp.live import connect
from tests.idp.provider import METADATA, RSA_KEY, scripted_provider

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.idp.provider import ScriptedProvider
    from tests.support.workplace import CompletedRun, Workplace

FORMATS: Final = ("text", "json", "markdown", "html", "github", "sarif")
LOCAL: Final = {"private-host": "off"}
"""The providers of these tests stand on loopback, which is a risk by itself."""

ONLY_PUBLISHED: Final = {**LOCAL, "endpoint-off-site": "off"}
"""Without the rule that knows an endpoint elsewhere by the issuer alone."""


@pytest.fixture
def place(place: Workplace) -> Workplace:
    place.setenv("ACME_CLIENT_SECRET", "s3cr3t-of-acme")
    configure(place, LOCAL)
    return place


@pytest.fixture
def evil() -> Iterator[str]:
    """The keys of somebody else, at another host of this machine."""
    with scripted_provider() as provider:
        yield f"{provider.issuer}/keys"


def configure(place: Workplace, policies: Mapping[str, str], **idp: Any) -> None:
    settings = {"idp": {"ca_file": "ca.pem", "timeout": 3, **idp}, "policies": policies}
    place.write("reconciler.yaml", json.dumps(settings))


def repoint(place: Workplace, **urls: str) -> None:
    """Change the live connection, as somebody with access to the dashboard does."""
    connection_id = place.live("acme")[0]["connection_id"]
    place.emulator.edit_connection(connection_id, **urls)


def night(place: Workplace, *words: str) -> CompletedRun:
    """Run `drift` as the scheduled workflow does: its report is compared with that of the night before."""
    report = place.root / "report.json"
    previous = ("--previous", "report.json") if report.exists() else ()
    return place.run("drift", "--format", "json", "--output", "json=report.json", *previous, *words)


def found(run: CompletedRun, key: str = "findings") -> list[tuple[str, str, str, str]]:
    return [
        (item["kind"], item["attribute"] or item["rule"], item["live"] or "", item["standing"])
        for item in run.document[key]
    ]


def remarks(run: CompletedRun) -> list[tuple[str, str]]:
    return [(item["severity"], item["code"]) for item in run.document["diagnostics"]]


def test_a_repointed_jwks_url_is_drift_until_it_is_put_back(
    place: Workplace, provider: ScriptedProvider, evil: str
) -> None:
    """Product 4.5: this is how somebody repoints a login unseen, where no manifest declares the URL."""
    configure(place, ONLY_PUBLISHED)
    connect(place, "acme", provider.issuer)
    right = place.live("acme")[0]["jwks_url"]
    assert night(place).code == 0
    repoint(place, jwks_url=evil)
    run = night(place)
    assert (run.code, found(run)) == (2, [("foreign-endpoint", "jwks_url", evil, "new")])
    (finding,) = run.document["findings"]
    assert (finding["published"], finding["declared"]) == (right, None)
    assert (finding.get("accept"), finding["rule"]) == (None, "endpoint-differs")
    run = night(place)
    assert (run.code, found(run)) == (2, [("foreign-endpoint", "jwks_url", evil, "known")])
    assert run.document["findings"][0]["fingerprint"] == finding["fingerprint"]
    provider.scripts.clear()
    provider.answer(METADATA, b"", 503)
    run = night(place)
    assert (run.code, found(run)) == (0, [])
    assert found(run, "unchecked") == [("foreign-endpoint", "jwks_url", evil, "unchecked")]
    assert ("warning", "idp-unreachable") in remarks(run)
    provider.publish()
    run = night(place)
    assert (run.code, found(run)) == (2, [("foreign-endpoint", "jwks_url", evil, "known")])
    repoint(place, jwks_url=right)
    run = night(place)
    assert (run.code, found(run)) == (0, [])
    assert found(run, "resolved") == [("foreign-endpoint", "jwks_url", evil, "resolved")]


def test_the_risk_rules_find_an_endpoint_elsewhere_with_and_without_the_provider(
    place: Workplace, provider: ScriptedProvider, evil: str
) -> None:
    """Whether the provider answers decides nothing about what the issuer alone shows."""
    connect(place, "acme", provider.issuer)
    repoint(place, jwks_url=evil)
    run = night(place)
    assert (run.code, [kind for kind, *_ in found(run)]) == (2, ["risk", "foreign-endpoint"])
    provider.answer(METADATA, b"", 503)
    run = night(place)
    assert (run.code, [kind for kind, *_ in found(run)]) == (2, ["risk"])
    assert [kind for kind, *_ in found(run, "unchecked")] == ["foreign-endpoint"]


@pytest.mark.parametrize("attribute", ["authorization_url", "token_url", "userinfo_url", "jwks_url"])
def test_each_endpoint_is_compared(
    place: Workplace, provider: ScriptedProvider, attribute: str, evil: str
) -> None:
    configure(place, ONLY_PUBLISHED)
    connect(place, "acme", provider.issuer, live={attribute: evil})
    run = place.run("drift", "--format", "json")
    assert (run.code, found(run)) == (2, [("foreign-endpoint", attribute, evil, "new")])


def test_another_url_in_the_same_trust_domain_is_a_warning(
    place: Workplace, provider: ScriptedProvider
) -> None:
    connect(place, "acme", provider.issuer, live={"token_url": f"{provider.issuer}/v2/token"})
    run = place.run("drift", "--format", "json")
    assert (run.code, found(run), remarks(run)) == (0, [], [("warning", "endpoint-differs")])


def test_what_git_and_the_service_agree_on_is_a_note(
    place: Workplace, provider: ScriptedProvider, evil: str
) -> None:
    """Idp.md 2: live = declared, and the provider publishes another URL; the risk rules judge the URL."""
    configure(place, ONLY_PUBLISHED)
    connect(place, "acme", provider.issuer, jwks_url=evil)
    run = place.run("drift", "--format", "json")
    assert (run.code, found(run)) == (0, [])
    assert [(s, c) for s, c in remarks(run) if c == "endpoint-differs"] == [("info", "endpoint-differs")]
    assert "the manifest declares this URL" in place.run("drift").out
    configure(place, LOCAL)
    run = place.run("drift", "--format", "json")
    assert (run.code, found(run)) == (2, [("risk", "endpoint-off-site", "", "new")])


def test_an_ignored_field_hides_no_repointed_endpoint(
    place: Workplace, provider: ScriptedProvider, evil: str
) -> None:
    """`ignore_changes` hides that live differs from Git, not that it differs from the provider."""
    configure(place, ONLY_PUBLISHED)
    right = f"{provider.issuer}/keys"
    connect(
        place, "acme", provider.issuer, jwks_url=right, lifecycle={"ignore_changes": ["jwks_url"]},
        live={"jwks_url": evil},
    )  # fmt: skip
    run = place.run("drift", "--format", "json")
    assert (run.code, found(run)) == (2, [("foreign-endpoint", "jwks_url", evil, "new")])
    assert run.document["findings"][0]["declared"] == right


def test_a_declared_url_that_was_edited_stands_beside_the_published_one(
    place: Workplace, provider: ScriptedProvider
) -> None:
    right = f"{provider.issuer}/keys"
    connect(place, "acme", provider.issuer, jwks_url=right)
    repoint(place, jwks_url=f"{provider.issuer}/other")
    (finding,) = place.run("drift", "--format", "json").document["findings"]
    assert (finding["kind"], finding["published"]) == ("changed", right)
    assert f'published = "{right}"' in place.run("drift").out


def test_every_format_names_the_three_sides(place: Workplace, provider: ScriptedProvider, evil: str) -> None:
    configure(place, ONLY_PUBLISHED)
    connect(place, "acme", provider.issuer, live={"jwks_url": evil})
    for name in FORMATS:
        run = place.run("drift", "--format", name)
        assert run.code == 2
        for side in (evil, f"{provider.issuer}/keys"):
            assert side in run.out or side.replace(":", "%3A") in run.out, name
    text = place.run("drift").out
    assert "Drift: 0 missing, 0 changed, 0 unexpected, 1 foreign endpoint." in text
    assert f'! acme/sso jwks_url: declared (not declared), live "{evil}", published "' in text
    assert "add an approval of endpoint-differs at acme/sso, finding " in text
    sarif = json.loads(place.run("drift", "--format", "sarif").out)
    (result,) = [item for item in sarif["runs"][0]["results"] if item["level"] == "warning"]
    assert result["ruleId"] == "drift-foreign-endpoint"


def approve(place: Workplace, finding: str) -> None:
    until = (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=30)).isoformat()
    entry = {"rule": "endpoint-differs", "address": "acme/sso", "reason": "moved, CHG-1", "until": until}
    place.write("approvals/acme.yaml", json.dumps({"approvals": [entry | {"finding": finding}]}))


def test_an_approval_of_exactly_this_finding_accepts_it(
    place: Workplace, provider: ScriptedProvider, evil: str
) -> None:
    configure(place, ONLY_PUBLISHED)
    connect(place, "acme", provider.issuer, live={"jwks_url": evil})
    fingerprint = place.run("drift").out.partition("acme/sso, finding ")[2][:32]
    approve(place, fingerprint)
    run = place.run("drift", "--format", "json")
    assert (run.code, found(run), remarks(run)) == (0, [], [("warning", "endpoint-differs")])
    assert "CHG-1" in run.document["diagnostics"][0]["hint"]
    repoint(place, jwks_url=f"{evil}?other")
    assert place.run("drift").code == 2


@pytest.mark.parametrize(("severity", "code"), [("off", 0), ("warn", 2), ("error", 2)])
def test_policies_leave_the_finding_out_or_keep_it(
    place: Workplace, provider: ScriptedProvider, severity: str, code: int, evil: str
) -> None:
    configure(place, {**ONLY_PUBLISHED, "endpoint-differs": severity})
    connect(place, "acme", provider.issuer, live={"jwks_url": evil})
    run = place.run("drift", "--format", "json")
    assert (run.code, len(found(run))) == (code, 1 if code else 0)


@pytest.mark.parametrize(
    ("idp", "discovery"),
    [({}, "off"), ({"discovery": "off"}, "enforce"), ({"allow_hosts": ["*.okta.com"]}, "report")],
    ids=["the manifest", "the ceiling of the project", "hosts that are not allowed"],
)
def test_what_must_not_be_asked_gets_no_packet_and_resolves_nothing(
    place: Workplace, provider: ScriptedProvider, idp: dict[str, Any], discovery: str, evil: str
) -> None:
    configure(place, ONLY_PUBLISHED)
    connect(place, "acme", provider.issuer, live={"jwks_url": evil})
    assert night(place).code == 2
    provider.requests.clear()
    configure(place, ONLY_PUBLISHED, **idp)
    place.declare("acme", issuer=provider.issuer, discovery=discovery)
    run = night(place)
    assert (run.code, found(run), remarks(run)) == (0, [], [("info", "idp-not-asked")])
    assert found(run, "unchecked") == [("foreign-endpoint", "jwks_url", evil, "unchecked")]
    assert provider.requests == []


def test_other_findings_about_providers_are_warnings_and_notes(
    place: Workplace, provider: ScriptedProvider
) -> None:
    """What would be errors in `verify` never changes the exit code of `drift`."""
    provider.publish(issuer=f"{provider.issuer}/other", response_types_supported=["token"])
    connect(place, "acme", provider.issuer)
    run = place.run("drift", "--format", "json")
    assert run.code == 0
    assert {*remarks(run)} == {("warning", "issuer-mismatch"), ("warning", "code-flow-missing")}
    assert run.document["errored"] is False
    with scripted_provider("expired") as expired:
        place.emulator.add_organization("globex")
        place.setenv("GLOBEX_CLIENT_SECRET", "s3cr3t-of-globex")
        connect(place, "globex", expired.issuer)
        run = place.run("drift", "--format", "json", "--target", "globex/*")
        assert run.code == 0
        assert ("warning", "tls-expired") in remarks(run)


def test_unreachable_providers_are_one_warning(place: Workplace) -> None:
    with ExitStack() as stack:
        for number in range(5):
            provider = stack.enter_context(scripted_provider())
            provider.answer(METADATA, b"", 503)
            place.emulator.add_organization(f"customer{number}")
            place.setenv(f"CUSTOMER{number}_CLIENT_SECRET", f"s3cr3t-of-customer{number}")
            connect(place, f"customer{number}", provider.issuer)
        run = place.run("drift", "--format", "json")
    assert run.code == 0
    (warning,) = [item for item in run.document["diagnostics"] if item["code"] == "idp-unreachable"]
    assert warning["summary"].startswith("5 issuers could not be reached: ")
    assert warning["detail"].startswith("5 connections could not be compared")


@pytest.mark.parametrize(
    ("connections", "issuers"),
    [(8, 4), pytest.param(1000, 200, marks=pytest.mark.proofs)],
    ids=["a few", "an estate"],
)
def test_each_issuer_is_asked_once_for_all_its_connections(
    place: Workplace, connections: int, issuers: int
) -> None:
    place.setenv("SHARED_CLIENT_SECRET", "s3cr3t")
    paths = [f"/{number}{path}" for number in range(issuers) for path in (METADATA, "/keys")]
    with scripted_provider() as provider:
        for number in range(issuers):
            tenant = f"{provider.issuer}/{number}"
            document = {"issuer": tenant, "jwks_uri": f"{tenant}/keys", "token_endpoint": f"{tenant}/token"}
            provider.answer(f"/{number}{METADATA}", document)
            provider.answer(f"/{number}/keys", {"keys": [RSA_KEY]})
        for number in range(connections):
            place.emulator.add_organization(f"customer{number}")
            secret = "${env:SHARED_CLIENT_SECRET}"
            tenant = f"{provider.issuer}/{number % issuers}"
            connect(
                place, f"customer{number}", tenant, client_secret=secret, live={"client_secret": "s3cr3t"}
            )
        run = place.run("drift")
    assert run.code == 0, run.output
    assert sorted(provider.paths) == sorted(paths)


def test_an_endpoint_elsewhere_that_its_issuer_names_is_no_risk_whether_or_not_the_issuer_answers(
    place: Workplace, provider: ScriptedProvider, evil: str
) -> None:
    """Product 4.4 and 4.5: the issuer's own metadata decides, and its absence changes no exit code."""
    provider.publish(jwks_uri=evil)
    connect(place, "acme", provider.issuer, live={"jwks_url": evil})
    run = night(place)
    assert (run.code, found(run)) == (0, [])
    assert [item["url"] for item in run.document["confirmed"]] == [evil]
    provider.answer(METADATA, b"", 503)
    for _ in range(2):
        run = night(place)
        assert (run.code, found(run)) == (0, [])
    repoint(place, jwks_url=f"{evil}?other")
    run = night(place)
    assert (run.code, [kind for kind, *_ in found(run)]) == (2, ["risk"])
    repoint(place, jwks_url=evil)
    assert place.run("drift").code == 2, "without an earlier report nothing is confirmed"


def test_what_was_confirmed_counts_no_more_once_the_provider_must_not_be_asked(
    place: Workplace, provider: ScriptedProvider, evil: str
) -> None:
    provider.publish(jwks_uri=evil)
    connect(place, "acme", provider.issuer, live={"jwks_url": evil})
    assert night(place).code == 0
    configure(place, LOCAL, discovery="off")
    run = night(place)
    assert (run.code, [kind for kind, *_ in found(run)]) == (2, ["risk"])


def test_metadata_of_another_issuer_confirms_nothing(
    place: Workplace, provider: ScriptedProvider, evil: str
) -> None:
    provider.publish(jwks_uri=evil)
    connect(place, "acme", provider.issuer, live={"jwks_url": evil})
    assert night(place).code == 0
    provider.publish(jwks_uri=evil, issuer=f"{provider.issuer}/")
    run = night(place)
    assert (run.code, [kind for kind, *_ in found(run)]) == (2, ["risk"])


def test_a_narrower_run_forgets_nothing_that_was_confirmed(
    place: Workplace, provider: ScriptedProvider, evil: str
) -> None:
    provider.publish(jwks_uri=evil)
    connect(place, "acme", provider.issuer, live={"jwks_url": evil})
    place.emulator.add_organization("globex")
    place.setenv("GLOBEX_CLIENT_SECRET", "s3cr3t-of-globex")
    connect(place, "globex", provider.issuer, live={"jwks_url": evil})
    assert night(place).code == 0
    run = night(place, "--target", "globex/*")
    assert [item["organization"] for item in run.document["confirmed"]] == ["globex", "acme"]


def test_an_enforced_endpoint_stays_a_finding_while_its_provider_is_down(
    place: Workplace, provider: ScriptedProvider, evil: str
) -> None:
    """Under `enforce` a repointed endpoint is a change; what could not be checked is not resolved."""
    configure(place, ONLY_PUBLISHED, discovery="enforce")
    connect(place, "acme", provider.issuer, discovery="enforce", live={"jwks_url": evil})
    run = night(place)
    assert (run.code, [kind for kind, *_ in found(run)]) == (2, ["changed"])
    provider.answer(METADATA, b"", 503)
    run = night(place)
    assert (run.code, found(run), found(run, "resolved")) == (0, [], [])
    assert [kind for kind, *_ in found(run, "unchecked")] == ["changed"]
    provider.publish()
    repoint(place, jwks_url=f"{provider.issuer}/keys")
    run = night(place)
    assert (run.code, [kind for kind, *_ in found(run, "resolved")]) == (0, ["changed"])
