"""Which Stytch project a run is for, as far as the project file says."""

from __future__ import annotations

from typing import NamedTuple

from reconciler.core.secret import SecretReference


class Target(NamedTuple):
    """What the project file says of the target; the rest comes from the environment."""

    project_id: str | SecretReference | None = None
    secret: SecretReference | None = None
    public_token: str | SecretReference | None = None
    session_token: SecretReference | None = None
    session_jwt: SecretReference | None = None
    base_url: str | SecretReference | None = None

    @property
    def references(self) -> tuple[SecretReference, ...]:
        """The places where credentials are."""
        values = (
            self.project_id,
            self.secret,
            self.public_token,
            self.session_token,
            self.session_jwt,
            self.base_url,
        )
        return tuple(value for value in values if isinstance(value, SecretReference))
