"""Replaces ``${var:NAME}`` in a document, and turns ``${env:NAME}`` into secret references."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from reconciler.core.address import Address
from reconciler.core.errors import did_you_mean, shell_word
from reconciler.core.secret import Locator
from reconciler.manifests.findings import name_of
from reconciler.manifests.text_patterns import UNSAFE
from reconciler.manifests.yaml_reader import INVALID
from reconciler.secrets import SCHEMES, MalformedReference, make_reference, parse_template
from reconciler.secrets.references import OPENING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.manifests.findings import DocumentFindings
    from reconciler.manifests.yaml_reader import Path, Value
    from reconciler.secrets import SecretPolicy

VARIABLE_SCHEME: Final = "var"

_WORKFLOW_EXPRESSION: Final = re.compile(r"\s*\$\{\{.*\}\}\s*", re.DOTALL)
_BARE_NAME: Final = re.compile(r"\$\{([A-Z_][A-Z0-9_]{0,127})\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpolation:
    """What references may refer to.

    Without ``variables``, ``${var:NAME}`` is an error; without a ``policy``, every secret is allowed.
    ``holds_secret`` says whether the field at a path holds a secret, ``misplaced_hint`` where secrets belong,
    ``has_field`` whether there is a field at all: text below an unknown key is left for validation.
    """

    variables: Mapping[str, str] | None
    policy: SecretPolicy | None
    holds_secret: Callable[[Path], bool]
    has_field: Callable[[Path], bool] = lambda _path: True
    misplaced_hint: str = "use secrets in client_secret only, and variables elsewhere: ${var:NAME}"

    def apply(self, document: Value, findings: DocumentFindings) -> Value:
        """Return the document with its references replaced, and those that cannot be with `INVALID`."""
        return _Substitution(self, findings, document).value(document, ())


class _Substitution:
    """Replaces the references of one document."""

    def __init__(self, rules: Interpolation, findings: DocumentFindings, document: Value) -> None:
        self._rules = rules
        self._findings = findings
        self._document = document

    def value(self, value: Value, path: Path) -> Value:
        if isinstance(value, str):
            return self._text(value, path) if OPENING in value else value
        if isinstance(value, dict):
            return {
                key: child
                if isinstance(child, str) and OPENING not in child
                else self.value(child, (*path, key))
                for key, child in value.items()
            }
        if isinstance(value, list):
            return [self.value(child, (*path, index)) for index, child in enumerate(value)]
        return value

    def _text(self, text: str, path: Path) -> Value:
        if not self._rules.has_field(path):
            return text
        try:
            template = parse_template(text)
        except MalformedReference as error:
            self._report_malformed(text, error, path)
            return INVALID
        parts = [self._part(part, path) for part in template]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return INVALID
        joined = _join(known)
        if any(isinstance(part, Locator) for part in joined):
            return make_reference(joined)
        return "".join(part for part in joined if isinstance(part, str))

    def _report_malformed(self, text: str, error: MalformedReference, path: Path) -> None:
        workflow = _WORKFLOW_EXPRESSION.fullmatch(text)
        bare = _BARE_NAME.fullmatch(text)
        summary, hint = str(error), "write a reference as ${scheme:locator}, and a literal ${ as $${"
        if workflow:
            summary = "${{ … }} is an expression of GitHub Actions, which nothing replaces in a manifest"
            hint = "write ${env:NAME}, and pass the value in the workflow: `env: {NAME: ${{ … }}}`"
        elif bare and self._rules.holds_secret(path):
            hint = f"write ${{env:{bare[1]}}}"
        self._findings.add("malformed-reference", path, f"{name_of(path)}: {summary}", hint=hint)

    def _part(self, part: str | Locator, path: Path) -> str | Locator | None:
        """Return what a part is replaced with, or None after reporting what is wrong with it."""
        if isinstance(part, str):
            return part
        if part.scheme == VARIABLE_SCHEME:
            return self._variable(part.path, path)
        return self._secret(part, path)

    def _variable(self, name: str, path: Path) -> str | None:
        if self._rules.variables is None:
            self._findings.add(
                "variable-out-of-place",
                path,
                f"{name_of(path)} cannot use a variable",
                hint="only manifests have variables; write the value itself",
            )
            return None
        value = self._rules.variables.get(name)
        if value is None:
            self._report_undefined(name, self._rules.variables, path)
        elif UNSAFE.search(value):
            self._findings.add(
                "unsafe-character",
                path,
                f"the variable {name!r} contains an invisible character",
                hint="remove it from the variable's value",
            )
            return None
        return value

    def _report_undefined(self, name: str, variables: Mapping[str, str], path: Path) -> None:
        name = name[:80]
        hint = f"add it to `vars` in the project file, or pass --var {shell_word(name)}=VALUE"
        self._findings.add(
            "undefined-variable",
            path,
            f"the variable {name!r} is not defined",
            hint=did_you_mean(name, variables, hint),
        )

    def _secret(self, locator: Locator, path: Path) -> Locator | None:
        if locator.scheme not in SCHEMES:
            self._report_unknown_scheme(locator.scheme, path)
        elif not self._rules.holds_secret(path):
            self._findings.add(
                "secret-out-of-place",
                path,
                f"{name_of(path)} cannot hold a reference to a secret",
                hint=self._rules.misplaced_hint,
            )
        elif refusal := self._refusal(locator, path):
            self._findings.add(
                "secret-not-allowed",
                path,
                f"{locator} cannot be used: {refusal}",
                hint="name the secret of this connection; `reconciler explain secret-not-allowed` says "
                "how to allow another",
            )
        else:
            return locator
        return None

    def _refusal(self, locator: Locator, path: Path) -> str | None:
        policy = self._rules.policy
        return policy.check(locator, self._address(path)) if policy else None

    def _address(self, path: Path) -> Address | None:
        """Return the connection that a path is in, if the name of the organization is known."""
        match path:
            case ("connections", str(connection), *_):
                organization = self._organization
                return Address(organization, connection) if organization else None
            case _:
                return None

    @cached_property
    def _organization(self) -> str:
        """The name of the document's organization, with variables; "" if there is none or it is invalid."""
        text = self._document.get("organization") if isinstance(self._document, dict) else None
        try:
            parts = parse_template(text) if isinstance(text, str) else ()
        except MalformedReference:
            return ""
        variables = self._rules.variables or {}
        names = [part if isinstance(part, str) else variables.get(part.path, "") for part in parts]
        return "".join(names) if all(names) else ""

    def _report_unknown_scheme(self, scheme: str, path: Path) -> None:
        known = SCHEMES if self._rules.holds_secret(path) else (*SCHEMES, VARIABLE_SCHEME)
        self._findings.add(
            "unknown-scheme",
            path,
            f"unknown secret scheme {scheme!r}; known: {', '.join(SCHEMES)}",
            hint=did_you_mean(scheme, known, "write ${env:NAME} or ${file:PATH}"),
        )


def _join(parts: list[str | Locator]) -> tuple[str | Locator, ...]:
    """Return the parts with adjacent texts joined, as parsing them again would return them."""
    joined: list[str | Locator] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(part for part in joined if part)
