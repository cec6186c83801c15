"""Published metadata of real providers: a right set-up raises neither an error nor a warning.

Where each document comes from stands in ``reconciler/policies/providers.py``, which uses them too.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from reconciler.core.connection import OidcConnection
from reconciler.core.errors import Severity
from reconciler.core.idp import IDP_SEVERITIES
from reconciler.idp.checks import check
from reconciler.idp.guarded_fetch import Answer
from reconciler.idp.investigation import Evidence, Subject
from reconciler.idp.keys import KeySet, read_keys
from reconciler.idp.metadata import ENDPOINTS, Document, metadata_url, read_document
from reconciler.idp.preflight import Preflight, Verdict
from tests.idp.provider import RSA_KEY

DOCUMENTS: Final = Path(__file__).parents[1] / "policies" / "idp"
ALL: Final = sorted(path.stem for path in DOCUMENTS.glob("*.json"))

NOT_RIGHT: Final = {
    "entra-v1-common": {"issuer-templated"},
    "entra-v2-common": {"issuer-templated"},
    "entra-b2c": {"userinfo-missing"},
    "vault": {"endpoint-not-https"},
}
"""Documents of set-ups that are none: for every tenant, without userinfo, or a server in development."""

PROVIDERS: Final = {
    "adfs": "generic", "classlink": "classlink", "duo": "duo", "entra-b2c": "microsoft-entra",
    "entra-v1-tenant": "microsoft-entra", "entra-v2-tenant": "microsoft-entra", "google": "google-workspace",
    "jumpcloud": "jumpcloud", "keycloak": "keycloak", "okta": "okta", "onelogin": "onelogin",
    "pingfederate": "pingfederate", "pingfederate-public": "pingfederate", "salesforce": "salesforce",
    "shibboleth": "shibboleth",
}  # fmt: skip


def fetched(url: str, values: object) -> Document:
    document = read_document(
        Answer(url=url, status=200, headers=httpx.Headers(), body=json.dumps(values).encode())
    )
    assert isinstance(document, Document)
    return document


def evidence_of(values: dict[str, Any], provider: str, **connection: Any) -> Evidence:
    """Return what is gathered where the connection is as the provider's document says."""
    issuer = values["issuer"]
    client_id = issuer.rsplit("/", 1)[-1] if provider == "duo" else "client"
    keys = read_keys(fetched(f"{issuer}/keys", {"keys": [RSA_KEY]}))
    assert isinstance(keys, KeySet)
    metadata = fetched(metadata_url(issuer), values)
    return Evidence(
        subject=Subject(
            connection=OidcConnection(
                issuer=issuer,
                identity_provider=provider,
                client_id=client_id,
                redirect_url="https://test.stytch.com/callback",
                custom_scopes=("openid", "email", "profile"),
                attribute_mapping={"first_name": "given_name"},
                **{field: values.get(name) for field, name in ENDPOINTS.items()} | connection,
            ),
            has_expiry=True,
        ),
        metadata=metadata,
        keys=keys,
        preflight=Preflight(verdict=Verdict.REGISTERED, answer=metadata.answer, error="login_required"),
    )


def grave(evidence: Evidence) -> set[str]:
    return {
        finding.code
        for finding in check(evidence)
        if (finding.severity or IDP_SEVERITIES[finding.code]) is not Severity.INFO
    }


def read(name: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((DOCUMENTS / f"{name}.json").read_text())
    return values


def test_there_are_documents_of_many_providers() -> None:
    assert len(ALL) >= 24
    assert {*PROVIDERS, *NOT_RIGHT} <= {*ALL}


@pytest.mark.parametrize("name", ALL)
def test_a_right_set_up_raises_nothing(name: str) -> None:
    evidence = evidence_of(read(name), PROVIDERS.get(name, "generic"))
    assert grave(evidence) == NOT_RIGHT.get(name, set())


@pytest.mark.parametrize("name", [name for name in ALL if name not in NOT_RIGHT])
def test_urls_that_the_service_has_not_inferred_raise_nothing(name: str) -> None:
    values = read(name)
    userinfo = values.get("userinfo_endpoint")
    evidence = evidence_of(values, "generic", **dict.fromkeys(ENDPOINTS))
    assert grave(evidence) == (set() if userinfo else {"userinfo-missing"})


@pytest.mark.parametrize("name", [name for name in ALL if name not in NOT_RIGHT])
def test_a_slash_too_many_is_an_error_at_every_provider(name: str) -> None:
    values = read(name)
    evidence = evidence_of(values, PROVIDERS.get(name, "generic"))
    issuer = values["issuer"].removesuffix("/") if values["issuer"].endswith("/") else f"{values['issuer']}/"
    subject = evidence.subject
    changed = replace(subject, connection=replace(subject.connection, issuer=issuer))
    finding = next(
        item for item in check(replace(evidence, subject=changed)) if item.code == "issuer-mismatch"
    )
    assert "only the trailing slash differs" in finding.summary
    assert f"declare `{values['issuer']}`" in (finding.hint or "")


def test_googles_legacy_issuer_is_its_own() -> None:
    values = read("google")
    evidence = evidence_of(values, "google-workspace")
    legacy = fetched(metadata_url(values["issuer"]), values | {"issuer": "accounts.google.com"})
    assert grave(replace(evidence, metadata=legacy)) == set()


def test_a_domain_name_in_place_of_entras_tenant_id_is_explained() -> None:
    values = read("entra-v2-tenant")
    evidence = evidence_of(values, "microsoft-entra")
    tenant = values["issuer"].split("/")[3]
    issuer = values["issuer"].replace(tenant, "acme.onmicrosoft.com")
    subject = replace(evidence.subject, connection=replace(evidence.subject.connection, issuer=issuer))
    finding = next(
        item for item in check(replace(evidence, subject=subject)) if item.code == "issuer-mismatch"
    )
    assert "the ID of the tenant" in (finding.hint or "")


def test_a_default_port_that_is_written_out_is_the_same_endpoint() -> None:
    values = read("google")
    token_url = values["token_endpoint"].replace(".com/", ".com:443/")
    assert grave(evidence_of(values, "google-workspace", token_url=token_url)) == set()


def test_a_clock_is_wrong_only_if_two_endpoints_say_so_without_a_cache() -> None:
    def dated(document: Document, **headers: str) -> Document:
        return replace(document, answer=replace(document.answer, headers=httpx.Headers(headers)))

    evidence = evidence_of(read("okta"), "okta")
    assert isinstance(evidence.metadata, Document)
    assert isinstance(evidence.keys, KeySet)
    off, right = "Thu, 01 Jan 1970 00:20:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"

    def skews(first: Document, second: Document) -> bool:
        assert isinstance(evidence.keys, KeySet)
        keys = KeySet(second, evidence.keys.keys)
        return "clock-skew" in {item.code for item in check(replace(evidence, metadata=first, keys=keys))}

    metadata, keys = evidence.metadata, evidence.keys.document
    assert skews(dated(metadata, Date=off), dated(keys, Date=off))
    assert not skews(dated(metadata, Date=off), dated(keys, Date=right))
    assert not skews(dated(metadata, Date=off), keys)
    assert not skews(dated(metadata, Date=off, Age="900"), dated(keys, Date=off))
    assert not skews(dated(metadata, Date="nonsense"), dated(keys, Date=off))
