"""Which secrets a manifest or a saved plan may refer to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.secrets.reserved_variables import OWN_PREFIXES, OWN_VARIABLES

if TYPE_CHECKING:
    from reconciler.core.secret import Locator

_KERNEL_DIRECTORIES: Final = (Path("/proc"), Path("/sys"))
_GIT_CREDENTIALS: Final = frozenset({".git", ".git-credentials", ".netrc"})


@dataclass(frozen=True, slots=True)
class SecretPolicy:
    """Which secrets may be read. ``root`` is the folder of the project file: ``file:`` paths start there.

    ``env_allow`` and ``file_allow`` are globs; an empty ``env_allow`` allows no variable, and
    ``file_allow`` adds places outside ``root``. The forbidden ones win over every glob, as do all
    variables with a forbidden prefix.
    """

    root: Path
    env_allow: tuple[str, ...] = ("*",)
    file_allow: tuple[str, ...] = ()
    forbidden_env: frozenset[str] = OWN_VARIABLES
    forbidden_prefixes: tuple[str, ...] = OWN_PREFIXES
    forbidden_files: frozenset[Path] = frozenset()

    def without_limits(self) -> SecretPolicy:
        """Return the policy for the tool's own credentials, which may be anywhere."""
        return SecretPolicy(self.root, file_allow=("*",), forbidden_env=frozenset(), forbidden_prefixes=())

    def forbids(self, variable: str) -> bool:
        """Tell whether an environment variable belongs to the tool, or to what runs it."""
        return variable in self.forbidden_env or variable.startswith(self.forbidden_prefixes)

    def check(self, locator: Locator) -> str | None:
        """Return why this may not be read, or None if it may. Looks at links, opens nothing."""
        if locator.scheme == "env":
            return self._check_variable(locator.path)
        if locator.scheme == "file":
            return self._check_file(locator.path)
        return None

    def file(self, path: str) -> Path:
        """Return the real file that ``file:PATH`` means, links followed."""
        return _real(self.root / path)

    def _check_variable(self, name: str) -> str | None:
        if not (name.isidentifier() and name.isascii()):
            return "the name of an environment variable has letters, digits and underscores only"
        if self.forbids(name):
            return f"{name} is a credential of the reconciler or of CI and cannot be used in a manifest"
        if not _allowed(name, self.env_allow):
            return f"{name} is not among the variables that secrets.env.allow permits"
        return None

    def _check_file(self, path: str) -> str | None:
        if "\0" in path:
            return "the path of a file cannot hold a NUL character"
        try:
            return self._check_real(self.file(path)) or self._check_git(self.root / path)
        except (OSError, RuntimeError):
            return "the path cannot be followed (too long, or symbolic links that form a loop)"

    def _check_real(self, real: Path) -> str | None:
        if any(_is_same_file(real, _real(self.root / file)) for file in self.forbidden_files):
            return "the file holds a credential of the reconciler itself and cannot be used in a manifest"
        if any(real.is_relative_to(directory) for directory in _KERNEL_DIRECTORIES):
            return "system files (/proc, /sys) are never read"
        if not real.is_relative_to(_real(self.root)) and not self._allows_outside(real):
            return "the file is outside the project's folder, and secrets.file.allow does not permit it"
        return None

    def _check_git(self, path: Path) -> str | None:
        if _is_git_credential_file(path, self.root) or _is_git_credential_file(_real(path), _real(self.root)):
            return "Git keeps its own credentials there, which cannot be used in a manifest"
        return None

    def _allows_outside(self, real: Path) -> bool:
        return any(fnmatchcase(str(real), _real_glob(self.root, glob)) for glob in self.file_allow)


@lru_cache(maxsize=4096)
def _allowed(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


@lru_cache(maxsize=256)
def _real_glob(root: Path, glob: str) -> str:
    """Return the glob from the root folder on, with the links before its first wildcard followed."""
    whole = Path(os.path.normpath(root / glob))
    fixed = next(
        (index for index, part in enumerate(whole.parts) if set(part) & set("*?[")), len(whole.parts)
    )
    return str(_real(Path(*whole.parts[:fixed])).joinpath(*whole.parts[fixed:]))


def _real(path: Path) -> Path:
    real = path.resolve()
    try:
        real.readlink()
    except OSError:
        return real  # no link is left
    raise RuntimeError("symbolic links form a loop")  # from Python 3.13 on, resolve() ignores loops


def _is_git_credential_file(file: Path, root: Path) -> bool:
    """Tell whether a file is where Git, or the checkout step of a CI job, stores tokens."""
    below = file.relative_to(root) if file.is_relative_to(root) else file
    return any(part.casefold() in _GIT_CREDENTIALS for part in below.parts)


def _is_same_file(first: Path, second: Path) -> bool:
    """Tell whether two paths lead to one file, hard links included."""
    return first == second or (first.exists() and second.exists() and first.samefile(second))
