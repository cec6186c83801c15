"""Secrets from environment variables: ``${env:NAME}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.errors import SecretUnavailable
from reconciler.core.secret import Secret
from reconciler.secrets.store import Entry

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.secrets.store import SecretAccess


def open_store(access: SecretAccess) -> EnvironmentStore:
    """Return the store of the environment variables."""
    return EnvironmentStore(access.environment)


class EnvironmentStore:
    """Environment variables by name."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def read(self, names: Collection[str]) -> Mapping[str, Entry | SecretUnavailable]:
        """Return the value of each variable; one that is not set, empty or not UTF-8 is unavailable."""
        return {name: self._entry(name) for name in names}

    def _entry(self, name: str) -> Entry | SecretUnavailable:
        value = self._environment.get(name)
        if value is None:
            return SecretUnavailable(
                f"the environment variable {name} is not set; set it, or correct the reference",
                problem="the environment variable is not set",
            )
        if not value:
            return SecretUnavailable(
                f"the environment variable {name} is empty; give it the secret's value",
                problem="the environment variable is empty",
            )
        if not _is_text(value):
            return SecretUnavailable(f"the environment variable {name} is not UTF-8; a secret is text")
        return Entry({"": Secret(value)})


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
