"""What is recognised as it was written is what it would be with its references replaced first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.secret import Locator, SecretReference
from reconciler.manifests.definition import OrganizationManifest
from reconciler.manifests.findings import Findings
from reconciler.manifests.interpolation import Interpolation
from reconciler.manifests.recognition import UNRECOGNISED, recogniser
from reconciler.manifests.source import Source
from reconciler.manifests.validation import validate
from reconciler.secrets import SecretPolicy
from tests.manifests.test_recognition import NAMES, TEXTS, URLS, records, typed

REFERRING = st.sampled_from(
    [
        *("${env:ACME}", "${env:BETA_2}", "${file:secrets/acme}", "${file:../acme}", "${env:STYTCH_SECRET}"),
        *("${var:tenant}", "${var:nobody}", "https://${var:tenant}.okta.com", "openid ${var:tenant}"),
        *("a${env:ACME}", "${env:ACME}b", "${env:ACME}${env:BETA_2}", "${env:9}", "${env:A B}", "${env:}"),
        *("${vualt:a}", "$${env:ACME}", "$$", "${", "$", "${ENV:ACME}", " ${env:ACME}", "${env:${env:A}}"),
    ]
)
CONNECTIONS = records(
    display_name=NAMES | REFERRING,
    identity_provider=st.just("okta") | REFERRING,
    issuer=URLS | REFERRING,
    client_id=NAMES | REFERRING,
    client_secret=st.just("${env:ACME}") | REFERRING | TEXTS,
    token_url=URLS | REFERRING,
    custom_scopes=REFERRING | st.lists(NAMES | REFERRING, max_size=2),
    attribute_mapping=st.dictionaries(NAMES | REFERRING, NAMES | REFERRING, max_size=2),
    previous_display_names=st.lists(NAMES | REFERRING, max_size=2),
    state=st.just("present") | REFERRING,
    secret_expires_on=st.just("2027-03-31") | REFERRING,
)
ORGANIZATIONS = records(
    organization=st.just("acme") | REFERRING,
    organization_id=st.just("organization-live-1") | REFERRING,
    connections=st.dictionaries(st.sampled_from(["okta", "${var:tenant}"]), CONNECTIONS, max_size=2),
)
RULES = Interpolation(
    {"tenant": "acme"}, SecretPolicy(Path("/project")), lambda path: path[-1:] == ("client_secret",)
)


def document(**connection: Any) -> dict[str, Any]:
    return {"organization": "acme", "connections": {"okta": connection}}


@given(ORGANIZATIONS)
@example(document(client_id="$${env:ACME}", client_secret="${env:ACME}"))
@example(document(attribute_mapping={"${var:tenant}": "a"}))
@example(document(custom_scopes=["${env:ACME}"]))
def test_it_is_the_same(value: Any) -> None:
    recognised = recogniser(OrganizationManifest, RULES.secret)(value)
    if recognised is UNRECOGNISED:
        return
    findings = Findings(Source("acme.yaml", ""), 16)
    replaced = RULES.apply(value, findings.document(0))
    validated = validate(OrganizationManifest, replaced, findings.document(0))
    assert not findings.diagnostics
    assert recognised == validated
    assert typed(recognised) == typed(validated)


def test_a_reference_is_recognised_where_a_secret_belongs() -> None:
    written = document(client_id="0oa1", client_secret="${env:ACME}")
    found = recogniser(OrganizationManifest, RULES.secret)(written)
    assert found["connections"]["okta"]["client_secret"] == SecretReference(
        "${env:ACME}", (Locator("env", "ACME"),)
    )
    assert written["connections"]["okta"]["client_secret"] == "${env:ACME}"


def test_no_other_text_with_a_reference_is() -> None:
    for refused in ("${env:STYTCH_SECRET}", "${vualt:a}", "a${env:ACME}", "${env:A-B}"):
        written = document(client_secret=refused)
        assert recogniser(OrganizationManifest, RULES.secret)(written) is UNRECOGNISED
    assert recogniser(OrganizationManifest, RULES.secret)(document(client_id="${var:tenant}")) is UNRECOGNISED
