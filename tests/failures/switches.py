"""The circumstances of the convergence table: each switch, and the setup that makes it matter."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Delete
from reconciler.emulator import SWITCHES
from tests.failures.matrix import Circumstance, Experiment, Row, metadata
from tests.failures.operations import ACME, CHANGES, GLOBEX, ISSUER, NEW_ISSUER, URLS, connection_id, urls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.core.change import Change
    from tests.failures.matrix import Cell
    from tests.failures.operations import Operation
    from tests.support.estate import Estate

Answer = tuple[str, str]
"""A switch and its position; two empty texts mean that everything is as by default."""

DEFAULT: Final[Answer] = ("", "")
BEYOND_PATIENCE: Final[Answer] = ("read-lag", "12")
NEVER_ANSWERED: Final[Answer] = ("lost-response", "every")

_COUNTS: Final = ("1", "4", "12")
"""Reads that lag: as many as the run waits for, and more."""

_ISSUERS: Final = (ISSUER, NEW_ISSUER)
_NOT_FOUND: Final = "the server answered 404"


def answers() -> Iterator[Answer]:
    """Yield the defaults, and every alternative to each of them."""
    yield DEFAULT
    for switch in SWITCHES:
        if switch.number.startswith("U"):
            for value in switch.alternatives:
                yield from ((switch.name, number) for number in (_COUNTS if value == "N" else (value,)))


def rows() -> tuple[Row, ...]:
    """Return a row for each answer."""
    return tuple(
        Row(
            labels=(_question(answer), "by default" if answer == DEFAULT else f"`{'='.join(answer)}`"),
            experiments={
                name: (Experiment(operation, _circumstance(answer)),) for name, operation in CHANGES.items()
            },
        )
        for answer in answers()
    )


def mark(cell: Cell) -> str:
    """Return how a cell ended, in one character; see `docs/test-reports/convergence.md`."""
    assert cell.first.plan
    assert cell.second.plan
    if any(diagnostic.is_error for diagnostic in cell.first.plan.diagnostics):
        return "⊘"
    return "=" if cell.first.result.is_complete and not cell.second.plan.has_changes else "≠"


def _question(answer: Answer) -> str:
    return next((switch.number for switch in SWITCHES if switch.name == answer[0]), "")


def _circumstance(answer: Answer) -> Circumstance:
    return Circumstance(
        arrange=partial(_arrange, answer),
        most_writes=3 if answer == NEVER_ANSWERED else 2,
        hides_writes=answer == BEYOND_PATIENCE,
    )


def _arrange(answer: Answer, operation: Operation, estate: Estate) -> None:
    switch, value = answer
    if switch:
        estate.emulator.set_switch(switch, value)
    if switch in SETUPS:
        SETUPS[switch](operation, estate)


def _slashes(operation: Operation, _estate: Estate) -> None:
    """Issuers and URLs have a slash at their end."""
    _every_url(operation, lambda url: f"{url}/")


def _slashes_that_matter(operation: Operation, estate: Estate) -> None:
    """The same, and identity providers that know no path with two slashes in a row."""
    _slashes(operation, estate)
    for issuer in _ISSUERS:
        estate.emulator.set_discovery(f"{issuer}/", failure=_NOT_FOUND)


def _loopback(operation: Operation, estate: Estate) -> None:
    """The identity provider is on this machine, and speaks plain http."""

    def moved(url: str) -> str:
        return url.replace("https://", "http://localhost/")

    _every_url(operation, moved)
    for issuer in _ISSUERS:
        estate.emulator.set_discovery(moved(issuer), metadata(moved(issuer)))


def _undiscoverable(_operation: Operation, estate: Estate) -> None:
    for issuer in _ISSUERS:
        estate.emulator.set_discovery(issuer, failure=_NOT_FOUND)


def _without_userinfo(_operation: Operation, estate: Estate) -> None:
    for issuer in _ISSUERS:
        document = metadata(issuer)
        del document["userinfo_endpoint"]
        estate.emulator.set_discovery(issuer, document)


def _of_another_issuer(_operation: Operation, estate: Estate) -> None:
    for issuer in _ISSUERS:
        estate.emulator.set_discovery(issuer, {**metadata(issuer), "issuer": "https://tenant.example"})


def _provisioning(operation: Operation, estate: Estate) -> None:
    """Every live connection is in the list of those that provision members."""
    allowed = [connection_id(name) for name in operation.live.get(ACME, {})]
    estate.emulator.edit_organization(
        ACME, sso_jit_provisioning="RESTRICTED", sso_jit_provisioning_allowed_connections=allowed
    )


def _lent(operation: Operation, estate: Estate) -> None:
    """Another organization logs in through every live connection."""
    estate.emulator.add_organization(GLOBEX)
    for name in operation.live.get(ACME, {}):
        estate.emulator.add_connection(GLOBEX, "external", external_connection_id=connection_id(name))


def _same_names(operation: Operation, estate: Estate) -> None:
    """Connections of other kinds and of another organization have the names that are declared."""
    estate.emulator.add_organization(GLOBEX)
    for fields in operation.wanted[ACME].values():
        name = fields["display_name"]
        estate.emulator.add_connection(GLOBEX, display_name=name, **urls(ISSUER))
        for kind in ("saml", "external"):
            estate.emulator.add_connection(ACME, kind, display_name=name)


def _gone_meanwhile(operation: Operation, estate: Estate) -> None:
    """Somebody else deletes what is to be deleted, just before this run does; the others of its name stay."""
    _same_names(operation, estate)

    def delete_first(change: Change) -> None:
        if isinstance(change, Delete):
            estate.emulator.remove_connection(change.before.connection_id or "")

    estate.watcher.on_start = delete_first


def _unknown_provider(operation: Operation, _estate: Estate) -> None:
    """Somebody has set a provider that is in no list."""
    for fields in operation.live.get(ACME, {}).values():
        fields["identity_provider"] = "tomorrow-idp"


def _throttled(_operation: Operation, estate: Estate) -> None:
    for operation in ("list-connections", "update-oidc-connection", "delete-connection"):
        estate.emulator.add_fault(f"{operation}:429:first=1")


SETUPS: Final[dict[str, Callable[[Operation, Estate], None]]] = {
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
    "foreign-connection": _same_names,
    "other-type": _same_names,
    "duplicate-display-name": _same_names,
    "http-urls": _loopback,
    "unknown-identity-provider": _unknown_provider,
    "retry-after": _throttled,
}
"""What is arranged for a switch, besides discovery documents for both issuers and a SAML connection."""


def _every_url(operation: Operation, change: Callable[[str], str]) -> None:
    for fields in operation.fields:
        fields.update({name: change(fields[name]) for name in ("issuer", *URLS) if fields.get(name)})
