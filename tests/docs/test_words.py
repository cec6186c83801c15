"""Checks that code and pages use plain words: no phrase of this list, and no install by the wrong name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.generators import PACKAGE
from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS = (PACKAGE, *(ROOT / name for name in ("docs", "examples", "schemas", ".github", ".ci")))
FILES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "Makefile", ".pre-commit-hooks.yaml")
SUFFIXES = {".py", ".md", ".yml", ".yaml", ".json", ".html", ".j2", ".rego", ".txt", ""}

PHRASES = (
    # pages
    "behind Git's back",
    "found and healed",
    "draws the house",
    "loads nothing",
    "not the whole story",
    "under which it stands",
    "cannot be had",
    "than they look like",
    "told by the project",
    "rather than guessed at",
    "sends nothing but reads",
    "empty wish",
    "is told to the new one",
    "whoever is there now",
    "who logs in to this organization",
    "by who reads it",
    "members of any other tenant",
    "otherwise than it was sent",
    "that very moment",
    "in the same moment can there be two",
    "how far they came",
    "cannot speak of",
    "is declared no more",
    "can be entered with the keys",
    "is told by its name",
    "comes of them",
    "belongs into",
    "outlives its block",
    "who holds it can log in",
    "log in as anybody",
    "with two doors",
    "both doors",
    # messages
    "this is no YAML",
    "names nothing",
    "nobody can be asked",
    "are to go, but",
    "tombstone has done its work",
    "nobody can say",
    "cannot be looked through",
    "nothing is planned by half",
    "YAML wants blanks",
    "a secret never stands",
    "nothing of it is planned",
    "make what is live",
    "what is live what",
    # docstrings and comments
    "Take note",
    "needs to be kept any longer",
    "nobody is asked",
    "may be said only once",
    "not what it was to become",
    "a reading may show",
    "what is really there",
    "what deserves to be said",
    "can speak of",
    "is made again until",
    "foreign words",
    "half a character",
    "which is quick to see",
    "the way over the network",
    "is made faster than",
    "could not do its work ends",
    "looked through again and again",
    "words that name something",
    "Ask fewer questions",
)
IDENTIFIERS = (
    "Shelf",
    "Declarations",
    "Deciding",
    "Settling",
    "_Taking",
    "_Resolving",
    "_Replacing",
    "foresight",
    "foreseen",
    "surprised",
    "_untold",
    "Unsettled",
    "Disturbed",
    "LongPause",
    "Patience",
    "patience",
    "hesitates",
    "undisturbed",
    "never_sent",
    "is_asked",
    "repeats_secret",
    "_TELLING",
    "_NO_CHANCE",
    "trust_in",
    "_introduction",
    "_admit",
    "_refuse_foreign",
    "twins",
    "report_twins",
    "look_alikes",
    "_Unseen",
    "are_aimed_at",
    "of_this_share",
    "shared_out",
    "flaws",
    "objections",
    "UNUSABLE",
    "Unusable",
    "UNRECOGNISED",
    "Misread",
    "declarable",
    "unfailing_remarks",
    "OutputLost",
    "give_up",
    "whereabouts",
    "pinned_elsewhere",
    "taking_over",
    "doomed",
    "GitPast",
)
_BARE_NAME = re.compile(
    r"""\b(?:pip|pipx|uv)\b[^\n]*\binstall\b[^\n]*[ '"]reconciler(?![\w./*-])  # pip install reconciler
      | (?<![\w-])reconciler(?:\$\{[^\n]*\}|\[[^\n]*\])?==                            # reconciler==0.1.0
      | (?<![\w-])reconciler\[                                             # reconciler[emulator]
    """,
    re.VERBOSE,
)


def read_texts() -> Iterator[tuple[str, str]]:
    """Yield the name and the content of each text file that users or engineers read."""
    paths = [*(ROOT / name for name in FILES), *(path for folder in FOLDERS for path in folder.rglob("*"))]
    for path in paths:
        if path.is_file() and path.suffix in SUFFIXES and "__pycache__" not in path.parts:
            yield str(path), path.read_text(encoding="utf-8")


TEXTS = dict(read_texts())
FLAT = {name: re.sub(r"\s+(?:#\s+)?", " ", text.lower()) for name, text in TEXTS.items()}
NAMES = {name: set(re.findall(r"\w+", text)) for name, text in TEXTS.items() if name.endswith(".py")}


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_text_has_this_phrase(phrase: str) -> None:
    files = [name for name, text in FLAT.items() if phrase.lower() in text]
    assert not files


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_no_code_has_this_name(identifier: str) -> None:
    files = [name for name, names in NAMES.items() if identifier in names]
    assert not files


def test_nothing_installs_the_unrelated_package() -> None:
    matches = {name: match[0] for name, text in TEXTS.items() if (match := _BARE_NAME.search(text))}
    assert not matches


@pytest.mark.parametrize(
    ("text", "is_wrong"),
    [
        ("pip install reconciler", True),
        ("pip install --quiet 'reconciler[emulator]'", True),
        ('"reconciler${EXTRAS:+[$EXTRAS]}==$VERSION"', True),
        ("additional_dependencies: [reconciler==0.1.0]", True),
        ("python -m pip install reconciler==$VERSION", True),
        ("pip install oidc-reconciler", False),
        ("pip install 'oidc-reconciler[emulator]'", False),
        ('"oidc-reconciler${EXTRAS:+[$EXTRAS]}==$VERSION"', False),
        ("/opt/reconciler/bin/pip install /tmp/oidc_reconciler-*.whl", False),
    ],
)
def test_an_install_by_the_bare_name_is_detected(text: str, is_wrong: bool) -> None:
    assert bool(_BARE_NAME.search(text)) is is_wrong
