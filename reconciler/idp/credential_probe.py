"""Asks the token endpoint whether a client secret is right, by redeeming a code that was never issued.

`invalid_grant` alone proves nothing: some providers look at the code before they look at the client. So a
control follows it, with a random secret of the same length: only a provider that refuses that one has
accepted the real one. Nothing but the error (RFC 6749, section 5.2) and a table of known codes decides. No
request is repeated, and the body of a success, which may hold tokens, is not read.

Address, client_id and redirect URL are those of the live connection, which the service itself uses: whatever
a manifest or a discovery document names could belong to somebody else.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from reconciler.core.idp import shortened
from reconciler.http.json_fields import parse_json
from reconciler.http.redaction import contains_secret
from reconciler.idp.guarded_fetch import Cause, Form, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.core.connection import OidcConnection
    from reconciler.core.secret import Secret
    from reconciler.idp.guarded_fetch import Answer, GuardedFetcher

BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"

_REFUSED: Final = "invalid_client"
_OLD_CODE: Final = "invalid_grant"
_ERRORS: Final = frozenset(
    {_REFUSED, _OLD_CODE, "invalid_request", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}
)
"""The errors of a token endpoint; only these are repeated to the user."""

_EXPIRED_CODES: Final = frozenset({"AADSTS7000222"})
_WRONG_CODES: Final = frozenset({"AADSTS7000215", "MSIS9607", "MSIS9622"})
"""Codes of Entra and ADFS, which decide under any error: ADFS also calls a wrong secret `invalid_grant`."""

_REFUSAL_TEXTS: Final = frozenset({"Invalid client or Invalid client credentials", "Invalid client secret"})
"""The `error_description` of Keycloak, which calls it `unauthorized_client`, to the letter."""

_EXPIRED: Final = re.compile(r"\bsecret\b[^.]{0,60}\bexpired\b", re.IGNORECASE)
_NAMES: Final = re.compile(r"[A-Za-z0-9_]+")
_CLIENT_ERROR: Final = range(400, 500)
_TOO_MANY_REQUESTS: Final = 429
_NOT_SENT: Final = frozenset({Cause.ADDRESS_REFUSED, Cause.NOT_ALLOWED, Cause.TLS})
_MOST_SEARCHED: Final = 4096
_SHORTEST_CONTROL: Final = 8
"""A shorter random secret could be the real one by chance."""

_WITHHELD: Final = "the description is not shown because it may contain the secret"


class SecretVerdict(Enum):
    """What a probe shows of a client secret."""

    ACCEPTED = "accepted"
    WRONG = "wrong"
    EXPIRED = "expired"
    INCONCLUSIVE = "inconclusive"
    NOT_PROBED = "not probed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswer:
    """One request and its response. ``error`` is an OAuth error code, ``detail`` a text that may be shown."""

    method: str
    answer: Answer | NoAnswer
    verdict: SecretVerdict | None = None
    error: str = ""
    detail: str = ""
    is_control: bool = False

    @property
    def is_refusal(self) -> bool:
        """Whether the client and its secret are refused, for no reason that is known."""
        return self.error == _REFUSED or (
            self.error == "unauthorized_client" and self.detail in _REFUSAL_TEXTS
        )

    @property
    def not_sent(self) -> str:
        """Why nothing was sent, or nothing."""
        answer = self.answer
        return answer.reason if isinstance(answer, NoAnswer) and answer.cause in _NOT_SENT else ""

    def __str__(self) -> str:
        """Return what was sent and came back, in words."""
        secret = "a random secret as control" if self.is_control else "the secret"
        status = self.answer.reason if isinstance(self.answer, NoAnswer) else str(self.answer.status)
        return f"{secret} by {self.method}: {' '.join(filter(None, (status, self.error)))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The requests of a probe in their order, and what they show; ``reason`` says why no more is known.

    ``is_declared``: the secret of the manifest was sent, and not the live one.
    """

    verdict: SecretVerdict
    answers: tuple[ProbeAnswer, ...] = ()
    reason: str = ""
    is_declared: bool = False


