"""Identifiers in the API's shapes, repeatable under a seed."""

from __future__ import annotations

import random
import uuid

ENVIRONMENTS = ("test", "live")


class Identifiers:
    """Hands out ids such as `oidc-connection-test-<uuid>`; the same `seed` gives the same ids in order."""

    def __init__(self, seed: int | str | None = None) -> None:
        self._random = None if seed is None else random.Random(seed)  # noqa: S311 -- repeatable on purpose

    def new(self, kind: str, environment: str) -> str:
        """A new id of `kind`, for example `organization`, in `environment` (`test` or `live`)."""
        return f"{kind}-{environment}-{self._uuid()}"

    def _uuid(self) -> uuid.UUID:
        if self._random is None:
            return uuid.uuid4()
        return uuid.UUID(int=self._random.getrandbits(128), version=4)


def environment_of(identifier: str) -> str | None:
    """`test` or `live` as the prefix of a project id, secret or token says; None if it says neither."""
    for environment in ENVIRONMENTS:
        for kind in ("project", "secret", "public-token"):
            if identifier.startswith(f"{kind}-{environment}-"):
                return environment
    return None
