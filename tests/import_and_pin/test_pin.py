"""Pin adds ids to manifests and keeps every other byte."""

from __future__ import annotations

import difflib
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.manifests import Project
from reconciler.manifests.editing import NO_SAFE_PLACE, ManifestEditor, RefusedEdit
from reconciler.manifests.pinning import Pin
from reconciler.secrets import SecretPolicy
from tests.support.generated import examples
from tests.support.workplace import okta

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

ROOT = Path("/nowhere")
EDITOR = ManifestEditor(
    Project(directory=ROOT, root=ROOT, secret_policy=SecretPolicy(root=ROOT)), {"name": "okta"}
)
ID = "oidc-connection-test-1"
ORGANIZATION_ID = "organization-test-1"


def pinned(text: str, *names: str | None) -> str:
    """Pin the connections of these names, None for the organization, in the only document."""
    content = text.encode()
    (declared,) = EDITOR.declared(content, "x.yaml")
    pins = [Pin(declared.location, ORGANIZATION_ID if name is None else ID, name) for name in names]
    result, refused = EDITOR.edited(content, "x.yaml", pins)
    assert not refused
    return result.decode()


BLOCK = """\
# about acme
organization: acme  # the slug

connections:
  okta:   # the workforce
    # which one
    issuer: 'https://a.example' # quoted
    client_id: "x"


  entra: {}
"""

BLOCK_PINNED = """\
# about acme
organization: acme  # the slug
organization_id: organization-test-1

connections:
  okta:   # the workforce
    connection_id: oidc-connection-test-1
    # which one
    issuer: 'https://a.example' # quoted
    client_id: "x"


  entra: {}
"""

SHAPES = {
    "flow": (
        "{organization: acme, connections: {okta: {issuer: https://a.example}}}",
        f"{{organization_id: {ORGANIZATION_ID}, organization: acme, "
        f"connections: {{okta: {{connection_id: {ID}, issuer: https://a.example}}}}}}",
    ),
    "JSON": (
        '{"organization": "acme", "connections": {"okta": {"client_id": "x"}}}',
        f'{{"organization_id": "{ORGANIZATION_ID}", "organization": "acme", '
        f'"connections": {{"okta": {{"connection_id": "{ID}", "client_id": "x"}}}}}}',
    ),
    "an empty connection": (
        "organization: acme\nconnections:\n  okta: {}",
        f"organization: acme\norganization_id: {ORGANIZATION_ID}\n"
        f"connections:\n  okta: {{connection_id: {ID}}}",
    ),
    "the organization last": (
        "connections:\n  okta:\n    client_id: x\norganization: acme",
        f"connections:\n  okta:\n    connection_id: {ID}\n    client_id: x\n"
        f"organization: acme\norganization_id: {ORGANIZATION_ID}",
    ),
    "a value of several lines": (
        "organization:\n  acme\nconnections:\n okta:\n  client_id: x\n",
        f"organization:\n  acme\norganization_id: {ORGANIZATION_ID}\n"
        f"connections:\n okta:\n  connection_id: {ID}\n  client_id: x\n",
    ),
    "a block scalar": (
        "organization: >-\n  acme\nconnections:\n okta:\n  client_id: x\n",
        f"organization_id: {ORGANIZATION_ID}\norganization: >-\n  acme\n"
        f"connections:\n okta:\n  connection_id: {ID}\n  client_id: x\n",
    ),
    "explicit keys": (
        "organization: acme\nconnections:\n  ? okta\n  : client_id: x\n",
        f"organization: acme\norganization_id: {ORGANIZATION_ID}\n"
        f"connections:\n  ? okta\n  : connection_id: {ID}\n    client_id: x\n",
    ),
    "a byte order mark, other letters": (
        "\ufeff# é 名前\norganization: acme\nconnections:\n  okta: # 名\n    client_id: é\n",
        f"\ufeff# é 名前\norganization: acme\norganization_id: {ORGANIZATION_ID}\n"
        f"connections:\n  okta: # 名\n    connection_id: {ID}\n    client_id: é\n",
    ),
    "an anchor that is used for a value": (
        "organization: acme\nconnections:\n  okta: &o\n    client_id: &c x\n  b:\n    client_id: *c\n",
        f"organization: acme\norganization_id: {ORGANIZATION_ID}\n"
        f"connections:\n  okta: &o\n    connection_id: {ID}\n    client_id: &c x\n  b:\n    client_id: *c\n",
    ),
    "a comment at the brace": (
        "organization: acme\nconnections:\n  okta: { # hm\n    client_id: x }\n",
        f"organization: acme\norganization_id: {ORGANIZATION_ID}\n"
        f"connections:\n  okta: {{ # hm\n    connection_id: {ID}, client_id: x }}\n",
    ),
}


