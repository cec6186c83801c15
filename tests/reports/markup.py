"""Rendered markup taken apart: which elements there are, and which text is outside of code."""

from __future__ import annotations

from html.parser import HTMLParser

from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options

VOID = {"br", "meta", "link", "input"}
CODE = {"code", "pre"}
OPAQUE = {"style", "script"}


class Markup(HTMLParser):
    """``skeleton`` are the elements without code, ``outside`` the texts that are not code."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.skeleton: list[str] = []
        self.outside: list[str] = []
        self.code: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "code":
            self.code.append("")
        else:
            self.skeleton.append(f"<{tag} {' '.join(name for name, _ in attrs)}>")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag, f"</{tag}> closes something else"
        if tag != "code":
            self.skeleton.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.text += data
        if "code" in self._open:
            self.code[-1] += data
        elif not OPAQUE.intersection(self._open):
            self.outside.append(data)

    def handle_comment(self, data: str) -> None:
        self.skeleton.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.skeleton.append(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self.skeleton.append(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self.skeleton.append(f"<![{data}]>")


def rendered(markdown: str) -> Markup:
    """Render as GitHub does before it sanitizes: raw HTML is kept, so that nothing can hide behind that."""
    html = github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE)
    return Markup(html.replace("<br />", "<br>"))
