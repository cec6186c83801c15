"""Reads the texts that explain the codes of diagnostics, and renders them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

RULE_FIX = (
    "If it is intended, approve it in Git or with `--accept-risk {code}:ADDRESS`. "
    "The severity is set under `policies` in the project file."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a code means, why it matters, and what to do."""

    code: str
    title: str
    why: str
    fix: str


def load_explanations(rules: Mapping[str, str]) -> Mapping[str, Explanation]:
    """Return the explanation of each code. ``rules`` maps the ID of a risk rule to why it matters."""
    return {code: _explanation(code, text, rules) for code, text in _texts().items()}


def message_texts(code: str) -> tuple[str, str]:
    """Return why the finding of a code matters, and what to do, as messages say it."""
    text = _texts()[code]
    return str(text["why"]), str(text["fix"])


def code_title(code: str) -> str:
    """Return what a code means, without a full stop; a name that is no code means itself."""
    text = _texts().get(code)
    return str(text["title"]).rstrip(".") if text else code


@cache
def _texts() -> Mapping[str, Any]:
    yaml = import_module("yaml")  # costs time that commands without findings need not spend
    texts: Mapping[str, Any] = yaml.safe_load(
        files(__package__).joinpath("codes.yaml").read_text(encoding="utf-8")
    )
    return texts


def _explanation(code: str, text: Mapping[str, str], rules: Mapping[str, str]) -> Explanation:
    why = rules[code] if code in rules else text["why"]
    fix = RULE_FIX.format(code=code) if code in rules else text["fix"]
    return Explanation(code=code, title=text["title"], why=_sentence(why), fix=_sentence(fix))


def _sentence(text: str) -> str:
    """Return a text with a capital letter and a full stop; a message has neither."""
    return text[0].upper() + text[1:].removesuffix(".") + "."


def explanation_text(explanation: Explanation) -> str:
    """Return an explanation for people."""
    return f"""{explanation.code}: {explanation.title}

Why it matters: {explanation.why}
What to do: {explanation.fix}
"""


def explanations_markdown(explanations: Mapping[str, Explanation]) -> str:
    """Return the reference of all codes, by name."""
    return "\n".join(
        f"## `{code}`\n\n{explanation.title}\n\n- Why it matters: {explanation.why}\n"
        f"- What to do: {explanation.fix}\n"
        for code, explanation in sorted(explanations.items())
    )
