"""Logs a user in through a connection, and reports which claims arrived; the session is revoked at once.

A login is a write: it creates a session, and may create a member. So the user is asked first. The token
goes to the API only, through the client of the run, with a verifier that only this process knows.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from reconciler.core.connection import Status
from reconciler.core.errors import Diagnostic, LoginFailed, ProviderError, Severity, UsageError
from reconciler.core.idp import IdpFinding, quoted, shortened
from reconciler.core.verification import Exchange, Verification, VerifiedConnection
from reconciler.http.loopback_receiver import HOST, LoopbackReceiver, redirect_url_of
from reconciler.storage.git import head_commit
from reconciler.workflow.named_connection import read_named_connection
from reconciler.workflow.provider_findings import judge_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping

    from reconciler.core.plan import Scope
    from reconciler.manifests import Loaded, Project
    from reconciler.providers.base import LoginProvider, MemberLogin
    from reconciler.workflow.judgement import GatheredApprovals
    from reconciler.workflow.named_connection import NamedConnection

Result = TypeVar("Result")

_MAX_CLAIMS: Final = 100
_TICKET_LENGTH: Final = 22
"""Characters of the random text in the address to open: 128 bits, short enough for a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRequest:
    """The connection to log in through, and the settings of the login.

    ``start_url`` returns where a login begins, for a connection_id, a redirect URL and a verifier.
    ``make_token`` returns random texts; the browser has to be back on ``port`` in ``seconds``.
    """

    project: Project
    loaded: Loaded
    approvals: GatheredApprovals
    address: str
    start_url: Callable[[str, str, str], str]
    make_token: Callable[[], str]
    port: int
    seconds: float


class LoginDialog(Protocol):
    """Interacts with the user who logs in."""

    def confirm(self, address: str, redirect_url: str) -> None:
        """Ask whether to log in; raises if not."""

    def open(self, url: str, start_url: str) -> None:
        """Open the local page that redirects to the start of the login."""

    def notice(self, text: str) -> None:
        """Show a notice during the login."""


async def log_in(
    request: LoginRequest, provider: LoginProvider, dialog: LoginDialog, *, scope: Scope, created_at: str
) -> Verification:
    """Let a user log in with a browser, and return the result.

    Raises:
        UsageError: the connection does not exist or is not active, or the port cannot be used.
        LoginFailed: nobody was logged in, or not as a member of this organization through this connection.
    """
    named = await read_named_connection(request.address, request.loaded, provider)
    if named.live.status != Status.ACTIVE:
        raise UsageError(
            f"{request.address} is {named.live.status}, not active: nobody can log in through it"
        )
    redirect_url = redirect_url_of(request.port)
    verifier = request.make_token()
    start_url = request.start_url(named.live.connection_id or "", redirect_url, verifier)
    receiver = LoopbackReceiver(
        request.port,
        start_url=start_url,
        ticket=request.make_token()[:_TICKET_LENGTH],
        state=request.make_token(),
        notice=dialog.notice,
    )
    await _listen(receiver, request.port)
    async with receiver:
        dialog.confirm(request.address, redirect_url)
        dialog.open(receiver.first_url, start_url)
        token = await _token(receiver, request)
        login, diagnostics = await _finish(_exchange(provider, token, verifier, request.address))
    _check(login, named, request.address)
    return _verification(
        request, named, login, diagnostics, start_url=start_url, scope=scope, created_at=created_at
    )


async def _listen(receiver: LoopbackReceiver, port: int) -> None:
    try:
        await receiver.listen()
    except OSError as error:
        raise UsageError(
            f"cannot listen on {HOST}:{port}: {os.strerror(error.errno or 0)}; end what uses the port, or"
            " choose another one with --login-port, and register its redirect URL, too"
        ) from error


async def _token(receiver: LoopbackReceiver, request: LoginRequest) -> str:
    """Return the token from the redirect."""
    try:
        answer = await receiver.answer(request.seconds)
    except TimeoutError as error:
        raise LoginFailed(
            f"{request.address}: no redirect arrived within {request.seconds:g} s; if the browser shows an"
            f" error page, check that {redirect_url_of(request.port)} is registered in the project, and run"
            " `reconciler verify --probe-credentials`"
        ) from error
    if "error" in answer:
        details = [quoted(answer[name]) for name in ("error", "error_description") if answer.get(name)]
        raise LoginFailed(f"{request.address}: the service answered {': '.join(details) or 'with an error'}")
    if answer.get("stytch_token_type") != "sso" or not answer.get("token"):
        raise LoginFailed(f"{request.address}: the redirect has no token of an SSO login")
    return answer["token"]


