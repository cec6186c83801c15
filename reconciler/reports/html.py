"""A page of values → one self-contained HTML file that loads nothing and runs only its own script."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

if TYPE_CHECKING:
    from reconciler.reports.html_page import HtmlPage


def html_text(page: HtmlPage) -> str:
    """Return the file. Its content security policy allows its own style and script by their digests."""
    environment = _environment()
    style, script = _source(environment, "report.css"), _source(environment, "report.js")
    return (
        environment.get_template("report.html.j2").render(
            page=page,
            style=Markup(style),  # noqa: S704 - a file of this package
            script=Markup(script),  # noqa: S704 - a file of this package
            style_digest=_digest(style),
            script_digest=_digest(script),
        )
        + "\n"
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reconciler.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _digest(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()
