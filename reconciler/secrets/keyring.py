"""Secrets from the user's keyring: ``${keyring:SERVICE/USER}``, split at the last slash.

The library `keyring` selects the keyring: by PYTHON_KEYRING_BACKEND, the user's own
`keyringrc.cfg`, or what the desktop offers. Secrets are read one after the other, since a locked keyring asks
the person for a password at each call; the first failure of the keyring is the last call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.errors import SecretUnavailable, shell_word
from reconciler.core.secret import Secret
from reconciler.secrets.store import Entry, StoreUnavailable, import_library, read_each

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import ModuleType

    from reconciler.secrets.store import SecretAccess

PATIENCE: Final = 3
"""How many times longer the first read may take: the user may have to unlock the keyring."""


def open_store(access: SecretAccess) -> KeyringStore:
    """Return the store. Nothing is read yet.

    Raises:
        SecretUnavailable: the extra is missing.
    """
    return KeyringStore(import_library("keyring", "keyring"), access.seconds)


class KeyringStore:
    """The keyring that the library chooses."""

    def __init__(self, library: ModuleType, seconds: float) -> None:
        self._library = library
        self._seconds = seconds

    def read(self, names: Collection[str]) -> Mapping[str, Entry | SecretUnavailable]:
        """Return what is stored for each service and user.

        Raises:
            SecretUnavailable: there is no keyring, it is locked, or it does not answer.
        """
        entries: dict[str, Entry | SecretUnavailable] = {}
        for name in names:
            seconds = self._seconds if entries else self._seconds * PATIENCE
            answer = read_each([name], self._read, seconds=seconds)[name]
            if isinstance(answer, StoreUnavailable):
                raise answer
            entries[name] = answer
        return entries

    def _read(self, name: str) -> Entry:
        service, _, user = name.rpartition("/")
        password = self._password(service, user)
        if password is None:
            command = f"keyring set {shell_word(service)} {shell_word(user)}"
            raise SecretUnavailable(
                f"the keyring has no password for {user!r} at {service!r}: store it (`{command}`), or correct"
                " the reference",
                problem="the keyring has no such password",
            )
        if not password:
            raise SecretUnavailable(f"the password for {user!r} at {service!r} in the keyring is empty")
        return Entry({"": Secret(password)})

    def _password(self, service: str, user: str) -> str | None:
        errors = self._library.errors
        try:
            password: str | None = self._library.get_password(service, user)
        except errors.KeyringLocked:
            raise StoreUnavailable("the keyring is locked: unlock it, and run the command again") from None
        except errors.NoKeyringError:
            raise StoreUnavailable(
                "there is no keyring here: run in a session that has one, or choose another scheme"
            ) from None
        except UnicodeDecodeError:
            raise SecretUnavailable(
                f"the password for {user!r} at {service!r} in the keyring is not UTF-8; a secret is text"
            ) from None
        except Exception as error:  # a keyring is a plug-in, which can raise anything
            raise StoreUnavailable(
                f"the keyring cannot be used ({type(error).__name__}): check PYTHON_KEYRING_BACKEND, and the"
                " configuration of `keyring`"
            ) from error
        return password
