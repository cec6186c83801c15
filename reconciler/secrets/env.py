"""Secrets from environment variables: ``${env:NAME}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.errors import SecretUnavailable
from reconciler.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.secrets.policy import SecretPolicy


def read(path: str, policy: SecretPolicy, environment: Mapping[str, str]) -> Secret:
    """Return the value of the variable ``path``.

    Raises:
        SecretUnavailable: the variable is not set, empty or not UTF-8.
    """
    del policy
    value = environment.get(path)
    if value is None:
        raise SecretUnavailable(
            f"the environment variable {path} is not set; set it, or correct the reference",
            problem="the environment variable is not set",
        )
    if not value:
        raise SecretUnavailable(
            f"the environment variable {path} is empty; give it the secret's value",
            problem="the environment variable is empty",
        )
    if not _is_text(value):
        raise SecretUnavailable(f"the environment variable {path} is not UTF-8; a secret is text")
    return Secret(value)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
