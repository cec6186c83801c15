"""Secrets from files of the project that are encrypted with age: ``${age:FILE#KEY}``.

Anyone who can open a pull request can copy an encrypted file to the name of another organization without
decrypting it. So the files that we write contain their own name under `NAME_KEY`, and copies are refused.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.errors import SecretUnavailable, shell_word
from reconciler.core.secret import Secret
from reconciler.secrets.file import read_file, reason_of
from reconciler.secrets.resolve import resolve_reference
from reconciler.secrets.store import Entry, StoreUnavailable, import_library, read_each

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reconciler.secrets.store import AgeSettings, SecretAccess

MAX_BYTES: Final = 2 * 1024 * 1024

NAME_KEY: Final = ".file"
"""The key of a file's own name; no connection has a name that begins with a dot."""

MAX_RECIPIENTS: Final = 100
"""The library's time grows with the square of their number, and it lets nothing else run meanwhile."""

_STANZA: Final = b"\n-> "
_ARMOR: Final = b"-----BEGIN AGE ENCRYPTED FILE-----"
_HEADER: Final = b"age-encryption.org/v1"
_PREFIX: Final = "AGE-SECRET-KEY-1"
_NO_MATCH: Final = "No matching keys found"
"""pyrage's message if no identity can decrypt a file (1.4)."""


def open_store(access: SecretAccess) -> AgeStore:
    """Return the store of the age files, which the identity of the project file decrypts.

    Raises:
        SecretUnavailable: the extra is not installed, or there is no usable identity.
    """
    return AgeStore(access, identities(access))


class AgeStore:
    """Age files by path; each is decrypted once."""

    def __init__(self, access: SecretAccess, keys: Sequence[Any]) -> None:
        self._access = access
        self._keys = keys

    def read(self, names: Collection[str]) -> Mapping[str, Entry | SecretUnavailable]:
        """Return the content of each file; values that are not text are unavailable."""
        return read_each(names, self._entry, seconds=self._access.seconds)

    def _entry(self, path: str) -> Entry:
        text = decrypt(content_of(path, self._access), path, self._keys)
        try:
            values = self._access.read_document(text)
        except ValueError as error:
            raise SecretUnavailable(f"what the age file {path} holds cannot be read: {error}") from None
        check_name(values, path)
        return Entry({key: _secret(value, key, path) for key, value in values.items() if key != NAME_KEY})


def check_name(values: Mapping[str, str | None], path: str) -> None:
    """Check that a file has the name that it contains.

    Raises:
        SecretUnavailable: it was encrypted under another name.
    """
    if values.get(NAME_KEY, path) != path:
        raise SecretUnavailable(
            f"the age file {path} is a copy of another file, perhaps of another organization's secrets; "
            f"if it was renamed, run `reconciler secrets rekey --renamed {shell_word(path)}`",
            problem="the age file is a copy of another file",
        )


def identities(access: SecretAccess) -> Sequence[Any]:
    """Return the identities of the project file: as `age-keygen` writes them, comments and all.

    Raises:
        SecretUnavailable: the extra is not installed, or there is no usable identity.
    """
    pyrage = import_library("pyrage", "age")
    if access.age.identity is None:
        raise StoreUnavailable(
            "no age identity: write `secrets: {age: {identity: ${env:AGE_IDENTITY}}}` in the project file"
        )
    try:
        text = resolve_reference(access.age.identity, _own_access(access)).reveal()
    except SecretUnavailable as error:
        raise StoreUnavailable(f"the age identity is not available: {error}") from None
    lines = [line.strip() for line in text.splitlines()]
    keys = [line for line in lines if line and not line.startswith("#")]
    try:
        if keys and all(key.startswith(_PREFIX) for key in keys):
            return [pyrage.x25519.Identity.from_str(key) for key in keys]
    except pyrage.IdentityError:
        pass
    raise StoreUnavailable(
        f"{access.age.identity} holds no age identity: it needs a line that begins with {_PREFIX}"
    )


