"""`verify --probe-credentials`: which requests go to a token endpoint, and what its answers show."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.idp.live import connect
from tests.idp.provider import scripted_provider
from tests.idp.token_answers import INVALID_CLIENT, INVALID_GRANT, SECRET, VENDORS, checks, credentials, error
from tests.support.terminal import terminal

if TYPE_CHECKING:
    from tests.idp.provider import Request, ScriptedProvider
    from tests.support.workplace import Workplace

FORMATS: Final = ("text", "json", "markdown", "html", "github", "sarif")
BASIC: Final = ["client_secret_basic"]
POST: Final = ["client_secret_post"]
BOTH: Final = [*POST, *BASIC]


def probe(place: Workplace, *words: str) -> Any:
    return place.run("verify", "--probe-credentials", "--format", "json", *words).document


def codes(document: Any) -> list[str]:
    return [item["code"] for item in document["findings"]]


def outcomes(document: Any) -> list[str]:
    (connection,) = document["connections"]
    return [item["outcome"] for item in connection["asked"] if item["purpose"] == "probe"]


def posts(provider: ScriptedProvider) -> list[Request]:
    return [request for request in provider.requests if request.method == "POST"]


@pytest.mark.parametrize("case", VENDORS)
def test_what_vendors_answer(place: Workplace, provider: ScriptedProvider, case: str) -> None:
    script, expected, requests = VENDORS[case]
    connect(place, "acme", provider.issuer)
    provider.publish(token_endpoint_auth_methods_supported=BOTH)
    provider.scripts["/token"] = provider.scripts["/token2"] = script
    run = place.run("verify", "--probe-credentials", "--format", "json")
    assert codes(run.document) == expected
    assert run.code == int(bool({"secret-wrong", "secret-expired"} & {*expected}))
    assert len(posts(provider)) == len(outcomes(run.document)) == requests
    assert "/token2" not in provider.paths


def test_what_is_sent(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer, live={"client_secret": "s3cr3t: /+ä%", "client_id": "a:b c"})
    provider.scripts["/token"] = checks("s3cr3t: /+ä%", right=INVALID_GRANT, wrong=INVALID_CLIENT)
    document = probe(place)
    assert outcomes(document) == [
        "the secret by client_secret_basic: 400 invalid_grant",
        "a random secret as control by client_secret_basic: 401 invalid_client: accepted",
    ]
    assert codes(document) == []
    real, control = posts(provider)
    assert credentials(real) == ("basic", "a:b c", "s3cr3t: /+ä%")
    method, client_id, secret = credentials(control)
    assert (method, client_id, len(secret)) == ("basic", "a:b c", len("s3cr3t: /+ä%"))
    assert secret != "s3cr3t: /+ä%"
    live = place.emulator.connections("acme")[0]
    assert real.form["redirect_uri"] == live["redirect_url"]
    assert real.form["grant_type"] == "authorization_code"
    assert set(real.form) == {"grant_type", "code", "redirect_uri"}
    assert real.form["code"] != control.form["code"]
    assert "cookie" not in real.head.lower()


@pytest.mark.parametrize(
    ("listed", "accepted", "expected"),
    [
        (None, "basic", (["basic", "basic"], [])),
        (None, "post", (["basic", "post", "post"], [])),
        (BASIC, "basic", (["basic", "basic"], [])),
        (BASIC, "post", (["basic"], ["secret-wrong"])),
        (POST, "post", (["post", "post"], [])),
        (BOTH, "post", (["basic", "post", "post"], [])),
        (BOTH, "none", (["basic", "post"], ["secret-wrong"])),
        (["private_key_jwt"], "basic", ([], ["client-auth-unsupported", "secret-not-probed"])),
    ],
)
def test_methods(
    place: Workplace,
    provider: ScriptedProvider,
    listed: list[str] | None,
    accepted: str,
    expected: tuple[list[str], list[str]],
) -> None:
    connect(place, "acme", provider.issuer)
    provider.publish(token_endpoint_auth_methods_supported=listed)
    provider.scripts["/token"] = checks(right=INVALID_GRANT, wrong=INVALID_CLIENT, methods=(accepted,))
    document = probe(place)
    assert ([credentials(request)[0] for request in posts(provider)], codes(document)) == expected


def test_without_the_option_no_secret_is_sent(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer)
    place.run("verify")
    assert posts(provider) == []


def test_only_the_live_address_and_client_are_used(place: Workplace, provider: ScriptedProvider) -> None:
    """Whoever writes a manifest, or a discovery document, must not receive a secret."""
    with scripted_provider() as canary:
        connect(place, "acme", provider.issuer)
        place.declare("acme", issuer=provider.issuer, token_url=f"{canary.issuer}/token", client_id="evil")
        provider.publish(token_endpoint=f"{canary.issuer}/token")
        provider.scripts["/token"] = checks(right=INVALID_GRANT, wrong=INVALID_CLIENT)
        assert "secret-wrong" not in codes(probe(place))
        assert canary.requests == []
    assert {credentials(request)[1] for request in posts(provider)} == {"client-of-acme"}


@pytest.mark.parametrize("text", [
    SECRET, SECRET.upper(), SECRET[::-1], base64.b64encode(SECRET.encode()).decode(), SECRET.encode().hex(),
    "".join(f"%{byte:02x}" for byte in SECRET.encode()), "".join(f"\\u{ord(char):04x}" for char in SECRET),
    base64.b64encode(f"client-of-acme:{SECRET}".encode()).decode(),
])  # fmt: skip
def test_a_description_that_repeats_the_secret_is_not_shown(
    place: Workplace, provider: ScriptedProvider, text: str
) -> None:
    connect(place, "acme", provider.issuer)
    provider.scripts["/token"] = error("invalid_client", f"the secret {text} is wrong", 401)
    for format_ in FORMATS:
        run = place.run("verify", "--probe-credentials", "--format", format_, "-v")
        assert text not in run.output
        assert "may contain the secret" in run.out


@pytest.mark.parametrize("format_", FORMATS)
def test_a_description_is_escaped_and_shortened(
    place: Workplace, provider: ScriptedProvider, format_: str
) -> None:
    connect(place, "acme", provider.issuer)
    hostile = "\u202e\x1b[31m</details><script>alert(1)</script>\n::error::x @octocat"
    provider.scripts["/token"] = error("invalid_client", hostile + "x" * 100_000)
    out = place.run("verify", "--probe-credentials", "--format", format_).out
    assert len(out) < 60_000
    assert not any(raw in out for raw in ("\u202e", "\x1b", "\n::error::x"))
    assert format_ != "html" or "<script>alert" not in out


def test_a_code_that_we_sent_ourselves_decides_nothing(place: Workplace, provider: ScriptedProvider) -> None:
    connect(place, "acme", provider.issuer, live={"client_id": "AADSTS7000222"})
    provider.scripts["/token"] = checks(
        right=error("invalid_grant", "of AADSTS7000222"), wrong=error("invalid_client", "of AADSTS7000222")
    )
    assert codes(probe(place)) == []


@pytest.mark.parametrize(("form", "reason"), [("masked", "masks"), ("empty", "masks"), ("absent", "masks")])
def test_a_secret_that_the_service_masks_cannot_be_probed(
    place: Workplace, provider: ScriptedProvider, form: str, reason: str
) -> None:
    connect(place, "acme", provider.issuer)
    place.emulator.set_switch("client-secret", form)
    document = probe(place)
    assert codes(document) == ["secret-not-probed"]
    assert reason in document["findings"][0]["summary"]
    assert posts(provider) == []


@pytest.mark.parametrize(
    ("live", "reason"),
    [
        ({"client_secret": ""}, "has no secret"),
        ({"token_url": f"https://idp.example.com/{SECRET}"}, "contains the secret"),
        ({"token_url": "https://10.0.0.1/token"}, "10.0.0.1 is private"),
    ],
)
def test_what_cannot_be_probed(
    place: Workplace, provider: ScriptedProvider, live: dict[str, str], reason: str
) -> None:
    connect(place, "acme", provider.issuer, live=live)
    document = probe(place)
    (finding,) = [item for item in document["findings"] if item["code"] == "secret-not-probed"]
    assert reason in finding["summary"]
    assert finding["severity"] == "info"
    assert posts(provider) == []


def test_a_host_that_is_not_allowed_gets_nothing(place: Workplace, provider: ScriptedProvider) -> None:
    place.write("reconciler.yaml", "idp: {ca_file: ca.pem, allow_hosts: [localhost]}\n")
    port = provider.issuer.rpartition(":")[2]
    connect(place, "acme", provider.issuer, live={"token_url": f"https://127.0.0.1:{port}/token"})
    assert "secret-not-probed" in codes(probe(place))
    assert posts(provider) == []


@pytest.mark.parametrize("discovery", ["off", "report"])
def test_a_provider_that_is_left_alone_gets_nothing(
    place: Workplace, provider: ScriptedProvider, discovery: str
) -> None:
    connect(place, "acme", provider.issuer, discovery=discovery)
    hosts = "['*.okta.com']" if discovery == "report" else "['*']"
    place.write("reconciler.yaml", f"idp: {{ca_file: ca.pem, allow_hosts: {hosts}}}\n")
    assert codes(probe(place)) == ["idp-not-asked"]
    assert provider.requests == []


def test_a_form_is_not_sent_again_after_a_connection_that_breaks(
    place: Workplace, provider: ScriptedProvider
) -> None:
    connect(place, "acme", provider.issuer)
    provider.scripts["/token"] = lambda _request: iter([b"HTTP/1.1 "])
    assert codes(probe(place)) == ["probe-inconclusive"]
    assert len(posts(provider)) == 1


def declared(place: Workplace, provider: ScriptedProvider, answer_: str = "yes", **fields: str) -> Any:
    connect(place, "acme", provider.issuer, live={"client_secret": "the-old-secret"})
    if fields:
        place.declare("acme", **{"issuer": provider.issuer, **fields})
    place.setenv("ACME_CLIENT_SECRET", SECRET)
    provider.scripts["/token"] = checks(right=INVALID_GRANT, wrong=INVALID_CLIENT)
    with terminal(place, "verify", "--probe-declared", "acme/sso") as session:
        if answer_:
            session.wait_for("Enter a value:")
            session.type(f"{answer_}\n")
        code, _ = session.end()
    return code, session.text


def test_the_declared_secret_is_probed_on_a_terminal(place: Workplace, provider: ScriptedProvider) -> None:
    code, text = declared(place, provider)
    assert code == 0
    assert f"{provider.issuer}/token" in text
    assert "accepted" in text
    assert SECRET not in text
    assert credentials(posts(provider)[0]) == ("basic", "client-of-acme", SECRET)


def test_nothing_is_sent_unless_the_answer_is_yes(place: Workplace, provider: ScriptedProvider) -> None:
    code, _ = declared(place, provider, "no")
    assert code == 1
    assert provider.requests == []


@pytest.mark.parametrize(
    "fields",
    [
        {"token_url": "https://evil.example/token"},
        {"client_id": "another"},
        {"issuer": "https://evil.example"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_manifest_about_another_provider_sends_nothing(
    place: Workplace, provider: ScriptedProvider, fields: dict[str, str]
) -> None:
    code, text = declared(place, provider, "", **fields)
    assert code == 1
    assert next(iter(fields)) in text
    assert provider.requests == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--probe-declared", "acme/sso"], "on a terminal"),
        (["--probe-declared", "acme/sso", "--probe-credentials"], "cannot be combined"),
        (["--probe-declared", "acme/sso", "--target", "acme"], "cannot be combined"),
    ],
)
def test_refusals(place: Workplace, provider: ScriptedProvider, words: list[str], message: str) -> None:
    connect(place, "acme", provider.issuer)
    place.setenv("ACME_CLIENT_SECRET", SECRET)
    run = place.run("verify", *words)
    assert run.code == 1
    assert message in run.err
    assert provider.requests == []


@pytest.mark.parametrize("address", ["acme/*", "acme", "acme/ssso"])
def test_one_address_and_no_glob(place: Workplace, provider: ScriptedProvider, address: str) -> None:
    connect(place, "acme", provider.issuer)
    with terminal(place, "verify", "--probe-declared", address) as session:
        code, _ = session.end()
    assert code == 1
    assert "no connection has the address" in session.text
    assert provider.requests == []
