"""Sends requests to identity providers: public addresses only, with limits of size, time and number.

The author of a pull request chooses the addresses, and a server can redirect to others. Therefore every URL
is checked before a socket is opened: a host is resolved once, each of its addresses is checked, and the
connection is made to a checked address, so that a second lookup cannot lead elsewhere. The certificate must
still name the host. Cookies are never sent; credentials are sent only in a form.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import urljoin

import httpx

from reconciler import __version__
from reconciler.http.client import NOT_SENT, LimitedBody, ResponseTooLarge, first_header, proxy_for
from reconciler.http.connection_errors import causes, reason
from reconciler.http.urls import is_loopback, parse_url, split_url
from reconciler.idp.addresses import parse_address, resolve
from reconciler.idp.certificate import Certificate, count_certificates, peer_certificate
from reconciler.idp.kept_connections import STALE, KeptConnections, OpenedConnection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from urllib.parse import SplitResult

    from reconciler.idp.fetch_settings import FetchSettings

    Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

MAX_BYTES: Final = 1024 * 1024
MAX_URL: Final = 4096
"""Characters of a URL that is fetched or followed."""

MAX_REDIRECTS: Final = 3
PER_HOST: Final = 2
"""Concurrent requests to one host."""

_MOST_ADDRESSES: Final = 3
"""How many addresses of a host are tried."""

_CHAIN_CODES: Final = frozenset({18, 19, 20, 21})
"""OpenSSL's codes of a certificate that leads to no trusted authority."""

_SUCCESS: Final = range(200, 300)
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LAST_LABEL_IS_A_NUMBER: Final = re.compile(r"(?:.*\.)?(?:\d+|0[xX][0-9a-fA-F]*)\.?")
"""Such a host is an IPv4 address in one of the spellings that resolvers accept, or nothing."""


class Cause(Enum):
    """Why there is no answer."""

    ADDRESS_REFUSED = "address refused"
    NOT_ALLOWED = "not asked"
    UNREACHABLE = "not reached"
    NOT_FOUND = "not found"
    TLS = "TLS failed"
    REJECTED = "rejected answer"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Form:
    """What is posted: the body, and its headers. Both may hold a secret."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response. ``redirects`` are the URLs that were followed to it, in their order."""

    url: str
    status: int
    headers: httpx.Headers
    body: bytes
    certificate: Certificate | None = None
    redirects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """There is no response, or it is not read; ``reason`` says why, in our words.

    ``verify_code`` is OpenSSL's, if the certificate is not accepted; ``certificates`` is then the length of
    the chain that the server sends, or 0 if it is not known. ``is_sent``: the server may have
    the request.
    """

    url: str
    cause: Cause
    reason: str
    verify_code: int = 0
    certificates: int = 0
    redirects: tuple[str, ...] = ()
    is_sent: bool = False