def test_an_id_goes_right_below_the_name() -> None:
    assert pinned(BLOCK, None, "okta") == BLOCK_PINNED


@pytest.mark.parametrize(("text", "expected"), SHAPES.values(), ids=SHAPES)
def test_every_shape_keeps_its_shape(text: str, expected: str) -> None:
    assert pinned(text, None, "okta") == expected


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_lines_end_as_the_others_do(newline: str) -> None:
    text = BLOCK.replace("\n", newline)
    assert pinned(text, None, "okta") == BLOCK_PINNED.replace("\n", newline)


@pytest.mark.parametrize(
    "text",
    [
        "organization: acme\nconnections:\n  a: &a\n    client_id: x\n  okta: *a\n",
        "organization: acme\nconnections:\n  okta: &a\n    client_id: x\n  c: *a\n",
        "organization: acme\nconnections: {okta: &a {client_id: x}, c: *a}\n",
    ],
)
def test_aliases_are_left_alone(text: str) -> None:
    content = text.encode()
    (declared,) = EDITOR.declared(content, "x.yaml")
    pin = Pin(declared.location, ID, "okta")
    assert EDITOR.edited(content, "x.yaml", [pin]) == (content, (RefusedEdit(pin, NO_SAFE_PLACE),))


def test_an_id_without_a_place_does_not_stop_the_others() -> None:
    content = b"organization: acme\nconnections:\n  a: &a {client_id: x}\n  okta: *a\n  entra: {}\n"
    (declared,) = EDITOR.declared(content, "x.yaml")
    pins = [Pin(declared.location, f"{ID}{name}", name) for name in ("a", "okta", "entra")]
    result, refused = EDITOR.edited(content, "x.yaml", pins)
    assert [refusal.edit for refusal in refused] == pins[:2]
    assert result == content.replace(b"entra: {}", f"entra: {{connection_id: {ID}entra}}".encode())


words = st.sampled_from(("", "  # é comment", " ", "\t# tab"))
breaks = st.sampled_from(("\n", "\r\n", "\n\n", "\n# between\n", "\n   # deeper\n"))


@st.composite
def manifests(draw: st.DrawFn) -> str:
    lines = [f"organization: {draw(st.sampled_from(('acme', chr(39) + 'acme' + chr(39))))}"]
    indent = " " * draw(st.integers(1, 4))
    lines.append("connections:")
    for name in draw(st.lists(st.sampled_from(("okta", "'b'", '"c.d"', "x-y")), min_size=1, unique=True)):
        if draw(st.booleans()):
            lines.append(f"{indent}{name}: {{client_id: {name}}}")
        else:
            lines += [
                f"{indent}{name}:",
                f"{indent}   client_id: x",
                f"{indent}   token_url: https://x.example/#"[:-1],
            ]
    text = "".join(line + draw(words) + draw(breaks) for line in lines)
    return draw(st.sampled_from(("", "\ufeff", "---\n", "# top\r\n"))) + text


