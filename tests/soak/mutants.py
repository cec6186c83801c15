"""Mutants of the applier, in this process or in commands that are started: the judges have to find them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.applier import creates
from reconciler.applier.creates import ConnectionCreator
from reconciler.core.withdrawal import Keep

if TYPE_CHECKING:
    import pytest

    from reconciler.core.connection import OidcConnection

_ROOT: Final = Path(__file__).parents[2]
_create: Final = ConnectionCreator.create


def keep(*_: object, **__: object) -> Keep:
    """Keep the own connection, whatever else there is."""
    return Keep()


async def delete_the_other(creator: ConnectionCreator, _own: object, preferred: str, _decide: object) -> bool:
    """Delete the connection that is to stay."""
    await creator._context.provider.delete_connection(creator._change.organization_id, preferred)
    return False


async def create_twice(creator: ConnectionCreator, pending_id: str | None) -> OidcConnection:
    """Create the connection, and then another one."""
    await _create(creator, pending_id)
    return await _create(creator, None)


async def create_alone(creator: ConnectionCreator, pending_id: str | None) -> OidcConnection:
    """Delete all that is there before."""
    for connection in creator._progress.live.connections:
        await creator._context.provider.delete_connection(
            creator._change.organization_id, connection.connection_id or ""
        )
    return await _create(creator, pending_id)


MUTANTS: Final[dict[str, tuple[tuple[Any, str, Any], ...]]] = {
    "never withdraws": ((creates, "decide_after_update", keep),),
    "deletes the other": ((ConnectionCreator, "_withdraw", delete_the_other),),
    "creates twice": ((ConnectionCreator, "create", create_twice), (creates, "decide_after_update", keep)),
    "creates alone": ((ConnectionCreator, "create", create_alone),),
}


def mutate(name: str) -> None:
    """Mutate this process for good."""
    for owner, attribute, replacement in MUTANTS[name]:
        setattr(owner, attribute, replacement)


def mutate_commands(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutate every Python process that is started from now on, by a module that each of them imports."""
    text = f"from tests.soak.mutants import mutate\nmutate({name!r})\n"
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(folder), str(_ROOT))))
