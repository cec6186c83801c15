"""The target of a run with its credentials: from the project file first, then the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.core.errors import (
    Diagnostic,
    InvalidConfiguration,
    SecretUnavailable,
    Severity,
    SourceLocation,
)
from reconciler.core.secret import Locator, Secret, SecretReference
from reconciler.manifests import text_patterns as text
from reconciler.manifests.source_file import display_path
from reconciler.secrets import SecretPolicy, resolve_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.manifests.project import Project

TEST_URL: Final = "https://test.stytch.com"
LIVE_URL: Final = "https://api.stytch.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendTarget:
    """The project as a whole; with a member's session, by token or by JWT, that member's permissions hold."""

    project_id: str
    secret: Secret
    base_url: str
    session_token: Secret | None = None
    session_jwt: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTarget:
    """One organization, that of a logged-in member."""

    public_token: str
    session_token: Secret
    base_url: str


ResolvedTarget: TypeAlias = BackendTarget | SessionTarget

_VARIABLES: Final = {
    "project_id": "STYTCH_PROJECT_ID",
    "secret": "STYTCH_SECRET",
    "public_token": "STYTCH_PUBLIC_TOKEN",
    "session_token": "STYTCH_SESSION_TOKEN",
    "session_jwt": "STYTCH_SESSION_JWT",
    "base_url": "STYTCH_BASE_URL",
}
_SHAPES: Final = {
    "project_id": (text.PROJECT_ID, "begins with project-test- or project-live-"),
    "public_token": (text.PUBLIC_TOKEN, "begins with public-token-test- or public-token-live-"),
    "base_url": (text.BASE_URL, "is an https:// address without a path (http:// for loopback hosts only)"),
}


def resolve_target(project: Project, environment: Mapping[str, str]) -> ResolvedTarget:
    """Return the target with its credentials, from the project file first, then the environment.

    Raises:
        InvalidConfiguration: something is missing, malformed, or does not go together.
    """
    return _Resolving(project, environment).target()


class _Resolving:
    def __init__(self, project: Project, environment: Mapping[str, str]) -> None:
        self._project = project
        self._environment = environment
        self._declared = project.target
        self._findings: list[Diagnostic] = []

    def target(self) -> ResolvedTarget:
        is_session = self._is_session()
        self._stop_if_wrong()
        resolved = self._session() if is_session else self._backend()
        self._stop_if_wrong()
        return resolved

    def _is_session(self) -> bool:
        """Tell whether the frontend methods are meant; what is declared outweighs the environment."""
        for has in (self._declares, self._offers):
            backend = has("project_id") or has("secret")
            session = has("public_token")
            if backend and session:
                self._find(
                    "target-ambiguous",
                    "both a project secret and a public token are given",
                    "keep project_id and secret, or public_token and session_token",
                )
            if backend or session:
                return session
        return False

    def _backend(self) -> BackendTarget:
        project_id = self._text("project_id")
        secret = self._secret("secret")
        member = self._member_session()
        is_live = project_id.startswith("project-live-")
        return BackendTarget(
            project_id=project_id,
            secret=secret,
            base_url=self._base_url(is_live=is_live),
            session_token=self._secret("session_token") if member == "session_token" else None,
            session_jwt=self._secret("session_jwt") if member == "session_jwt" else None,
        )

    def _member_session(self) -> str:
        """Return by what the member's session is given, if at all; what is declared comes first.

        Which of the two the API would go by if it got both is not documented.
        """
        for has in (self._declares, self._offers):
            given = [name for name in ("session_token", "session_jwt") if has(name)]
            if len(given) > 1:
                self._find(
                    "target-ambiguous",
                    "both a session token and a session JWT are given",
                    "keep one of session_token and session_jwt; a JWT lives five minutes",
                )
            if given:
                return given[0]
        return ""

    def _session(self) -> SessionTarget:
        public_token = self._text("public_token")
        is_live = public_token.startswith("public-token-live-")
        return SessionTarget(
            public_token=public_token,
            session_token=self._secret("session_token"),
            base_url=self._base_url(is_live=is_live),
        )

    def _base_url(self, *, is_live: bool) -> str:
        if self._given("base_url"):
            return self._text("base_url").rstrip("/")
        return LIVE_URL if is_live else TEST_URL

    def _text(self, name: str) -> str:
        declared = getattr(self._declared, name)
        value = declared if isinstance(declared, str) else self._secret(name).reveal()
        pattern, shape = _SHAPES[name]
        if value and not re.fullmatch(pattern, value):
            self._find("target-malformed", f"{self._origin(name)} is not usable", f"a {name} {shape}")
        return value

    def _secret(self, name: str) -> Secret:
        """Return a credential; an empty one after reporting that there is none."""
        reference = getattr(self._declared, name) or _reference(_VARIABLES[name])
        if not self._given(name):
            self._missing(name)
            return Secret("")
        try:
            return resolve_reference(reference, policy=self._policy, environment=self._environment)
        except SecretUnavailable as error:
            self._find("target-unavailable", f"target.{name}: {error}", "")
            return Secret("")

    @property
    def _policy(self) -> SecretPolicy:
        """Return what the project file may read: its own credentials, wherever they are."""
        return self._project.secret_policy._replace(
            env_allow=("*",),
            file_allow=("*",),
            forbidden_env=frozenset(),
            forbidden_files=frozenset(),
        )

    def _missing(self, name: str) -> None:
        variable = _VARIABLES[name]
        self._find(
            "target-missing",
            f"no {name} is given: {variable} is not set, and the project file has no target.{name}",
            f"set the environment variable {variable}, or add target.{name} to the project file",
        )

    def _given(self, name: str) -> bool:
        return self._declares(name) or self._offers(name)

    def _declares(self, name: str) -> bool:
        return getattr(self._declared, name) is not None

    def _offers(self, name: str) -> bool:
        return bool(self._environment.get(_VARIABLES[name]))

    def _origin(self, name: str) -> str:
        return f"target.{name}" if self._declares(name) else f"the environment variable {_VARIABLES[name]}"

    def _find(self, code: str, summary: str, hint: str) -> None:
        file = self._project.file
        location = SourceLocation(display_path(file, self._project.directory)) if file else None
        self._findings.append(Diagnostic(Severity.ERROR, code, summary, hint=hint, location=location))

    def _stop_if_wrong(self) -> None:
        if self._findings:
            raise InvalidConfiguration(tuple(self._findings))


def _reference(variable: str) -> SecretReference:
    locator = Locator("env", variable)
    return SecretReference(str(locator), (locator,))
