"""Values of manifests are replaced by place, and every other byte stays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.manifests import Project
from reconciler.manifests.editing import (
    HOLDS_REFERENCE,
    NO_SAFE_PLACE,
    AddConnections,
    ManifestEditor,
    SetField,
)
from reconciler.secrets import SecretPolicy

if TYPE_CHECKING:
    from reconciler.manifests.editing import Edit

ROOT = Path("/nowhere")
EDITOR = ManifestEditor(
    Project(directory=ROOT, root=ROOT, secret_policy=SecretPolicy(root=ROOT, env_allow=("*",))),
    {"name": "https://a.example"},
)


def edited(text: str, *changes: tuple[str, Any], name: str = "okta") -> str:
    """Set fields of a connection in the only document."""
    content = text.encode()
    location = EDITOR.declared(content, "x.yaml")[0].location
    edits: list[Edit] = [SetField(location, name, field, value) for field, value in changes]
    result, refused = EDITOR.edited(content, "x.yaml", edits)
    assert not refused
    return result.decode()


def refusals(text: str, edit_field: str, value: Any, name: str = "okta") -> list[str]:
    content = text.encode()
    location = EDITOR.declared(content, "x.yaml")[0].location
    edit = SetField(location, name, edit_field, value)
    result, refused = EDITOR.edited(content, "x.yaml", [edit])
    assert result == content
    return [refusal.reason for refusal in refused]


def manifest(*lines: str) -> str:
    head = "organization: acme  # the slug\nconnections:\n  okta:\n"
    return head + "".join(f"    {line}\n" for line in lines) + "  entra: {}\n"


SCALARS = {
    "plain": ("issuer: https://a.example  # why", "issuer: https://b.example  # why"),
    "plain that has to be quoted": ("client_id: abc", "client_id: '12'"),
    "single quotes": ("display_name: 'It''s' # why", "display_name: 'That''s' # why"),
    "double quotes": ('display_name: "a\\\\b"', 'display_name: "c\\\\d"'),
    "a literal dollar": ("client_id: a$${b", "client_id: '$${c}'"),
    "over several lines": ("display_name: one\n      two", "display_name: three"),
    "block": ("client_id: |-  # why\n      abc\n    # about it", "client_id: def  # why\n    # about it"),
    "anchor that nothing repeats": ("client_id: &id abc", "client_id: &id def"),
    "scopes as text": ("custom_scopes: openid groups email", "custom_scopes: openid email profile"),
}
VALUES = {
    "plain": ("issuer", "https://b.example"),
    "plain that has to be quoted": ("client_id", "12"),
    "single quotes": ("display_name", "That's"),
    "double quotes": ("display_name", "c\\d"),
    "a literal dollar": ("client_id", "${c}"),
    "over several lines": ("display_name", "three"),
    "block": ("client_id", "def"),
    "anchor that nothing repeats": ("client_id", "def"),
    "scopes as text": ("custom_scopes", ("email", "openid", "profile")),
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("shape", SCALARS)
def test_a_scalar_keeps_its_style_and_its_comment(shape: str, newline: str) -> None:
    before, after = SCALARS[shape]
    text = manifest(before, "client_secret: ${env:X}").replace("\n", newline)
    expected = manifest(after, "client_secret: ${env:X}").replace("\n", newline)
    assert edited(text, VALUES[shape]) == expected


LISTS = {
    "in brackets": ("[openid, 'groups', email]", "[openid, 'profile', email]", "email openid profile"),
    "in brackets, fewer": ("[openid, groups, email] # why", "[openid, email] # why", "email openid"),
    "in brackets, none at the end": ("[openid, email, groups]", "[openid]", "openid"),
    "in brackets, more": ("[openid] # why", "[openid, email, profile] # why", "email openid profile"),
    "in brackets, a trailing comma": ("[openid, groups, ]", "[openid, ]", "openid"),
    "in brackets, on several lines": (
        "[\n      openid,  # first\n      groups   # second\n    ]",
        "[\n      openid  # first\n         # second\n    ]",
        "openid",
    ),
    "empty": ("[]", "[email, openid]", "openid email"),
    "emptied": ("[openid, email] # why", "[] # why", ""),
    "lines": (
        "\n      - openid\n      - groups  # for roles\n      # about email\n      - 'email'  # why",
        "\n      - openid\n      - profile  # for roles\n      # about email\n      - 'email'  # why",
        "email openid profile",
    ),
    "lines, fewer": (
        "\n    - openid\n    - groups  # for roles\n    - email",
        "\n    - openid\n    # for roles\n    - email",
        "email openid",
    ),
    "lines, none at the end": ("\n    - openid # why\n    - groups", "\n    - openid # why", "openid"),
    "lines, more": (
        "  # which\n      - openid  # why",
        "  # which\n      - openid  # why\n      - email",
        "openid email",
    ),
    "lines, emptied": (" # which\n      - openid  # why", " []  # which\n      # why", ""),
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("shape", LISTS)
def test_a_list_is_edited_item_by_item(shape: str, newline: str) -> None:
    before, after, scopes = LISTS[shape]
    text = manifest(f"custom_scopes: {before}".replace(": \n", ":\n"), "client_id: x")
    expected = manifest(
        f"custom_scopes: {after}".replace(": \n", ":\n").replace(":  []", ": []"), "client_id: x"
    )
    value = tuple(sorted(scopes.split()))
    result = edited(text.replace("\n", newline), ("custom_scopes", value))
    assert result == expected.replace("\n", newline)


MAPPINGS = {
    "in braces": ("{groups: grps, a: b}", "{groups: groups, a: b}", {"groups": "groups", "a": "b"}),
    "in braces, another key": ("{a: b} # why", "{c: d} # why", {"c": "d"}),
    "in braces, more": ('{"a": "b"}', '{"a": "b", "c": "d"}', {"a": "b", "c": "d"}),
    "in braces, fewer": ("{a: b, c: d}", "{a: b}", {"a": "b"}),
    "in braces, emptied": ("{a: b}", "{}", {}),
    "lines": (
        "\n      groups: grps  # why\n      a: b",
        "\n      groups: groups  # why\n      a: b\n      c: d",
        {"groups": "groups", "a": "b", "c": "d"},
    ),
    "lines, fewer": ("\n      a: b  # why\n      c: d", "\n      # why\n      c: d", {"c": "d"}),
    "lines, emptied": ("\n      a: b\n      c: d", " {}", {}),
}


@pytest.mark.parametrize("shape", MAPPINGS)
def test_a_mapping_is_edited_entry_by_entry(shape: str) -> None:
    before, after, value = MAPPINGS[shape]
    text = manifest(f"attribute_mapping: {before}".replace(": \n", ":\n"), "client_id: x")
    expected = manifest(
        f"attribute_mapping: {after}".replace(": \n", ":\n").replace(":  {}", ": {}"), "client_id: x"
    )
    assert edited(text, ("attribute_mapping", value)) == expected


def test_a_name_that_the_key_stood_for_is_written() -> None:
    text = manifest("client_id: x")
    assert edited(text, ("display_name", "Acme: Okta")) == text.replace(
        "  okta:\n", "  okta:\n    display_name: 'Acme: Okta'\n"
    )
    assert "entra: {display_name: Entra}" in edited(text, ("display_name", "Entra"), name="entra")


def test_a_json_file_remains_json() -> None:
    text = '{"organization": "acme", "connections": {"okta": {"issuer": "https://a.example"}}}'
    changes = (("issuer", "https://b.example"), ("display_name", 'Say "hi"'))
    assert edited(text, *changes) == (
        '{"organization": "acme", "connections": {"okta": '
        '{"display_name": "Say \\"hi\\"", "issuer": "https://b.example"}}}'
    )


def test_an_alias_of_a_value_is_replaced_by_the_value() -> None:
    text = manifest("issuer: &issuer https://a.example", "token_url: *issuer", "custom_scopes: &s [openid]")
    assert edited(text, ("token_url", "https://b.example")) == text.replace("*issuer", "https://b.example")
    text = text.replace("entra: {}", "entra: {custom_scopes: *s}")
    result = edited(text, ("custom_scopes", ("email", "openid")), name="entra")
    assert result == text.replace("*s", '["email", "openid"]')


def test_a_value_that_aliases_repeat_is_left() -> None:
    text = manifest("issuer: &issuer https://a.example", "token_url: *issuer")
    assert refusals(text, "issuer", "https://b.example") == [NO_SAFE_PLACE]


@pytest.mark.parametrize("name", ["okta", "entra"])
def test_a_block_behind_a_shared_anchor_is_left(name: str) -> None:
    head = "organization: acme\nconnections:\n"
    text = f"{head}  okta: &a {{discovery: 'off', issuer: https://a.example}}\n  entra: *a\n"
    assert refusals(text, "issuer", "https://b.example", name) == [NO_SAFE_PLACE]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("issuer: ${var:name}", "https://b.example"),
        ("issuer: ${var:name}/x", "https://b.example"),
        ("custom_scopes: [openid, '${var:name}']", ("openid",)),
        ("attribute_mapping: {a: '${var:name}', b: c}", {"a": "b"}),
    ],
)
def test_a_value_with_a_reference_is_left(line: str, value: Any) -> None:
    assert refusals(manifest(line), line.partition(":")[0], value) == [HOLDS_REFERENCE]


def test_a_refused_edit_does_not_stop_the_others() -> None:
    text = manifest(
        "issuer: ${var:name}",
        "client_id: &c x",
        "jwks_url: https://a.example",
        "token_url: https://a.example",
    )
    content = text.replace("entra: {}", "entra: {client_id: *c, issuer: https://a.example}").encode()
    location = EDITOR.declared(content, "x.yaml")[0].location
    edits: list[Edit] = [
        SetField(location, "okta", "issuer", "https://b.example"),
        SetField(location, "okta", "client_id", "y"),
        SetField(location, "okta", "jwks_url", "https://b.example"),
        SetField(location, "entra", "issuer", "https://c.example"),
    ]
    result, refused = EDITOR.edited(content, "x.yaml", edits)
    assert [(refusal.edit, refusal.reason) for refusal in refused] == [
        (edits[0], HOLDS_REFERENCE), (edits[1], NO_SAFE_PLACE),
    ]  # fmt: skip
    expected = content.replace(b"jwks_url: https://a", b"jwks_url: https://b").replace(
        b"*c, issuer: https://a", b"*c, issuer: https://c"
    )
    assert result == expected


LINES = ("new:", "  display_name: New", "  attribute_mapping:", "    a: b", "  default: true")
INDENTED = "".join(f"  {line}\n" for line in LINES)
IN_FLOW = '"new": {"display_name": "New", "attribute_mapping": {"a": "b"}, "default": true}'
ADDITIONS = {
    "lines": (
        "organization: acme\nconnections:\n  okta:\n    client_id: x  # why\n    # below\n\n# end\n",
        "organization: acme\nconnections:\n  okta:\n    client_id: x  # why\n    # below\n"
        f"{INDENTED}\n# end\n",
    ),
    "no line break at the end": (
        "organization: acme\nconnections:\n  okta: {}",
        f"organization: acme\nconnections:\n  okta: {{}}\n{INDENTED}"[:-1],
    ),
    "no connections": (
        "# top\norganization: acme # slug\nprune: false\n...\n",
        f"# top\norganization: acme # slug\nprune: false\nconnections:\n{INDENTED}...\n",
    ),
    "empty braces": (
        "organization: acme\nconnections: {}  # none yet\nprune: false\n",
        f"organization: acme\nconnections:  # none yet\n{INDENTED}prune: false\n",
    ),
    "braces": (
        "organization: acme\nconnections: {okta: {client_id: x, }, } # why\n",
        f"organization: acme\nconnections: {{okta: {{client_id: x, }}, {IN_FLOW}, }} # why\n",
    ),
    "JSON": ('{"organization": "acme"}', f'{{"organization": "acme", "connections": {{{IN_FLOW}}}}}'),
    "JSON with an empty list": (
        '{"organization": "acme", "connections": {}}',
        f'{{"organization": "acme", "connections": {{{IN_FLOW}}}}}',
    ),
    "a list at the end": (
        "organization: acme\nconnections:\n    okta:\n        custom_scopes: [\n  openid  # why\n        ]\n",
        "organization: acme\nconnections:\n    okta:\n        custom_scopes: [\n  openid  # why\n        ]\n"
        + "".join(f"    {line}\n" for line in LINES),
    ),
    "two documents": (
        "organization: acme\nconnections:\n  okta: {}\n---\norganization: other\n",
        f"organization: acme\nconnections:\n  okta: {{}}\n{INDENTED}---\norganization: other\n",
    ),
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("shape", ADDITIONS)
def test_connections_are_appended(shape: str, newline: str) -> None:
    before, after = (text.replace("\n", newline).encode() for text in ADDITIONS[shape])
    location = EDITOR.declared(before, "x.yaml")[0].location
    result, refused = EDITOR.edited(before, "x.yaml", [AddConnections(location, LINES)])
    assert not refused
    assert result.decode() == after.decode()