def recipients(settings: AgeSettings) -> Sequence[Any]:
    """Return the recipients of the project file, for whom files are encrypted.

    Raises:
        SecretUnavailable: there are none, one is invalid, or the extra is not installed.
    """
    pyrage = import_library("pyrage", "age")
    if not settings.recipients:
        raise SecretUnavailable(
            "no recipients: name at least the public key of the identity in `secrets.age.recipients`"
        )
    if len(settings.recipients) > MAX_RECIPIENTS:
        raise SecretUnavailable(f"`secrets.age.recipients` has more than {MAX_RECIPIENTS} keys: remove some")
    try:
        return [pyrage.x25519.Recipient.from_str(recipient) for recipient in settings.recipients]
    except pyrage.RecipientError:
        raise SecretUnavailable("`secrets.age.recipients` has an invalid public key: copy it again") from None


def content_of(path: str, access: SecretAccess) -> bytes:
    """Return an age file as it is.

    Raises:
        SecretUnavailable: it cannot be read, or is too large.
    """
    try:
        content = read_file(access.policy.file(path), MAX_BYTES)
    except (OSError, RuntimeError) as error:
        raise SecretUnavailable(
            f"the age file {path} cannot be read: {reason_of(error)}",
            problem=f"the age file cannot be read: {reason_of(error)}",
        ) from None
    if len(content) > MAX_BYTES:
        raise SecretUnavailable(f"the age file {path} is larger than {MAX_BYTES // 1024**2} MiB: split it")
    return content


def decrypt(content: bytes, path: str, keys: Sequence[Any]) -> str:
    """Return the text in an age file.

    Raises:
        SecretUnavailable: it is not an age file, damaged, for other recipients, or holds no text.
    """
    if not is_armored(content) and not content.startswith(_HEADER):
        raise SecretUnavailable(
            f"{path} is not an age file: encrypt it with `reconciler secrets encrypt`, or with age",
            problem="it is not an age file",
        )
    if _recipients_of(content) > MAX_RECIPIENTS + 1:  # some libraries add one that nobody is
        raise SecretUnavailable(
            f"the age file {path} is encrypted for more than {MAX_RECIPIENTS} recipients: restore it from "
            "Git, or encrypt it for fewer",
            problem=f"the age file is encrypted for more than {MAX_RECIPIENTS} recipients",
        )
    pyrage = import_library("pyrage", "age")
    try:
        return str(pyrage.decrypt(content, list(keys)), "utf-8")
    except pyrage.DecryptError as error:
        if str(error) == _NO_MATCH:
            raise SecretUnavailable(
                f"the age file {path} is not encrypted for this identity: ask a recipient of it to run "
                "`reconciler secrets rekey`",
                problem="the age file is not encrypted for this identity",
            ) from None
        raise SecretUnavailable(f"the age file {path} is damaged: restore it from Git") from None
    except UnicodeDecodeError:
        # the cause would carry the content
        raise SecretUnavailable(f"the age file {path} does not contain text") from None


def encrypt(text: str, keys: Sequence[Any], *, armored: bool = True) -> bytes:
    """Return a text encrypted for the recipients."""
    encrypted: bytes = import_library("pyrage", "age").encrypt(text.encode(), list(keys), armored=armored)
    return encrypted


def is_armored(content: bytes) -> bool:
    """Tell whether an age file is in the armored form, which is text."""
    return content.lstrip().startswith(_ARMOR)


def _recipients_of(content: bytes) -> int:
    """Return for how many recipients a file is encrypted; 0 for an armored file that is damaged."""
    if is_armored(content):
        body = content.partition(_ARMOR)[2].partition(b"-----")[0]
        try:
            content = base64.b64decode(body)
        except binascii.Error:
            return 0
    return content.count(_STANZA)


def _own_access(access: SecretAccess) -> SecretAccess:
    """Return the access to the identity: any variable, and the files that manifests could use, too."""
    return access.without_limits(access.policy.outside_allow)


def _secret(value: str | None, key: str, path: str) -> Secret | SecretUnavailable:
    if value is None:
        return SecretUnavailable(
            f"the value of {key!r} in the age file {path} is not text: quote it",
            problem="the value is not text: quote it",
        )
    if not value:
        return SecretUnavailable(f"the value of {key!r} in the age file {path} is empty")
    return Secret(value)
