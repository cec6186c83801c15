"""Resolves references to secrets: the policy is checked first, then each store is opened and read once."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

from reconciler.core.errors import Diagnostic, MissingSecret, SecretUnavailable, Severity
from reconciler.core.secret import Locator, Secret, SecretReference
from reconciler.secrets.schemes import BACKENDS, SCHEMES, name_and_key
from reconciler.secrets.store import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.core.address import Address
    from reconciler.core.errors import SourceLocation
    from reconciler.core.state import DesiredConnection
    from reconciler.secrets.store import SecretAccess, Store

MOST_NAMED: Final = 5
"""Connections that the finding about a missing secret names."""


_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Backend(Protocol):
    """The interface of a scheme's module."""

    def open_store(self, access: SecretAccess) -> Store:
        """Return the store of the scheme, or raise `SecretUnavailable`."""


@dataclass(frozen=True, slots=True)
class WantedSecret:
    """A reference, and the connection it is for, which is named when it cannot be resolved."""

    reference: SecretReference
    address: Address | None = None
    location: SourceLocation | None = None


@dataclass(frozen=True, slots=True)
class UnresolvedReference:
    """A reference without a value, the reason, and the connections that need it."""

    reference: SecretReference
    error: SecretUnavailable
    wanted: tuple[WantedSecret, ...]

    @property
    def finding(self) -> Diagnostic:
        """The error about the reference, at the first line that has it."""
        return _finding(self.error, self.wanted)


@dataclass(frozen=True, slots=True)
class ResolvedSecrets:
    """The secrets that were read, their expiry dates in stores, and the references without a value.

    A reference is in ``secrets`` and in ``failures`` too if only some connections may use it. ``warnings``
    are about expiry dates that are malformed.
    """

    secrets: Mapping[SecretReference, Secret]
    failures: tuple[UnresolvedReference, ...] = ()
    expires_on: Mapping[SecretReference, date] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """An error for each variable, file or key that has no value, and the warnings."""
        return (*(failure.finding for failure in self.failures), *self.warnings)

    @property
    def unresolved(self) -> tuple[WantedSecret, ...]:
        """The wanted secrets that have no value."""
        return tuple(wanted for failure in self.failures for wanted in failure.wanted)


def wanted_by(connections: Iterable[DesiredConnection]) -> tuple[WantedSecret, ...]:
    """Return the secrets to compare: not those that are ignored, or of connections that are not managed."""
    return tuple(
        WantedSecret(reference, declared.address, declared.secret_location or declared.location)
        for declared in connections
        if isinstance(reference := declared.connection.client_secret, SecretReference)
        and declared.is_present
        and "client_secret" not in declared.lifecycle.ignore_changes
    )


def read_expiries(connections: Iterable[DesiredConnection], access: SecretAccess) -> ResolvedSecrets:
    """Read expiry dates from the stores that have them."""
    return resolve_secrets(
        (
            wanted
            for wanted in wanted_by(connections)
            if any(
                part.scheme in BACKENDS and BACKENDS[part.scheme].names_expiry
                for part in wanted.reference.locators
            )
        ),
        access,
    )


def resolve_secrets(wanted: Iterable[WantedSecret], access: SecretAccess) -> ResolvedSecrets:
    """Resolve every reference once; the policy is checked again, wherever the reference comes from."""
    wanted = tuple(wanted)
    refusals = {secret: error for secret in set(wanted) if (error := _refusal(secret, access)) is not None}
    permitted = dict.fromkeys(secret.reference for secret in wanted if secret not in refusals)
    reading = _Reading(access, tuple(dict.fromkeys(part for text in permitted for part in text.locators)))
    values = {reference: reading.secret(reference) for reference in permitted}
    secrets = {reference: value for reference, value in values.items() if isinstance(value, Secret)}
    errors = {reference: value for reference, value in values.items() if isinstance(value, SecretUnavailable)}
    expiries = {reference: days for reference in secrets if (days := reading.expiries(reference))}
    malformed = frozenset(reference for reference, days in expiries.items() if None in days)
    return ResolvedSecrets(
        secrets,
        _failures(wanted, refusals, errors),
        {
            reference: min(day for day in days if day is not None)
            for reference, days in expiries.items()
            if reference not in malformed
        },
        tuple(_malformed_expiries(malformed, wanted)),
    )


def resolve_reference(
    reference: SecretReference, access: SecretAccess, address: Address | None = None
) -> Secret:
    """Return the value of a connection's reference, including its literal parts.

    Raises:
        SecretUnavailable: the policy forbids it, the scheme is unknown, or the store has no value.
    """
    resolved = resolve_secrets((WantedSecret(reference, address),), access)
    for failure in resolved.failures:
        raise failure.error
    return resolved.secrets[reference]


def _refusal(wanted: WantedSecret, access: SecretAccess) -> SecretUnavailable | None:
    for locator in wanted.reference.locators:
        if locator.scheme not in SCHEMES:
            known = ", ".join(SCHEMES)
            return SecretUnavailable(f"unknown secret scheme {locator.scheme!r}; known: {known}")
        if refusal := access.policy.check(locator, wanted.address):
            return SecretUnavailable(refusal)
    return None


