"""A headless Chromium for tests that need a real browser; it can reach this machine and nothing else."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from selenium import webdriver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INSTALL_HINT = "needs Chromium and its driver: apt-get install chromium chromium-driver"

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def is_installed() -> bool:
    """Whether this machine has what is needed."""
    return None not in _programs()


@contextmanager
def chromium(profile: Path, *flags: str) -> Iterator[webdriver.Chrome]:
    """Yield a browser with an empty profile, and end it.

    Its console and its network events are kept: `log_of` with ``browser`` and with ``performance``.
    """
    browser, driver = _programs()
    assert browser
    assert driver
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*_FLAGS, f"--user-data-dir={profile}", *flags):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options, webdriver.ChromeService(executable_path=driver))
    try:
        yield chrome
    finally:
        chrome.quit()


def emulate(chrome: webdriver.Chrome, *, width: int, height: int, scheme: str, media: str = "screen") -> None:
    """Set the size of the window, the color scheme, and whether the page is shown on a screen or on paper."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def log_of(chrome: webdriver.Chrome, kind: str) -> list[dict[str, Any]]:
    """Return what has been logged since this was asked last."""
    entries: list[dict[str, Any]] = chrome.execute("getLog", {"type": kind})["value"]
    return entries


def _programs() -> tuple[str | None, str | None]:
    return shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
