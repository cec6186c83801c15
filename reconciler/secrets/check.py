"""Checks whether every reference to a secret can be resolved; the values are dropped at once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.errors import SecretUnavailable
from reconciler.secrets.resolve import missing_secret_finding, resolve_reference, wanted_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.errors import Diagnostic, SourceLocation
    from reconciler.core.secret import SecretReference
    from reconciler.core.state import DesiredConnection
    from reconciler.secrets.policy import SecretPolicy


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


def check_secrets(
    connections: Iterable[DesiredConnection], *, policy: SecretPolicy, environment: Mapping[str, str]
) -> SecretsCheck:
    """Resolve each reference once. A secret that is ignored (``ignore_changes``) is not needed."""
    wanted_by_reference = defaultdict(list)
    for wanted in wanted_by(connections):
        wanted_by_reference[wanted.reference].append(wanted)
    missing = []
    for reference, needing in wanted_by_reference.items():
        try:
            resolve_reference(reference, policy=policy, environment=environment)
        except SecretUnavailable as error:
            missing.append(
                MissingSecret(
                    reference=reference,
                    reason=str(error),
                    needed_by=tuple((str(wanted.address), wanted.location) for wanted in needing),
                    finding=missing_secret_finding(error, needing),
                )
            )
    return SecretsCheck(references=len(wanted_by_reference), missing=tuple(missing))