def _failures(
    wanted: Sequence[WantedSecret],
    refusals: Mapping[WantedSecret, SecretUnavailable],
    errors: Mapping[SecretReference, SecretUnavailable],
) -> tuple[UnresolvedReference, ...]:
    """Return a failure for each reference and reason, in the order of the first that wants it."""
    groups: dict[tuple[SecretReference, str], list[WantedSecret]] = {}
    reasons: dict[tuple[SecretReference, str], SecretUnavailable] = {}
    for secret in wanted:
        error = refusals.get(secret) or errors.get(secret.reference)
        if error is not None:
            key = secret.reference, str(error)
            groups.setdefault(key, []).append(secret)
            reasons[key] = error
    return tuple(UnresolvedReference(key[0], reasons[key], tuple(group)) for key, group in groups.items())


class _Reading:
    """The responses of the stores for the locators of a run."""

    def __init__(self, access: SecretAccess, locators: Sequence[Locator]) -> None:
        self._access = access
        names: dict[str, dict[str, None]] = defaultdict(dict)
        for locator in locators:
            names[locator.scheme][name_and_key(locator)[0]] = None
        self._schemes = frozenset(names)
        self._entries = {scheme: _read(scheme, tuple(wanted), access) for scheme, wanted in names.items()}

    def secret(self, reference: SecretReference) -> Secret | SecretUnavailable:
        """Return the value that a reference stands for, its literal parts included."""
        values = {part: self._value(part) for part in reference.locators}
        for value in values.values():
            if isinstance(value, SecretUnavailable):
                return value
        secrets = {part: value for part, value in values.items() if isinstance(value, Secret)}
        return Secret(
            "".join(part if isinstance(part, str) else secrets[part].reveal() for part in reference.parts)
        )

    def expiries(self, reference: SecretReference) -> tuple[date | None, ...]:
        """Return the expiry dates of its parts; None for a malformed date."""
        entries = (self._entry(locator) for locator in reference.locators)
        texts = (entry.expires_on for entry in entries if isinstance(entry, Entry))
        return tuple(_day(text) for text in texts if text)

    def _value(self, locator: Locator) -> Secret | SecretUnavailable:
        entry, key = self._entry(locator), name_and_key(locator)[1]
        if isinstance(entry, SecretUnavailable):
            return entry
        value = entry.values.get(key)
        if value is None:
            return SecretUnavailable(
                f"there is no key {key!r} at {locator.scheme}:{name_and_key(locator)[0]}; add it, or correct "
                "the reference",
                problem="there is no such key",
            )
        if isinstance(value, Secret) and any(value == own for own in self._own_credentials):
            return SecretUnavailable(f"{locator} holds a credential of the reconciler itself or of CI")
        return value

    def _entry(self, locator: Locator) -> Entry | SecretUnavailable:
        return self._entries[locator.scheme][name_and_key(locator)[0]]

    @cached_property
    def _own_credentials(self) -> tuple[Secret, ...]:
        """The credentials themselves: a copy in another place, or by another spelling, is the same secret."""
        policy = self._access.policy
        variables = [
            Secret(value)
            for name, value in self._access.environment.items()
            if value and policy.forbids(name)
        ]
        return (*variables, *self._own_in_stores())

    def _own_in_stores(self) -> Iterable[Secret]:
        """Yield those in files, and in stores that the run reads anyway."""
        own = [
            reference
            for reference in self._access.policy.own
            if any(part.scheme in {"file", *self._schemes} for part in reference.locators)
        ]
        if own:
            access = self._access.without_limits()
            yield from resolve_secrets(map(WantedSecret, own), access).secrets.values()


def _read(scheme: str, names: Sequence[str], access: SecretAccess) -> Mapping[str, Entry | SecretUnavailable]:
    """Return the entries at these names; each is read once in a run."""
    known = access.entries.setdefault(scheme, {})
    missing = [name for name in names if name not in known]
    if missing:
        known.update(_ask(scheme, missing, access))
    return known


def _ask(scheme: str, names: Sequence[str], access: SecretAccess) -> Mapping[str, Entry | SecretUnavailable]:
    """Open a store and read it; an error that concerns all names is the result of each."""
    try:
        backend = cast("Backend", import_module(BACKENDS[scheme].module))
        return backend.open_store(access).read(names)
    except SecretUnavailable as error:
        return dict.fromkeys(names, error)


def _finding(error: SecretUnavailable, wanted: Sequence[WantedSecret]) -> Diagnostic:
    first = wanted[0]
    addresses = tuple(str(secret.address) for secret in wanted if secret.address)
    more = f" and {len(addresses) - MOST_NAMED} more" if len(addresses) > MOST_NAMED else ""
    needed = f"{len(addresses)} connections need it: {', '.join(addresses[:MOST_NAMED])}{more}"
    return Diagnostic(
        severity=Severity.ERROR,
        code="secret-unavailable",
        summary=f"{first.reference} cannot be resolved: {error}",
        detail=needed if len(addresses) > 1 else "",
        address=str(first.address or ""),
        location=first.location,
        missing_secret=MissingSecret(
            reference=str(first.reference), problem=error.problem, needed_by=addresses
        ),
    )


def _day(text: str) -> date | None:
    """Return the date in a text of the form YYYY-MM-DD, or None."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _malformed_expiries(
    references: frozenset[SecretReference], wanted: Sequence[WantedSecret]
) -> Iterator[Diagnostic]:
    """Yield a warning for each reference; the text from the store is not shown."""
    first = {secret.reference: secret for secret in reversed(wanted) if secret.reference in references}
    for reference, secret in reversed(first.items()):
        yield Diagnostic(
            Severity.WARNING,
            "secret-expiry-malformed",
            f"the secret store of {reference} has a malformed expiry date",
            detail="no warning is given before the secret expires",
            hint="write `expires_on` there as YYYY-MM-DD",
            address=str(secret.address or ""),
            location=secret.location,
        )
