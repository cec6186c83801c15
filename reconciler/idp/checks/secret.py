"""Checks the client secret: the result of a probe, its form, and its expiry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.idp import IdpFinding, quoted
from reconciler.idp.credential_probe import SecretVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.idp.credential_probe import Probe
    from reconciler.idp.investigation import Evidence

_ENTRA: Final = "microsoft-entra"


def secret_wrong(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that the token endpoint refuses the client and its secret."""
    if (probe := evidence.probe) and probe.verdict is SecretVerdict.WRONG:
        yield IdpFinding(
            code="secret-wrong",
            summary=f"the provider refuses the {_secret(probe)}: {_answer(probe)}",
            key=_key(probe),
        )


def secret_expired(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that the token endpoint says that the secret has expired."""
    if (probe := evidence.probe) and probe.verdict is SecretVerdict.EXPIRED:
        yield IdpFinding(
            code="secret-expired",
            summary=f"the {_secret(probe)} has expired: {_answer(probe)}",
            key=_key(probe),
        )


def probe_inconclusive(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that the answers say nothing about the secret."""
    if (probe := evidence.probe) and probe.verdict is SecretVerdict.INCONCLUSIVE:
        yield IdpFinding(
            code="probe-inconclusive",
            summary=f"it is unknown whether the {_secret(probe)} is right: {probe.reason}",
            key=_key(probe),
        )


def secret_not_probed(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that nothing was sent."""
    if (probe := evidence.probe) and probe.verdict is SecretVerdict.NOT_PROBED:
        yield IdpFinding(
            code="secret-not-probed",
            summary=f"the {_secret(probe)} cannot be probed: {probe.reason}",
            key=_key(probe),
        )


def secret_expiry_unknown(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that nobody is warned before a secret of Entra expires, which is after two years at most."""
    if evidence.subject.provider == _ENTRA and not evidence.subject.has_expiry:
        yield IdpFinding(
            code="secret-expiry-unknown", summary="the manifest does not say when the client secret expires"
        )


def secret_looks_like_an_id(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that the secret has the form of an ID. Nothing of the value is shown."""
    if evidence.subject.provider == _ENTRA and evidence.subject.secret_is_guid:
        yield IdpFinding(
            code="secret-looks-like-an-id",
            summary=f"the {'live' if evidence.subject.is_live else 'declared'} client secret has the form of"
            " an ID",
        )


def _secret(probe: Probe) -> str:
    return "declared client secret" if probe.is_declared else "live client secret"


def _key(probe: Probe) -> str:
    return "declared" if probe.is_declared else ""


def _answer(probe: Probe) -> str:
    last = probe.answers[-1]
    return f"`{last.error}`, {quoted(last.detail)}" if last.detail else f"`{last.error}`"
