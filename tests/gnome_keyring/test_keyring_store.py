"""What a keyring answers: GNOME's, and keyrings that lock, hang or fail."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import keyring as library
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from reconciler.core.errors import SecretUnavailable
from reconciler.core.secret import Secret
from reconciler.secrets import SecretPolicy
from reconciler.secrets.keyring import open_store
from reconciler.secrets.store import SecretAccess

if TYPE_CHECKING:
    from tests.gnome_keyring import GnomeKeyring


def read(*names: str, seconds: float = 10) -> dict[str, str]:
    """Read secrets; return their values, or why there is none."""
    access = SecretAccess(policy=SecretPolicy(Path()), environment=os.environ, seconds=seconds)
    entries = open_store(access).read(names)
    return {
        name: str(entry) if isinstance(entry, SecretUnavailable) else _value(entry.values[""])
        for name, entry in entries.items()
    }


def _value(value: Secret | SecretUnavailable) -> str:
    assert isinstance(value, Secret)
    return value.reveal()


class Answering(KeyringBackend):
    """A keyring that answers as it is told, and counts."""

    priority = 9

    def __init__(self, answer: str | Exception | None = None, seconds: float = 0) -> None:
        self.answer = answer
        self.seconds = seconds
        self.calls = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.calls += 1
        time.sleep(self.seconds)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


def test_the_last_slash_ends_the_service(gnome: GnomeKeyring) -> None:
    gnome.store("sso/emea", "acme-okta", "first")
    assert read("sso/emea/acme-okta", "sso/emea/o'hara", "sso/emea") == {
        "sso/emea/acme-okta": "first",
        "sso/emea/o'hara": (
            """the keyring has no password for "o'hara" at 'sso/emea': store it"""
            """ (`keyring set sso/emea 'o'"'"'hara'`), or correct the reference"""
        ),
        "sso/emea": (
            "the keyring has no password for 'emea' at 'sso': store it (`keyring set sso emea`), or correct"
            " the reference"
        ),
    }


def test_a_locked_keyring_is_asked_once(locked: GnomeKeyring) -> None:
    with pytest.raises(
        SecretUnavailable, match=r"^the keyring is locked: unlock it, and run the command again$"
    ):
        read("sso/acme", "sso/globex")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (KeyringLocked("canary"), "the keyring is locked: "),
        (
            RuntimeError("canary"),
            r"the keyring cannot be used \(RuntimeError\): check PYTHON_KEYRING_BACKEND",
        ),
    ],
)
def test_nothing_more_is_asked_after_a_failure(answer: Exception, message: str) -> None:
    failing = Answering(answer)
    library.set_keyring(failing)
    with pytest.raises(SecretUnavailable, match=message) as caught:
        read("sso/acme", "sso/globex")
    assert (failing.calls, "canary" in str(caught.value)) == (1, False)


def test_a_keyring_that_does_not_answer() -> None:
    hanging = Answering("late", seconds=1)
    library.set_keyring(hanging)
    start = time.monotonic()
    with pytest.raises(SecretUnavailable, match="did not answer within"):
        read("sso/acme", "sso/globex", seconds=0.05)
    assert time.monotonic() - start < 0.9
    assert hanging.calls == 1


def test_a_person_has_time_to_unlock_it() -> None:
    library.set_keyring(Answering("value", seconds=0.2))
    assert read("sso/acme", seconds=0.1) == {"sso/acme": "value"}


def test_what_is_no_text() -> None:
    library.set_keyring(Answering(UnicodeDecodeError("utf-8", b"canary\xff", 6, 7, "invalid start byte")))
    assert read("sso/acme") == {
        "sso/acme": "the password for 'acme' at 'sso' in the keyring is not UTF-8; a secret is text"
    }
    library.set_keyring(Answering(""))
    assert read("sso/acme") == {"sso/acme": "the password for 'acme' at 'sso' in the keyring is empty"}
