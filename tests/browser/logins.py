"""A person who logs in with Chromium: every form on the way is filled in and sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selenium.webdriver import Chrome

_SECONDS = 10


def log_in(chromium: Chrome, url: str, answers: Mapping[str, str]) -> str:
    """Open a page and fill in its forms, as nobody who was here before; return the text of the last page."""
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    chromium.get(url)
    while buttons := chromium.find_elements(By.CSS_SELECTOR, "form button"):
        for name, text in answers.items():
            for box in chromium.find_elements(By.NAME, name):
                box.send_keys(text)
        buttons[0].click()
        # in the moment of a navigation, the driver answers with an unknown error
        wait = WebDriverWait(chromium, _SECONDS, ignored_exceptions=[WebDriverException])
        wait.until(staleness_of(buttons[0]))
    return chromium.find_element(By.TAG_NAME, "body").text
