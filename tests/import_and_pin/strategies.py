"""Hypothesis strategies for live organizations, as odd as the API allows."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from reconciler.core.connection import INFERRED_FIELDS, OidcConnection
from reconciler.core.secret import Secret
from reconciler.core.state import LiveOrganization, Organization, OtherConnection

HOSTILE = (
    "Okta",
    "okta",
    "Okta",
    "okta-2",
    " Okta ",
    "",
    "null",
    "true",
    "1e3",
    "~",
    "- a",
    "a: b",
    "a #b",
    "'q' \"d\"",
    "back\\slash",
    "${env:STYTCH_SECRET}",
    "$${x}",
    "$$${",
    "{a}",
    "*alias",
    "&anchor",
    "!tag",
    "%percent",
    "@at",
    "`tick",
    "名前",
    "Zoë Größe",
    "\u202egnp",
    "a\nb",
    "a\tb",
    "\x1b[31mred",
    "\ufffe",
    "\ue000",
    "\U0001f600",
    "\xa0nbsp",
    "soft\xadhyphen",
    "\ud800",
    "x" * 128,
    "x" * 129,
    "--- doc",
    "# comment",
    "con",
    "\x85",
    "\u2028",
)
URLS = (
    "https://acme.okta.com",
    "https://acme.okta.com/oauth2/v1/token?x=1",
    "http://insecure.example",
    "http://localhost:8080/idp",
    "https://exämple.com",
    "ftp://x.example",
    "https://x.example/#fragment",
    "https://a.example/${x}",
    "https://a b.example",
    "https://x.example/" + "y" * 3000,
    "nonsense",
    "",
)
SECRETS = ("", "s3cret", "****", "with\nnewline", "nul\0byte", "\ud800", "${env:X}", "0123")

names = st.sampled_from(HOSTILE) | st.text(max_size=140)
urls = st.sampled_from(URLS)
json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | names,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=3,
)
mappings = st.dictionaries(names, names, max_size=3) | st.dictionaries(names, json_values, max_size=2)
scopes = st.sets(
    st.sampled_from(("openid", "email", "a:b", "${x}", 'q"', "é", "a,b", "[x]", "null", "y" * 300))
)


@st.composite
def connections(draw: st.DrawFn, number: int) -> OidcConnection:
    common: dict[str, Any] = {
        "connection_id": f"oidc-connection-test-{number:04}",
        "display_name": draw(names),
        "redirect_url": "https://test.stytch.com/v1/b2b/sso/callback/x",
    }
    if draw(st.integers(0, 5)) == 0:
        return pending(**common)
    return OidcConnection(
        **common,
        identity_provider=draw(st.sampled_from(("okta", "generic", "brand-new", "", "null"))),
        issuer=draw(urls),
        client_id=draw(names),
        client_secret=Secret(draw(st.sampled_from(SECRETS))),
        custom_scopes=tuple(sorted(draw(scopes))),
        attribute_mapping=draw(mappings),
        status=draw(st.sampled_from(("active", "pending"))),
        **{name: draw(urls) for name in INFERRED_FIELDS},
    )


def pending(**fields: Any) -> OidcConnection:
    """What an interrupted create leaves behind."""
    empty: dict[str, Any] = dict.fromkeys(("issuer", "client_id", *INFERRED_FIELDS), "")
    given = {"identity_provider": "generic", "client_secret": Secret(""), "status": "pending"}
    return OidcConnection(**(empty | given | {"custom_scopes": (), "attribute_mapping": {}} | fields))


@st.composite
def organizations(draw: st.DrawFn) -> LiveOrganization:
    found = tuple(draw(connections(number)) for number in range(draw(st.integers(0, 6))))
    foreign = draw(
        st.lists(
            st.builds(
                OtherConnection,
                kind=st.sampled_from(("saml", "external", "future")),
                connection_id=names,
                display_name=names,
            ),
            max_size=2,
        )
    )
    slug = draw(
        st.sampled_from(("acme", "ACME", "a.b_c~d", ".hidden", "con", "ä", "", "x" * 128, "12", "1e3"))
    )
    organization = Organization(
        organization_id="organization-test-1", slug=slug, name=draw(names), external_id=draw(names)
    )
    return LiveOrganization(organization=organization, connections=found, other_connections=tuple(foreign))
