"""Secrets from environment variables: ``${env:NAME}``."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from reconciler.core.errors import SecretUnavailable
from reconciler.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.secrets.policy import SecretPolicy


def read(path: str, policy: SecretPolicy, environment: Mapping[str, str]) -> Secret:
    """Return the value of the variable ``path``.

    Raises:
        SecretUnavailable: the variable is not set, empty, not UTF-8, or a copy of a credential of the tool.
    """
    value = environment.get(path)
    if value is None:
        raise SecretUnavailable(
            f"the environment variable {path} is not set; set it, or correct the reference"
        )
    if not value:
        raise SecretUnavailable(f"the environment variable {path} is empty; give it the secret's value")
    if any(hmac.compare_digest(_bytes(value), _bytes(own)) for own in _own_values(policy, environment)):
        raise SecretUnavailable(
            f"the environment variable {path} holds a credential of the reconciler itself"
        )
    if not _is_text(value):
        raise SecretUnavailable(f"the environment variable {path} is not UTF-8; a secret is text")
    return Secret(value)


def _own_values(policy: SecretPolicy, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the credentials themselves: a copy under another name is the same secret."""
    return tuple(filter(None, map(environment.get, policy.forbidden_env)))


def _bytes(value: str) -> bytes:
    return value.encode(errors="surrogateescape")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