@examples(200)
@given(manifests())
def test_nothing_is_ever_removed_or_replaced(text: str) -> None:
    content = text.encode()
    found = EDITOR.declared(content, "x.yaml")
    assume(found)
    (declared,) = found
    pins = [Pin(declared.location, ORGANIZATION_ID)]
    pins += [
        Pin(declared.location, f"{ID}-{index}", connection.address.connection)
        for index, connection in enumerate(declared.connections)
    ]
    result, refused = EDITOR.edited(content, "x.yaml", pins)
    assert not refused
    after = result.decode()
    assert without_ids(after) == without_ids(text)
    assert is_subsequence(text, after)
    (again,) = EDITOR.declared(result, "x.yaml")
    assert [connection.connection.connection_id for connection in again.connections] == [
        pin.id for pin in pins[1:]
    ]


def without_ids(text: str) -> list[str]:
    """Return the lines, but for ids and empty ones."""
    plain = re.sub(r"(organization_id|connection_id): [a-z0-9-]+(, )?", "", text)
    return [line.rstrip() for line in plain.splitlines() if line.strip()]


def is_subsequence(before: str, after: str) -> bool:
    """Tell whether ``after`` is ``before`` with nothing but insertions."""
    operations = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return all(kind in {"equal", "insert"} for kind, *_ in operations)


@pytest.fixture
def acme(place: Workplace) -> Workplace:
    place.add_organization("acme", "Okta", "Entra")
    return place


MANIFEST = """\
organization: acme
connections:
  okta: {display_name: Okta}   # kept
  new: {issuer: https://new.example}
  gone: {state: absent}
"""


def test_check_lists_what_is_not_pinned_and_writes_nothing(acme: Workplace) -> None:
    manifest = acme.write("organizations/acme.yaml", MANIFEST)
    checked = acme.run("pin", "--check")
    assert checked.code == 1
    connection_id = acme.live("acme")[0]["connection_id"]
    assert f"organizations/acme.yaml:3:3: acme/okta = {connection_id}" in checked.out
    assert "acme/new does not exist yet, so it has no id" in checked.out
    assert "Not pinned: 1 connection, 1 organization." in checked.out
    assert "acme/gone" not in checked.out
    assert manifest.read_text() == MANIFEST


def test_a_second_run_changes_nothing(acme: Workplace) -> None:
    manifest = acme.write("organizations/acme.yaml", MANIFEST)
    manifest.chmod(0o640)
    assert acme.run("pin").code == 0
    first = manifest.read_bytes()
    assert b"# kept" in first
    assert stat.S_IMODE(manifest.stat().st_mode) == 0o640
    identity = manifest.stat().st_ino
    again = acme.run("pin")
    assert again.code == 0
    assert manifest.read_bytes() == first
    assert manifest.stat().st_ino == identity
    assert acme.run("pin", "--check").code == 0
    assert not acme.emulator.request_log.writes


def test_after_pinning_names_may_change_freely(acme: Workplace) -> None:
    manifest = acme.write(
        "organizations/acme.yaml", "organization: acme\nconnections:\n  okta: {display_name: Okta}\n"
    )
    acme.run("pin")
    manifest.write_text(manifest.read_text().replace("display_name: Okta", "display_name: Renamed"))
    planned = acme.run("plan")
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in planned.out


def test_json_and_exit_code_agree(acme: Workplace) -> None:
    acme.write("organizations/acme.yaml", MANIFEST)
    checked = acme.run("pin", "--check", "--format", "json")
    assert (checked.code, checked.document["settled"]) == (1, False)
    assert [pin["kind"] for pin in checked.document["pins"]] == ["organization", "connection"]
    written = acme.run("pin", "--format", "json")
    assert (written.code, written.document["settled"]) == (0, True)
    assert written.document["not_live"] == ["acme/new"]


