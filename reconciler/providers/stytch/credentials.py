"""The target of a run: the API and the credentials."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from reconciler.core.errors import (
    Diagnostic,
    InvalidConfiguration,
    SecretUnavailable,
    Severity,
    SourceLocation,
    UsageError,
)
from reconciler.core.secret import Locator, Secret, SecretReference
from reconciler.http.urls import is_secure, is_visible, split_url
from reconciler.providers.stytch.declared_target import (
    BASE_URL_VARIABLE,
    LIVE_URL,
    TEST_URL,
    check_declared_target,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from urllib.parse import SplitResult

    from reconciler.core.codes import Code
    from reconciler.providers.stytch.declared_target import DeclaredTarget

_PROJECT_ID: Final = re.compile(r"project-(test|live)-[A-Za-z0-9-]+")
_PUBLIC_TOKEN: Final = re.compile(r"public-token-(test|live)-[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectTarget:
    """The backend API of a project, optionally with the permissions of a logged-in member only.

    ``base_url`` is for custom domains and emulators; empty means by the project_id's prefix.

    Raises:
        UsageError: the project_id or base_url is malformed, or a secret is empty or unfit for a header.
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
        """Return the headers with the credentials, in clear."""
        headers = {"Authorization": _basic(self.project_id, self.secret)}
        if self.session_token is not None:
            headers["X-Stytch-Member-Session"] = self.session_token.reveal()
        if self.session_jwt is not None:
            headers["X-Stytch-Member-SessionJWT"] = self.session_jwt.reveal()
        return headers


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTarget:
    """The frontend API: a logged-in member acts on the member's own organization.

    Raises:
        UsageError: the public_token or base_url is malformed, or the token is empty or unfit for a header.
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
        """Return the header with the credentials, in clear."""
        return {"Authorization": _basic(self.public_token, self.session_token)}


Target: TypeAlias = ProjectTarget | SessionTarget


_VARIABLES: Final = {
    "project_id": "STYTCH_PROJECT_ID",
    "secret": "STYTCH_SECRET",
    "public_token": "STYTCH_PUBLIC_TOKEN",
    "session_token": "STYTCH_SESSION_TOKEN",
    "session_jwt": "STYTCH_SESSION_JWT",
    "base_url": BASE_URL_VARIABLE,
}
_PROJECT_CREDENTIALS: Final = ("project_id", "secret")
_EXPECTATIONS: Final = {
    "project_id": "begins with project-test- or project-live-",
    "public_token": "begins with public-token-test- or public-token-live-",
    "base_url": "is an https:// address without a path (http:// for loopback hosts only)",
}
_SWAPPED: Final = "it holds a secret: exchange STYTCH_PROJECT_ID and STYTCH_SECRET, which are swapped"


def resolve_target(
    declared: DeclaredTarget,
    environment: Mapping[str, str],
    read_secret: Callable[[SecretReference], Secret],
    *,
    file: str = "",
) -> Target:
    """Return the target with its credentials, from the project file first, then the environment.

    ``read_secret`` reads a reference, or raises `SecretUnavailable`; ``file`` is the project file's name.

    Raises:
        InvalidConfiguration: something is missing, malformed, or does not go together.
    """
    return _TargetResolver(declared, environment, read_secret, file).resolve()


def find_principal(
    declared: DeclaredTarget, environment: Mapping[str, str], read_secret: Callable[[SecretReference], Secret]
) -> str:
    """Return the project_id or the public token; nothing if it is missing, malformed or not allowed."""
    try:
        return _TargetResolver(declared, environment, read_secret, "").principal()
    except InvalidConfiguration:
        return ""


def public_token_of(target: ProjectTarget, environment: Mapping[str, str]) -> str:
    """Return the public token of the project, with which a browser starts a login.

    Raises:
        UsageError: it is missing or malformed, or of the other environment than the project.
    """
    variable = _VARIABLES["public_token"]
    token = environment.get(variable, "")
    if not token:
        raise UsageError(
            f"a login needs the project's public token: set {variable}; it is not secret, the dashboard shows"
            " it beside the project_id"
        )
    match = _PUBLIC_TOKEN.fullmatch(token)
    if match is None:
        raise UsageError(f"{variable} is not valid: a public_token {_EXPECTATIONS['public_token']}")
    if not target.project_id.startswith(f"project-{match[1]}-"):
        raise UsageError(f"{variable} is of the {match[1]} environment, but the project_id is not")
    return token


class _TargetResolver:
    def __init__(
        self,
        declared: DeclaredTarget,
        environment: Mapping[str, str],
        read_secret: Callable[[SecretReference], Secret],
        file: str,
    ) -> None:
        self._declared = declared
        self._environment = environment
        self._read_secret = read_secret
        self._file = file
        self._diagnostics: list[Diagnostic] = []

    def resolve(self) -> Target:
        return self._session_target() if self._uses_frontend() else self._project_target()

    def principal(self) -> str:
        principal = self._text("public_token" if self._uses_frontend() else "project_id")
        self._stop_on_diagnostics()
        return principal

    def _uses_frontend(self) -> bool:
        check_declared_target(self._declared, self._environment)
        api = self._choose(
            {
                "backend": _PROJECT_CREDENTIALS,
                "frontend": () if self._is_for_logins_only() else ("public_token",),
            },
            "both a project secret and a public token are given",
            "keep project_id and secret, or public_token and session_token",
        )
        self._stop_on_diagnostics()
        return api == "frontend"

    def _is_for_logins_only(self) -> bool:
        """Return whether a public token stands beside project credentials without a session of its own."""
        has_project = any(map(self._is_in_environment, _PROJECT_CREDENTIALS))
        return has_project and not self._is_declared("public_token") and not self._is_given("session_token")

    def _project_target(self) -> ProjectTarget:
        values = self._read(*_PROJECT_CREDENTIALS)
        member = self._choose(  # which of the two the API would use if it got both is not documented
            {"session_token": ("session_token",), "session_jwt": ("session_jwt",)},
            "both a session token and a session JWT are given",
            "keep one of session_token and session_jwt; a JWT expires after five minutes",
        )
        values |= self._read(*filter(None, [member])) | self._base_url()
        self._stop_on_diagnostics()
        return ProjectTarget(**values)

    def _session_target(self) -> SessionTarget:
        values = self._read("public_token", "session_token") | self._base_url()
        self._stop_on_diagnostics()
        return SessionTarget(**values)

    def _choose(self, alternatives: Mapping[str, tuple[str, ...]], summary: str, hint: str) -> str:
        """Return which alternative is given; the project file takes precedence over the environment.

        An alternative is given if any of its fields is. ``summary`` and ``hint`` report that several are.
        """
        for has in (self._is_declared, self._is_in_environment):
            given = [name for name, names in alternatives.items() if any(map(has, names))]
            if len(given) > 1:
                self._report("target-ambiguous", summary, hint)
            if given:
                return given[0]
        return ""

    def _read(self, *names: str) -> dict[str, Any]:
        return {name: self._text(name) if name in _EXPECTATIONS else self._secret(name) for name in names}

    def _base_url(self) -> dict[str, str]:
        return {"base_url": self._text("base_url").rstrip("/")} if self._is_given("base_url") else {}

    def _text(self, name: str) -> str:
        declared = getattr(self._declared, name)
        value = declared if isinstance(declared, str) else self._secret(name).reveal()
        if value and not _is_well_formed(name, value):
            hint = _SWAPPED if value.startswith("secret-") else f"a {name} {_EXPECTATIONS[name]}"
            self._report("target-malformed", f"{self._origin(name)} is not valid", hint, name)
        return value

    def _secret(self, name: str) -> Secret:
        """Return a credential; an empty one after reporting that there is none."""
        reference = getattr(self._declared, name) or _environment_reference(_VARIABLES[name])
        if not self._is_given(name):
            self._report_missing(name)
            return Secret("")
        try:
            return self._read_secret(reference)
        except SecretUnavailable as error:
            self._report("target-unavailable", f"target.{name}: {error}", "", name)
            return Secret("")

    def _is_given(self, name: str) -> bool:
        return self._is_declared(name) or self._is_in_environment(name)

    def _is_declared(self, name: str) -> bool:
        return getattr(self._declared, name) is not None

    def _is_in_environment(self, name: str) -> bool:
        return bool(self._environment.get(_VARIABLES[name]))

    def _origin(self, name: str) -> str:
        if self._is_declared(name):
            return f"target.{name}"
        return f"the environment variable {_VARIABLES[name]}"

    def _report_missing(self, name: str) -> None:
        variable = _VARIABLES[name]
        self._report(
            "target-missing",
            f"{name} is missing: {variable} is not set, and the project file has no target.{name}",
            f"set the environment variable {variable}, or add target.{name} to the project file",
        )

    def _report(self, code: Code, summary: str, hint: str, name: str = "") -> None:
        """Report a problem at the key of that name, or of the file as a whole; a variable has no location."""
        is_of_file = self._file and not (name and self._is_in_environment(name))
        whole = SourceLocation(self._file) if is_of_file else None
        location = self._declared.locations.get(name, whole)
        self._diagnostics.append(Diagnostic(Severity.ERROR, code, summary, hint=hint, location=location))

    def _stop_on_diagnostics(self) -> None:
        if self._diagnostics:
            raise InvalidConfiguration(tuple(self._diagnostics))


def check_base_url(base_url: str) -> None:
    """Make sure that credentials may be sent there.

    Raises:
        UsageError: it is not a plain https URL; http is for loopback hosts only.
    """
    if not base_url:
        return
    parts = split_url(base_url)
    if parts is None or parts.scheme not in {"http", "https"}:
        raise UsageError("base_url must be an address such as https://login.example.com")
    if not _is_origin(parts):
        example = f"https://{parts.hostname}"
        raise UsageError(f"base_url must be just scheme and host, for example {example}")
    if not is_secure(parts):
        raise UsageError(f"base_url {base_url!r} must begin with https://; http is for loopback hosts only")


def _is_well_formed(name: str, value: str) -> bool:
    if name == "base_url":
        parts = split_url(value)
        return parts is not None and _is_origin(parts) and is_secure(parts)
    return bool((_PROJECT_ID if name == "project_id" else _PUBLIC_TOKEN).fullmatch(value))


def _is_origin(parts: SplitResult) -> bool:
    has_more = (
        parts.username or parts.password or parts.query or parts.fragment or parts.path not in {"", "/"}
    )
    return not has_more


def _address(base_url: str, *, live: bool) -> str:
    return base_url.rstrip("/") or (LIVE_URL if live else TEST_URL)


def _check_credential(value: Secret, name: str) -> None:
    if not is_visible(value.reveal()):
        raise UsageError(f"the {name} is empty, or holds spaces or characters that no such credential has")


def _basic(user: str, password: Secret) -> str:
    return "Basic " + b64encode(f"{user}:{password.reveal()}".encode()).decode()


def _environment_reference(variable: str) -> SecretReference:
    locator = Locator("env", variable)
    return SecretReference(str(locator), (locator,))