class GuardedFetcher:
    """Fetches documents, and posts forms.

    ``uses_proxy``: a proxy was used, so its rules decide about addresses. Tests replace ``resolve``.
    """

    def __init__(self, settings: FetchSettings, resolve: Resolve = resolve) -> None:
        self._settings = settings
        self._resolve = resolve
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._host_slots: dict[str, asyncio.Semaphore] = {}
        self._lookups: dict[tuple[str, int], asyncio.Future[Sequence[str]]] = {}
        self._kept = KeptConnections(settings.tls)
        self._proxies: dict[tuple[str, str], httpx.Proxy | None] = {}
        self._deadline: float | None = None
        self.uses_proxy = False

    def keep_connections(self, url: str) -> AbstractAsyncContextManager[None]:
        """Keep connections to the host of a URL until the end of the block."""
        return self._kept.keep(parse_url(url).netloc)

    async def get(self, url: str, *, follow: bool = True) -> Answer | NoAnswer:
        """Fetch a document; ``follow`` redirects, at most `MAX_REDIRECTS`, each checked as the first URL.

        The time of a run begins with its first document.
        """
        return await self._ask(url, follow=follow)

    async def post(self, url: str, form: Form) -> Answer | NoAnswer:
        """Post a form once; no redirect is followed, and the body of a success is not read."""
        return await self._ask(url, form=form)

    async def _ask(self, url: str, *, follow: bool = False, form: Form | None = None) -> Answer | NoAnswer:
        if len(url) > MAX_URL:
            return _too_long(url)
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._settings.total_timeout
        try:
            async with asyncio.timeout_at(self._deadline), self._slot(url):
                return await self._follow(url, form, follow=follow)
        except TimeoutError:
            return NoAnswer(
                url=url,
                cause=Cause.UNREACHABLE,
                reason=f"the time limit for all providers, {self._settings.total_timeout:g} s, is exceeded",
            )

    @asynccontextmanager
    async def _slot(self, url: str) -> AsyncIterator[None]:
        """Wait for a slot of the host first, so that a slow host does not take those of all others."""
        parts = split_url(url)
        host = parts.netloc if parts else ""
        async with self._host_slots.setdefault(host, asyncio.Semaphore(PER_HOST)), self._slots:
            yield

    async def _follow(self, url: str, form: Form | None, *, follow: bool) -> Answer | NoAnswer:
        redirects: list[str] = []
        answer: Answer | NoAnswer = NoAnswer(url=url, cause=Cause.UNREACHABLE, reason=self._too_slow)
        try:
            async with asyncio.timeout(self._settings.timeout):
                answer = await self._ask_once(url, form)
                while follow and isinstance(answer, Answer) and answer.status in _REDIRECTS:
                    target = urljoin(answer.url, first_header(answer.headers, "Location") or "")
                    if problem := self._redirect_problem(target, redirects):
                        answer = _rejected(answer.url, problem)
                        break
                    redirects.append(target)
                    answer = await self._ask_once(target)
        except TimeoutError:
            answer = NoAnswer(url=url, cause=Cause.UNREACHABLE, reason=self._too_slow)
        return replace(answer, redirects=tuple(redirects))

    @property
    def _too_slow(self) -> str:
        return f"no response within {self._settings.timeout:g} s"

    def _redirect_problem(self, target: str, redirects: Sequence[str]) -> str:
        """Return why a redirect is not followed, or nothing."""
        if len(redirects) == MAX_REDIRECTS:
            return f"it redirects more than {MAX_REDIRECTS} times"
        parts = split_url(target) if len(target) <= MAX_URL else None
        if parts is None:
            return "it redirects to a malformed or very long URL"
        if not self._is_secure(parts):
            return f"it redirects to {parts.scheme}, which is not followed"
        return ""

    def _is_secure(self, parts: SplitResult) -> bool:
        is_local = self._settings.addresses.allows_loopback and is_loopback(parts.hostname or "")
        return parts.scheme == "https" or (parts.scheme == "http" and is_local)

    async def _ask_once(self, url: str, form: Form | None = None) -> Answer | NoAnswer:
        parts = split_url(url)
        if parts is None or (problem := self._url_problem(parts)):
            problem = "the URL is malformed" if parts is None else problem
            return NoAnswer(url=url, cause=Cause.ADDRESS_REFUSED, reason=problem)
        host = parts.hostname or ""
        allow_hosts = self._settings.allow_hosts
        if allow_hosts is not None and not any(fnmatchcase(host, glob.lower()) for glob in allow_hosts):
            return NoAnswer(
                url=url, cause=Cause.NOT_ALLOWED, reason=f"`idp.allow_hosts` does not name {host}"
            )
        place = parts.scheme, parts.netloc
        if place not in self._proxies:  # looking it up reads the whole environment
            self._proxies[place] = proxy_for(url) if parts.scheme == "https" else None
        proxy = self._proxies[place]
        addresses = await self._addresses(parts, is_proxied=proxy is not None)
        if isinstance(addresses, NoAnswer):
            return addresses
        if proxy is not None:
            self.uses_proxy = True
            return await self._request(parts, host, proxy, form)
        return await self._first_answer(parts, addresses, form)

    def _url_problem(self, parts: SplitResult) -> str:
        """Return what is wrong with a URL before its host is looked up."""
        host = parts.hostname or ""
        if not self._is_secure(parts):
            return f"{parts.scheme} is not allowed, only https"
        if "@" in parts.netloc:
            return "the URL contains a user name"
        if "%" in host:
            return "an IPv6 address with a zone is link-local"
        if _LAST_LABEL_IS_A_NUMBER.fullmatch(host) and parse_address(host) is None:
            return f"{host} is an IPv4 address in an unusual notation"
        return ""

    async def _addresses(self, parts: SplitResult, *, is_proxied: bool) -> Sequence[str] | NoAnswer:
        """Return the addresses of a host, if every one of them may be connected to."""
        host, port, url = parts.hostname or "", _port(parts), parts.geturl()
        try:
            texts = [host] if parse_address(host) else await self._look_up(host, port)
        except OSError:
            if is_proxied:  # only the proxy can look it up
                return ()
            return NoAnswer(
                url=url, cause=Cause.UNREACHABLE, reason=f"the host name {host} cannot be resolved"
            )
        loopback = self._settings.addresses.allows_loopback and is_loopback(host)
        policy = replace(self._settings.addresses, allows_loopback=loopback)
        for text in texts:
            address = parse_address(text)
            kind = policy.refusal(address) if address else "unknown"
            if kind:
                where = host if text == host else f"{host} is {text}, which"
                return NoAnswer(url=url, cause=Cause.ADDRESS_REFUSED, reason=f"{where} is {kind}")
        return tuple(dict.fromkeys(texts))

    async def _look_up(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a host, which is resolved once in a run."""
        place = host, port
        if place not in self._lookups:
            self._lookups[place] = asyncio.ensure_future(self._resolve(host, port))
            self._lookups[place].add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._lookups[place])

    async def _first_answer(
        self, parts: SplitResult, addresses: Sequence[str], form: Form | None
    ) -> Answer | NoAnswer:
        """Return the answer of the first address that can be connected to; a form is sent to one only."""
        answer = NoAnswer(url=parts.geturl(), cause=Cause.UNREACHABLE, reason="the host has no address")
        tried = addresses[:_MOST_ADDRESSES]
        share = self._settings.timeout / max(len(tried), 1)
        for address in tried:
            try:
                async with asyncio.timeout(None if form else share):
                    result = await self._request(parts, address, None, form, connect_timeout=share)
            except TimeoutError:
                if form or len(tried) == 1:
                    raise
                continue
            if isinstance(result, Answer) or result.cause is not Cause.UNREACHABLE:
                return result
            if form and result.is_sent:
                return result
            answer = result
        return answer

    async def _request(
        self,
        parts: SplitResult,
        host: str,
        proxy: httpx.Proxy | None,
        form: Form | None,
        *,
        connect_timeout: float | None = None,
    ) -> Answer | NoAnswer:
        kept = None if form or proxy else self._kept.transport(parts.netloc, host)
        request = _build(parts, host, form, connect_timeout, keeps=kept is not None)
        try:
            if kept is not None:
                with suppress(*STALE):
                    return await _send(kept, request, parts, form)
            # a form is sent once, on a connection of its own; and a proxy has connections of its own
            transport = httpx.AsyncHTTPTransport(verify=self._settings.tls, trust_env=False, proxy=proxy)
            async with transport:
                return await _send(transport, request, parts, form)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            answer = _no_answer(error, parts.geturl(), proxy)
        if proxy is not None or answer.verify_code not in _CHAIN_CODES:
            return answer
        count = await count_certificates(host, _port(parts), parts.hostname or "")
        return replace(answer, certificates=count)


def _build(
    parts: SplitResult, host: str, form: Form | None, connect_timeout: float | None, *, keeps: bool
) -> httpx.Request:
    """Return the request to a host, or to a checked address of it, under the name of the URL's host."""
    target = parts.path or "/"
    place = httpx.URL(
        scheme=parts.scheme,
        host=host,
        port=parts.port,
        raw_path=(f"{target}?{parts.query}" if parts.query else target).encode(),
    )
    headers = {
        "Host": parts.netloc.rpartition("@")[2],
        "Accept": "application/json, */*;q=0.1",
        "Accept-Encoding": "identity",
        "Connection": "keep-alive" if keeps else "close",
        "User-Agent": f"reconciler/{__version__}",
    }
    return httpx.Request(
        "POST" if form else "GET",
        place,
        headers={**headers, **(form.headers if form else {})},
        content=form.body if form else None,
        extensions={"sni_hostname": parts.hostname or "", "timeout": {"connect": connect_timeout}},
    )


async def _send(
    transport: httpx.AsyncHTTPTransport, request: httpx.Request, parts: SplitResult, form: Form | None
) -> Answer | NoAnswer:
    opened = OpenedConnection()
    request.extensions["trace"] = opened.trace
    try:
        async with aclosing(await transport.handle_async_request(request)) as response:
            is_wanted = not (form and response.status_code in _SUCCESS)
            return await _read(response, parts.geturl(), is_wanted=is_wanted)
    except asyncio.CancelledError:
        await opened.close()
        raise


async def _read(response: httpx.Response, url: str, *, is_wanted: bool) -> Answer | NoAnswer:
    if not is_wanted:
        return Answer(url=url, status=response.status_code, headers=httpx.Headers(), body=b"")
    coding = ", ".join(response.headers.get_list("Content-Encoding")).lower()
    if coding not in {"", "identity"}:
        return NoAnswer(
            url=url, cause=Cause.REJECTED, reason="the response is compressed, although not requested"
        )
    body = LimitedBody(MAX_BYTES)
    try:
        async for chunk in response.aiter_raw():
            body.add(chunk)
    except ResponseTooLarge as error:
        return _rejected(url, str(error))
    return Answer(
        url=url,
        status=response.status_code,
        headers=response.headers,
        body=body.content(),
        certificate=peer_certificate(response.extensions.get("network_stream")),
    )


def _too_long(url: str) -> NoAnswer:
    return NoAnswer(url=f"{url[:200]}…", cause=Cause.ADDRESS_REFUSED, reason="the URL is too long")


def _rejected(url: str, problem: str) -> NoAnswer:
    return NoAnswer(url=url, cause=Cause.REJECTED, reason=problem)


def _no_answer(error: Exception, url: str, proxy: httpx.Proxy | None) -> NoAnswer:
    words = reason(error, url, proxy)
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NoAnswer(url=url, cause=Cause.TLS, reason=words, verify_code=cause.verify_code)
    if isinstance(error, httpx.RemoteProtocolError):
        return NoAnswer(
            url=url, cause=Cause.REJECTED, reason="the response is not valid HTTP, or has too long headers"
        )
    is_sent = not isinstance(error, NOT_SENT)
    return NoAnswer(url=url, cause=Cause.UNREACHABLE, reason=words, is_sent=is_sent)


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)
