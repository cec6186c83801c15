"""Builds the site from the pages of docs/, with strict links and search: `make docs`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PARTS = {"Tutorial": "tutorial", "How-to": "how-to", "Reference": "reference", "Explanation": "explanation"}

project = PROJECT["name"]
author = PROJECT["authors"][0]["name"]
extensions = ["myst_parser"]
exclude_patterns = ["site"]
html_theme = "furo"
html_title = project
html_show_copyright = False
html_copy_source = False
myst_heading_anchors = 4
nitpicky = True  # a link that leads nowhere is a warning, and `make docs` fails on warnings


def prepare(_: Sphinx, name: str, source: list[str]) -> None:
    """Point links that leave docs/ to the repository, and list all pages below the first one.

    Console blocks hold the output of commands, which is no shell script, so they are not highlighted.
    """
    folder = (DOCS / name).parent
    source[0] = re.sub(r"\]\((\.\./[^)\s]+)\)", lambda match: f"]({absolute(match[1], folder)})", source[0])
    source[0] = re.sub(r"^( *```)console$", r"\1text", source[0], flags=re.MULTILINE)
    if name == "index":
        source[0] += "".join(contents(title, part) for title, part in PARTS.items())
        source[0] += toctree("Evidence", ["security", *pages("test-reports")])


def absolute(link: str, folder: Path) -> str:
    """Return the address in the repository of a file outside of docs/; other links stay as they are."""
    path, _, anchor = link.partition("#")
    target = (folder / path).resolve()
    if target.is_relative_to(DOCS):
        return link
    address = f"{PROJECT['urls']['Homepage']}/blob/main/{target.relative_to(ROOT).as_posix()}"
    return f"{address}#{anchor}" if anchor else address


def contents(title: str, part: str) -> str:
    """Return the table of contents of one part."""
    return toctree(title, pages(part))


def pages(part: str) -> list[str]:
    """Return the names of a part's pages."""
    return sorted(path.relative_to(DOCS).with_suffix("").as_posix() for path in (DOCS / part).glob("*.md"))


def toctree(title: str, names: list[str]) -> str:
    """Return a hidden table of contents, for the navigation at the side."""
    lines = ["", "```{toctree}", ":hidden:", f":caption: {title}", "", *names, "```", ""]
    return "\n".join(lines)


def setup(app: Sphinx) -> None:
    """Register the preparation of each page."""
    app.connect("source-read", prepare)
