"""Builds the site from the pages, as `make docs` does, and follows its links without the network."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from tests.docs.pages import ROOT, name_of
from tests.docs.test_package import REPOSITORY, assert_exists
from tests.support.programs import skip_or_fail

SPHINX = Path(sys.prefix) / "docs/bin/sphinx-build"
_TARGET = re.compile(r'(?:href|src)="([^"]*)"')


def build(pages: Path, site: Path) -> subprocess.CompletedProcess[str]:
    if not SPHINX.exists():
        skip_or_fail("needs Sphinx: make docs")
    words = ("--fail-on-warning", "--keep-going", "--quiet", "-c", ROOT / "docs/site", pages, site)
    return subprocess.run([SPHINX, *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    process = build(ROOT / "docs", folder)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")
    return folder


def test_every_page_is_built_and_can_be_searched(site: Path) -> None:
    pages = {name_of(page).removeprefix("docs/") for page in ROOT.glob("docs/**/*.md")}
    assert not [name for name in pages if not (site / name).with_suffix(".html").exists()]
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert all(f'"{name.removesuffix(".md")}"' in index for name in pages)
    assert '"redirect_url' in index


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    texts = {page: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    links = {(page, link) for page, text in texts.items() for link in _TARGET.findall(text)}
    assert len(links) > 500
    for page, link in links:
        if link.startswith(REPOSITORY):
            assert_exists(link)
        elif not re.match(r"https?:|data:|mailto:", link):
            path, anchor = urldefrag(link)
            target = (page.parent / unquote(path.partition("?")[0])).resolve() if path else page
            assert target.is_file(), f"{page.name}: {link}"
            assert not anchor or target not in texts or f'id="{unquote(anchor)}"' in texts[target], link


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r'<(?:script|img|iframe)[^>]*src="(?:https?:)?//', text), page.name
        assert not re.search(r'<link[^>]*rel="(?:stylesheet|preload)"[^>]*href="(?:https?:)?//', text), (
            page.name
        )


@pytest.mark.parametrize("link", ["no-such-page.md", "reference/manifests.md#no-such-section"])
def test_a_broken_link_fails_the_build(tmp_path: Path, link: str) -> None:
    pages = tmp_path / "docs"
    shutil.copytree(ROOT / "docs", pages)
    (pages / "index.md").write_text(f"# Documentation\n\n[here]({link})\n", encoding="utf-8")
    process = build(pages, tmp_path / "site")
    assert process.returncode != 0
    assert link.partition("#")[0] in process.stderr or link.partition("#")[2] in process.stderr
