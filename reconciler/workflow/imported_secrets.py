"""Encrypts the live secrets of imported connections into age files; existing values are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, SecretUnavailable, Severity, shell_word
from reconciler.secrets.age import open_store
from reconciler.secrets.schemes import name_and_key
from reconciler.secrets.store import Entry
from reconciler.workflow.age_files import put_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.secret import Locator, Secret
    from reconciler.manifests import Project
    from reconciler.manifests.export import LiveSecret
    from reconciler.secrets import SecretAccess


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecrets:
    """The files that were written, the number of secrets in them, and why others were not stored."""

    files: tuple[str, ...] = ()
    count: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()


def store_secrets(secrets: Iterable[LiveSecret], project: Project, access: SecretAccess) -> StoredSecrets:
    """Store live secrets in the age files that manifests refer to; secrets in other stores are skipped.

    Nothing is decrypted for a file that is new, and nothing is written but encrypted.

    Raises:
        UsageError: a file cannot be written.
    """
    secrets = [secret for secret in secrets if secret.locator.scheme == "age"]
    present = _present({name_and_key(secret.locator)[0] for secret in secrets}, project, access)
    new: dict[Locator, Secret] = {}
    diagnostics = []
    for secret in secrets:
        reason = _why_not_stored(secret, present)
        if reason:
            diagnostics.append(_not_stored(secret, reason))
        elif secret.value is not None and not _is_present(secret, present):
            new[secret.locator] = secret.value
    try:
        files = put_secrets(new, project, access) if new else ()
    except SecretUnavailable as error:
        failed = [_not_stored(secret, str(error)) for secret in secrets if secret.locator in new]
        return StoredSecrets(diagnostics=(*diagnostics, *failed))
    return StoredSecrets(files=files, count=len(new), diagnostics=tuple(diagnostics))


def _present(
    files: Iterable[str], project: Project, access: SecretAccess
) -> Mapping[str, Entry | SecretUnavailable]:
    """Return the contents of the existing files."""
    existing = sorted(file for file in files if (project.root / file).exists())
    try:
        return open_store(access).read(existing) if existing else {}
    except SecretUnavailable as error:
        return dict.fromkeys(existing, error)


def _why_not_stored(secret: LiveSecret, present: Mapping[str, Entry | SecretUnavailable]) -> str | None:
    file, key = name_and_key(secret.locator)
    entry = present.get(file)
    is_taken = isinstance(entry, Entry) and key in entry.values
    if secret.value is None:
        return None if is_taken else "the API does not show it"
    if isinstance(entry, SecretUnavailable):
        return str(entry)
    if is_taken and not _is_present(secret, present):
        return f"{file} holds another value at {key!r}, which stays"
    return None


def _is_present(secret: LiveSecret, present: Mapping[str, Entry | SecretUnavailable]) -> bool:
    """Tell whether a file has the value already."""
    file, key = name_and_key(secret.locator)
    entry = present.get(file)
    return isinstance(entry, Entry) and entry.values.get(key) == secret.value


def _not_stored(secret: LiveSecret, reason: str) -> Diagnostic:
    return Diagnostic(
        Severity.WARNING,
        "secret-not-stored",
        f"the live secret of {secret.address} was not stored: {reason}",
        detail=f"its manifest refers to {secret.locator}",
        hint=f"store it with `reconciler secrets encrypt {shell_word(str(secret.address))}`",
        address=str(secret.address),
    )
