"""Reads and edits the decrypted content of an age file: a mapping of keys to secrets, in YAML or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reconciler.http.json_fields import parse_json
from reconciler.manifests.yaml_reader import Node, ReadLimits, read_yaml
from reconciler.manifests.yaml_writer import flow_value, scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.manifests.source_file import Span

MAX_KEYS: Final = 10_000
"""A file with more takes so long to read that the secrets of others would have to wait for it."""

_LIMITS: Final = ReadLimits(max_depth=4, max_aliases=0, max_nodes=2 * MAX_KEYS + 1)

_TOO_MANY_KEYS: Final = f"it has more than {MAX_KEYS} keys: split it"


class InvalidSecretDocument(ValueError):
    """A document is no mapping that can be read. The text holds nothing of it but the number of a line."""


def read_secret_document(text: str) -> Mapping[str, str | None]:
    """Return the secret of each key, None for a value that is no text.

    Raises:
        InvalidSecretDocument: it is neither YAML nor JSON, no mapping, or has a key twice.
    """
    values = _json_values(text)
    if values is None:
        values = {str(key): child.value for key, child in _root(text).children.items()}
    if len(values) > MAX_KEYS:
        raise InvalidSecretDocument(_TOO_MANY_KEYS)
    return {key: value if isinstance(value, str) else None for key, value in values.items()}


def with_secret(text: str, key: str, value: str) -> str:
    """Return the document with one secret added or replaced; everything else stays, where it can.

    Raises:
        InvalidSecretDocument: it cannot be read, or the place of the key cannot be found in it.
    """
    expected = {**read_secret_document(text), key: value}
    values = _json_values(text)
    if values is not None:
        return json.dumps({**values, key: value}, indent=2, ensure_ascii=False) + "\n"
    edited = _edited(text, key, value)
    if _holds(edited, expected):
        return edited
    secrets = {name: secret for name, secret in expected.items() if secret is not None}
    if len(secrets) < len(expected):
        raise InvalidSecretDocument("quote the values in it that are no text")
    return "".join(map(_line_of, secrets, secrets.values()))


def with_secrets(text: str, secrets: Mapping[str, str]) -> str:
    """Return the document with secrets added or replaced; many new ones are added at once.

    Raises:
        InvalidSecretDocument: it cannot be read, or the place of a key cannot be found in it.
    """
    ended = text if not text or text.endswith("\n") else f"{text}\n"
    appended = ended + "".join(map(_line_of, secrets, secrets.values()))
    if _holds(appended, {**read_secret_document(text), **secrets}):
        return appended
    for key, value in secrets.items():
        text = with_secret(text, key, value)
    return text


def _holds(text: str, expected: Mapping[str, str | None]) -> bool:
    try:
        return read_secret_document(text) == expected
    except InvalidSecretDocument:
        return False


def _edited(text: str, key: str, value: str) -> str:
    """Return YAML with a value replaced in its place, or a line added at the end."""
    node = _root(text).children.get(key)
    if node is not None and not node.children:
        return text[: node.span.start] + flow_value(value) + text[node.span.end :]
    ended = text if not text or text.endswith("\n") else f"{text}\n"
    return ended + _line_of(key, value)


def _line_of(key: str, value: str) -> str:
    return f"{scalar(key)}: {flow_value(value)}\n"


def _json_values(text: str) -> Mapping[str, object] | None:
    """Return the values of a JSON object; None if it is none, and perhaps YAML in braces."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        document = parse_json(text.encode())
    except json.JSONDecodeError:
        return None
    except ValueError:  # the cause may hold the text
        raise InvalidSecretDocument("it is JSON with a key twice, or nested too deeply") from None
    return document if isinstance(document, dict) else None


def _root(text: str) -> Node:
    """Return the mapping that a text holds; an empty text is a mapping without keys."""
    yaml_file = read_yaml(text, _LIMITS)
    if yaml_file.error is not None:
        mark = getattr(yaml_file.error, "problem_mark", None)
        raise InvalidSecretDocument(f"it is not YAML{f' (line {mark.line + 1})' if mark else ''}")
    for problem in yaml_file.problems:
        if problem.code == "too-many-nodes":
            raise InvalidSecretDocument(_TOO_MANY_KEYS)
        raise InvalidSecretDocument(f"{problem.code} (line {_line(text, problem.span)})")
    if not yaml_file.documents or (len(yaml_file.documents) == 1 and yaml_file.documents[0].is_empty):
        return _EMPTY
    if len(yaml_file.documents) > 1 or not isinstance(yaml_file.documents[0].value, dict):
        raise InvalidSecretDocument("it is not one mapping of keys to secrets")
    return yaml_file.documents[0]


def _line(text: str, span: Span) -> int:
    return text.count("\n", 0, span.start) + 1


_EMPTY: Final = Node(value={}, event=None, key=None, children={})
