"""The rows of the truth table, and the parts on which a defect is made real."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.errors import Severity
from reconciler.core.idp import IDP_SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.idp.provider import Script

OP: Final = "oidc-provider"
SCRIPT: Final = "scripted answer"
SEVERITIES: Final[Mapping[str, Severity]] = {str(code): severity for code, severity in IDP_SEVERITIES.items()}
REDIRECT_URL: Final = "https://test.stytch.com/v1/b2b/sso/callback/oidc-connection-test-of-the-truth-table"
SECRET: Final = "s3cr3t-of-the-truth-table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The codes of a connection, each once: errors and warnings, and information."""

    grave: tuple[str, ...] = ()
    information: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcProvider:
    """A setting of npm's oidc-provider; `tests/oidc_provider/provider.mjs` describes the fields.

    ``client`` is laid over the one client that it knows.
    """

    configuration: Mapping[str, Any] = field(default_factory=dict)
    client: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[Mapping[str, Any], ...] | None = None
    certificate: str = "right"
    issuer: str | None = None
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """A scripted provider: ``metadata`` is laid over the right one, ``scripts`` are by path.

    ``headers`` come with metadata and keys.
    """

    metadata: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    scripts: Mapping[str, Script] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """What is wrong, where it is made real, and how it is found.

    ``code`` is the only error or warning, or the only finding at all where it is information. ``hints`` are
    pieces of information that follow from the defect. ``live`` and ``declared`` are fields of the
    connection, in which ``{issuer}`` stands for the provider's address.
    """

    what: str
    code: str
    made_on: OidcProvider | Scripted | None
    hints: tuple[str, ...] = ()
    live: Mapping[str, Any] = field(default_factory=dict)
    declared: Mapping[str, Any] = field(default_factory=dict)

    @property
    def part(self) -> str:
        """Where it is made real, in words."""
        if self.made_on is None:
            return "a closed port"
        if isinstance(self.made_on, Scripted):
            return SCRIPT
        return f"{OP}, its key set replaced" if self.made_on.keys else OP

    @property
    def expected(self) -> Findings:
        """What `verify` has to find."""
        if SEVERITIES[self.code] is Severity.INFO:
            return Findings(information=(self.code, *self.hints))
        return Findings(grave=(self.code,), information=self.hints)
