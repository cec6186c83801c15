"""Puts variables into the texts of a document, and references where a secret belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeGuard

from reconciler.core.secret import Locator, SecretReference
from reconciler.manifests.composer import UNUSABLE
from reconciler.manifests.events import name_of
from reconciler.manifests.text import UNSAFE
from reconciler.secrets import SCHEMES, MalformedReference, make_reference, parse_template
from reconciler.secrets.references import OPENING, whole_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.manifests.events import Path, Value
    from reconciler.manifests.findings import DocumentFindings
    from reconciler.secrets import SecretPolicy

VARIABLE_SCHEME: Final = "var"


class Interpolation(NamedTuple):
    """What references may stand for.

    Without ``variables`` there is no ``${var:NAME}``; without a ``policy`` every secret may be
    referred to. ``holds_secret`` tells at which paths a secret belongs.
    """

    variables: Mapping[str, str] | None
    policy: SecretPolicy | None
    holds_secret: Callable[[Path], bool]

    def apply(self, value: Value, report: DocumentFindings) -> Value:
        """Return the document with its references replaced; what is wrong goes to ``report``.

        Values without references are returned as they are, not copied.
        """
        return _Replacing(self, report).value(value, ())

    def secret(self, text: str) -> SecretReference | None:
        """Return the reference that a text is and nothing else, if it may be used.

        Whatever there is more to say of a text is left to `apply`.
        """
        locator = whole_reference(text)
        if locator is None or locator.scheme not in SCHEMES or (self.policy and self.policy.check(locator)):
            return None
        return SecretReference(text, (locator,))


class _Replacing:
    def __init__(self, rules: Interpolation, report: DocumentFindings) -> None:
        self._rules = rules
        self._report = report

    def value(self, value: Value, path: Path) -> Value:
        if value.__class__ is str:
            return self._text(value, path) if OPENING in value else value
        if value.__class__ is not dict and value.__class__ is not list:
            return value
        return self._mapping(value, path) if isinstance(value, dict) else self._sequence(value, path)

    def _mapping(self, values: dict[str, Value], path: Path) -> dict[str, Value]:
        """Replace below a mapping. Most values are texts without references: they cost one look."""
        changed: dict[str, Value] = {}
        for key, value in values.items():
            if value.__class__ is str and OPENING not in value:
                continue
            replaced = self.value(value, (*path, key))
            if replaced is not value:
                changed[key] = replaced
        return {**values, **changed} if changed else values

    def _sequence(self, values: list[Value], path: Path) -> list[Value]:
        if all(value.__class__ is str and OPENING not in value for value in values):
            return values
        replaced = [self.value(value, (*path, index)) for index, value in enumerate(values)]
        return values if all(map(_is, replaced, values)) else replaced

    def _text(self, text: str, path: Path) -> str | SecretReference | Value:
        try:
            parts = parse_template(text)
        except MalformedReference as error:
            self._malformed(path, str(error))
            return UNUSABLE
        known = [self._part(part, path) for part in parts]
        if not _all_known(known):
            return UNUSABLE
        literal = _joined(known) if len(known) > 1 else tuple(known)
        if any(isinstance(part, Locator) for part in literal):
            return make_reference(literal)
        return "".join(part for part in literal if isinstance(part, str))

    def _malformed(self, path: Path, reason: str) -> None:
        self._report.add(
            "malformed-reference",
            path,
            f"{name_of(path)}: {reason}",
            hint="a reference reads ${scheme:locator}; a literal ${ is written $${",
        )

    def _part(self, part: str | Locator, path: Path) -> str | Locator | None:
        """Return what a part stands for, or None after reporting what is wrong with it."""
        if isinstance(part, str):
            return part
        if part.scheme == VARIABLE_SCHEME:
            return self._variable(part.path, path)
        return self._secret(part, path)

    def _variable(self, name: str, path: Path) -> str | None:
        if self._rules.variables is None:
            self._report.add(
                "variable-out-of-place",
                path,
                f"{name_of(path)} cannot hold a variable",
                hint="variables are for manifests; write the value itself",
            )
            return None
        value = self._rules.variables.get(name)
        if value is None:
            self._undefined(name, self._rules.variables, path)
        elif UNSAFE.search(value):
            self._report.add(
                "unsafe-character",
                path,
                f"the variable {name!r} holds an invisible character",
                hint="remove it from the variable's value",
            )
            return None
        return value

    def _undefined(self, name: str, variables: Mapping[str, str], path: Path) -> None:
        from difflib import get_close_matches

        close = get_close_matches(name[:80], variables, n=1)
        hint = f"add it to vars: in the project file, or give --var {name[:80]}=VALUE"
        self._report.add(
            "undefined-variable",
            path,
            f"the variable {name[:80]!r} is not defined",
            hint=f"did you mean {close[0]!r}?" if close else hint,
        )

    def _secret(self, locator: Locator, path: Path) -> Locator | None:
        if locator.scheme not in SCHEMES:
            self._unknown_scheme(locator.scheme, path)
        elif not self._rules.holds_secret(path):
            self._report.add(
                "secret-out-of-place",
                path,
                f"{name_of(path)} cannot hold a reference to a secret",
                hint="secrets belong in client_secret only; for anything else use a variable: ${var:NAME}",
            )
        elif refusal := self._rules.policy.check(locator) if self._rules.policy else None:
            self._report.add(
                "secret-not-allowed",
                path,
                f"{locator} cannot be used: {refusal}",
                hint="use another one; `secrets` in the project file says what is permitted",
            )
        else:
            return locator
        return None

    def _unknown_scheme(self, scheme: str, path: Path) -> None:
        known = (*SCHEMES, VARIABLE_SCHEME) if not self._rules.holds_secret(path) else SCHEMES
        from difflib import get_close_matches

        close = get_close_matches(scheme, known, n=1)
        self._report.add(
            "unknown-scheme",
            path,
            f"unknown secret scheme {scheme!r}; known: {', '.join(SCHEMES)}",
            hint=f"did you mean {close[0]!r}?" if close else "",
        )


def _is(one: object, other: object) -> bool:
    return one is other


def _all_known(parts: list[str | Locator | None]) -> TypeGuard[list[str | Locator]]:
    return None not in parts


def _joined(parts: list[str | Locator]) -> tuple[str | Locator, ...]:
    """Return the parts with neighbouring texts put together, as they would be read back."""
    joined: list[str | Locator] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(part for part in joined if part)