def test_ambiguous_connections_are_not_pinned(acme: Workplace) -> None:
    acme.emulator.add_connection("acme", **okta("Okta"))
    manifest = acme.write(
        "organizations/acme.yaml", "organization: acme\nconnections:\n  okta: {display_name: Okta}\n"
    )
    run = acme.run("pin")
    assert run.code == 1
    assert "acme/okta matches 2 live connections" in run.out
    assert "connection_id" not in manifest.read_text()


def test_several_documents_and_links_keep_their_form(acme: Workplace) -> None:
    acme.emulator.add_organization("globex")
    real = acme.write(
        "organizations/shared/all.yaml", "organization: acme\n---\n# second\norganization: globex\n"
    )
    link = acme.root / "organizations/all.yaml"
    link.symlink_to("shared/all.yaml")
    assert acme.run("pin", "organizations/all.yaml").code == 0
    assert link.is_symlink()
    ids = [acme.emulator.organization(slug)["organization_id"] for slug in ("acme", "globex")]
    assert real.read_text() == (
        f"organization: acme\norganization_id: {ids[0]}\n---\n# second\n"
        f"organization: globex\norganization_id: {ids[1]}\n"
    )


def test_a_refusal_says_what_to_do(acme: Workplace) -> None:
    text = "organization: acme\nconnections:\n  Okta: &a {client_id: x}\n  Entra: *a\n"
    manifest = acme.write("organizations/acme.yaml", text)
    run = acme.run("pin")
    assert run.code == 1
    assert "cannot be added to this block without changing something else (2) [not-pinned]" in run.out
    assert run.out.count("or add the line `connection_id: oidc-connection-test-") == 2
    assert "or add the line `connection_id: oidc-connection-test-" in run.out
    assert manifest.read_text().count("connection_id") == 0
    assert "organization_id: " in manifest.read_text()


def test_manifests_with_errors_stop_it(acme: Workplace) -> None:
    acme.write("organizations/acme.yaml", "organization: acme\nconnectons: {}\n")
    run = acme.run("pin")
    assert run.code == 1
    assert "unknown key `connectons`" in run.err
    assert not acme.emulator.request_log.entries


def test_an_unknown_organization_does_not_stop_the_others(acme: Workplace) -> None:
    acme.write("organizations/acme.yaml", "organization: acme\n")
    acme.write("organizations/gone.yaml", "organization: nobody\n")
    acme.write(
        "organizations/other.yaml",
        "organization: 'crm|1'\norganization_id: organization-test-2\nconnections:\n  Okta: {}\n",
    )
    acme.emulator.add_organization("moved", organization_external_id="crm|1")
    run = acme.run("pin")
    assert run.code == 1
    assert "organization nobody cannot be planned" in run.out
    assert "is pinned to organization-test-2" in run.out
    assert "Pinned: 0 connections, 1 organization." in run.out
    assert "organization_id" in (acme.root / "organizations/acme.yaml").read_text()


def test_with_nothing_but_errors_it_does_not_report_success(acme: Workplace) -> None:
    acme.write("organizations/gone.yaml", "organization: nobody\n")
    run = acme.run("pin", "--check")
    assert run.code == 1
    assert "Not everything could be pinned" in run.out


def test_denied_access_stops_it(acme: Workplace) -> None:
    acme.emulator.add_fault("list-connections:unauthorized_credentials")
    acme.write("organizations/acme.yaml", "organization: acme\n")
    run = acme.run("pin")
    assert run.code == 1
    assert "access-denied" in run.err
    assert (acme.root / "organizations/acme.yaml").read_text() == "organization: acme\n"


def test_a_file_that_changes_during_the_run_is_not_written(
    acme: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = acme.write("organizations/acme.yaml", "organization: acme\n")

    def changed(file: Path) -> bytes:
        with file.open("rb") as stream:
            return stream.read() + b"prune: true\n"

    monkeypatch.setattr(Path, "read_bytes", changed)
    run = acme.run("pin")
    assert run.code == 1
    assert "was changed during the run: run it again" in run.err
    assert manifest.read_text() == "organization: acme\n"
