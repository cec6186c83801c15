"""Fetches the documents of identity providers, each once in a run, and returns the responses."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Diagnostic
from reconciler.core.idp import GUID, IDP_SEVERITIES, idp_fingerprint
from reconciler.core.secret import Secret
from reconciler.core.state import Discovery
from reconciler.http.urls import is_loopback, parse_url
from reconciler.idp.guarded_fetch import Cause, GuardedFetcher, NoAnswer
from reconciler.idp.investigation import Evidence, Subject, investigate
from reconciler.idp.metadata import Documents, issuer_endpoints, metadata_url
from reconciler.manifests.field_types import is_endpoint
from reconciler.reports.explanations import message_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reconciler.core.change import ConnectionChange
    from reconciler.core.connection import OidcConnection
    from reconciler.core.idp import IdpFinding, IdpSettings
    from reconciler.core.state import DesiredConnection
    from reconciler.idp.fetch_settings import FetchSettings
    from reconciler.workflow.live_state import Progress

NO_ISSUER: Final = "it has no issuer yet"
ELSEWHERE: Final = "the target is an emulator on this machine, and the provider is not"
"""Reasons not to contact a provider that the settings would allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A connection to check; ``not_asked`` is the reason if its provider is not contacted."""

    desired: DesiredConnection
    subject: Subject
    not_asked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A provider's response about a connection, or why it was not contacted."""

    question: Question
    evidence: Evidence | None = None
    not_asked: str = ""

    def endpoints(self) -> Mapping[str, str] | str:
        """Return the endpoints in the issuer's own metadata, by field, or why they cannot be used."""
        if self.evidence is None:
            return self.not_asked
        return issuer_endpoints(self.evidence.metadata, self.question.subject.issuer, is_endpoint)

    @property
    def problem(self) -> NoAnswer | None:
        """Why the metadata could not be fetched."""
        metadata = self.evidence.metadata if self.evidence else None
        return metadata if isinstance(metadata, NoAnswer) else None

    @property
    def is_unreachable(self) -> bool:
        """Whether the provider did not respond at all."""
        return self.problem is not None and self.problem.cause is Cause.UNREACHABLE


