"""Which secrets a manifest or a saved plan may refer to."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.core.secret import DEFAULT_ENV_ALLOW
from reconciler.secrets.allow_lists import allows
from reconciler.secrets.reserved_variables import OWN_PREFIXES, OWN_VARIABLES
from reconciler.secrets.schemes import KEY_SEPARATOR, STORES, is_same_place, malformation, name_and_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.address import Address
    from reconciler.core.secret import Locator, SecretReference

FILES_VARIABLE: Final = "RECONCILER_ALLOWED_FILES"

_KERNEL_DIRECTORIES: Final = (Path("/proc"), Path("/sys"))
_GIT_CREDENTIALS: Final = frozenset({".git", ".git-credentials", ".netrc"})


@dataclass(frozen=True, slots=True)
class SecretPolicy:
    """Which secrets may be read. ``root`` is the folder of the project file: ``file:`` paths start there.

    ``env_allow`` are globs; an empty one allows no variable. A file outside ``root`` has to match
    ``outside_allow``, which the environment sets, and ``file_allow`` of the project file if that says
    anything: a pull request can change the project file, so it can only narrow. ``store_allow`` are the
    globs of the other schemes; one without globs allows nothing. The forbidden ones win over every glob,
    as do all variables with a forbidden prefix. ``own`` are the references to the tool's credentials.
    """

    root: Path
    env_allow: tuple[str, ...] = DEFAULT_ENV_ALLOW
    file_allow: tuple[str, ...] | None = None
    outside_allow: tuple[str, ...] = ()
    store_allow: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    forbidden_env: frozenset[str] = OWN_VARIABLES
    forbidden_prefixes: tuple[str, ...] = OWN_PREFIXES
    own: tuple[SecretReference, ...] = ()

    @property
    def own_locators(self) -> tuple[Locator, ...]:
        """The places of the tool's credentials, which no manifest can use."""
        return tuple(locator for reference in self.own for locator in reference.locators)

    def without_limits(self) -> SecretPolicy:
        """Return the policy for the tool's own credentials, which may be anywhere."""
        return SecretPolicy(
            self.root,
            env_allow=("*",),
            outside_allow=("/*",),
            store_allow=dict.fromkeys(STORES, ("*",)),
            forbidden_env=frozenset(),
            forbidden_prefixes=(),
        )

    def with_allowed_files(self, environment: Mapping[str, str]) -> SecretPolicy:
        """Return the policy with the files outside the project that the environment allows.

        A glob that does not begin with a slash allows nothing: it would depend on the working directory.
        """
        globs = (glob.strip() for glob in environment.get(FILES_VARIABLE, "").split(","))
        return replace(self, outside_allow=tuple(glob for glob in globs if glob.startswith("/")))

    def forbids(self, variable: str) -> bool:
        """Tell whether an environment variable belongs to the tool, or to what runs it."""
        return (
            variable in self.forbidden_env
            or variable.startswith(self.forbidden_prefixes)
            or any(own.scheme == "env" and own.path == variable for own in self.own_locators)
        )

    def check(self, locator: Locator, address: Address | None = None) -> str | None:
        """Return why this may not be read for an address, or None. Looks at links, opens nothing."""
        if locator.scheme == "env":
            return self._check_variable(locator.path, address)
        if locator.scheme == "file":
            return self._check_file(locator.path)
        return self._check_store(locator, address)

    def file(self, path: str) -> Path:
        """Return the real file that ``file:PATH`` means, links followed."""
        return _real(self.root / path)

    def _check_variable(self, name: str, address: Address | None) -> str | None:
        if not (name.isidentifier() and name.isascii()):
            return "the name of an environment variable has letters, digits and underscores only"
        if self.forbids(name):
            return f"{name} is a credential of the reconciler or of CI and cannot be used in a manifest"
        if not allows(self.env_allow, "env", name, address):
            permitted = ", ".join(self.env_allow) or "no variable"
            return f"secrets.env.allow permits {permitted}: rename {name}, or add it in the project file"
        return None

    def _check_store(self, locator: Locator, address: Address | None) -> str | None:
        if flaw := malformation(locator):
            return flaw
        if any(is_same_place(locator, own) for own in self.own_locators):
            return "it is a credential of the reconciler itself and cannot be used in a manifest"
        if not allows(self.store_allow.get(locator.scheme, ()), locator.scheme, locator.path, address):
            permitted = ", ".join(self.store_allow.get(locator.scheme, ())) or "nothing"
            return f"secrets.{locator.scheme}.allow permits {permitted}: add it in the project file"
        return self._check_age_file(locator, address) if locator.scheme == "age" else None

    def _check_age_file(self, locator: Locator, address: Address | None) -> str | None:
        """Return why an age file may not be read; it is in the project, whatever the environment allows."""
        path, key = name_and_key(locator)
        if refusal := self._check_file(path):
            return refusal
        real, root = self.file(path), _real(self.root)
        if not real.is_relative_to(root):
            return "the file is outside the project's folder"
        target = f"{real.relative_to(root).as_posix()}{KEY_SEPARATOR}{key}"
        if not allows(self.store_allow.get("age", ()), "age", target, address):
            return "the file is a link to one that secrets.age.allow does not permit"
        return None

    def _check_file(self, path: str) -> str | None:
        if "\0" in path:
            return "the path of a file cannot hold a NUL character"
        try:
            return self._check_real(self.file(path)) or self._check_git(self.root / path)
        except (OSError, RuntimeError):
            return "the path cannot be followed (too long, or symbolic links that form a loop)"

    def _check_real(self, real: Path) -> str | None:
        files = (own.path for own in self.own_locators if own.scheme == "file")
        if any(_is_same_file(real, _real(self.root / file)) for file in files):
            return "the file holds a credential of the reconciler itself and cannot be used in a manifest"
        if any(real.is_relative_to(directory) for directory in _KERNEL_DIRECTORIES):
            return "system files (/proc, /sys) are never read"
        return None if real.is_relative_to(_real(self.root)) else self._check_outside(real)

    def _check_outside(self, real: Path) -> str | None:
        if not _matches(real, Path("/"), self.outside_allow):
            return (
                "the file is outside the project's folder, and the environment does not allow it: name it "
                f"in {FILES_VARIABLE} (globs over absolute paths)"
            )
        if self.file_allow is not None and not _matches(real, self.root, self.file_allow):
            return "the file is outside the project's folder, and secrets.file.allow does not permit it"
        return None

    def _check_git(self, path: Path) -> str | None:
        if _is_git_credential_file(path, self.root) or _is_git_credential_file(_real(path), _real(self.root)):
            return "Git keeps its own credentials there, which cannot be used in a manifest"
        return None


def _matches(real: Path, root: Path, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(str(real), _real_glob(root, glob)) for glob in globs)


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
