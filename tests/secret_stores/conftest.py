"""Every real store, and a project on the emulator whose providers stand on loopback."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.gnome_keyring.conftest import gnome, keyring, no_keyring_is_left
from tests.idp.conftest import provider
from tests.idp.provider import write_authority
from tests.moto.conftest import moto, server
from tests.openbao.conftest import openbao
from tests.support.fixtures import bare, running

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.gnome_keyring import GnomeKeyring
    from tests.moto import Moto
    from tests.openbao import OpenBao
    from tests.support.workplace import Workplace

__all__ = [
    "bare",
    "gnome",
    "keyring",
    "moto",
    "no_keyring_is_left",
    "openbao",
    "provider",
    "running",
    "server",
]


@dataclass(frozen=True, slots=True)
class Stores:
    """The servers, to store secrets in."""

    openbao: OpenBao
    moto: Moto
    gnome: GnomeKeyring


@pytest.fixture
def stores(openbao: OpenBao, moto: Moto, gnome: GnomeKeyring) -> Stores:
    return Stores(openbao, moto, gnome)


@pytest.fixture
def place(
    bare: Workplace, gnome: GnomeKeyring, running: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> Workplace:
    """A folder, and no settings of stores but those of the keyring."""
    assert gnome.variables
    for name in [name for name in os.environ if name.startswith(("AWS_", "BOTO_", "VAULT_", "AGE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    bare.use(running)
    write_authority(bare.root)
    return bare