async def _finish(work: Coroutine[None, None, Result]) -> Result:
    """Finish the work even if Ctrl-C stops the run, so that the session is revoked."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise


async def _exchange(
    provider: LoginProvider, token: str, verifier: str, address: str
) -> tuple[MemberLogin, tuple[Diagnostic, ...]]:
    """Exchange the token for a session, and revoke the session."""
    try:
        login = await provider.authenticate_login(token, verifier)
    except ProviderError as error:
        raise LoginFailed(f"{address}: the token could not be exchanged: {error}") from error
    return login, await _revoke(provider, login)


async def _revoke(provider: LoginProvider, login: MemberLogin) -> tuple[Diagnostic, ...]:
    """Revoke the session, if there is one; return a warning if that fails."""
    if not login.session_token:
        return ()
    try:
        await provider.revoke_session(login.session_token)
    except ProviderError as error:
        return (
            Diagnostic(
                Severity.WARNING,
                "session-not-revoked",
                f"the session of the login was not revoked: {error}",
                detail="it ends by itself, five minutes after the login",
            ),
        )
    return ()


def _check(login: MemberLogin, named: NamedConnection, address: str) -> None:
    """Check that the login was to this organization, through this connection."""
    expected = named.organization.organization_id
    if login.organization_id != expected:
        raise LoginFailed(
            f"{address}: the login was into organization {quoted(login.organization_id)}, not {expected}"
        )
    through = login.connection_ids or tuple(login.claims)
    if named.live.connection_id not in through:
        names = ", ".join(map(quoted, through)) or "no connection"
        raise LoginFailed(f"{address}: the login was through {names}, not {named.live.connection_id}")


def _verification(
    request: LoginRequest,
    named: NamedConnection,
    login: MemberLogin,
    diagnostics: tuple[Diagnostic, ...],
    *,
    start_url: str,
    scope: Scope,
    created_at: str,
) -> Verification:
    findings = judge_findings(
        named.desired,
        _findings(login, named),
        approvals=request.approvals.approvals,
        policies=request.project.policies,
    )
    return Verification(
        scope=scope,
        created_at=created_at,
        commit=head_commit(request.project.root),
        connections=(
            VerifiedConnection(
                address=request.address,
                issuer=named.live.issuer or "",
                connection_id=named.live.connection_id or "",
                location=named.desired.location,
                exchanges=tuple(
                    _exchanges(
                        login, named, start_url, is_revoked=bool(login.session_token) and not diagnostics
                    )
                ),
            ),
        ),
        findings=findings,
        diagnostics=(*request.approvals.diagnostics, *diagnostics),
    )


def _exchanges(
    login: MemberLogin, named: NamedConnection, start_url: str, *, is_revoked: bool
) -> Iterator[Exchange]:
    who = shortened(f"{login.email_address or 'a member'} logged in to {named.organization.label}")
    outcome = f"{who} through this connection{'; the session was revoked' if is_revoked else ''}"
    yield Exchange(purpose="login", url=start_url.partition("?")[0], outcome=outcome)
    names = _claims(login, named)
    claims = ", ".join(map(shortened, names[:_MAX_CLAIMS])) or "none"
    if len(names) > _MAX_CLAIMS:
        claims += f" and {len(names) - _MAX_CLAIMS} more"
    yield Exchange(purpose="claims", url=named.live.issuer or "", outcome=claims)


def _findings(login: MemberLogin, named: NamedConnection) -> Iterator[IdpFinding]:
    arrived = set(_claims(login, named))
    mapping: Mapping[str, str] = named.live.attribute_mapping or {}
    for attribute, claim in sorted(mapping.items()):
        if claim not in arrived:
            yield IdpFinding(
                code="claim-missing",
                summary=f"the claim {quoted(claim)}, mapped to {quoted(attribute)}, did not arrive",
                key=claim,
            )
    if not login.session_token:
        yield IdpFinding(
            code="login-incomplete",
            summary="the organization demands a second factor, so the login did not get a session",
        )


def _claims(login: MemberLogin, named: NamedConnection) -> tuple[str, ...]:
    """Return the names of the claims that arrived through the connection."""
    return login.claims.get(named.live.connection_id or "", ())
