"""Connects to Vault or OpenBao as the environment configures it: address, certificates, proxy, login."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol

from reconciler.core.errors import UsageError
from reconciler.http.client import LimitedBody, ResponseTooLarge, proxy_for
from reconciler.http.connection_errors import reason
from reconciler.http.json_fields import JsonObject, parse_json
from reconciler.http.urls import is_secure, is_visible, split_url
from reconciler.secrets.store import THREADS, StoreUnavailable, import_library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import httpx

CREDENTIALS: Final = {
    "token": ("VAULT_TOKEN",),
    "approle": ("VAULT_ROLE_ID", "VAULT_SECRET_ID"),
    "jwt": ("VAULT_ROLE", "VAULT_JWT"),
    "kubernetes": ("VAULT_ROLE", "VAULT_JWT"),
}
"""The methods of VAULT_AUTH_METHOD, and the variables that each needs."""

_MAX_BYTES: Final = 4 * 1024 * 1024
_RATE_LIMIT_RETRIES: Final = 3
_PROBLEMS: Final[Mapping[int, str]] = {
    HTTPStatus.TOO_MANY_REQUESTS: "it limits the rate of requests; try again later",
    HTTPStatus.SERVICE_UNAVAILABLE: "it is sealed or in maintenance; unseal it, or try again later",
}


class Body(Protocol):
    """A body that is read as urllib3 does it."""

    def stream(self, size: int, *, decode_content: bool) -> Iterator[bytes]:
        """Yield parts of it."""

    def close(self) -> None:
        """Close the connection."""

    def release_conn(self) -> None:
        """Let the connection be used again."""


class HttpResponse(Protocol):
    """The parts of a response that requests uses."""

    status_code: int
    content: bytes
    raw: Body


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and the JSON that came with it."""

    status: int
    document: JsonObject

    @property
    def is_denied(self) -> bool:
        """Whether permission is denied; the response is the same for a missing path."""
        return self.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultConnection:
    """Sends requests only to the server at VAULT_ADDR, through ``client`` of hvac.

    The exceptions of hvac hold parts of answers, so it raises none: the status decides.
    """

    client: Any
    address: str
    proxy: httpx.Proxy | None
    environment: Mapping[str, str]
    method: str
    request_error: type[Exception]

    def ask(self, call: Callable[[], HttpResponse]) -> Answer:
        """Return the answer to a call of hvac.

        Raises:
            StoreUnavailable: there is none, or it does not concern this call alone.
        """
        try:
            response = call()
        except ResponseTooLarge as error:
            raise StoreUnavailable(f"Vault cannot be read: {error}") from None
        except self.request_error as error:  # its text may quote a header with the token
            why = reason(error, self.address, self.proxy, "VAULT_CACERT")
            raise StoreUnavailable(f"Vault cannot be reached: {why}; check VAULT_ADDR") from None
        status = response.status_code
        if status in _PROBLEMS:
            raise StoreUnavailable(f"Vault cannot be read: {_PROBLEMS[status]}")
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise StoreUnavailable(
                "VAULT_ADDR answers with a redirect, which is not followed: set it to the address of the "
                "active node"
            )
        return Answer(status, _document(response.content))

    def log_in(self) -> None:
        """Get a token, or use the one of the environment, unless there is one already.

        Raises:
            StoreUnavailable: the credentials are not accepted.
        """
        if self.client.token:
            return
        if self.method == "token":
            self.client.token = self.environment["VAULT_TOKEN"]
            return
        answer = self.ask(self._login())
        token = answer.document.child("auth").text("client_token")
        if not token:
            names = " and ".join(CREDENTIALS[self.method])
            raise StoreUnavailable(
                f"Vault refuses the login ({self.method}): check {names}, VAULT_AUTH_MOUNT and "
                "VAULT_NAMESPACE"
            )
        self.client.token = token

    def has_valid_token(self) -> bool:
        """Tell whether Vault accepts the token. A token from a login is not checked."""
        if self.method != "token":
            return True
        return self.ask(self.client.auth.token.lookup_self).status == HTTPStatus.OK

    @property
    def rejected_token(self) -> str:
        """The message if Vault does not accept the token."""
        place = " in the namespace VAULT_NAMESPACE" if self.environment.get("VAULT_NAMESPACE") else ""
        return f"Vault does not accept VAULT_TOKEN{place}: it is wrong, expired, or has no permission at all"

    def _login(self) -> Callable[[], HttpResponse]:
        mount = self.environment.get("VAULT_AUTH_MOUNT") or self.method
        first, second = (self.environment[name] for name in CREDENTIALS[self.method])
        methods = self.client.auth
        if self.method == "approle":
            return partial(methods.approle.login, first, second, use_token=False, mount_point=mount)
        if self.method == "jwt":
            return partial(methods.jwt.jwt_login, first, second, use_token=False, path=mount)
        return partial(methods.kubernetes.login, first, second, use_token=False, mount_point=mount)


