"""Checks whether every reference to a secret can be resolved; the values are dropped at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.secrets.resolve import resolve_secrets, wanted_by

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.errors import Diagnostic, SourceLocation
    from reconciler.core.secret import SecretReference
    from reconciler.core.state import DesiredConnection
    from reconciler.secrets.store import SecretAccess


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingSecret:
    """A reference that cannot be resolved, why, the addresses and places that need it, and its finding."""

    reference: SecretReference
    reason: str
    needed_by: tuple[tuple[str, SourceLocation | None], ...]
    finding: Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsCheck:
    """How many different references there are, those that cannot be resolved, and errors of the manifests."""

    references: int = 0
    missing: tuple[MissingSecret, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every manifest could be read, and every reference has a value."""
        return not self.missing and not self.diagnostics


def check_secrets(connections: Iterable[DesiredConnection], access: SecretAccess) -> SecretsCheck:
    """Resolve each reference once. A secret that is ignored (``ignore_changes``) is not needed."""
    wanted = wanted_by(connections)
    return SecretsCheck(
        references=len({secret.reference for secret in wanted}),
        missing=tuple(
            MissingSecret(
                reference=failure.reference,
                reason=str(failure.error),
                needed_by=tuple((str(secret.address), secret.location) for secret in failure.wanted),
                finding=failure.finding,
            )
            for failure in resolve_secrets(wanted, access).failures
        ),
    )
