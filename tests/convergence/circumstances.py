"""In what circumstances each open question shows at all: what is arranged, so that its switch matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.convergence.operations import ISSUER, NEW_ISSUER, URLS, connection_id, urls

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator import Emulator
    from tests.convergence.operations import Case

    Circumstance = Callable[[Case, Emulator], None]

_OTHER: Final = "globex"
_ISSUERS: Final = (ISSUER, NEW_ISSUER)
_NOT_FOUND: Final = "the server answered 404"


def metadata(issuer: str) -> dict[str, Any]:
    """Return a discovery document whose URLs nobody declares."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/published/authorize",
        "token_endpoint": f"{issuer}/published/token",
        "userinfo_endpoint": f"{issuer}/published/userinfo",
        "jwks_uri": f"{issuer}/published/keys",
    }


def _slashes(case: Case, _emulator: Emulator) -> None:
    """Issuers and URLs have a slash at their end."""
    _every_url(case, lambda url: f"{url}/")


def _slashes_that_matter(case: Case, emulator: Emulator) -> None:
    """The same, and identity providers that know no path with two slashes in a row."""
    _slashes(case, emulator)
    for issuer in _ISSUERS:
        emulator.set_discovery(f"{issuer}/", failure=_NOT_FOUND)


def _loopback(case: Case, emulator: Emulator) -> None:
    """The identity provider is on this machine, and speaks plain http."""

    def moved(url: str) -> str:
        return url.replace("https://", "http://localhost/")

    _every_url(case, moved)
    for issuer in _ISSUERS:
        emulator.set_discovery(moved(issuer), metadata(moved(issuer)))


def _undiscoverable(_case: Case, emulator: Emulator) -> None:
    for issuer in _ISSUERS:
        emulator.set_discovery(issuer, failure=_NOT_FOUND)


def _without_userinfo(_case: Case, emulator: Emulator) -> None:
    for issuer in _ISSUERS:
        document = metadata(issuer)
        del document["userinfo_endpoint"]
        emulator.set_discovery(issuer, document)


def _of_another_issuer(_case: Case, emulator: Emulator) -> None:
    for issuer in _ISSUERS:
        emulator.set_discovery(issuer, {**metadata(issuer), "issuer": "https://tenant.example"})


def _provisioning(case: Case, emulator: Emulator) -> None:
    """Every live connection is in the list of those that provision members."""
    allowed = [connection_id(name) for name in case.live]
    emulator.edit_organization(
        "acme", sso_jit_provisioning="RESTRICTED", sso_jit_provisioning_allowed_connections=allowed
    )


def _lent(case: Case, emulator: Emulator) -> None:
    """Another organization logs in through every live connection."""
    emulator.add_organization(_OTHER)
    for name in case.live:
        emulator.add_connection(_OTHER, "external", external_connection_id=connection_id(name))


def _namesakes(case: Case, emulator: Emulator) -> None:
    """Connections of other kinds and of another organization have the names that are declared."""
    emulator.add_organization(_OTHER)
    for fields in case.wanted.values():
        name = fields["display_name"]
        emulator.add_connection(_OTHER, display_name=name, **urls(ISSUER))
        for kind in ("saml", "external"):
            emulator.add_connection("acme", kind, display_name=name)


def _gone_meanwhile(case: Case, emulator: Emulator) -> None:
    """Somebody else deletes what is to be deleted, just before this run does; namesakes stay."""
    _namesakes(case, emulator)
    case.is_gone_meanwhile = True


def _unknown_provider(case: Case, _emulator: Emulator) -> None:
    """Somebody has set a provider that is in no list."""
    for fields in case.live.values():
        fields["identity_provider"] = "tomorrow-idp"


def _throttled(_case: Case, emulator: Emulator) -> None:
    for operation in ("list-connections", "update-oidc-connection", "delete-connection"):
        emulator.add_fault(f"{operation}:429:first=1")


CIRCUMSTANCES: Final[dict[str, Circumstance]] = {
    "issuer-trailing-slash": _slashes_that_matter,
    "rewriting": _slashes,
    "failed-discovery": _undiscoverable,
    "emptied-field": _undiscoverable,
    "missing-endpoint": _without_userinfo,
    "userinfo-url": _without_userinfo,
    "issuer-mismatch": _of_another_issuer,
    "jit-list": _provisioning,
    "external-references": _lent,
    "not-found-type": _gone_meanwhile,
    "foreign-connection": _namesakes,
    "other-type": _namesakes,
    "duplicate-display-name": _namesakes,
    "http-urls": _loopback,
    "unknown-identity-provider": _unknown_provider,
    "retry-after": _throttled,
}
"""What is arranged for a switch, besides discovery documents for both issuers and a SAML connection."""


def _every_url(case: Case, change: Callable[[str], str]) -> None:
    for fields in (*case.live.values(), *case.wanted.values()):
        fields.update({name: change(fields[name]) for name in ("issuer", *URLS) if fields.get(name)})
