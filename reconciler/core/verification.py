"""The result of `verify`: the requests for each connection, and the findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.core.errors import Severity

if TYPE_CHECKING:
    from reconciler.core.errors import Diagnostic, SourceLocation
    from reconciler.core.plan import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its response. ``redirects`` are the URLs that were followed."""

    purpose: str = field(
        metadata={"description": "purpose of the request: metadata, keys, preflight or probe"}
    )
    url: str = field(metadata={"description": "requested URL, without the query of a preflight"})
    outcome: str = field(metadata={"description": "the response, in words"})
    redirects: tuple[str, ...] = field(default=(), metadata={"description": "followed redirects, in order"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedConnection:
    """A declared connection. ``not_asked`` says why nothing was asked, or is empty.

    ``is_live``: it exists, and its live values were checked; otherwise the declared ones were.
    """

    address: str
    issuer: str
    connection_id: str = ""
    is_live: bool = True
    not_asked: str = ""
    location: SourceLocation | None = None
    exchanges: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All connections of a run, with findings about their identity providers, errors first.

    ``diagnostics`` are about manifests and organizations: what could not be read is not verified.
    ``issuers`` counts those that were asked, ``issuers_not_reached`` those of them that gave no answer.
    """

    scope: Scope
    created_at: str
    commit: str = ""
    connections: tuple[VerifiedConnection, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    issuers: int = 0
    issuers_not_reached: int = 0
    uses_proxy: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether every declared connection of the run could be looked at."""
        return not any(diagnostic.is_error for diagnostic in self.diagnostics)

    @property
    def has_errors(self) -> bool:
        """Whether a login would fail or be unsafe, or something could not be read."""
        return not self.is_complete or any(finding.is_error for finding in self.findings)

    @property
    def not_asked(self) -> int:
        """The number of connections that were not checked."""
        return sum(bool(connection.not_asked) for connection in self.connections)

    def count(self, severity: Severity) -> int:
        """Return the number of findings of a severity."""
        return sum(finding.severity is severity for finding in self.findings)

    def worst(self, address: str) -> Severity | None:
        """Return the highest severity of the findings about a connection, or None."""
        severities = {finding.severity for finding in self.findings if finding.address == address}
        return next((severity for severity in Severity if severity in severities), None)
