"""Writes age files: stores secrets in them, and encrypts them for other recipients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import InvalidConfiguration, SecretUnavailable, UsageError, did_you_mean
from reconciler.core.secret import Locator, Secret, SecretReference
from reconciler.manifests import load_manifests
from reconciler.manifests.secret_document import InvalidSecretDocument, read_secret_document, with_secrets
from reconciler.secrets.age import (
    NAME_KEY,
    check_name,
    content_of,
    decrypt,
    encrypt,
    identities,
    is_armored,
    recipients,
)
from reconciler.secrets.schemes import malformation, name_and_key
from reconciler.storage.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.state import DesiredConnection
    from reconciler.manifests import Loaded, Project
    from reconciler.secrets import SecretAccess

DEFAULT_GLOB: Final = "secrets/{organization}.age#*"
"""The entry of `secrets.age.allow` that permits the default files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretPlace:
    """The location of a connection's secret. ``is_declared``: its manifest refers to it already."""

    locator: Locator
    is_declared: bool
    refusal: str | None = None

    @property
    def file(self) -> str:
        """The age file, relative to the project file."""
        return name_and_key(self.locator)[0]


def place_of(address: str, project: Project, variables: Mapping[str, str]) -> SecretPlace:
    """Return the age file and key of a connection: those that its manifest refers to, or the default.

    Raises:
        UsageError: no connection has this address.
        InvalidConfiguration: there are errors, and it may be in one of the files that have them.
    """
    declared = _declared(address, load_manifests((), project, variables))
    reference = declared.connection.client_secret
    if isinstance(reference, SecretReference) and len(reference.parts) == 1:
        (locator,) = reference.locators
        if locator.scheme == "age":
            return SecretPlace(locator=locator, is_declared=True)
    names = declared.address
    locator = Locator("age", f"secrets/{names.organization}.age#{names.connection}")
    if flaw := malformation(locator):
        raise UsageError(
            f"no file has the name of {address}: {flaw}; declare its client_secret as ${{age:…}}"
        )
    refusal = project.secret_policy.check(locator, names)
    return SecretPlace(locator=locator, is_declared=False, refusal=refusal)


def put_secrets(secrets: Mapping[Locator, Secret], project: Project, access: SecretAccess) -> tuple[str, ...]:
    """Store secrets in their age files, for the recipients in the project file; return the files.

    Everything is encrypted before anything is written, and each file is replaced in one step. A new file
    needs no identity; an existing one is decrypted, and its other keys stay.

    Raises:
        SecretUnavailable: there are no recipients, or a file cannot be decrypted.
        UsageError: a file cannot be written, or was changed meanwhile.
    """
    keys = recipients(access.age)
    added: dict[str, dict[str, str]] = {}
    for locator, secret in secrets.items():
        file, key = name_and_key(locator)
        added.setdefault(file, {})[key] = secret.reveal()
    before: dict[str, bytes] = {}
    changed: dict[str, bytes] = {}
    for file, values in added.items():
        _check_inside(file, project)
        before[file] = content = _present(file, project, access)
        text = decrypt(content, file, identities(access)) if content else ""
        edited = _edited(_named(text, file, is_new=not content), values, file)
        changed[file] = encrypt(edited, keys, armored=not content or is_armored(content))
    _write(changed, before, project, access)
    return tuple(changed)


def age_files(project: Project, variables: Mapping[str, str]) -> tuple[str, ...]:
    """Return the age files that the manifests and the target refer to.

    Raises:
        InvalidConfiguration: a manifest has errors, so that a file could be missed.
    """
    loaded = load_manifests((), project, variables)
    errors = tuple(finding for finding in loaded.diagnostics if finding.is_error)
    if errors:
        raise InvalidConfiguration(errors)
    declared = (item.connection.client_secret for item in loaded.state.connections)
    references = [*project.target.references.values(), *declared]
    locators = [
        locator
        for reference in references
        if isinstance(reference, SecretReference)
        for locator in reference.locators
    ]
    return tuple(sorted({name_and_key(locator)[0] for locator in locators if locator.scheme == "age"}))


def encrypt_again(
    files: Iterable[str], project: Project, access: SecretAccess, *, are_renamed: bool = False
) -> None:
    """Encrypt age files for the current recipients; if one cannot be decrypted, none is written.

    Files that ``are_renamed`` may hold another name, and get the one that they have.

    Raises:
        SecretUnavailable: there are no recipients, or a file cannot be decrypted.
        UsageError: a file cannot be written, or was changed meanwhile.
    """
    keys, own = recipients(access.age), identities(access)
    before: dict[str, bytes] = {}
    changed: dict[str, bytes] = {}
    for file in files:
        _check_inside(file, project)
        before[file] = content = content_of(file, access)
        text = _named(decrypt(content, file, own), file, is_new=are_renamed)
        changed[file] = encrypt(text, keys, armored=is_armored(content))
    _write(changed, before, project, access)


def locks_out(project: Project, access: SecretAccess) -> bool:
    """Tell whether none of the available identities can decrypt files for the recipients."""
    try:
        own = identities(access)
    except SecretUnavailable:
        return False
    return not {str(identity.to_public()) for identity in own}.intersection(project.age.recipients)


def _declared(address: str, loaded: Loaded) -> DesiredConnection:
    connections = {str(item.address): item for item in loaded.state.connections}
    if address in connections:
        return connections[address]
    errors = tuple(finding for finding in loaded.diagnostics if finding.is_error)
    if errors:
        raise InvalidConfiguration(errors)
    hint = did_you_mean(address, list(connections))
    raise UsageError(f"no declared connection has the address {address!r}{f': {hint}' if hint else ''}")


def _check_inside(file: str, project: Project) -> None:
    """Make sure that an age file is inside the project after resolving links."""
    locator = Locator("age", f"{file}#key")
    refusal = malformation(locator) or project.secret_policy.without_limits().check(locator)
    if refusal:
        raise UsageError(f"cannot use the age file {file}: {refusal}")


def _named(text: str, file: str, *, is_new: bool) -> str:
    """Return the content of a file with its name in it."""
    try:
        if not is_new:
            check_name(read_secret_document(text), file)
    except InvalidSecretDocument as error:
        raise SecretUnavailable(f"what the age file {file} holds cannot be read: {error}") from None
    return _edited(text, {NAME_KEY: file}, file)


def _edited(text: str, values: Mapping[str, str], file: str) -> str:
    try:
        return with_secrets(text, values)
    except InvalidSecretDocument as error:
        raise SecretUnavailable(f"what the age file {file} holds cannot be changed: {error}") from None


def _present(file: str, project: Project, access: SecretAccess) -> bytes:
    """Return what is in a file now; nothing if there is none."""
    return content_of(file, access) if (project.root / file).exists() else b""


def _write(
    changed: Mapping[str, bytes], before: Mapping[str, bytes], project: Project, access: SecretAccess
) -> None:
    """Replace the files; none if somebody changed one since it was read, whose secrets would be lost."""
    for file in changed:
        if _present(file, project, access) != before[file]:
            raise UsageError(f"{file} was changed during the run: run it again")
    for file, content in changed.items():
        path = project.root / file
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot write {file}: {(error.strerror or '').lower()}") from error
        write_atomically(path, content)
