"""What identity providers answer: the finding that fits, no traceback, and bounded time and memory."""

from __future__ import annotations

import json
import time
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from reconciler.cli import verify as cli_verify
from reconciler.http.clock import Clock
from tests.idp.bad_answers import CERTIFICATES, KEY_ANSWERS, METADATA_ANSWERS, PREFLIGHTS
from tests.idp.live import connect
from tests.idp.provider import METADATA, RSA_KEY, Request, answer, redirect, scripted_provider

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from tests.idp.provider import ScriptedProvider
    from tests.support.workplace import Workplace


LOADED: Final = cli_verify
"""The command is loaded before memory and time are measured."""


def verify(place: Workplace, *words: str) -> Any:
    run = place.run("verify", "--format", "json", *words)
    assert "Traceback" not in run.err
    assert run.code == int(run.document["errored"])
    return run.document


def codes(place: Workplace) -> list[str]:
    """The codes of errors and warnings, without repetitions."""
    findings = verify(place)["findings"]
    return sorted({finding["code"] for finding in findings if finding["severity"] != "info"})


MEASURED_IN_THE_SUITE: Final = {
    "400,000 brackets",
    "endless",
    "drop by drop",
    "a header of 2 MB",
    "compressed",
}


def with_core(names: Iterable[str], core: Container[str]) -> list[Any]:
    """Return parameters of which only the core is in the test suite."""
    return [pytest.param(name, marks=[] if name in core else pytest.mark.proofs) for name in names]


@pytest.mark.parametrize("name", with_core(METADATA_ANSWERS, MEASURED_IN_THE_SUITE))
def test_an_answer_in_place_of_metadata(
    place: Workplace, provider: ScriptedProvider, name: str, record_property: Callable[..., None]
) -> None:
    script, code = METADATA_ANSWERS[name]
    connect(place, "acme", provider.issuer)
    provider.scripts[METADATA] = script
    started = time.monotonic()
    tracemalloc.start()
    try:
        document = verify(place)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    found = [finding for finding in document["findings"] if finding["severity"] != "info"]
    seconds = time.monotonic() - started
    record_property(
        "row",
        {
            "in place of metadata": name,
            "found by": f"`{code}`",
            "seconds": f"{seconds:.1f}",
            "peak MB": f"{peak / 1e6:.1f}",
        },
    )
    assert [finding["code"] for finding in found] == [code]
    assert seconds < 15
    assert peak < 40_000_000