class Providers:
    """The identity providers of a run. Their failures are values, not exceptions.

    ``settings`` are those of the project file. ``make_bounds`` returns the bounds of the run, and is called
    when a provider is asked. ``asking`` returns the progress of so many connections.
    """

    def __init__(
        self,
        settings: IdpSettings,
        make_bounds: Callable[[], FetchSettings],
        asking: Callable[[int], Progress] | None = None,
    ) -> None:
        self._asking = asking
        self._settings = settings
        self._make_bounds = make_bounds

    @cached_property
    def fetcher(self) -> GuardedFetcher:
        """The fetcher that sends all requests of the run."""
        return GuardedFetcher(self._bounds)

    @cached_property
    def _bounds(self) -> FetchSettings:
        return self._make_bounds()

    @cached_property
    def _documents(self) -> Documents:
        return Documents(self.fetcher)

    def enforces(self, desired: DesiredConnection) -> bool:
        """Whether the issuer's metadata decides some endpoints of a connection."""
        mode = desired.discovery.at_most(self._settings.discovery)
        return mode is Discovery.ENFORCE and bool(desired.enforceable)

    def why_not_enforced(self, desired: DesiredConnection) -> str:
        """Return why the issuer's metadata decides nothing although the manifest asks for it, if so.

        It is no news where the project file turns discovery off.
        """
        allowed = self._settings.discovery
        if desired.discovery is not Discovery.ENFORCE or allowed is Discovery.OFF:
            return ""
        if allowed is Discovery.REPORT:
            return "`idp.discovery` in the project file is `report`"
        return "" if desired.declares_issuer else "the manifest declares no `issuer`, or ignores its changes"

    def question(
        self, desired: DesiredConnection, connection: OidcConnection, *, is_live: bool = True
    ) -> Question:
        """Return the question about a connection; its secret is checked, but not included.

        ``connection`` is the live one or, before it exists, the declared one.
        """
        secret = connection.client_secret
        visible = connection.masked() if is_live else connection.without_secret()
        subject = Subject(
            connection=visible,
            declared=frozenset(_fields_as_declared(desired.connection, visible)),
            is_live=is_live,
            has_expiry=desired.expires_on is not None,
            secret_is_guid=isinstance(secret, Secret) and secret.has_form(GUID),
        )
        return Question(desired=desired, subject=subject, not_asked=self._reason(desired, visible))

    def _reason(self, desired: DesiredConnection, connection: OidcConnection) -> str:
        if desired.discovery.at_most(self._settings.discovery) is Discovery.OFF:
            return "`discovery` is off"
        return "" if connection.issuer else NO_ISSUER

    async def investigate(self, question: Question, make_token: Callable[[], str] | None = None) -> Evidence:
        """Ask about one connection. The preflight needs ``make_token``, which returns random texts."""
        return await investigate(question.subject, self._documents, self.fetcher, make_token)

    async def ask(self, questions: Sequence[Question], *, seconds: float) -> list[Response]:
        """Ask about all connections concurrently, with a total time limit in seconds.

        A run against an emulator on this machine asks only providers on this machine, as the emulator does.
        """
        reasons = [question.not_asked or self._elsewhere(question) for question in questions]
        total = sum(not reason for reason in reasons)
        progress = self._asking(total) if self._asking and total else None
        deadline = asyncio.get_running_loop().time() + seconds
        done = 0

        async def ask(question: Question, not_asked: str) -> Response:
            nonlocal done
            if not_asked:
                return Response(question=question, not_asked=not_asked)
            try:
                async with asyncio.timeout_at(deadline):
                    evidence = await self.investigate(question)
            except TimeoutError:
                evidence = _too_late(question, seconds)
            done += 1
            if progress is not None:
                progress.advanced(done)
            return _response(question, evidence)

        return await asyncio.gather(*map(ask, questions, reasons))

    def _elsewhere(self, question: Question) -> str:
        host = parse_url(question.subject.issuer).hostname or ""
        is_elsewhere = self._bounds.addresses.allows_loopback and not is_loopback(host)
        return ELSEWHERE if is_elsewhere else ""


def _fields_as_declared(declared: OidcConnection, connection: OidcConnection) -> Iterator[str]:
    """Yield the fields of a connection whose values the manifest declares."""
    for name in declared.declared_fields:
        if getattr(declared, name) == getattr(connection, name):
            yield name


def idp_diagnostic(connection: DesiredConnection | ConnectionChange, finding: IdpFinding) -> Diagnostic:
    """Return a finding about the provider of a declared connection, with the texts of its code."""
    why, fix = message_texts(finding.code)
    return Diagnostic(
        finding.severity or IDP_SEVERITIES[finding.code],
        finding.code,
        f"{connection.address}: {finding.summary}",
        detail=why if finding.why is None else finding.why,
        hint=fix if finding.hint is None else finding.hint,
        address=str(connection.address),
        location=connection.location,
        fingerprint=idp_fingerprint(finding.code, connection.address, finding.key),
    )


def left_alone(evidence: Evidence) -> str:
    """Return why an identity provider was not contacted, or an empty text."""
    metadata = evidence.metadata
    if isinstance(metadata, NoAnswer) and metadata.cause is Cause.NOT_ALLOWED:
        return metadata.reason
    return ""


def _response(question: Question, evidence: Evidence) -> Response:
    if reason := left_alone(evidence):
        return Response(question=question, not_asked=reason)
    return Response(question=question, evidence=evidence)


def _too_late(question: Question, seconds: float) -> Evidence:
    reason = f"the time limit for all providers, {seconds:g} s, is exceeded"
    url = metadata_url(question.subject.issuer)
    return Evidence(
        subject=question.subject, metadata=NoAnswer(url=url, cause=Cause.UNREACHABLE, reason=reason)
    )
