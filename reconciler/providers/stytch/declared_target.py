"""What a project file says of the target, as far as the environment that holds the credentials allows it.

A pull request can change the project file. So it does not decide where credentials go, nor which secrets
are sent as credentials: hosts other than the service's own, and references to anything but the service's
variables, have to be named by the environment.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Diagnostic, InvalidConfiguration, Severity
from reconciler.core.secret import SecretReference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.errors import SourceLocation
    from reconciler.core.secret import Locator

TEST_URL: Final = "https://test.stytch.com"
LIVE_URL: Final = "https://api.stytch.com"

BASE_URL_VARIABLE: Final = "STYTCH_BASE_URL"
HOSTS_VARIABLE: Final = "RECONCILER_ALLOWED_HOSTS"
REFERENCES_VARIABLE: Final = "RECONCILER_ALLOWED_TARGET_REFERENCES"
_SERVICE_PREFIX: Final = "STYTCH_"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTarget:
    """The target in the project file; what is missing comes from the environment.

    ``locations`` tells where each of its keys is.
    """

    project_id: str | SecretReference | None = None
    secret: SecretReference | None = None
    public_token: str | SecretReference | None = None
    session_token: SecretReference | None = None
    session_jwt: SecretReference | None = None
    base_url: str | None = None
    locations: Mapping[str, SourceLocation] = field(default_factory=dict, compare=False)

    @property
    def references(self) -> Mapping[str, SecretReference]:
        """The references to credentials, by the keys that hold them."""
        values = {key.name: getattr(self, key.name) for key in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, SecretReference)}


def check_declared_target(declared: DeclaredTarget, environment: Mapping[str, str]) -> None:
    """Make sure that the environment allows what the project file declares; no secret is read.

    Raises:
        InvalidConfiguration: it does not allow the host or a reference; all findings are named.
    """
    diagnostics = (*_check_references(declared, environment), *_check_base_url(declared, environment))
    if diagnostics:
        raise InvalidConfiguration(diagnostics)


def _check_references(declared: DeclaredTarget, environment: Mapping[str, str]) -> Iterator[Diagnostic]:
    allowed = _entries(environment, REFERENCES_VARIABLE)
    for name, reference in declared.references.items():
        for locator in reference.locators:
            if not _is_allowed(locator, allowed):
                yield Diagnostic(
                    Severity.ERROR,
                    "target-reference-not-allowed",
                    f"target.{name} cannot refer to {locator}: it would be sent as a credential",
                    hint=f"use a variable that begins with {_SERVICE_PREFIX}, or allow this one in the "
                    f"environment: {REFERENCES_VARIABLE}={str(locator)[2:-1]}",
                    location=declared.locations.get(name),
                )


def _is_allowed(locator: Locator, allowed: tuple[str, ...]) -> bool:
    """Tell whether a reference is to a variable of the service, or to what the environment names."""
    if locator.scheme == "env" and locator.path.startswith(_SERVICE_PREFIX):
        return True
    name = f"{locator.scheme}:{locator.path}"
    if name in allowed:
        return True
    leaves_its_folder = locator.scheme == "file" and ".." in locator.path.split("/")
    return not leaves_its_folder and any(fnmatchcase(name, glob) for glob in allowed)


def _check_base_url(declared: DeclaredTarget, environment: Mapping[str, str]) -> Iterator[Diagnostic]:
    if declared.base_url is None:
        return
    base_url = declared.base_url.rstrip("/")
    host = base_url.partition("://")[2]
    named = environment.get(BASE_URL_VARIABLE, "").rstrip("/")
    location = declared.locations.get("base_url")
    if named and named != base_url:
        yield Diagnostic(
            Severity.ERROR,
            "target-host-conflict",
            f"target.base_url is {base_url}, but the environment variable {BASE_URL_VARIABLE} names another "
            "address",
            hint=f"make them equal, or remove target.base_url or {BASE_URL_VARIABLE}",
            location=location,
        )
    elif (
        not named
        and base_url not in {TEST_URL, LIVE_URL}
        and host not in _entries(environment, HOSTS_VARIABLE)
    ):
        yield Diagnostic(
            Severity.ERROR,
            "target-host-not-allowed",
            f"credentials are not sent to {host}: it is not a host of the service, and only the project file "
            "names it",
            hint=f"remove target.base_url or, if you trust this host, name it in the environment: "
            f"{BASE_URL_VARIABLE}={base_url} or {HOSTS_VARIABLE}={host}",
            location=location,
        )


def _entries(environment: Mapping[str, str], variable: str) -> tuple[str, ...]:
    """Return the entries of a list that is separated by commas."""
    entries = (entry.strip() for entry in environment.get(variable, "").split(","))
    return tuple(entry for entry in entries if entry)