def test_a_redirect_is_followed_and_shown(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    provider.scripts["/moved"] = provider.scripts[METADATA]
    provider.scripts[METADATA] = redirect("/moved")
    document = verify(place)
    assert document["findings"] == []
    metadata = document["connections"][0]["asked"][0]
    assert metadata["redirects"] == [f"{provider.issuer}/moved"]


@pytest.mark.parametrize("name", with_core(KEY_ANSWERS, {"10,000 keys"}))
def test_an_answer_in_place_of_keys(place: Workplace, provider: ScriptedProvider, name: str) -> None:
    script, code = KEY_ANSWERS[name]
    connect(place, "acme", provider.issuer)
    provider.scripts["/keys"] = script
    assert codes(place) == [code]


@pytest.mark.parametrize(
    "keys",
    [
        [RSA_KEY, {"kty": "FUTURE", "kid": "b", "x": "y"}],
        [RSA_KEY, {"kty": "AKP", "alg": "ML-DSA-65", "kid": "pq", "pub": "AAAA"}],
        [RSA_KEY, {"kty": "EC", "crv": "P-999", "kid": "c", "x": "AA", "y": "AA"}],
        [RSA_KEY, {**RSA_KEY, "n": "!!", "kid": "z"}],
        [RSA_KEY, {"kty": "oct", "kid": "nonsense"}],
        [{name: RSA_KEY[name] for name in ("kty", "n", "e")}],
        [RSA_KEY, {**RSA_KEY, "alg": "RS512"}],
        [RSA_KEY, {**RSA_KEY, "use": "enc", "alg": "RSA-OAEP"}],
    ],
    ids=["unknown type", "post-quantum", "unknown curve", "malformed", "oct without k", "bare",
         "one key twice", "encryption under the same kid"],
)  # fmt: skip
def test_a_good_key_among_others_is_enough(
    place: Workplace, provider: ScriptedProvider, keys: list[object]
) -> None:
    connect(place, "acme", provider.issuer)
    provider.answer("/keys", {"keys": keys})
    assert codes(place) == []


def test_nothing_of_a_published_key_is_shown(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    provider.answer("/keys", {"keys": [{**RSA_KEY, "d": "c4nary-private-part"}]})
    for format_ in ("text", "json", "markdown", "html", "github", "sarif"):
        assert "c4nary" not in place.run("verify", "--format", format_, "-v").output


def test_no_key_set_is_named(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer, live={"jwks_url": ""})
    provider.publish(jwks_uri=None)
    assert codes(place) == ["keys-unreachable"]


@pytest.mark.parametrize("kind", with_core(CERTIFICATES, {"right"}))
def test_a_certificate(place: Workplace, kind: str) -> None:
    with scripted_provider(kind) as provider:
        connect(place, "acme", provider.issuer)
        assert codes(place) == CERTIFICATES[kind]


@pytest.mark.parametrize(
    ("kind", "length"), [("incomplete", "1 certificate"), ("private-chain", "2 certificates")]
)
def test_the_length_of_a_chain_that_leads_nowhere(place: Workplace, kind: str, length: str) -> None:
    with scripted_provider(kind) as provider:
        connect(place, "acme", provider.issuer)
        (finding,) = verify(place)["findings"]
        assert f"the server sends {length}" in finding["summary"]
        assert "leaves out an intermediate certificate" in finding["hint"]
        assert "a private authority" in finding["hint"]
        assert provider.requests == []


def test_an_expiring_certificate_is_one_finding_from_day_to_day(place: Workplace) -> None:
    with scripted_provider("soon") as provider:
        connect(place, "acme", provider.issuer)
        (first,) = verify(place)["findings"]
        place.clock = replace(place.clock or Clock(), wall=lambda: time.time() + 8 * 86_400)
        (later,) = verify(place)["findings"]
    assert "expires in 9 days" in first["summary"]
    assert "expires in 1 day" in later["summary"]
    assert first["fingerprint"] == later["fingerprint"]


NOT_IN_THE_TRUTH_TABLE: Final = [name for name, (_, severity, _) in PREFLIGHTS.items() if severity != "error"]


@pytest.mark.parametrize("name", with_core(PREFLIGHTS, NOT_IN_THE_TRUTH_TABLE))
def test_an_answer_to_the_preflight(place: Workplace, provider: ScriptedProvider, name: str) -> None:
    script, severity, code = PREFLIGHTS[name]
    connect(place, "acme", provider.issuer)
    provider.scripts["/authorize"] = script
    findings = verify(place)["findings"]
    assert [(finding["severity"], finding["code"]) for finding in findings] == (
        [(severity, code)] if code else []
    )


def test_a_page_that_repeats_the_request_decides_nothing(
    place: Workplace, provider: ScriptedProvider
) -> None:
    connect(place, "acme", provider.issuer, client_id="invalid_client")

    def echo(request: Request) -> Iterator[bytes]:
        yield from answer(400, f"wrong: {json.dumps(dict(request.query))}".encode())(request)

    provider.scripts["/authorize"] = echo
    assert codes(place) == []


def test_the_preflight_is_not_followed(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    provider.scripts["/authorize"] = redirect("/login")
    verify(place)
    assert provider.paths == [METADATA, "/keys", "/authorize"]


def test_the_preflight_sends_live_values(place: Workplace, provider: ScriptedProvider) -> None:
    live = connect(place, "acme", provider.issuer, custom_scopes=["openid", "email", "profile", "groups"])
    verify(place)
    query = provider.requests[-1].query
    random = {name: query[name] for name in ("state", "nonce", "code_challenge")}
    assert len({*random.values()}) == 3
    assert query == random | {
        "response_type": "code",
        "client_id": "client-of-acme",
        "redirect_uri": live["redirect_url"],
        "scope": query["scope"],
        "prompt": "none",
        "code_challenge_method": "S256",
    }
    assert set(query["scope"].split()) == {"openid", "email", "profile", "groups"}


def test_no_request_carries_a_secret_a_cookie_or_credentials(
    place: Workplace, provider: ScriptedProvider
) -> None:
    connect(place, "acme", provider.issuer)
    provider.answer(
        METADATA, {"issuer": provider.issuer, "jwks_uri": f"{provider.issuer}/keys"}, set_cookie="a=b"
    )
    verify(place)
    assert [request.method for request in provider.requests] == ["GET"] * 3
    for request in provider.requests:
        names = {line.partition(":")[0].lower() for line in request.head.split("\r\n")[1:] if line}
        assert names <= {"host", "accept", "accept-encoding", "connection", "user-agent"}
        assert "s3cr3t" not in request.head
