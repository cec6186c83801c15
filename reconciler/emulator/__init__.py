"""A local server that behaves like the API, for demos and tests.

In-process: `Emulator(settings).application` is an ASGI application. Over loopback:
`running_emulator(settings)` and `serve(settings, host, port, on_ready)`.
"""

from reconciler.emulator.context import (
    DEFAULT_PROJECT_ID,
    DEFAULT_PUBLIC_TOKEN,
    DEFAULT_SECRET,
    CertificateError,
    EmulatorSettings,
    Project,
)
from reconciler.emulator.emulator import Emulator, MissingExtraError, RunningEmulator, running_emulator, serve
from reconciler.emulator.errors import ConnectionLostError
from reconciler.emulator.request_log import LoggedRequest
from reconciler.emulator.rule_parsing import (
    UnknownFaultError,
    UnknownRateLimitError,
    parse_fault,
    parse_rate_limit,
)
from reconciler.emulator.rules import Always, Chance, Effect, Every, Fault, First, Nth, RateLimit
from reconciler.emulator.seed import SeedError, read_seed
from reconciler.emulator.state import StateError
from reconciler.emulator.switches import SWITCHES, Switch, UnknownSwitchError, parse_switch

__all__ = [
    "DEFAULT_PROJECT_ID",
    "DEFAULT_PUBLIC_TOKEN",
    "DEFAULT_SECRET",
    "SWITCHES",
    "Always",
    "CertificateError",
    "Chance",
    "ConnectionLostError",
    "Effect",
    "Emulator",
    "EmulatorSettings",
    "Every",
    "Fault",
    "First",
    "LoggedRequest",
    "MissingExtraError",
    "Nth",
    "Project",
    "RateLimit",
    "RunningEmulator",
    "SeedError",
    "StateError",
    "Switch",
    "UnknownFaultError",
    "UnknownRateLimitError",
    "UnknownSwitchError",
    "parse_fault",
    "parse_rate_limit",
    "parse_switch",
    "read_seed",
    "running_emulator",
    "serve",
]
