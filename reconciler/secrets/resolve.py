"""Resolves references to secrets: the policy is checked first, then the scheme's backend reads."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

from reconciler.core.errors import Diagnostic, MissingSecret, SecretUnavailable, Severity
from reconciler.core.secret import Locator, Secret, SecretReference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.core.address import Address
    from reconciler.core.errors import SourceLocation
    from reconciler.core.state import DesiredConnection
    from reconciler.secrets.policy import SecretPolicy

BACKENDS: Final = (("env", "reconciler.secrets.env"), ("file", "reconciler.secrets.file"))
"""Every scheme and the module that reads it, imported when the scheme is first used."""

MOST_NAMED: Final = 5
"""Connections that the finding about a missing secret names."""

SCHEMES: Final = tuple(scheme for scheme, _module in BACKENDS)


class Backend(Protocol):
    """What a module in `BACKENDS` offers."""

    def read(self, path: str, policy: SecretPolicy, environment: Mapping[str, str]) -> Secret:
        """Return the secret at ``path``, or raise `SecretUnavailable`."""


@dataclass(frozen=True, slots=True)
class WantedSecret:
    """A reference, and the connection it is for, which is named when it cannot be resolved."""

    reference: SecretReference
    address: Address | None = None
    location: SourceLocation | None = None


@dataclass(frozen=True, slots=True)
class ResolvedSecrets:
    """The secrets that were read, and a diagnostic for each variable, file or key that could not be.

    ``unresolved`` are the wanted secrets that have no value.
    """

    secrets: Mapping[SecretReference, Secret]
    diagnostics: tuple[Diagnostic, ...] = ()
    unresolved: tuple[WantedSecret, ...] = ()


def wanted_by(connections: Iterable[DesiredConnection]) -> tuple[WantedSecret, ...]:
    """Return the secrets to compare: not those that are ignored, or of connections that are not managed."""
    return tuple(
        WantedSecret(reference, declared.address, declared.secret_location or declared.location)
        for declared in connections
        if isinstance(reference := declared.connection.client_secret, SecretReference)
        and declared.is_present
        and "client_secret" not in declared.lifecycle.ignore_changes
    )


def resolve_secrets(
    wanted: Iterable[WantedSecret], *, policy: SecretPolicy, environment: Mapping[str, str]
) -> ResolvedSecrets:
    """Resolve every reference once; the policy is checked again, wherever the reference comes from."""
    secrets: dict[SecretReference, Secret] = {}
    errors: dict[SecretReference, SecretUnavailable] = {}
    unresolved: dict[tuple[str, str], list[WantedSecret]] = {}
    for secret in wanted:
        reference = secret.reference
        if reference not in secrets and reference not in errors:
            try:
                secrets[reference] = resolve_reference(reference, policy=policy, environment=environment)
            except SecretUnavailable as error:
                errors[reference] = error
        if reference in errors:
            unresolved.setdefault((str(reference), str(errors[reference])), []).append(secret)
    return ResolvedSecrets(
        secrets,
        tuple(
            missing_secret_finding(errors[needing[0].reference], needing) for needing in unresolved.values()
        ),
        tuple(secret for secrets_without_value in unresolved.values() for secret in secrets_without_value),
    )


def resolve_reference(
    reference: SecretReference, *, policy: SecretPolicy, environment: Mapping[str, str]
) -> Secret:
    """Return the secret that a reference means, its literal parts included.

    Raises:
        SecretUnavailable: the policy forbids it, the scheme is unknown, or the backend has no value.
    """
    parts = [
        part if isinstance(part, str) else _read(part, policy, environment).reveal()
        for part in reference.parts
    ]
    return Secret("".join(parts))


def _read(locator: Locator, policy: SecretPolicy, environment: Mapping[str, str]) -> Secret:
    if locator.scheme not in SCHEMES:
        raise SecretUnavailable(f"unknown secret scheme {locator.scheme!r}; known: {', '.join(SCHEMES)}")
    refusal = policy.check(locator)
    if refusal:
        raise SecretUnavailable(refusal)
    secret = _backend(locator.scheme).read(locator.path, policy, environment)
    if any(secret == own for own in _own_credentials(policy, environment)):
        raise SecretUnavailable(f"{locator} holds a credential of the reconciler itself or of CI")
    return secret


def _backend(scheme: str) -> Backend:
    return cast("Backend", import_module(dict(BACKENDS)[scheme]))


def _own_credentials(policy: SecretPolicy, environment: Mapping[str, str]) -> Iterator[Secret]:
    """Yield the credentials themselves: a copy under another name is the same secret."""
    for name, value in environment.items():
        if value and policy.forbids(name):
            yield Secret(value)
    for path in policy.forbidden_files:
        with suppress(SecretUnavailable):
            yield _backend("file").read(str(path), policy, environment)


def missing_secret_finding(error: SecretUnavailable, wanted: Sequence[WantedSecret]) -> Diagnostic:
    """Return the finding about one reference, at the first line that has it."""
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
