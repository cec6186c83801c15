"""An unlocked keyring for all tests of a worker, and a project on the emulator whose secrets are in it."""

from __future__ import annotations

import gc
import warnings
from typing import TYPE_CHECKING

import keyring as library
import pytest

from tests.gnome_keyring import GnomeKeyring, running_keyring
from tests.support.fixtures import bare, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

__all__ = ["bare", "running"]


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GnomeKeyring]:
    with running_keyring(tmp_path_factory.mktemp("keyring")) as unlocked:
        yield unlocked


@pytest.fixture(autouse=True)
def no_keyring_is_left() -> Iterator[None]:
    """The library chooses a keyring once for each process."""
    yield
    library.set_keyring(library.core.load_keyring("keyring.backends.null.Keyring"))


@pytest.fixture
def gnome(keyring: GnomeKeyring, monkeypatch: pytest.MonkeyPatch) -> GnomeKeyring:
    _use(keyring, monkeypatch)
    return keyring


@pytest.fixture
def locked(
    gnome: GnomeKeyring, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GnomeKeyring]:
    """A keyring of its own: a locked one cannot be unlocked without a desktop."""
    with running_keyring(tmp_path_factory.mktemp("locked")) as keyring:
        keyring.lock()
        _use(keyring, monkeypatch)
        yield keyring
    with warnings.catch_warnings():  # the library does not close its socket to a locked keyring
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _use(keyring: GnomeKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    for name, value in keyring.variables.items():
        monkeypatch.setenv(name, value)
    library.core.init_backend()


@pytest.fixture
def place(bare: Workplace, gnome: GnomeKeyring, running: RunningEmulator) -> Workplace:
    bare.use(running)
    return bare
