"""Random estates: what is declared, what is live already, and how far the two are apart."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from reconciler.emulator import Emulator, EmulatorSettings
from tests.support.estate import complete, wanted
from tests.support.values import manifest

if TYPE_CHECKING:
    import random

    from reconciler.core.state import DesiredConnection, DesiredOrganization

_BEGIN: Final = 1_795_000_000.0
"""Seconds since the epoch; virtual time is added."""

EDITABLE: Final = ("client_id", "token_url", "jwks_url")
"""What persons change in the dashboard here; none of it decides which connection is meant."""


class Beginning(Enum):
    """How a declared connection stands before the round."""

    MISSING = "missing"
    HELD = "held"
    EDITED = "edited"
    INTERRUPTED = "interrupted"
    TO_DELETE = "to delete"
    GONE = "gone"


def new_emulator(chance: random.Random) -> Emulator:
    """Return an emulator whose ids and faults follow from the round's seed, and whose clock only jumps."""
    settings = EmulatorSettings(
        random_seed=chance.randrange(2**32),
        log_secrets=True,
        switches={"default-connection": "never"},
        clock=lambda: _BEGIN,
    )
    return Emulator(settings)


def random_estate(chance: random.Random, emulator: Emulator) -> tuple[DesiredOrganization, ...]:
    """Put organizations with connections into the emulator, and return what is declared for them."""
    return tuple(_organization(chance, emulator, f"org-{n}") for n in range(chance.randint(1, 4)))


def edited(chance: random.Random, names: tuple[str, ...] = EDITABLE) -> dict[str, str]:
    """Return one field with a value that nobody else writes."""
    number = chance.randrange(10**9)
    name = chance.choice(names)
    return {name: f"https://typed-{number}.example" if name.endswith("_url") else f"typed-{number}"}


def _organization(chance: random.Random, emulator: Emulator, reference: str) -> DesiredOrganization:
    emulator.add_organization(reference)
    connections = tuple(
        _connection(chance, emulator, reference, f"c{n}") for n in range(chance.randint(1, 4))
    )
    prune = chance.random() < 0.15
    for number in range(chance.choice([0, 0, 1, 2])):
        emulator.add_connection(reference, display_name=f"unmanaged {number}", client_id=f"x{number}")
    return manifest(reference, *connections, prune=prune)


def _connection(chance: random.Random, emulator: Emulator, reference: str, name: str) -> DesiredConnection:
    beginning = chance.choice(list(Beginning))
    one = complete(reference, name, absent=beginning in {Beginning.TO_DELETE, Beginning.GONE})
    wire = wanted(one)
    match beginning:
        case Beginning.HELD | Beginning.TO_DELETE:
            emulator.add_connection(reference, **wire)
        case Beginning.EDITED:
            emulator.add_connection(reference, **(wire | edited(chance)))
        case Beginning.INTERRUPTED:
            names = ("display_name", "identity_provider")
            emulator.add_connection(reference, **{key: wire[key] for key in names})
        case Beginning.MISSING | Beginning.GONE:
            pass
    return one
