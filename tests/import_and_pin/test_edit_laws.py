"""Whatever a manifest looks like: an edit changes the bytes of the named values, and no others."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import Project
from reconciler.manifests.editing import ManifestEditor, SetField
from reconciler.manifests.export import why_undeclarable
from reconciler.secrets import SecretPolicy
from reconciler.secrets.references import escape_literal
from tests.import_and_pin.strategies import HOSTILE, URLS
from tests.support.generated import examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.manifests.editing import Edit

ROOT: Final = Path("/nowhere")
EDITOR = ManifestEditor(
    Project(directory=ROOT, root=ROOT, secret_policy=SecretPolicy(root=ROOT, env_allow=("*",))), {}
)
COMMENT: Final = re.compile(r"# c[0-9]+")
NAMES: Final = ("okta", "'two'", '"c.d"')


def declarable(name: str, values: Any) -> list[Any]:
    return [value for value in values if why_undeclarable(name, value) is None]


SCOPES: Final = st.sets(st.sampled_from(("openid", "email", "a:b", "x/y", "groups"))).map(
    lambda scopes: tuple(sorted(scopes))
)
VALUES: Final[dict[str, st.SearchStrategy[Any]]] = {
    "display_name": st.sampled_from(declarable("display_name", HOSTILE)),
    "client_id": st.sampled_from(declarable("client_id", HOSTILE)),
    "issuer": st.sampled_from(declarable("issuer", URLS)),
    "token_url": st.sampled_from(declarable("token_url", URLS)),
    "custom_scopes": SCOPES,
    "attribute_mapping": st.dictionaries(
        st.sampled_from(("groups", "a b", "c: d", "'e'")),
        st.sampled_from(("x", "1", "y # z", "${z}")),
        max_size=3,
    ),
}


@dataclass
class Manuscript:
    """A manifest as it is written: fixed text, and the places of values by connection and field."""

    newline: str
    parts: list[tuple[str, tuple[str, str] | None]] = field(default_factory=list)
    comments: int = 0

    def add(self, text: str, place: tuple[str, str] | None = None) -> None:
        self.parts.append((text, place))

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.parts).replace("\n", self.newline)

    def pattern(self, edited: set[tuple[str, str]]) -> str:
        """A pattern of the text with anything at the places that are edited."""
        return "".join(
            ".*?" if place in edited else re.escape(text.replace("\n", self.newline))
            for text, place in self.parts
        )


def plain(text: str) -> str:
    return text if re.fullmatch(r"[a-z][a-z0-9./:-]*[a-z]", text) else double(text)


def single(text: str) -> str:
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else double(text)


def double(text: str) -> str:
    return '"' + "".join(map(escaped, text)) + '"'


def escaped(character: str) -> str:
    is_plain = character.isascii() and character.isprintable() and character not in '"\\'
    return character if is_plain else f"\\U{ord(character):08x}"


def folded(text: str) -> str:
    return f">-\n      {text}" if re.fullmatch(r"[a-z/:.]+", text) else double(text)


STYLES: Final[tuple[Callable[[str], str], ...]] = (plain, single, double, folded)


@st.composite
def manuscripts(draw: st.DrawFn) -> Manuscript:
    paper = Manuscript(draw(st.sampled_from(("\n", "\r\n"))))
    paper.add(
        draw(st.sampled_from(("", "\ufeff", "---\n", "# top\n"))) + "organization: acme\nconnections:\n"
    )
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True)):
        plain_name = name.strip("'\"")
        if draw(st.booleans()):
            write_block(draw, paper, name, plain_name)
        else:
            write_flow(draw, paper, name, plain_name)
    return paper


def comment(draw: st.DrawFn, paper: Manuscript) -> str:
    if draw(st.booleans()):
        return ""
    paper.comments += 1
    return f"  # c{paper.comments}"


def write_block(draw: st.DrawFn, paper: Manuscript, name: str, key: str) -> None:
    paper.add(f"  {name}:{comment(draw, paper)}\n    discovery: 'off'\n")
    for field_name in draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True)):
        value = draw(VALUES[field_name])
        paper.add(f"    {field_name}:")
        if isinstance(value, str):
            paper.add(" " + draw(st.sampled_from(STYLES))(escape_literal(value)), (key, field_name))
            paper.add(comment(draw, paper) if ">" not in paper.parts[-1][0][:2] else "")
        else:
            paper.add(collection(draw, paper, value), (key, field_name))
        paper.add("\n" + draw(st.sampled_from(("", "\n", "    # between\n"))))


def collection(draw: st.DrawFn, paper: Manuscript, value: Any) -> str:
    """A list or mapping, in brackets or on lines of its own, with comments."""
    style = draw(st.sampled_from((single, double)))
    entries = (
        [style(escape_literal(item)) for item in value]
        if isinstance(value, tuple)
        else [f"{double(name)}: {style(escape_literal(claim))}" for name, claim in value.items()]
    )
    if draw(st.booleans()) and entries:
        dash = "- " if isinstance(value, tuple) else ""
        return comment(draw, paper) + "".join(
            f"\n      {dash}{entry}{comment(draw, paper)}" for entry in entries
        )
    return " " + bracketed(value, entries)


def bracketed(value: Any, entries: list[str]) -> str:
    opening, closing = "[]" if isinstance(value, tuple) else "{}"
    return opening + ", ".join(entries) + closing


def write_flow(draw: st.DrawFn, paper: Manuscript, name: str, key: str) -> None:
    paper.add(f"  {name}: {{discovery: 'off'")
    for field_name in draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True)):
        value = draw(VALUES[field_name])
        paper.add(f", {field_name}:")
        if isinstance(value, str):
            paper.add(" " + draw(st.sampled_from((single, double)))(escape_literal(value)), (key, field_name))
        else:
            entries = (
                [double(escape_literal(item)) for item in value]
                if isinstance(value, tuple)
                else [f"{double(left)}: {double(escape_literal(right))}" for left, right in value.items()]
            )
            paper.add(" " + bracketed(value, entries), (key, field_name))
    paper.add(f"}}{comment(draw, paper)}\n")


@examples(200)
@given(manuscripts(), st.data())
def test_only_the_bytes_of_named_values_change(paper: Manuscript, data: st.DataObject) -> None:
    content = paper.text.encode()
    declared = EDITOR.declared(content, "x.yaml")
    if not declared:  # two connections of one name, for example
        return
    places = [place for _, place in paper.parts if place is not None]
    chosen = data.draw(st.lists(st.sampled_from(places), unique=True)) if places else []
    values = {place: data.draw(VALUES[place[1]]) for place in chosen}
    edits: list[Edit] = [
        SetField(declared[0].location, connection, name, value)
        for (connection, name), value in values.items()
    ]
    result, refused = EDITOR.edited(content, "x.yaml", edits)
    refused_places = {(edit.connection, edit.field) for edit in (refusal.edit for refusal in refused)
                      if isinstance(edit, SetField)}  # fmt: skip
    assert all(name == "display_name" for _, name in refused_places)  # another connection has that name
    after = result.decode()
    assert re.fullmatch(paper.pattern({*values} - refused_places), after, re.DOTALL)
    assert COMMENT.findall(after) == COMMENT.findall(paper.text)
    assert after.count("\r\n") == after.count("\n") or paper.newline == "\n"
    read = yaml.safe_load(after)["connections"]
    for (connection, name), value in values.items():
        if (connection, name) not in refused_places:
            assert comparable(unescaped(read[connection][name])) == comparable(value)


def comparable(value: Any) -> Any:
    """A list in any order."""
    return sorted(value) if isinstance(value, list | tuple) else value


def unescaped(value: Any) -> Any:
    """What a value is for another reader, without the escapes of literal text."""
    if isinstance(value, list):
        return [unescaped(item) for item in value]
    if isinstance(value, dict):
        return {name: unescaped(claim) for name, claim in value.items()}
    return value.replace("$${", "${")
