"""Estates for the laws: an organization's manifest and what is live, as odd as they can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from reconciler.core.connection import INFERRED_FIELDS, WRITABLE_FIELDS
from reconciler.core.secret import Secret, SecretReference
from reconciler.core.state import OtherConnection
from tests.support.values import declared, desired, live, live_connection, reference

if TYPE_CHECKING:
    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import DesiredConnection, DesiredOrganization, LiveOrganization

NAMES = ("okta", "entra", "Acme SSO", 'q"uo\\te', "\x1b[31mred", "\u202egnp", "${env:X}", "a\nb", "名前")
TEXTS = ("https://a.example", "https://b.example", "https://a.example/", "x\x1b]0;y\x07", "\u2066é")
CANARIES = {
    reference("A"): Secret("canary-0123-~=!"),
    reference("B"): Secret("canary-zwei\nzeilen-ü"),
    reference("C"): Secret("canary\ud800alone"),
}
OPAQUE: Any = {"groups": None, "email": {"a": ["b"]}}
"""A mapping that the API may hold, but that no manifest can declare."""
OLD_SECRETS = ("canary-of-old", "", "****abcd", *(one.reveal() for one in CANARIES.values()))


@dataclass(frozen=True)
class Estate:
    """One organization, on both sides."""

    desired: DesiredOrganization
    live: LiveOrganization
    secrets: dict[SecretReference, Secret]


texts = st.sampled_from(TEXTS)
scopes = st.sets(st.sampled_from(("openid", "email", "groups", "__x", "\u202e"))).map(
    lambda found: tuple(sorted(found))
)
mappings = st.dictionaries(st.sampled_from(("groups", "email", "__e", "'\"]")), texts, max_size=4)


@st.composite
def live_connections(draw: st.DrawFn, number: int) -> Any:
    name = draw(st.sampled_from(NAMES))
    provider = draw(st.sampled_from(("generic", "okta", "brand-new")))
    if draw(st.integers(0, 3)) == 0:  # an orphan of an interrupted create
        return live_connection(number, display_name=name, identity_provider=provider, status="pending")
    values = {field: draw(texts | st.just("")) for field in ("issuer", "client_id", *INFERRED_FIELDS)}
    return live_connection(
        number,
        display_name=name,
        identity_provider=provider,
        client_secret=Secret(draw(st.sampled_from(OLD_SECRETS))),
        custom_scopes=draw(scopes),
        attribute_mapping=draw(mappings | st.just(OPAQUE)),
        status=draw(st.sampled_from(("active", "pending"))),
        **values,
    )


@st.composite
def declarations(
    draw: st.DrawFn, name: str, display_name: str, pin: str | None, match: OidcConnection | None
) -> DesiredConnection:
    """A declaration; where a live connection has its name, most of what is declared is what is live."""
    freely: dict[str, Any] = {
        "identity_provider": st.sampled_from(("generic", "okta")),
        "custom_scopes": scopes,
        "attribute_mapping": mappings,
    }
    freely |= dict.fromkeys(("issuer", "client_id", *INFERRED_FIELDS), texts)
    fields: dict[str, Any] = {"client_secret": draw(st.none() | st.sampled_from(tuple(CANARIES)))}
    for field, values in freely.items():
        held = getattr(match, field) if match else None
        can_be_declared = held and held != OPAQUE
        fields[field] = draw(st.sampled_from((held if can_be_declared else None, None)) | values)
    return declared(
        name,
        display_name=display_name,
        connection_id=pin,
        absent=draw(st.integers(0, 5)) == 0,
        prevent_destroy=draw(st.booleans()),
        ignore=draw(st.sets(st.sampled_from(WRITABLE_FIELDS), max_size=3).map(sorted)),
        previous=draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True)),
        **fields,
    )


@st.composite
def estates(draw: st.DrawFn) -> Estate:
    found = [draw(live_connections(number)) for number in range(draw(st.integers(0, 5)))]
    ids = [one.connection_id for one in found]
    by_name = {one.display_name: one for one in found}
    likely = st.sampled_from((*by_name, *NAMES)) if by_name else st.sampled_from(NAMES)
    names = draw(st.lists(likely, max_size=4, unique=True))
    pins = draw(st.permutations([*ids, "oidc-connection-test-gone", *(None for _ in range(12))]))
    connections = [
        draw(declarations(f"c{index}", name, pin, by_name.get(name)))
        for index, (name, pin) in enumerate(zip(names, pins, strict=False))
    ]
    foreign = draw(st.sampled_from(((), (OtherConnection(kind="saml", connection_id="s", is_active=True),))))
    return Estate(
        desired(*connections, prune=draw(st.booleans())),
        live(
            *found,
            foreign=foreign,
            default_connection_id=draw(st.sampled_from(["", "", *ids])),
            sso_only=draw(st.integers(0, 3)) == 0,
        ),
        draw(st.sampled_from((CANARIES, {}))),
    )
