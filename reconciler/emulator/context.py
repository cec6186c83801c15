"""Settings of an emulator, and what its endpoints share: store, switches, rules, log, ids and clock."""

from __future__ import annotations

import random
import re
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.emulator.request_log import RequestLog
from reconciler.emulator.rules import Faults, RateLimits
from reconciler.emulator.state import Identifiers, ReadLag, State
from reconciler.emulator.switches import Switches
from reconciler.emulator.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reconciler.emulator.rules import RateLimit


LOOPBACK = "127.0.0.1"
DEFAULT_PROJECT_ID = "project-test-11111111-1111-4111-8111-111111111111"
DEFAULT_SECRET = "secret-test-11111111111111111111111111111111"  # noqa: S105 -- public by design, opens nothing
DEFAULT_PUBLIC_TOKEN = "public-token-test-11111111-1111-4111-8111-111111111111"  # noqa: S105 -- public by design


@dataclass(frozen=True, slots=True)
class Project:
    """A project and its keys."""

    project_id: str = DEFAULT_PROJECT_ID
    secret: str = field(default=DEFAULT_SECRET, repr=False)
    public_token: str = DEFAULT_PUBLIC_TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorSettings:
    """Options of an emulator; the defaults are an empty project in memory.

    `state` is the SQLite file (None: in memory); `seed` a seed file, read while there is no organization yet;
    `random_seed` makes ids and chances repeatable; `control` enables `/_control`; `max_connections` and
    `billing_connections` bound the SSO connections of an organization; `redirect_base_url` is the host of new
    redirect_urls (None: the API's own host), `local_redirects` makes it the address of this emulator;
    `ca_file` has certificates of authorities to trust in requests to identity providers, besides the usual
    ones; `environment` is the one this host serves (None: both); `require_https` answers plain HTTP with 403;
    `trusted_origins` are web origins besides loopback that browsers may call the frontend API from and that a
    login may return to; `log_capacity` bounds the request log; `log_secrets` keeps secrets in it, for tests
    that check what was sent; `faults` are rules like `list-connections:429:first=2`; `clock` tells the
    seconds since the epoch.
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
    local_redirects: bool = False
    ca_file: Path | None = None
    environment: str | None = None
    require_https: bool = False
    trusted_origins: tuple[str, ...] = ()
    log_capacity: int = 100_000
    log_secrets: bool = False
    rate_limits: tuple[RateLimit, ...] = ()
    faults: tuple[str, ...] = ()
    clock: Callable[[], float] = time.time


def environment_of(identifier: str) -> str | None:
    """`test` or `live` by the prefix of a project id, secret or token; None for any other prefix."""
    match = re.match("(?:project|secret|public-token)-(test|live)-", identifier)
    return match and match[1]


class CertificateError(ValueError):
    """A file of certificate authorities that cannot be used."""


class Context:
    """The shared state of one emulator; `clock_offset` is in seconds.

    Raises:
        UnknownSwitchError: an unknown name or value in `settings.switches`.
        StateError: the state file cannot be used.
        CertificateError: `settings.ca_file` cannot be used.
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        _check_authorities(settings.ca_file)
        self.settings = settings
        self.switches = Switches(settings.switches)
        self.chance = random.Random(settings.random_seed)  # noqa: S311 -- repeatable on purpose
        self.faults = Faults(self.chance)
        self.state = State(settings.state)
        # a state file that already holds objects must not get the same ids again
        seed, age = settings.random_seed, self.state.age()
        self.identifiers = Identifiers(f"{seed}+{age}" if seed is not None and age else seed)
        self.log = RequestLog(settings.log_capacity)
        self.read_lag = ReadLag()
        self.tickets = Tickets(self.now)
        self.lost_responses: set[str] = set()
        self.clock_offset = 0.0
        self.limits = RateLimits(self.now, self.switches, settings.rate_limits)
        self.bound_url: str | None = None

    def now(self) -> float:
        """Seconds since the epoch, moved by `clock_offset`."""
        return self.settings.clock() + self.clock_offset


def _check_authorities(file: Path | None) -> None:
    try:
        if file is not None:
            ssl.create_default_context(cafile=file)
    except ssl.SSLError as error:
        raise CertificateError(f"cannot use '{file}': no certificates in PEM") from error
    except OSError as error:
        raise CertificateError(f"cannot use '{file}': {error.strerror or 'it cannot be read'}") from error
