"""Chooses names for imported connections, files and variables, and writes ``.env.example``."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.address import Address
from reconciler.core.errors import UsageError
from reconciler.core.secret import Locator
from reconciler.secrets import SCHEMES
from reconciler.secrets.allow_lists import PLACEHOLDERS, names_in
from reconciler.secrets.allow_lists import flaw as glob_flaw
from reconciler.secrets.schemes import STORES, malformation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

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
_NO_VARIABLE: Final = "the project file permits no fitting reference (secrets.env)"
_EXAMPLES: Final = {
    "env": "{organization}_{connection}_CLIENT_SECRET",
    "file": "secrets/{organization}/{connection}",
    "age": "secrets/{organization}.age#{connection}",
    "vault": "sso/{organization}#{connection}",
    "aws-sm": "sso/{organization}#{connection}",
    "keyring": "sso/{organization}/{connection}",
}
_SAMPLE: Final = Address("organization", "connection")
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
            UsageError: the scheme is unknown, no reference has such a form, or two connections get the same.
        """
        if text in {"env", "none"}:
            return cls(is_managed=text == "env")
        scheme, _, path = text.partition(":")
        word = repr(text)
        if not path or scheme not in SCHEMES:
            known = ", ".join(f"{name}:TEMPLATE" for name in SCHEMES)
            raise UsageError(f"unknown --secrets {word}; known: env, none, {known}")
        hint = f"write for example {scheme}:{_EXAMPLES[scheme]}"
        if missing := [name for name in PLACEHOLDERS if name not in path]:
            raise UsageError(
                f"--secrets {word} lacks {' and '.join(missing)}: connections would share one secret; {hint}"
            )
        template = cls(scheme=scheme, path=path)
        if set(path.replace(PLACEHOLDERS[0], "").replace(PLACEHOLDERS[1], "")) & set("{}$"):
            raise UsageError(
                f"--secrets {word}: {{organization}} and {{connection}} are the only placeholders; {hint}"
            )
        sample = template.locator(_SAMPLE)
        if sample and scheme in STORES and (flaw := malformation(sample)):
            raise UsageError(f"--secrets {word}: {flaw}; {hint}")
        return template

    def why_not_permitted(self, policy: SecretPolicy) -> str | None:
        """Return what to add if the project file permits nothing of the scheme."""
        if self.scheme not in STORES or policy.store_allow.get(self.scheme):
            return None
        add = f'secrets: {{{self.scheme}: {{allow: ["{self.path}"]}}}}'
        if flaw := glob_flaw(self.path, self.scheme):
            add = f"a glob to secrets.{self.scheme}.allow; the template itself cannot be one: {flaw}"
        return f"the project file permits no secret of the scheme {self.scheme}: add {add}"

    def locator(self, address: Address) -> Locator | None:
        """Return where the template says that the secret of an address is; None if a name cannot be in it."""
        if self.scheme in STORES:  # by names as they are: allow lists know no others
            named = names_in(self.path, self.scheme, address)
            return None if named is None else Locator(self.scheme, named)
        path = self.path
        for placeholder, name in zip(PLACEHOLDERS, (address.organization, address.connection), strict=True):
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

    def locator_for(self, address: Address) -> Locator | str:
        """Return an unused locator, or why there is none."""
        if not self.template.path:
            name = self.name_for(address)
            return Locator("env", name) if name else _NO_VARIABLE
        locator = self.template.locator(address)
        if locator is None:
            return f"a template cannot hold {address.organization!r}; write its reference by hand"
        if refusal := self._policy.check(locator, address):
            return refusal
        if locator in self._taken:
            return "another connection has the same reference"
        self._taken.add(locator)
        return locator

    def name_for(self, address: Address) -> str | None:
        """Return an unused name; None if the project file permits no fitting one."""
        for candidate in self._permitted(address):
            locator = Locator("env", candidate)
            if locator not in self._taken:
                self._taken.add(locator)
                return candidate
        return None

    def _permitted(self, address: Address) -> Iterator[str]:
        """Yield the permitted names for an address, numbered ones last."""
        for glob in ("*", *self._policy.env_allow):
            words = _words(address.connection if PLACEHOLDERS[0] in glob else str(address))
            pattern = names_in(glob, "env", address)
            if pattern and self._is_permitted(name := _fitted(pattern, words), address):
                yield name
                yield from (
                    numbered
                    for number in range(2, 10_000)
                    if self._is_permitted(numbered := _fitted(pattern, f"{words}_{number}"), address)
                )

    def _is_permitted(self, name: str, address: Address) -> bool:
        return self._policy.check(Locator("env", name), address) is None


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
