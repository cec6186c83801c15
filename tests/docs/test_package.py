"""Checks the package's metadata: its name, its addresses, and a description whose links work anywhere."""

from __future__ import annotations

import re
import tomllib
from urllib.parse import unquote

import cmarkgfm
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

from tests.docs.pages import ROOT, anchors

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["Homepage"]


def test_the_metadata_is_complete() -> None:
    assert PROJECT["name"] == "oidc-reconciler"
    assert PROJECT["authors"] == [{"name": "The oidc-reconciler project"}]
    assert {"Homepage", "Documentation", "Changelog", "Issues", "Security"} == PROJECT["urls"].keys()
    for address in PROJECT["urls"].values():
        assert address.startswith(REPOSITORY)
        assert_exists(address)


def test_the_links_of_the_description_are_absolute_and_lead_somewhere() -> None:
    description = ProjectMetadata(str(ROOT), PluginManager()).core.readme
    html = cmarkgfm.github_flavored_markdown_to_html(description)
    links = re.findall(r'(?:href|src)="([^"]*)"', html)
    assert len(links) > 10
    for link in links:
        assert link.startswith("https://"), link
        assert_exists(link)


def assert_exists(address: str) -> None:
    """Check a link into the repository against the checkout."""
    if match := re.match(re.escape(REPOSITORY) + r"/(?:blob|raw)/main/([^#]*)#?(.*)", address):
        path = ROOT / unquote(match[1])
        assert path.exists(), address
        assert not match[2] or match[2] in anchors(path), address