def not_probed(reason: str) -> Probe:
    """Return that nothing was sent."""
    return Probe(verdict=SecretVerdict.NOT_PROBED, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prober:
    """Probes a live connection with a secret; ``make_token`` returns random texts."""

    connection: OidcConnection
    secret: Secret
    fetcher: GuardedFetcher
    make_token: Callable[[], str]

    async def probe(self, listed: tuple[str, ...] | None) -> Probe:
        """Probe by the methods that the metadata lists; without a list, the default comes first."""
        offered = [method for method in (BASIC, POST) if listed is None or method in listed]
        if not offered:
            return not_probed("the provider supports no client authentication with a secret")
        answers: list[ProbeAnswer] = []
        for method in offered:
            answers.append(await self._ask(method))
            if answers[-1].verdict or not answers[-1].is_refusal:
                break
        if (verdict := answers[-1].verdict) is not None:
            return Probe(verdict=verdict, answers=tuple(answers))
        if answers[-1].error == _OLD_CODE:
            return await self._control(answers)
        if len(answers) == 1 and (reason := answers[0].not_sent):
            return not_probed(reason)
        if all(answer.is_refusal for answer in answers):
            return Probe(verdict=SecretVerdict.WRONG, answers=tuple(answers))
        return _inconclusive(answers, _unexpected(answers[-1]))

    async def _control(self, answers: list[ProbeAnswer]) -> Probe:
        """Send a random secret. A provider that refuses it has accepted the real one."""
        control = await self._ask(answers[-1].method, is_control=True)
        answers = [*answers, control]
        if control.is_refusal or control.verdict:
            return Probe(verdict=SecretVerdict.ACCEPTED, answers=tuple(answers))
        if control.error == _OLD_CODE:
            return _inconclusive(answers, "the provider gives the same answer to a random secret")
        return _inconclusive(answers, _unexpected(control))

    async def _ask(self, method: str, *, is_control: bool = False) -> ProbeAnswer:
        secret = self.secret.reveal()
        sent = self._random(len(secret)) if is_control else secret
        form = _form(self.connection, sent, method, self.make_token())
        answer = await self.fetcher.post(self.connection.token_url or "", form)
        return _read(answer, method, self._public(secret, sent), is_control=is_control)

    def _random(self, length: int) -> str:
        length = max(length, _SHORTEST_CONTROL)
        text = ""
        while len(text) < length:
            text += self.make_token()
        return text[:length]

    def _public(self, *secrets: str) -> _Sent:
        connection = self.connection
        credentials = [b64encode(_pair(connection.client_id or "", secret).encode()) for secret in secrets]
        return _Sent(
            secrets=(*secrets, *(credential.decode() for credential in credentials)),
            public=(connection.client_id or "", connection.redirect_url or ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Sent:
    """What an answer may repeat: it is not shown if it is secret, and decides nothing if it is public."""

    secrets: tuple[str, ...]
    public: tuple[str, ...]


def _pair(client_id: str, secret: str) -> str:
    """Return the credentials of Basic, encoded as RFC 6749 says in section 2.3.1."""
    return f"{quote(client_id, safe='')}:{quote(secret, safe='')}"


def _form(connection: OidcConnection, secret: str, method: str, code: str) -> Form:
    client_id = connection.client_id or ""
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": connection.redirect_url or ""}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if method == POST:
        fields |= {"client_id": client_id, "client_secret": secret}
    else:
        headers["Authorization"] = f"Basic {b64encode(_pair(client_id, secret).encode()).decode()}"
    return Form(body=urlencode(fields).encode(), headers=headers)


def _read(answer: Answer | NoAnswer, method: str, sent: _Sent, *, is_control: bool) -> ProbeAnswer:
    if isinstance(answer, NoAnswer) or not _may_decide(answer.status):
        return ProbeAnswer(method=method, answer=answer, is_control=is_control)
    try:
        values = parse_json(answer.body)
    except ValueError:
        values = None
    values = values if isinstance(values, dict) else {}
    error, description = values.get("error"), values.get("error_description")
    error = error if isinstance(error, str) and error in _ERRORS else ""
    description = description[:_MOST_SEARCHED] if isinstance(description, str) else ""
    return ProbeAnswer(
        method=method,
        answer=answer,
        verdict=_verdict(error, description, sent.public) if error else None,
        error=error,
        detail=_shown(description, sent.secrets),
        is_control=is_control,
    )


def _may_decide(status: int) -> bool:
    return status in _CLIENT_ERROR and status != _TOO_MANY_REQUESTS


def _verdict(error: str, description: str, public: Iterable[str]) -> SecretVerdict | None:
    """Return what known codes show, other than in what we sent ourselves."""
    names = set(_NAMES.findall(description)) - {name for text in public for name in _NAMES.findall(text)}
    if names & _EXPIRED_CODES or (error == _REFUSED and _EXPIRED.search(description)):
        return SecretVerdict.EXPIRED
    return SecretVerdict.WRONG if names & _WRONG_CODES else None


def _shown(description: str, secrets: Iterable[str]) -> str:
    """Return what may be shown of a description, which reports escape."""
    if contains_secret(description, secrets):
        return _WITHHELD
    return shortened(description)


def _unexpected(answer: ProbeAnswer) -> str:
    """Return why an answer shows nothing."""
    if isinstance(answer.answer, NoAnswer):
        return answer.answer.reason
    what = answer.error or "a response without an OAuth error"
    return f"{what} with status {answer.answer.status}"


def _inconclusive(answers: list[ProbeAnswer], reason: str) -> Probe:
    return Probe(verdict=SecretVerdict.INCONCLUSIVE, answers=tuple(answers), reason=reason)
