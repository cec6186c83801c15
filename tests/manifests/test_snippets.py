"""Which line may be shown."""

from __future__ import annotations

import pytest

from reconciler.manifests.findings import make_snippet
from reconciler.manifests.source_file import Source, Span


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
def test_values_of_other_lines_are_masked(line: str, expected: str | None) -> None:
    assert shown(line) == expected


def test_items_of_harmless_lists_are_shown() -> None:
    assert shown("  - openid", is_harmless=True) == "  - openid"
    assert shown("  - openid, client_secret: abc", is_harmless=True) is None


def test_invisible_characters_are_replaced() -> None:
    assert shown("issuer: a\u202eb") == "issuer: a\ufffdb"


def of_last_line(text: str) -> str | None:
    snippet = make_snippet(Source("reconciler.yaml", text), Span(len(text) - 1, len(text)))
    return snippet.text if snippet else None


@pytest.mark.parametrize(
    "text",
    [
        "target: canary",
        "target: [id, canary]",
        "target: {secrets: canary}",
        "'target': canary",
        "target:\n  secrets: canary",
        "target:\n  project_id: canary",
        "target:\n  base_url: canary",
        "target:\n  secrets:\n    allow: canary",
        "target:\n  - file: canary",
        "target:\n  version: 1\n  limits: canary",
        "target:\n# a remark\n  secrets: canary",
        "target: {\n  a: b,\n  secrets: canary",
        "target: {\nsecrets: canary",
        "target: [\n  {a: b},\nsecrets: canary",
        "{version: 1, target: {\nsecrets: canary",
        "  target:\n    secrets: canary",
        "version: 1\ntarget:\n    secrets: canary",
        '"target" :\n    secrets: canary',
    ],
)
def test_nothing_of_the_target_is_shown(text: str) -> None:
    assert "canary" not in (of_last_line(text) or "")


@pytest.mark.parametrize("last", ["organizations: x", "limits: x", "secrets: x", "  concurrency: x"])
def test_lines_after_the_target_are_shown(last: str) -> None:
    assert of_last_line(f"target:\n  project_id: a\nlimits:\n  max_deletes: 1\n{last}") == last


def test_lines_before_the_target_are_shown() -> None:
    text = "limits: x\ntarget:\n  project_id: a\n"
    snippet = make_snippet(Source("reconciler.yaml", text), Span(8, 9))
    assert snippet is not None
    assert snippet.text == "limits: x"


@pytest.mark.parametrize(
    "line",
    [
        "issuer: https://u:canary@host",
        "issuer: https://u:canary/@host",
        "token_url: u:canary@host",
        "issuer: https://u:canary%40host",
        'jwks_url: "https://u:canary\\x40host"',
        "organization: https://u:canary@host",
        "  okta: {issuer: https://u:canary@host}",
        "organizations: [https://u:canary@host]",
    ],
)
def test_user_information_in_urls_is_never_shown(line: str) -> None:
    for is_harmless in (False, True):
        assert "canary" not in (shown(line, is_harmless=is_harmless) or "")