def connect(environment: Mapping[str, str], seconds: float) -> VaultConnection:
    """Return a connection without sending a request; ``seconds`` is the timeout of requests.

    Nothing comes from other places than ``environment``: no token from a file, no password from ``.netrc``.

    Raises:
        SecretUnavailable: the extra is missing, or a variable is missing or malformed.
    """
    hvac, requests = import_library("hvac", "vault"), import_library("requests", "vault")
    address, method = _address(environment), _method(environment)
    proxy = _proxy(address)
    session = requests.Session()
    session.trust_env = False
    session.verify = _authorities(environment)
    session.proxies = {"https": _with_credentials(proxy)} if proxy else {}
    session.hooks["response"].append(_limit)
    session.mount(address, requests.adapters.HTTPAdapter(pool_maxsize=THREADS, max_retries=_retries()))
    client = hvac.Client(
        url=address,
        token="",  # None would be the token in a file
        cert=(),
        verify=session.verify,
        timeout=(
            seconds / 2,
            seconds * 2,
        ),  # to connect; and to read, where the caller's deadline comes first
        allow_redirects=False,
        session=session,
        adapter=hvac.adapters.RawAdapter,
        namespace=_header(environment, "VAULT_NAMESPACE") or None,
        ignore_exceptions=True,
    )
    return VaultConnection(
        client=client,
        address=address,
        proxy=proxy,
        environment=environment,
        method=method,
        request_error=requests.RequestException,
    )


def _address(environment: Mapping[str, str]) -> str:
    address = environment.get("VAULT_ADDR", "")
    if not address:
        raise StoreUnavailable("VAULT_ADDR is not set; it is the address of the server: https://HOST:8200")
    parts = split_url(address)
    if parts is None or not is_secure(parts) or parts.query or parts.fragment or "@" in parts.netloc:
        raise StoreUnavailable(
            "VAULT_ADDR has to be an https URL without user and password (http is for loopback only)"
        )
    return address.rstrip("/")


def _method(environment: Mapping[str, str]) -> str:
    """Return the method that VAULT_AUTH_METHOD names, or the first of which a variable is set."""
    method = environment.get("VAULT_AUTH_METHOD") or next(
        (method for method, names in CREDENTIALS.items() if any(map(environment.get, names))), ""
    )
    if not method:
        raise StoreUnavailable(
            "there are no credentials for Vault: set VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID, "
            "or VAULT_ROLE and VAULT_JWT"
        )
    if method not in CREDENTIALS:
        raise StoreUnavailable(f"VAULT_AUTH_METHOD has to be one of {', '.join(CREDENTIALS)}")
    missing = [name for name in CREDENTIALS[method] if not environment.get(name)]
    if missing:
        raise StoreUnavailable(f"Vault's login by {method} needs {' and '.join(missing)}, which is not set")
    if method == "token":
        _header(environment, "VAULT_TOKEN")
    return method


def _header(environment: Mapping[str, str], name: str) -> str:
    """Return a variable that is sent as a header."""
    value = environment.get(name, "")
    if value and not is_visible(value):
        raise StoreUnavailable(f"{name} holds a space, a line break or a character that is not ASCII")
    return value


def _authorities(environment: Mapping[str, str]) -> str | bool:
    """Return the file with trusted CA certificates, or True for the default of requests."""
    name = next((name for name in ("VAULT_CACERT", "SSL_CERT_FILE") if environment.get(name)), "")
    if not name:
        return True
    try:
        ssl.create_default_context(cafile=environment[name])
    except (OSError, ValueError):  # OpenSSL's errors are OSErrors
        raise StoreUnavailable(f"{name} has to name a PEM file with the certificates to trust") from None
    return environment[name]


def _proxy(address: str) -> httpx.Proxy | None:
    try:
        return proxy_for(address) if address.startswith("https://") else None
    except UsageError as error:
        raise StoreUnavailable(str(error)) from None


def _with_credentials(proxy: httpx.Proxy) -> str:
    user, password = proxy.auth or ("", "")
    return str(proxy.url.copy_with(username=user, password=password) if proxy.auth else proxy.url)


def _retries() -> object:
    """Return the retry settings: reads are retried if the connection broke or was rate-limited."""
    return import_library("urllib3", "vault").Retry(
        total=_RATE_LIMIT_RETRIES,
        connect=0,
        read=1,
        redirect=0,
        allowed_methods=("GET",),
        status_forcelist=(HTTPStatus.TOO_MANY_REQUESTS,),
        backoff_factor=0.25,
        respect_retry_after_header=False,
        raise_on_status=False,
    )


def _document(content: bytes) -> JsonObject:
    """Return the JSON of an answer; some have none."""
    if not content:
        return JsonObject({}, "Vault", StoreUnavailable)
    try:
        document = parse_json(content)
    except ValueError:
        document = None  # the cause would hold the text
    if not isinstance(document, dict):
        raise StoreUnavailable(
            "the server at VAULT_ADDR is not Vault: its responses are not JSON; check the address"
        )
    return JsonObject(document, "Vault", StoreUnavailable)


def _limit(response: HttpResponse, **_options: object) -> None:
    """Bound the body, which is read after this hook; requests keeps no cookies of it either."""
    response.raw = _LimitedStream(response.raw)


class _LimitedStream:
    """Reads a body for requests, up to a limit."""

    def __init__(self, raw: Body) -> None:
        self._raw = raw
        self.close, self.release_conn = raw.close, raw.release_conn

    def stream(self, size: int, *, decode_content: bool) -> Iterator[bytes]:
        """Yield parts of the body.

        Raises:
            ResponseTooLarge: it is longer than the limit.
        """
        body = LimitedBody(_MAX_BYTES)
        for chunk in self._raw.stream(size, decode_content=decode_content):
            try:
                body.add(chunk)
            except ResponseTooLarge:
                self._raw.close()
                raise
            yield chunk
