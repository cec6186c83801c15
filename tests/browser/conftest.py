"""Pages opened in headless Chromium, which may talk to nobody.

Without a browser these tests are skipped, with a message that says how to get one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import chromium as browsers
from tests.idp.provider import RIGHT, key_digest
from tests.support.programs import skip_or_fail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    if not browsers.is_installed():
        skip_or_fail(browsers.INSTALL_HINT)
    flags = ("--hide-scrollbars", f"--ignore-certificate-errors-spki-list={key_digest(RIGHT)}")
    with browsers.chromium(tmp_path_factory.mktemp("profile"), *flags) as chrome:
        yield chrome


class Page:
    """One report, open in the browser."""

    def __init__(self, browser: Chrome) -> None:
        self.browser = browser

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript in the page, whose own policy allows none, and return its value."""
        return self.browser.execute_script(script, *arguments)

    def shown(self) -> list[str]:
        """Return the addresses of the cards that can be seen."""
        return list(
            self.run(
                "return [...document.querySelectorAll('.card')].filter((card) => card.checkVisibility())"
                ".map((card) => card.querySelector('summary code').textContent)"
            )
        )

    def problems(self) -> list[str]:
        """Return what the console says, and every address that was asked for besides the file itself."""
        console = [entry["message"] for entry in browsers.log_of(self.browser, "browser")]
        return [*console, *self._requests()]

    def _requests(self) -> list[str]:
        entries = browsers.log_of(self.browser, "performance")
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        urls = [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in urls if not url.startswith(("file:", "data:"))]


@pytest.fixture
def open_page(chromium: Chrome, tmp_path: Path) -> Iterator[Any]:
    """Return a way to open HTML at a width, in a colour scheme, on paper or screen."""

    def open_(html: str, *, width: int = 1280, scheme: str = "light", media: str = "screen") -> Page:
        file = tmp_path / "report.html"
        file.write_text(html, encoding="utf-8")
        browsers.emulate(chromium, width=width, height=900, scheme=scheme, media=media)
        page = Page(chromium)
        page.problems()  # what the browser did before is not the page's doing
        chromium.get(file.as_uri())
        return page

    yield open_
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
