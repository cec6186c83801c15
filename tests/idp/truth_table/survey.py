"""Makes the rows of the truth table real, all at once, and asks `verify` about them in one run."""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

from reconciler.idp.metadata import ENDPOINTS, metadata_url
from tests.idp.live import URLS, connect
from tests.idp.provider import answer, scripted_provider
from tests.idp.token_answers import INVALID_CLIENT, INVALID_GRANT, VENDORS, checks
from tests.idp.token_answers import SECRET as RIGHT_SECRET
from tests.idp.truth_table.rows import REDIRECT_URL, SECRET, Findings, OidcProvider, Scripted
from tests.idp.vendors import vendors
from tests.oidc_provider import oidc_providers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.idp.provider import Request
    from tests.idp.truth_table.right import RightSetUp
    from tests.idp.truth_table.rows import Defect
    from tests.idp.vendors import Vendors
    from tests.support.workplace import Workplace

_CLIENT: Final[dict[str, Any]] = {
    "client_id": "client",
    "client_secret": SECRET,
    "redirect_uris": [REDIRECT_URL],
    "response_types": ["code"],
    "grant_types": ["authorization_code"],
    "token_endpoint_auth_method": "client_secret_basic",
}
_CLAIMS: Final = {"openid": ["sub"], "email": ["email", "email_verified"], "profile": ["given_name"]}
_PATHS: Final = {"authorization_url": "auth", "token_url": "token", "userinfo_url": "me", "jwks_url": "jwks"}


def survey(place: Workplace, defects: Sequence[Defect]) -> dict[str, Findings]:
    """Return what `verify --probe-credentials` finds of each defect.

    The timeout is long enough for a busy machine, and shorter than the silence of a defect.
    """
    place.write("reconciler.yaml", "idp: {ca_file: ca.pem, timeout: 7}\n")
    with _addresses(defects) as addresses:
        for number, (defect, address) in enumerate(zip(defects, addresses, strict=True)):
            _connect(place, f"row{number}", defect, address)
        document = place.run("verify", "--probe-credentials", "--format", "json").document
    found = findings_by_address(document)
    return {defect.what: found[f"row{number}/sso"] for number, defect in enumerate(defects)}


def survey_right(place: Workplace, set_ups: Sequence[RightSetUp]) -> dict[str, Findings]:
    """Return what `verify --probe-credentials` finds of each right set-up; all four questions are asked."""
    findings: dict[str, Findings] = {}
    while remaining := [set_up for set_up in set_ups if set_up.what not in findings]:
        by_issuer = {set_up.document["issuer"]: set_up for set_up in reversed(remaining)}
        findings |= _survey_issuers(place, [*by_issuer.values()], prefix=f"round{len(findings)}")
    return {set_up.what: findings[set_up.what] for set_up in set_ups}


def _survey_issuers(place: Workplace, set_ups: Sequence[RightSetUp], prefix: str) -> dict[str, Findings]:
    """Ask about set-ups of different issuers, for an issuer can be set up in one way at a time."""
    with vendors(place) as network:
        files = []
        for number, set_up in enumerate(set_ups):
            slug = f"{prefix}row{number}"
            place.emulator.add_organization(slug)
            _publish(network, set_up)
            _connect_right(place, slug, set_up)
            files.append(f"organizations/{slug}.yaml")
        document = place.run("verify", *files, "--probe-credentials", "--format", "json").document
    for connection in document["connections"]:
        assert {item["purpose"] for item in connection["asked"]} == {"metadata", "keys", "preflight", "probe"}
    found = findings_by_address(document)
    return {set_up.what: found[f"{prefix}row{number}/sso"] for number, set_up in enumerate(set_ups)}


def findings_by_address(document: Mapping[str, Any]) -> dict[str, Findings]:
    """Return the findings of each connection of a report."""
    grave: defaultdict[str, dict[str, None]] = defaultdict(dict)
    information: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for item in document["findings"]:
        codes = information if item["severity"] == "info" else grave
        codes[item["address"]][item["code"]] = None
    return {
        address: Findings(grave=tuple(grave[address]), information=tuple(information[address]))
        for address in (connection["address"] for connection in document["connections"])
    }


