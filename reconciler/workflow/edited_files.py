"""Edits manifest files: all edits of a run are computed first, then each file is replaced in one step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.errors import UsageError
from reconciler.storage.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests import ManifestFile
    from reconciler.manifests.editing import Edit, ManifestEditor, RefusedEdit


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedFile:
    """A file, its content before and after the edits, what it declares then, and what was not edited."""

    file: ManifestFile
    before: bytes
    after: bytes
    declared: tuple[DesiredOrganization, ...]
    refused: tuple[RefusedEdit, ...]

    def check_unchanged(self) -> None:
        """Check that nobody changed the file meanwhile.

        Raises:
            UsageError: somebody did, or it cannot be read.
        """
        if _read(self.file) != self.before:
            raise _changed(self.file)


def write_files(edited: Sequence[EditedFile]) -> None:
    """Replace the files that an edit changes, each in one step.

    Raises:
        UsageError: a file was changed meanwhile, so that none is written; or one cannot be written.
    """
    changed = [file for file in edited if file.after != file.before]
    for file in changed:
        file.check_unchanged()
    for file in changed:
        file.check_unchanged()
        write_atomically(Path(file.file.path), file.after.decode())


def edit_file(file: ManifestFile, edits: Sequence[Edit], editor: ManifestEditor) -> EditedFile:
    """Return a file with its edits made, without writing it.

    Raises:
        UsageError: it cannot be read, or no longer declares what was read from it before.
    """
    content = _read(file)
    if editor.declared(content, file.display_path) != file.organizations:
        raise _changed(file)
    after, refused = editor.edited(content, file.display_path, edits)
    return EditedFile(
        file=file,
        before=content,
        after=after,
        declared=editor.declared(after, file.display_path),
        refused=refused,
    )


def _read(file: ManifestFile) -> bytes:
    try:
        return Path(file.path).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file.display_path}: {error.strerror or error}") from error


def _changed(file: ManifestFile) -> UsageError:
    return UsageError(f"{file.display_path} was changed during the run: run it again")
