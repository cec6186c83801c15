"""A local server that behaves like the API, for trying things out and for tests.

In-process: `Emulator(settings).application` is an ASGI application. Over loopback:
`running_emulator(settings)` and `serve(settings, host, port, on_ready)`.
"""

from reconciler.emulator.behaviours import (
    BEHAVIOURS,
    Behaviour,
    UnknownBehaviourError,
    parse_behaviour,
)
from reconciler.emulator.emulator import Emulator
from reconciler.emulator.rate_limit import RateLimit
from reconciler.emulator.request_log import LoggedRequest, RequestLog
from reconciler.emulator.server import RunningEmulator, running_emulator, serve
from reconciler.emulator.settings import (
    DEFAULT_PROJECT_ID,
    DEFAULT_PUBLIC_TOKEN,
    DEFAULT_SECRET,
    EmulatorSettings,
    Project,
)

__all__ = [
    "BEHAVIOURS",
    "DEFAULT_PROJECT_ID",
    "DEFAULT_PUBLIC_TOKEN",
    "DEFAULT_SECRET",
    "Behaviour",
    "Emulator",
    "EmulatorSettings",
    "LoggedRequest",
    "Project",
    "RateLimit",
    "RequestLog",
    "RunningEmulator",
    "UnknownBehaviourError",
    "parse_behaviour",
    "running_emulator",
    "serve",
]