@contextmanager
def _addresses(defects: Sequence[Defect]) -> Iterator[list[str]]:
    """Run everything that the defects are made on; yield the addresses in their order."""
    with ExitStack() as stack:
        settings = [_settings(item.made_on) for item in defects if isinstance(item.made_on, OidcProvider)]
        real = iter(stack.enter_context(oidc_providers(settings)) if settings else ())
        addresses = []
        for defect in defects:
            match defect.made_on:
                case OidcProvider():
                    addresses.append(next(real))
                case Scripted():
                    addresses.append(stack.enter_context(_scripted(defect.made_on)))
                case None:
                    addresses.append("https://127.0.0.1:9")
        yield addresses


def _settings(part: OidcProvider) -> dict[str, Any]:
    client = {**_CLIENT, **part.client}
    client["redirect_uris"] = [uri.replace("{redirect_url}", REDIRECT_URL) for uri in client["redirect_uris"]]
    return {
        "clients": [{name: value for name, value in client.items() if value is not None}],
        "configuration": {"claims": _CLAIMS, **part.configuration},
        "keys": part.keys,
        "certificate": part.certificate,
        "issuer": part.issuer,
        "path": part.path,
    }


@contextmanager
def _scripted(part: Scripted) -> Iterator[str]:
    with scripted_provider() as provider:
        provider.publish(part.headers, **part.metadata)
        provider.scripts["/token"] = checks(SECRET, right=INVALID_GRANT, wrong=INVALID_CLIENT)
        provider.scripts.update(part.scripts)
        yield provider.issuer


def _connect(place: Workplace, slug: str, defect: Defect, address: str) -> None:
    paths = _PATHS if isinstance(defect.made_on, OidcProvider) else URLS
    fields = {
        "issuer": "{issuer}",
        "client_id": "client",
        "client_secret": SECRET,
        "redirect_url": REDIRECT_URL,
        **{name: f"{{issuer}}/{path}" for name, path in paths.items()},
        **defect.live,
    }
    live = _filled(fields, address)
    issuer = live.pop("issuer")
    place.emulator.add_organization(slug)
    declared = _filled(defect.declared, address)
    connect(place, slug, issuer, live={**live, **declared}, **declared)


def _filled(fields: Mapping[str, Any], address: str) -> dict[str, Any]:
    return {
        name: value.replace("{issuer}", address).replace("{secret}", SECRET)
        if isinstance(value, str)
        else value
        for name, value in fields.items()
    }


def _publish(network: Vendors, set_up: RightSetUp) -> None:
    values = dict(set_up.document)
    issuer = values["issuer"]
    right = answer(200, {**values, "issuer": set_up.published_issuer or issuer})
    wrong = answer(200, {**values, "issuer": set_up.issuer_for_others})

    def for_client(request: Request) -> Iterator[bytes]:
        return (right if "client_id" in request.query else wrong)(request)

    network.script(metadata_url(issuer), for_client if set_up.issuer_for_others else right)
    network.script(values["jwks_uri"], answer(200, {"keys": set_up.keys}))
    network.script(values["authorization_endpoint"], set_up.login)
    network.script(values["token_endpoint"], VENDORS[set_up.token][0])


def _connect_right(place: Workplace, slug: str, set_up: RightSetUp) -> None:
    urls = {field: set_up.document.get(name, "") for field, name in ENDPOINTS.items()}
    live = {
        "client_secret": RIGHT_SECRET,
        "redirect_url": REDIRECT_URL,
        "client_id": set_up.client_id,
        **urls,
    }
    declared = {
        **set_up.declared,
        "identity_provider": set_up.identity_provider,
        "client_id": set_up.client_id,
    }
    declared |= urls if set_up.declares_urls else {}
    connect(place, slug, set_up.document["issuer"], live=live, **declared)
