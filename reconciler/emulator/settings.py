"""What an emulator is told before it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.emulator.rate_limit import RateLimit

DEFAULT_PROJECT_ID = "project-test-11111111-1111-4111-8111-111111111111"
DEFAULT_SECRET = "secret-test-11111111111111111111111111111111"  # noqa: S105 -- public by design, opens nothing
DEFAULT_PUBLIC_TOKEN = "public-token-test-11111111-1111-4111-8111-111111111111"  # noqa: S105 -- public by design


@dataclass(frozen=True, slots=True)
class Project:
    """A project and the keys that open it."""

    project_id: str = DEFAULT_PROJECT_ID
    secret: str = field(default=DEFAULT_SECRET, repr=False)
    public_token: str = DEFAULT_PUBLIC_TOKEN


@dataclass(frozen=True, slots=True)
class EmulatorSettings:
    """Everything an emulator can be told; the defaults are an empty project in memory.

    `state` is the SQLite file (None: in memory); `seed` a seed file, read while there is no organization yet;
    `random_seed` makes ids and chances repeatable; `control` switches `/_control` on; `max_connections` and
    `billing_connections` bound the SSO connections of an organization; `redirect_base_url` is the host of new
    redirect_urls (None: the API's own host); `environment` is the one this host serves (None: both);
    `require_https` answers plain HTTP with 403; `trusted_origins` are web origins besides the loopback ones
    that browsers may call the frontend API from; `log_capacity` bounds the request log; `log_secrets` keeps
    secrets in it, for tests that ask what was sent; `faults` are rules like `list-connections:429:first=2`.
    """

    project: Project = field(default_factory=Project)
    state: Path | None = None
    seed: Path | None = None
    random_seed: int | None = None
    switches: Mapping[str, str] = field(default_factory=dict)
    control: bool = False
    max_connections: int | None = None
    billing_connections: int | None = None
    redirect_base_url: str | None = None
    environment: str | None = None
    require_https: bool = False
    trusted_origins: tuple[str, ...] = ()
    log_capacity: int = 100_000
    log_secrets: bool = False
    rate_limits: tuple[RateLimit, ...] = ()
    faults: tuple[str, ...] = ()
