"""The cells of the fault matrix: what goes wrong, at which operation, and at which of its calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import ReconcilerError
from reconciler.core.outcome import ApplyResult
from reconciler.emulator import Emulator, EmulatorSettings
from tests.support.estate import Estate, complete
from tests.support.values import manifest

if TYPE_CHECKING:
    from reconciler.core.plan import Plan
    from reconciler.core.state import DesiredOrganization

FAULTS: Final = {
    "429": "429",
    "429, Retry-After in seconds": "429:retry-after=3",
    "429, Retry-After as a date": "429:retry-after-date=3",
    "500 before": "500",
    "500 after": "500:after",
    "502 before": "502",
    "502 after": "502:after",
    "503 before": "503",
    "503 after": "503:after",
    "503, Retry-After in seconds": "503:retry-after=3",
    "504 before": "504",
    "504 after": "504:after",
    "HTML before": "html",
    "HTML after": "html:after",
    "truncated before": "truncated:before",
    "truncated after": "truncated:after",
    "empty before": "empty",
    "empty after": "empty:after",
    "empty with status 200 after": "empty:after,status=200",
    "malformed before": "malformed",
    "malformed after": "malformed:after",
    "hang before": "hang:seconds=90",
    "hang after": "hang:after,seconds=90",
    "reset before": "reset",
    "reset after": "reset:after",
    "latency of 5 s": "latency:seconds=5",
    "latency of 62 s, beyond every deadline": "latency:seconds=62",
    "latency of 110 s": "latency:seconds=110",
}
"""Before or after the change. A latency beyond the deadline is an effect after the client gave up."""

OPERATIONS: Final = {
    "create: POST": ("create", "create-oidc-connection", "apply"),
    "create: PUT": ("create", "update-oidc-connection", "apply"),
    "update: PUT": ("update", "update-oidc-connection", "apply"),
    "delete": ("delete", "delete-connection", "apply"),
    "list while planning": ("mixed", "list-connections", "plan"),
    "list while applying": ("mixed", "list-connections", "apply"),
    "organization while planning": ("alone", "get-organization", "plan"),
    "organization while applying": ("delete", "get-organization", "apply"),
    "search": ("mixed", "search-organizations", "plan"),
}
"""The scene, the operation, and during which part the fault is in force."""

OCCASIONS: Final = {"first": "nth=1", "second": "nth=2", "both": "first=2", "every": ""}


@dataclass(frozen=True)
class Scene:
    """What was declared and applied, what was then edited behind our back, and what is declared now."""

    before: tuple[DesiredOrganization, ...]
    edited: tuple[str, ...]
    after: tuple[DesiredOrganization, ...]


_TWO_AND_ONE = (
    manifest("acme", complete("acme", "one"), complete("acme", "two")),
    manifest("globex", complete("globex", "one")),
)

SCENES: Final = {
    "create": Scene((), (), _TWO_AND_ONE),
    "update": Scene(_TWO_AND_ONE, ("one", "two"), _TWO_AND_ONE),
    "delete": Scene(
        (
            manifest("acme", complete("acme", "keep"), complete("acme", "one"), complete("acme", "two")),
            manifest("globex", complete("globex", "one")),
        ),
        (),
        (
            manifest(
                "acme",
                complete("acme", "keep"),
                complete("acme", "one", absent=True),
                complete("acme", "two", absent=True),
            ),
            manifest("globex", complete("globex", "one", absent=True)),
        ),
    ),
    "mixed": Scene(
        (
            manifest("acme", complete("acme", "keep"), complete("acme", "old"), complete("acme", "gone")),
            manifest("globex", complete("globex", "keep"), complete("globex", "old")),
        ),
        ("old",),
        (
            manifest(
                "acme",
                complete("acme", "new"),
                complete("acme", "keep"),
                complete("acme", "old"),
                complete("acme", "gone", absent=True),
            ),
            manifest(
                "globex", complete("globex", "keep"), complete("globex", "old"), complete("globex", "new")
            ),
        ),
    ),
    "alone": Scene(
        (manifest("acme", complete("acme", "old")),),
        ("old",),
        (manifest("acme", complete("acme", "old"), complete("acme", "new")),),
    ),
}


@dataclass(frozen=True)
class Ended:
    """How a run ended: its plan, or why there is none, and what applying it brought."""

    estate: Estate
    plan: Plan | None = None
    result: ApplyResult = field(default_factory=ApplyResult)
    error: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether the run says of itself that everything now holds."""
        return self.plan is not None and self.plan.is_complete and self.result.is_complete


def run(operation: str, fault: str, occasion: str) -> Ended:
    """Plan and apply under a fault, on an emulator of its own."""
    scene, endpoint, stage = OPERATIONS[operation]
    estate = set_up(SCENES[scene])
    effect, _, options = FAULTS[fault].partition(":")
    rule = f"{endpoint}:{effect}:{','.join(filter(None, (options, OCCASIONS[occasion])))}"
    if stage == "plan":
        estate.emulator.add_fault(rule)
    try:
        plan = estate.plan()
    except ReconcilerError as error:
        return Ended(estate, error=str(error))
    if stage == "apply":
        estate.emulator.add_fault(rule)
    return Ended(estate, plan, estate.apply(plan))


def set_up(scene: Scene) -> Estate:
    """Bring what was declared to life, edit some of it, and declare something else."""
    emulator = Emulator(EmulatorSettings(random_seed=1, log_secrets=True))
    estate = Estate(emulator)
    for organization in scene.after:
        emulator.add_organization(organization.reference)
    if scene.before:
        estate.declare(*scene.before)
        assert estate.apply(estate.plan()).is_complete
    for organization in scene.before:
        for live in emulator.oidc_connections(organization.reference):
            if live["display_name"].split()[1] in scene.edited:
                emulator.edit_connection(live["connection_id"], token_url="https://elsewhere.example/token")
    estate.declare(*scene.after)
    emulator.request_log.clear()
    estate.seconds = 0.0
    return estate
