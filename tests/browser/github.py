"""Markdown as GitHub shows it in a comment: its renderer, sanitizer, alerts, mentions and style sheet.

`python -m tests.browser.github FILE...` writes pictures of Markdown files, in light and dark, beside them.
"""

from __future__ import annotations

import argparse
import re
import sys
from base64 import b64decode
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import nh3
from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options

from tests import chromium as browsers

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

STYLE: Final = Path(__file__).parent / "node_modules" / "github-markdown-css" / "github-markdown.css"

SCHEMES: Final = ("light", "dark")

WIDTH: Final = 900

_TAGS: Final = {
    *(
        "a",
        "b",
        "blockquote",
        "br",
        "caption",
        "code",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
    ),
    *(
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "input",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "pre",
    ),
    *(
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
    ),
    *("tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "ul", "var", "wbr"),
}
"""The elements that GitHub keeps, as hast-util-sanitize lists them; there are no classes and no styles."""

_ATTRIBUTES: Final = {
    "a": {"href"},
    "img": {"src"},
    "input": {"type", "disabled", "checked"},
    "pre": {"lang"},
    "*": {
        *("align", "alt", "colspan", "dir", "height", "id", "lang", "open", "rowspan", "start", "title"),
        *("valign", "width", "name"),
    },
}

_ALERT: Final = re.compile(
    r"<blockquote>\s*<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*(?:<br>\s*)?(.*?)</blockquote>",
    re.DOTALL | re.IGNORECASE,
)

_REFERENCE: Final = re.compile(
    r"(?<![\w`/])@[\w-]+(?:/[\w-]+)?"  # a person or a team
    r"|(?<![\w`&])(?:[\w.-]+/[\w.-]+)?#\d+\b|\bGH-\d+\b"  # an issue
    r"|\b[0-9a-f]{40}\b"  # a commit
    r"|:[a-z0-9_+-]+:(?=\W|$)"  # an emoji
    r"|\$[^\s$][^$]*\$"  # a formula
)

_DIFF_CLASSES: Final = {"+": "pl-mi1", "-": "pl-md", "!": "pl-mc"}

_FRAME: Final = """
body { margin: 0; background: light-dark(#ffffff, #0d1117); color-scheme: light dark; }
article.markdown-body { margin: 16px; padding: 16px; border-radius: 6px; font-size: 14px;
  border: 1px solid light-dark(#d1d9e0, #3d444d); }
"""


def comment(markdown: str) -> str:
    """Return the HTML of a comment; what GitHub reads into text of others is a link with `data-reference`."""
    options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_HARDBREAKS | Options.CMARK_OPT_FOOTNOTES
    html = github_flavored_markdown_to_html(markdown, options=options)
    safe = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        clean_content_tags={"script"},
        url_schemes={"http", "https", "mailto", "xmpp", "irc", "ircs"},
        link_rel="nofollow",
    )
    return _ALERT.sub(_alert, _References(safe).html)


def page(markdown: str) -> str:
    """Return a whole page with the comment, in GitHub's style, which follows the reader's color scheme."""
    style = STYLE.read_text(encoding="utf-8") + _FRAME
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>comment</title>'
        f'<style>{style}</style></head><body><main><article class="markdown-body">{comment(markdown)}'
        "</article></main></body></html>"
    )


def photograph(chrome: Chrome, file: Path, *, width: int, scheme: str) -> bytes:
    """Return a PNG of the whole page that is in a file."""
    browsers.emulate(chrome, width=width, height=900, scheme=scheme)
    chrome.get(file.as_uri())
    height = chrome.execute_script("return document.documentElement.scrollHeight")
    browsers.emulate(chrome, width=width, height=height, scheme=scheme)
    return b64decode(chrome.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"])


class _References(HTMLParser):
    """Rewrites sanitized HTML: mentions and the like become links, and lines of a diff get their color."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = ""
        self._literal = 0
        self._language = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._literal += tag in {"a", "code", "pre"}
        if tag == "pre":
            self._language = dict(attrs).get("lang") or ""
        self.html += self.get_starttag_text() or ""

    def handle_endtag(self, tag: str) -> None:
        self._literal -= tag in {"a", "code", "pre"}
        if tag == "pre":
            self._language = ""
        self.html += f"</{tag}>"

    def handle_data(self, data: str) -> None:
        text = escape(data, quote=False)
        if self._language == "diff":
            self.html += "\n".join(map(_diff_line, text.split("\n")))
        elif self._literal:
            self.html += text
        else:
            self.html += _REFERENCE.sub(r'<a href="#" data-reference>\g<0></a>', text)


def _diff_line(line: str) -> str:
    name = _DIFF_CLASSES.get(line[:1])
    return f'<span class="{name}">{line}</span>' if name else line


def _alert(match: re.Match[str]) -> str:
    kind, content = match[1].lower(), match[2]
    return (
        f'<div class="markdown-alert markdown-alert-{kind}">'
        f'<p class="markdown-alert-title">{kind.capitalize()}</p>\n<p>{content}</div>'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="write pictures of Markdown files, as GitHub shows them")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, help="folder of the pictures; by default that of each file")
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--open", action="store_true", help="open what is folded")
    options = parser.parse_args()
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, browsers.chromium(Path(folder), "--hide-scrollbars") as chrome:
        for file in options.files:
            html = page(file.read_text(encoding="utf-8"))
            whole = Path(folder) / "comment.html"
            whole.write_text(
                html.replace("<details>", "<details open>") if options.open else html, encoding="utf-8"
            )
            for scheme in SCHEMES:
                target = (options.out or file.parent) / f"{file.name}.{scheme}.png"
                target.write_bytes(photograph(chrome, whole, width=options.width, scheme=scheme))
                sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main()
