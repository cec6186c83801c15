"""Identity providers: the settings of the project file, and the findings about a provider."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from reconciler.core.errors import Severity
from reconciler.core.state import Discovery

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Network, IPv6Network

    from reconciler.core.address import Address
    from reconciler.core.codes import Code

GUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""The form of Entra's IDs: of tenants, applications and secrets."""

AnswerKind: TypeAlias = Literal["host", "metadata", "keys", "preflight", "probe", "expiry"]
"""What a provider answered: its host at all, or a request of this kind in a way that can be judged.

"expiry": the secret store answered when the secret expires, or there is none to ask.
"""

_FINGERPRINT_LENGTH: Final = 32
"""Hexadecimal digits, as of risks."""

_MAX_QUOTED: Final = 200
"""Characters of a text from a provider that a finding shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdpSettings:
    """The section `idp` of the project file.

    ``discovery`` limits that of every connection. ``allow_hosts`` are globs of hosts that may be asked,
    ``allow_networks`` private networks that may be asked as far as the environment allows them, too.
    ``ca_file`` is below the folder of the project file. ``timeout`` is for one document, in seconds.
    """

    discovery: Discovery = Discovery.REPORT
    allow_hosts: tuple[str, ...] = ("*",)
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    ca_file: str = ""
    timeout: float = 5.0
    concurrency: int = 16


IDP_SEVERITIES: Final[Mapping[Code, Severity]] = {
    "claim-missing": Severity.WARNING,
    "claim-not-advertised": Severity.INFO,
    "client-auth-unsupported": Severity.ERROR,
    "client-unknown": Severity.ERROR,
    "clock-skew": Severity.INFO,
    "code-flow-missing": Severity.ERROR,
    "endpoint-differs": Severity.WARNING,
    "endpoint-not-https": Severity.ERROR,
    "idp-address-refused": Severity.ERROR,
    "idp-not-asked": Severity.INFO,
    "idp-not-found": Severity.WARNING,
    "idp-not-metadata": Severity.ERROR,
    "idp-unreachable": Severity.ERROR,
    "inference-differs": Severity.WARNING,
    "issuer-client-mismatch": Severity.ERROR,
    "issuer-mismatch": Severity.ERROR,
    "issuer-templated": Severity.ERROR,
    "jar-required": Severity.ERROR,
    "key-ids-ambiguous": Severity.WARNING,
    "keys-unreachable": Severity.ERROR,
    "login-incomplete": Severity.INFO,
    "no-usable-key": Severity.ERROR,
    "par-required": Severity.ERROR,
    "preflight-inconclusive": Severity.INFO,
    "private-key-published": Severity.ERROR,
    "probe-inconclusive": Severity.INFO,
    "redirect-not-registered": Severity.ERROR,
    "request-refused": Severity.ERROR,
    "scope-not-advertised": Severity.INFO,
    "secret-expired": Severity.ERROR,
    "secret-expiry-unknown": Severity.INFO,
    "secret-looks-like-an-id": Severity.WARNING,
    "secret-not-probed": Severity.INFO,
    "secret-wrong": Severity.ERROR,
    "signing-alg": Severity.WARNING,
    "tls-chain": Severity.ERROR,
    "tls-expired": Severity.ERROR,
    "tls-expires": Severity.WARNING,
    "tls-name": Severity.ERROR,
    "userinfo-missing": Severity.WARNING,
}
"""The codes of findings about identity providers, and how severe they are in `verify` by default.

Elsewhere they are warnings at most.

`policies` in the project file can name them, and approvals can cover them.
"""


_EVIDENCE: Final[Mapping[AnswerKind | None, tuple[Code, ...]]] = {
    None: ("idp-not-asked", "issuer-client-mismatch", "secret-expiry-unknown", "secret-looks-like-an-id"),
    "expiry": ("secret-expires",),
    "host": ("idp-address-refused", "idp-not-found", "idp-not-metadata", "idp-unreachable"),
    "keys": ("key-ids-ambiguous", "keys-unreachable", "no-usable-key", "private-key-published"),
    "preflight": ("client-unknown", "preflight-inconclusive", "redirect-not-registered", "request-refused"),
    "probe": ("probe-inconclusive", "secret-expired", "secret-not-probed", "secret-wrong"),
}
"""The answers without which a run cannot tell whether a finding still holds; of all others, the metadata."""

_BY_HOST: Final = frozenset({"clock-skew", "tls-chain", "tls-expired", "tls-expires", "tls-name"})
"""Findings about any of the provider's hosts."""


def evidence_for(code: str) -> frozenset[AnswerKind]:
    """Return the answers without which a run cannot tell whether a finding still holds."""
    if code in _BY_HOST:
        return frozenset(("metadata", "keys"))
    default: AnswerKind = "metadata"
    kind = next((kind for kind, codes in _EVIDENCE.items() if code in codes), default)
    return frozenset() if kind is None else frozenset((kind,))


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointDifference:
    """An endpoint of a connection that is not the one in the issuer's own metadata.

    ``is_declared``: the manifest declares exactly this URL.
    """

    attribute: str
    url: str
    published: str
    is_declared: bool = False

    @property
    def key(self) -> str:
        """The key of the finding about it."""
        return f"{self.attribute} {self.url} {self.published}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdpFinding:
    """A finding of a check. ``why`` and ``hint`` are given where they differ from the texts of the code.

    ``severity`` is that of the code unless it is given. ``key`` tells findings of one code apart, and stays
    the same for as long as the finding is the same. ``endpoint`` is what `endpoint-differs` is about.
    """

    code: Code
    summary: str
    why: str | None = None
    hint: str | None = None
    severity: Severity | None = None
    key: str = ""
    endpoint: EndpointDifference | None = None


def idp_fingerprint(code: str, address: Address, key: str) -> str:
    """Return the fingerprint of a finding, which an approval can name."""
    identity = json.dumps([code, str(address), key])
    return hashlib.sha256(identity.encode()).hexdigest()[:_FINGERPRINT_LENGTH]


def quoted(text: str) -> str:
    """Return a provider's text as a finding quotes it; reports escape it."""
    return f"`{shortened(text)}`"


def shortened(text: str) -> str:
    """Return a provider's text, cut after 200 characters."""
    return text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…"
