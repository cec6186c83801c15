"""Secrets from KV secrets engines (version 1 and 2) of Vault or OpenBao: ``${vault:PATH#KEY}``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from threading import RLock
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from reconciler.core.errors import SecretUnavailable
from reconciler.secrets.store import Entry, read_each, text_values
from reconciler.secrets.vault_connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from reconciler.http.json_fields import JsonObject
    from reconciler.secrets.store import SecretAccess
    from reconciler.secrets.vault_connection import HttpResponse, VaultConnection

EXPIRES_ON: Final = "expires_on"
"""The key of a secret's custom metadata (KV 2) with its expiry date."""

_KV_TYPES: Final = {"kv", "generic"}
_KV_VERSIONS: Final = {1, 2}


@dataclass(frozen=True, slots=True)
class Mount:
    """The mount path and the version of a KV secrets engine."""

    path: str
    version: int

    def holds(self, path: str) -> bool:
        """Tell whether a path is below this mount, or is the mount itself."""
        return bool(self.path) and f"{path}/".startswith(f"{self.path}/")


def open_store(access: SecretAccess) -> VaultStore:
    """Return the store at VAULT_ADDR. No request is sent yet; a run logs in once.

    Raises:
        SecretUnavailable: the extra is missing, or a variable is missing or malformed.
    """
    if "vault" not in access.logins:
        access.logins["vault"] = connect(access.environment, access.seconds)
    return VaultStore(access.logins["vault"], access.seconds)


class VaultStore:
    """Reads each path once, whichever keys are needed, as ``vault kv get PATH`` does.

    The path of a secret has the same form in both versions. The ``data/`` in the API of KV 2 is no part of
    it, so that a secret has one spelling, and an allow list one meaning.
    """

    def __init__(self, vault: VaultConnection, seconds: float) -> None:
        self._vault = vault
        self._seconds = seconds
        self._lock = RLock()
        self._mounts: list[Mount] = []
        self._is_token_valid: bool | None = None

    def read(self, names: Collection[str]) -> Mapping[str, Entry | SecretUnavailable]:
        """Return the secret at each path.

        Raises:
            SecretUnavailable: the credentials are not accepted, or there is no answer.
        """
        try:
            login = read_each(["login"], lambda _name: self._vault.log_in(), seconds=self._seconds)["login"]
            if login is not None:
                raise login
            return read_each(names, self._read, seconds=self._seconds)
        finally:
            self._vault.client.adapter.close()

    def _read(self, path: str) -> Entry:
        mount = self._mount(path)
        name = path.removeprefix(mount.path).removeprefix("/")
        if not name:
            raise SecretUnavailable(f"vault:{path} is a store itself: add the path of a secret in it")
        answer = self._vault.ask(self._call(mount, name))
        if answer.is_denied:
            raise self._denied(path, f"`{mount.path}/data/{name}`" if mount.version > 1 else f"`{path}`")
        data = answer.document.child("data")
        if answer.status != HTTPStatus.OK:
            raise _unreadable(path, name, answer.status, data)
        if mount.version == 1:
            return Entry(text_values(data.values))
        metadata = data.child("metadata").child("custom_metadata")
        return Entry(text_values(data.child("data").values), metadata.text(EXPIRES_ON))

    def _call(self, mount: Mount, name: str) -> Callable[[], HttpResponse]:
        kv = self._vault.client.secrets.kv
        if mount.version == 1:
            return partial(kv.v1.read_secret, name, mount_point=mount.path)
        return partial(kv.v2.read_secret_version, name, mount_point=mount.path, raise_on_deleted_version=True)

    def _mount(self, path: str) -> Mount:
        """Return the mount of a path; each mount is looked up once."""
        with self._lock:
            for mount in self._mounts:
                if mount.holds(path):
                    return mount
            mount = self._find_mount(path)
            self._mounts.append(mount)
            return mount

    def _find_mount(self, path: str) -> Mount:
        """Look up the mount as Vault's CLI does; any permission below the mount suffices."""
        url = f"/v1/sys/internal/ui/mounts/{quote(path)}"
        answer = self._vault.ask(lambda: self._vault.client.adapter.get(url))
        data = answer.document.child("data")
        if answer.is_denied or answer.status == HTTPStatus.NOT_FOUND:  # there is no such namespace
            raise self._denied(path, "it")
        if answer.status != HTTPStatus.OK:
            raise _unreadable(path, path, answer.status, data)
        version = data.child("options").text("version") or "1"
        mount = Mount(data.text("path").strip("/"), int(version) if version.isdecimal() else 0)
        if data.text("type") not in _KV_TYPES or mount.version not in _KV_VERSIONS or not mount.holds(path):
            raise SecretUnavailable(
                f"vault:{path} is not in a store for keys and values (KV 1 or 2): nothing else is read",
                problem="it is not in a store for keys and values",
            )
        return mount

    def _denied(self, path: str, policy_path: str) -> SecretUnavailable:
        """Explain a denial. Vault does not say whether the path exists, so neither do we."""
        with self._lock:
            if self._is_token_valid is None:
                self._is_token_valid = self._vault.has_valid_token()
        if not self._is_token_valid:
            return SecretUnavailable(self._vault.rejected_token)
        return SecretUnavailable(
            f"Vault denies access to {path}, or there is no such path: correct it, or let a policy of the "
            f"token permit `read` on {policy_path}",
            problem="Vault denies access, or there is no such path",
        )


def _unreadable(path: str, name: str, status: int, data: JsonObject) -> SecretUnavailable:
    if status != HTTPStatus.NOT_FOUND:
        return SecretUnavailable(
            f"Vault answers with the error {status} for {path}",
            problem=f"Vault answers with the error {status}",
        )
    if data.values:
        return SecretUnavailable(
            f"the latest version of vault:{path} is deleted: restore it, or store a new one",
            problem="its latest version is deleted",
        )
    hint = ", without `data/`" if name.startswith("data/") else ""
    return SecretUnavailable(
        f"there is no secret at vault:{path}: store it, or correct the path{hint}",
        problem="there is no secret at this path",
    )
