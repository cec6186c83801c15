"""Whom to call, and as whom: credentials, and the address that follows from them."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reconciler.core.errors import UsageError

if TYPE_CHECKING:
    from reconciler.core.secret import Secret

_TEST: Final = "https://test.stytch.com"
_LIVE: Final = "https://api.stytch.com"

_PROJECT_ID: Final = re.compile(r"project-(test|live)-[A-Za-z0-9-]+")
_PUBLIC_TOKEN: Final = re.compile(r"public-token-(test|live)-[A-Za-z0-9-]+")
_HOST_NAME: Final = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
"""What DNS can hold: labels of 1 to 63 octets, 253 in all (RFC 1035, section 2.3.4)."""
_VISIBLE: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectTarget:
    """The backend API of a project, optionally with the permissions of a logged-in member only.

    ``base_url`` is for custom domains and emulators; empty means by the project_id's prefix.

    Raises:
        UsageError: the project_id or base_url is none, or a secret is empty or unfit for a header.
    """

    project_id: str
    secret: Secret
    session_token: Secret | None = None
    session_jwt: Secret | None = None
    base_url: str = ""

    def __post_init__(self) -> None:
        if not _PROJECT_ID.fullmatch(self.project_id):
            raise UsageError(
                f"project_id {self.project_id!r} must begin with 'project-test-' or 'project-live-'"
            )
        _check_credential(self.secret, "secret")
        for name, value in (("session_token", self.session_token), ("session_jwt", self.session_jwt)):
            if value is not None:
                _check_credential(value, name)
        check_base_url(self.base_url)

    @property
    def address(self) -> str:
        """The base URL, without a slash at its end."""
        return _address(self.base_url, live=self.project_id.startswith("project-live-"))

    def headers(self) -> dict[str, str]:
        """Return the headers that prove who calls; they hold the secrets in clear."""
        found = {"Authorization": _basic(self.project_id, self.secret)}
        if self.session_token is not None:
            found["X-Stytch-Member-Session"] = self.session_token.reveal()
        if self.session_jwt is not None:
            found["X-Stytch-Member-SessionJWT"] = self.session_jwt.reveal()
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTarget:
    """The session API: a logged-in member acts on the member's own organization.

    Raises:
        UsageError: the public_token or base_url is none, or the token is empty or unfit for a header.
    """

    public_token: str
    session_token: Secret
    base_url: str = ""

    def __post_init__(self) -> None:
        if not _PUBLIC_TOKEN.fullmatch(self.public_token):
            raise UsageError("the public_token must begin with 'public-token-test-' or 'public-token-live-'")
        _check_credential(self.session_token, "session_token")
        check_base_url(self.base_url)

    @property
    def address(self) -> str:
        """The base URL, without a slash at its end."""
        return _address(self.base_url, live=self.public_token.startswith("public-token-live-"))

    def headers(self) -> dict[str, str]:
        """Return the header that proves who calls; it holds the session token in clear."""
        return {"Authorization": _basic(self.public_token, self.session_token)}


Target = ProjectTarget | SessionTarget

LARGEST_PORT: Final = 65535


def is_host(name: str) -> bool:
    """Tell whether a host can be looked up: an address, or a name within the bounds of DNS."""
    return _is_address(name) or bool(_HOST_NAME.fullmatch(name))


def check_base_url(base_url: str) -> None:
    """Make sure that credentials may be sent there.

    Raises:
        UsageError: it is no plain https URL; http is for loopback hosts only.
    """
    if not base_url:
        return
    host = _plain_host(base_url)
    if base_url.startswith("http://") and not _is_loopback(host):
        raise UsageError(f"base_url {base_url!r} must begin with https://; http is for loopback hosts only")


def _plain_host(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if (
        parts.scheme not in {"http", "https"}
        or not host
        or not is_host(host)
        or not _VISIBLE.fullmatch(base_url)
    ):
        raise UsageError("base_url must be an address such as https://login.example.com")
    if parts.username or parts.password or parts.query or parts.fragment or parts.path not in {"", "/"}:
        raise UsageError(f"base_url must be just scheme and host, for example https://{host}")
    return host


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(base_url: str, *, live: bool) -> str:
    return base_url.rstrip("/") or (_LIVE if live else _TEST)


def _check_credential(value: Secret, name: str) -> None:
    if not _VISIBLE.fullmatch(value.reveal()):
        raise UsageError(f"the {name} is empty, or holds spaces or characters that no such credential has")


def _basic(user: str, password: Secret) -> str:
    return "Basic " + b64encode(f"{user}:{password.reveal()}".encode()).decode()
