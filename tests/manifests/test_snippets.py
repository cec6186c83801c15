"""Which line may be shown."""

from __future__ import annotations

import pytest

from reconciler.manifests.places import Span
from reconciler.manifests.snippets import make_snippet
from reconciler.manifests.source import Source


def shown(line: str, *, is_harmless: bool = False) -> str | None:
    snippet = make_snippet(Source("a.yaml", f"x: y\n{line}\nz: z\n"), Span(5, 6), is_harmless=is_harmless)
    return snippet.text if snippet else None


@pytest.mark.parametrize(
    "line",
    [
        "    issuer: https://a.example.com",
        "organization: acme",
        "  okta:",
        "    secret_expires_on: no",
        "    token_url: x",
    ],
)
def test_lines_of_known_keys_are_shown(line: str) -> None:
    assert shown(line) == line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("    client_secret: abc", "    client_secret: …"),
        ("    client_secrte: abc", "    client_secrte: …"),
        ("    password: abc", "    password: …"),
        ("    unknown: abc", "    unknown: …"),
        ("  okta: {issuer: a, client_secret: abc}", "  okta: …"),
        ("    issuer: a, client_secret: abc", "    issuer: …"),
        ("    issuer: a, clientsecret: abc", "    issuer: …"),
        ("    issuer: a # the secret is abc", "    issuer: …"),
        ("  - abc", None),
        ("abc", None),
        ("    'client_secret' : abc", "    'client_secret' : …"),
        ("x" * 300, None),
    ],
)
def test_anything_else_keeps_its_value_to_itself(line: str, expected: str | None) -> None:
    assert shown(line) == expected


def test_items_are_shown_where_no_secret_can_be() -> None:
    assert shown("  - openid", is_harmless=True) == "  - openid"
    assert shown("  - openid, client_secret: abc", is_harmless=True) is None


def test_invisible_characters_are_made_visible() -> None:
    assert shown("issuer: a\u202eb") == "issuer: a\ufffdb"
