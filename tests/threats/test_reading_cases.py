"""Cases of reading: what looks right and no login would work with is an error that shows the right form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from reconciler.manifests.yaml_reader import ReadLimits, read_yaml

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace

METADATA = "/.well-known/openid-configuration"
ENTRA = "https://login.microsoftonline.com"


def declared(place: Workplace, field: str, value: str) -> CompletedRun:
    """Validate a manifest in which one line is written as here."""
    lines = {
        "issuer": "issuer: https://acme.okta.com",
        "client_id": "client_id: x",
        "client_secret": "client_secret: ${env:ACME_CLIENT_SECRET}",
        field: value,
    }
    body = "".join(f"    {line}\n" for line in lines.values())
    place.write("organizations/acme.yaml", f"organization: acme\nconnections:\n  sso:\n{body}")
    return place.run("validate", "--format", "json")


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("openid, email, profile", "openid email profile"),
        ("openid,email", "openid email"),
        ("openid%20email", "[openid, email]"),
        ("https%3A%2F%2Fexample.com%2Fread", "[https://example.com/read]"),
        ("[openid, 'email,profile']", "[email, profile]"),
        ("[openid, 'email%20profile']", "[email, profile]"),
    ],
)
def test_scopes_are_written_plainly(place: Workplace, value: str, right: str) -> None:
    """Case 1: a comma between scopes, or a percent-encoded scope, is an error with the right form."""
    run = declared(place, "custom_scopes", f"custom_scopes: {value}")
    assert (run.code, run.codes) == (1, ["invalid-scope"])
    assert run.document["diagnostics"][0]["hint"].endswith(f": {right}")


@pytest.mark.parametrize("rest", ["", "/", "?client_id=x", "#top"])
@pytest.mark.parametrize("issuer", ["https://acme.okta.com", f"{ENTRA}/11111111-1111/v2.0"])
def test_the_url_of_the_metadata_is_no_issuer(place: Workplace, issuer: str, rest: str) -> None:
    """Case 2: an issuer that ends in the well-known path is an error with the right value."""
    run = declared(place, "issuer", f"issuer: '{issuer}{METADATA}{rest}'")
    assert (run.code, run.codes) == (1, ["issuer-is-metadata-url"])
    assert f"write {issuer}," in run.document["diagnostics"][0]["hint"]


@pytest.mark.parametrize(
    ("issuer", "placeholder"),
    [
        (f"{ENTRA}/{{tenantid}}/v2.0", "{tenantid}"),
        (f"{ENTRA}/<tenant>/v2.0", "<tenant>"),
        (f"{ENTRA}/%7Btenantid%7D/v2.0", "{tenantid}"),
        (f"{ENTRA}/%3Ctenant%3E/v2.0", "<tenant>"),
        (f"{ENTRA}/{{tenantid}}/v2.0{METADATA}", "{tenantid}"),
        ("https://<tenant>.okta.com", "<tenant>"),
    ],
)
def test_a_placeholder_is_no_tenant(place: Workplace, issuer: str, placeholder: str) -> None:
    """Case 3: the tenant's id belongs in place of the placeholder, however it is encoded."""
    run = declared(place, "issuer", f"issuer: '{issuer}'")
    assert (run.code, run.codes) == (1, ["url-placeholder"])
    assert run.document["diagnostics"][0]["hint"] == f"put the tenant's ID in place of {placeholder}"


def test_a_placeholder_in_an_endpoint_is_found_too(place: Workplace) -> None:
    """Case 3, in the fields beside the issuer."""
    run = declared(place, "token_url", f"token_url: {ENTRA}/%7Btenantid%7D/oauth2/v2.0/token")
    assert run.codes == ["url-placeholder"]


@pytest.mark.parametrize("key", ["client-secret", "clientSecret", "secret"])
def test_a_reference_below_an_unknown_key_is_an_unknown_key(place: Workplace, key: str) -> None:
    """Case 4: the cause is the key, not the reference."""
    run = declared(place, "client_secret", f"{key}: ${{env:ACME_CLIENT_SECRET}}")
    assert (run.code, run.codes) == (1, ["unknown-key"])
    assert run.document["diagnostics"][0]["hint"] == "did you mean `client_secret`?"


@pytest.mark.parametrize(
    ("field", "value", "place_of_the_colon"),
    [
        ("issuer", "issuer:https://acme.okta.com", "4:11"),
        ("client_id", "client_id:x", "5:14"),
        ("client_secret", "client_secret:${env:ACME_CLIENT_SECRET}", "6:18"),
        ("state", "state:present", "7:10"),
    ],
)
def test_a_missing_space_is_shown_where_it_is_missing(
    place: Workplace, field: str, value: str, place_of_the_colon: str
) -> None:
    """Case 5: the parser stops on a later line; the message does not."""
    run = declared(place, field, value)
    assert (run.code, run.codes) == (1, ["missing-blank"])
    location = run.document["diagnostics"][0]["range"]["start"]
    assert f"{location['line']}:{location['column']}" == place_of_the_colon


class EarlyLimit(yaml.SafeLoader):
    """A parser that gives up on deep nesting before its first event, as libyaml from PyYAML 6.0.4 on."""

    def check_event(self, *_choices: object) -> bool:
        raise yaml.YAMLError("exceeded maximum nesting depth")


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader, EarlyLimit])
@pytest.mark.parametrize("text", ["[" * 10_000, "{a: " * 10_000, "- " * 10_000])
def test_deep_nesting_is_too_deep_whatever_the_parser(text: str, loader: type) -> None:
    """Case 8: 10,000 levels of nesting are `too-deep` with every PyYAML."""
    result = read_yaml(text, ReadLimits(), loader)
    assert result.error is None
    assert [problem.code for problem in result.problems] == ["too-deep"]
