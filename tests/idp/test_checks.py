"""The checks as functions: no document breaks one, whatever a provider writes into it."""

from __future__ import annotations

import json
from typing import Any, Final

import httpx
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.connection import OidcConnection
from reconciler.core.idp import IDP_SEVERITIES
from reconciler.idp.certificate import certificates_in
from reconciler.idp.checks import check
from reconciler.idp.guarded_fetch import Answer, NoAnswer
from reconciler.idp.investigation import Evidence, Subject
from reconciler.idp.keys import read_keys
from reconciler.idp.metadata import ENDPOINTS, Document, read_document
from reconciler.policies.assess import default_severity

NAMES: Final = (
    "issuer", *ENDPOINTS.values(), "response_types_supported", "grant_types_supported", "scopes_supported",
    "token_endpoint_auth_methods_supported", "id_token_signing_alg_values_supported", "claims_supported",
    "require_pushed_authorization_requests", "require_signed_request_object",
)  # fmt: skip
MEMBERS: Final = ("kty", "kid", "use", "alg", "key_ops", "crv", "n", "e", "x", "y", "d", "k", "x5c")
TEXTS: Final = st.text() | st.sampled_from(
    ["RSA", "EC", "OKP", "oct", "sig", "enc", "RS256", "P-256", "Ed25519", "AQAB", "https://idp.example.com",
     "http://[", "https://x:99999999/", "{tenantid}"]
)  # fmt: skip
VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def fetched(values: object) -> Document | NoAnswer:
    body = json.dumps(values).encode("utf-8", "surrogatepass")
    return read_document(
        Answer(url="https://idp.example.com/", status=200, headers=httpx.Headers(), body=body)
    )


@given(
    metadata=st.dictionaries(st.sampled_from(NAMES), VALUES),
    keys=st.lists(VALUES | st.dictionaries(st.sampled_from(MEMBERS), VALUES), max_size=4),
    issuer=TEXTS,
    provider=st.sampled_from(["okta", "duo", "microsoft-entra", "google-workspace", "generic"]),
    mapping=st.dictionaries(st.text(), VALUES, max_size=3),
)
def test_no_document_breaks_a_check(
    metadata: dict[str, Any], keys: list[Any], issuer: str, provider: str, mapping: dict[str, Any]
) -> None:
    connection = OidcConnection(
        issuer=issuer, identity_provider=provider, client_id="c", custom_scopes=("openid",),
        attribute_mapping=mapping, token_url="https://idp.example.com/token",
    )  # fmt: skip
    key_document = fetched({"keys": keys})
    evidence = Evidence(
        subject=Subject(connection=connection),
        metadata=fetched(metadata),
        keys=read_keys(key_document) if isinstance(key_document, Document) else key_document,
    )
    findings = check(evidence)
    assert {finding.code for finding in findings} <= IDP_SEVERITIES.keys()
    assert len({(finding.code, finding.key) for finding in findings}) == len(findings)
    assert all(len(finding.summary) < 2500 for finding in findings)


def test_every_code_of_a_finding_is_listed_once_with_a_severity() -> None:
    assert list(IDP_SEVERITIES) == sorted(IDP_SEVERITIES)


@given(st.binary(max_size=200), st.integers(0, 200))
def test_no_bytes_break_the_count_of_certificates(noise: bytes, cut: int) -> None:
    body = b"\x00\x00\x0a" + b"\x00\x00\x02ab" + b"\x00\x00\x02cd"
    message = b"\x0b" + len(body).to_bytes(3) + body
    record = b"\x16\x03\x03" + len(message).to_bytes(2) + message
    assert certificates_in(record + noise) == 2
    assert certificates_in(record[: min(cut, len(record) - 1)]) == 0
    assert certificates_in(b"\x16\x03\x03" + noise) >= 0


def test_what_lowers_the_severity_of_a_code_is_measured_by_its_default() -> None:
    assert default_severity("issuer-mismatch") == "error"
    assert default_severity("signing-alg") == "warn"
    assert default_severity("clock-skew") == "off"
