"""Chooses names for imported connections, files and variables, and writes ``.env.example``."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import UsageError
from reconciler.core.secret import Locator
from reconciler.secrets import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from reconciler.core.address import Address
    from reconciler.core.connection import OidcConnection
    from reconciler.secrets import SecretPolicy

_LONGEST: Final = 60
_LONGEST_STEM: Final = 128
_STEM: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9_-])?")
_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9]|lpt[0-9])(?:\..*)?")
"""What Windows takes for a device, whatever follows the dot (Microsoft: naming files)."""

_SUFFIX: Final = "_CLIENT_SECRET"

ENV_EXAMPLE: Final = ".env.example"

_ENV_EXAMPLE_HEADER: Final = """\
# The client secrets that the manifests refer to. Copy this file, keep the copy out of Git, and set
# each variable to the secret of its connection.
"""
_PLACEHOLDERS: Final = ("{organization}", "{connection}")
_SAFE_IN_PATHS: Final = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*")
_ASSIGNMENT: Final = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Variable:
    """The environment variable for the client secret of an address."""

    name: str
    address: Address


def connection_names(connections: Sequence[OidcConnection], reserved: Collection[str] = ()) -> dict[str, str]:
    """Return a name for each connection_id: from its display_name, valid, unique and not reserved.

    No name is another connection's display_name, since an undeclared display_name defaults to it.
    """
    names: dict[str, str] = {}
    display_names = Counter(connection.display_name for connection in connections)
    for connection in sorted(connections, key=lambda connection: connection.connection_id or ""):
        own = connection.display_name
        others = {name for name, number in display_names.items() if name != own or number > 1}
        taken = {*reserved, *names.values(), *others}
        candidates = _numbered(_base(connection))
        names[connection.connection_id or ""] = next(name for name in candidates if name not in taken)
    return names


def file_stem(slug: str, organization_id: str) -> str:
    """Return the name of an organization's file, without ending.

    A slug that is a safe file name everywhere is used as it is; any other is simplified and gets a
    digest of the organization_id, so that no two organizations share a name.
    """
    if _STEM.fullmatch(slug) and len(slug) <= _LONGEST_STEM and not _DEVICES.fullmatch(slug):
        return slug
    return unique_stem(slug, organization_id)


def unique_stem(slug: str, organization_id: str) -> str:
    """Return the name of an organization's file if the plain one is taken."""
    digest = hashlib.sha256(organization_id.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{_plain(slug) or 'organization'}-{digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretTemplate:
    """How manifests refer to secrets: by a variable of its own for each, by a template, or not at all."""

    scheme: str = "env"
    path: str = ""
    is_managed: bool = True

    @classmethod
    def parse(cls, text: str) -> SecretTemplate:
        """Read ``env``, ``none`` or ``SCHEME:TEMPLATE``.

        Raises:
            UsageError: the scheme is unknown, or the template gives two connections one reference.
        """
        if text in {"env", "none"}:
            return cls(is_managed=text == "env")
        scheme, _, path = text.partition(":")
        word = repr(text)
        if not path or scheme not in SCHEMES:
            known = ", ".join(f"{name}:TEMPLATE" for name in SCHEMES)
            raise UsageError(f"unknown --secrets {word}; known: env, none, {known}")
        if missing := [name for name in _PLACEHOLDERS if name not in path]:
            raise UsageError(
                f"--secrets {word} lacks {' and '.join(missing)}: connections would share one secret; "
                f"write for example {scheme}:{'_'.join(_PLACEHOLDERS)}_CLIENT_SECRET"
            )
        return cls(scheme=scheme, path=path)

    def locator(self, address: Address) -> Locator:
        """Return where the template says that the secret of an address is."""
        names = (address.organization, address.connection)
        path = self.path
        for placeholder, name in zip(_PLACEHOLDERS, names, strict=True):
            path = path.replace(placeholder, _words(name) if self.scheme == "env" else _path_part(name))
        return Locator(self.scheme, path)


BY_VARIABLE: Final = SecretTemplate()


class VariableNames:
    """Gives every address its own reference for its secret, such as ``${env:ACME_OKTA_CLIENT_SECRET}``."""

    def __init__(
        self, policy: SecretPolicy, taken: Iterable[Locator] = (), template: SecretTemplate = BY_VARIABLE
    ) -> None:
        self.template = template
        self._policy = policy
        self._taken = set(taken)

    def locator_for(self, address: Address) -> Locator | None:
        """Return an unused locator; None if the project file permits no fitting one."""
        if not self.template.path:
            name = self.name_for(address)
            return Locator("env", name) if name else None
        locator = self.template.locator(address)
        if self._policy.check(locator) is not None or locator in self._taken:
            return None
        self._taken.add(locator)
        return locator

    def name_for(self, address: Address) -> str | None:
        """Return an unused name; None if the project file permits no fitting one."""
        for candidate in self._permitted(_words(str(address))):
            locator = Locator("env", candidate)
            if locator not in self._taken:
                self._taken.add(locator)
                return candidate
        return None

    def _permitted(self, words: str) -> Iterator[str]:
        """Yield the permitted names for an address, numbered ones last."""
        for pattern in ("*", *self._policy.env_allow):
            if self._is_permitted(name := _fitted(pattern, words)):
                yield name
                yield from (
                    numbered
                    for number in range(2, 10_000)
                    if self._is_permitted(numbered := _fitted(pattern, f"{words}_{number}"))
                )

    def _is_permitted(self, name: str) -> bool:
        return self._policy.check(Locator("env", name)) is None


def listed_variables(text: str) -> frozenset[str]:
    """Return the names of the variables in the text of a ``.env.example``."""
    return frozenset(_ASSIGNMENT.findall(text))


def add_variables(text: str, variables: Iterable[Variable]) -> str:
    """Return the text of a ``.env.example`` with a line for each variable added."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = "".join(f"# {variable.address}{newline}{variable.name}={newline}" for variable in variables)
    existing = text if not text or text.endswith("\n") else text + newline
    return (existing or _ENV_EXAMPLE_HEADER) + lines if lines else text


def _base(connection: OidcConnection) -> str:
    return (
        _plain(connection.masked().display_name or "")
        or _plain(connection.identity_provider or "")
        or "connection"
    )


def _numbered(base: str) -> Iterator[str]:
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def _plain(text: str) -> str:
    """Return lower-case letters, digits and single hyphens, from text in any script."""
    ascii_only = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only)[:_LONGEST].strip("-")


def _path_part(name: str) -> str:
    return name if _SAFE_IN_PATHS.fullmatch(name) else _plain(name) or "connection"


def _words(address: str) -> str:
    words = re.sub(r"[^A-Z0-9]+", "_", address.upper()).strip("_")
    # GitHub does not accept these as the name of a secret
    return f"ORG_{words}" if words[:1].isdigit() or words.startswith("GITHUB_") else words


def _fitted(pattern: str, words: str) -> str:
    """Return a name that a glob permits: ``OIDC_*`` gives ``OIDC_ACME_OKTA_CLIENT_SECRET``."""
    before, _, after = pattern.partition("*")
    stem = words if after == _SUFFIX else words + _SUFFIX
    return before + stem + after
