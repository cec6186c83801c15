"""The HTML report in a real browser: filter, fold, keyboard, phone, paper; no error and no request."""

from __future__ import annotations

import base64
import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from reconciler.reports import DRIFT_FORMATS, PLAN_FORMATS, RESULT_FORMATS, VALIDATION_FORMATS
from reconciler.reports.report import SourceLinks
from tests.browser.conftest import AXE
from tests.reports.published import (
    APPLIED,
    BLOCKED,
    FINDINGS,
    ORDINARY,
    QUIET,
    REFUSED,
    TEST_SCOPE,
    create,
    drift_of,
    hostile_plan,
    large_plan,
    place,
    plan,
    review_plan,
)
from tests.support.programs import skip_or_fail

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Page

PHONE, TABLET, DESKTOP = 390, 900, 1440

HOSTILE_REPORT = PLAN_FORMATS["html"](hostile_plan())

REPORTS = {
    "review": PLAN_FORMATS["html"](review_plan()),
    "review of test": PLAN_FORMATS["html"](review_plan(scope=TEST_SCOPE)),
    "apply": RESULT_FORMATS["html"](APPLIED),
    "ordinary": PLAN_FORMATS["html"](ORDINARY),
    "quiet": PLAN_FORMATS["html"](QUIET),
    "refused": PLAN_FORMATS["html"](REFUSED),
    "blocked": PLAN_FORMATS["html"](BLOCKED),
    "hostile": HOSTILE_REPORT,
    "drift": DRIFT_FORMATS["html"](drift_of(ORDINARY)),
    "findings": VALIDATION_FORMATS["html"](FINDINGS),
}

OKTA, OLD, ENTRA, KEYCLOAK = (
    "acme/okta-workforce",
    "acme/old-saml-bridge",
    "initech/entra",
    "umbrella/keycloak",
)

every_report = pytest.mark.parametrize("html", REPORTS.values(), ids=list(REPORTS))
every_width = pytest.mark.parametrize("width", [PHONE, TABLET, DESKTOP], ids=["phone", "tablet", "desktop"])
every_scheme = pytest.mark.parametrize("scheme", ["light", "dark"])


@pytest.fixture
def ordinary(open_page: Callable[..., Page]) -> Page:
    return open_page(REPORTS["ordinary"])


@every_report
@every_width
def test_it_opens_without_an_error_or_a_request_and_fits_the_screen(
    open_page: Callable[..., Page], html: str, width: int
) -> None:
    page = open_page(html, width=width)
    page.run("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert page.run("return document.documentElement.scrollWidth") <= width
    assert page.problems() == []


@pytest.mark.parametrize("name", [name for name in REPORTS if name != "hostile"])
@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_axe_finds_nothing_serious(
    open_page: Callable[..., Page], name: str, width: int, scheme: str
) -> None:
    if not AXE.exists():
        skip_or_fail("axe-core is missing: run `npm ci` in tests/browser")
    page = open_page(REPORTS[name], width=width, scheme=scheme)
    page.run("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    page.run(AXE.read_text(encoding="utf-8"))
    audit = page.browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    serious = [
        violation for violation in audit["violations"] if violation["impact"] in {"serious", "critical"}
    ]
    assert [(violation["id"], violation["nodes"][0]["html"]) for violation in serious] == []
    assert audit["passes"]


def test_it_filters_by_text(ordinary: Page) -> None:
    text = ordinary.browser.find_element(By.ID, "text")
    text.send_keys("KEYCLOAK realms")
    assert ordinary.shown() == [KEYCLOAK]
    assert ordinary.browser.find_element(By.ID, "shown").text == "1 of 4 shown"
    text.send_keys(" nowhere")
    assert ordinary.shown() == []
    assert ordinary.browser.find_element(By.ID, "nothing").is_displayed()


def test_it_filters_by_organization(ordinary: Page) -> None:
    Select(ordinary.browser.find_element(By.ID, "organization")).select_by_visible_text("acme")
    assert ordinary.shown() == [OKTA, OLD]
    headings = ordinary.browser.find_elements(By.TAG_NAME, "h3")
    assert [heading.text for heading in headings if heading.is_displayed()] == [
        "acme 1 to change, 1 to destroy"
    ]


def test_it_filters_by_action(ordinary: Page) -> None:
    for action in ("create", "update"):
        ordinary.browser.find_element(By.CSS_SELECTOR, f"[name=action][value={action}]").click()
    assert ordinary.shown() == [OLD]


def test_filters_go_together_and_can_be_cleared(ordinary: Page) -> None:
    Select(ordinary.browser.find_element(By.ID, "organization")).select_by_visible_text("acme")
    ordinary.browser.find_element(By.ID, "text").send_keys("login.acme.com")
    assert ordinary.shown() == [OKTA]
    ordinary.browser.find_element(By.ID, "clear").click()
    ordinary.browser.execute_async_script("setTimeout(arguments[0], 20)")
    assert ordinary.shown() == [OKTA, OLD, ENTRA, KEYCLOAK]


def test_unchanged_attributes_can_be_shown(ordinary: Page) -> None:
    def rows() -> list[str]:
        names = ordinary.browser.find_elements(By.CSS_SELECTOR, ".card.update tbody th")
        return [name.text for name in names if name.is_displayed()]

    assert "client_id" not in rows()
    ordinary.browser.find_element(By.ID, "unchanged").click()
    assert "client_id" in rows()
    assert "issuer" in rows()


def test_it_folds(ordinary: Page) -> None:
    def is_open() -> list[bool]:
        return list(ordinary.run("return [...document.querySelectorAll('.card')].map((card) => card.open)"))

    assert is_open() == [True, False, True, True]  # a destroy is one line
    ordinary.browser.find_element(By.ID, "close").click()
    assert is_open() == [False] * 4
    ordinary.browser.find_element(By.CSS_SELECTOR, ".card summary").click()
    assert is_open() == [True, False, False, False]
    ordinary.browser.find_element(By.ID, "open").click()
    assert is_open() == [True] * 4


def test_the_keyboard_is_enough(ordinary: Page) -> None:
    def press(*keys: str) -> None:
        ActionChains(ordinary.browser).send_keys(*keys).perform()

    def focused() -> str:
        return str(ordinary.run("return document.activeElement.id || document.activeElement.tagName"))

    press("/")
    assert focused() == "text"
    press("entra")
    assert ordinary.shown() == [ENTRA]
    press(Keys.ESCAPE)
    ordinary.browser.execute_async_script("setTimeout(arguments[0], 20)")
    assert len(ordinary.shown()) == 4
    for _ in range(20):
        press(Keys.TAB)
        if focused() == "SUMMARY":
            break
    press(Keys.ENTER)
    assert ordinary.run("return document.querySelector('.card').open") is False
    outline = ordinary.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_a_search_for_a_slash_is_possible(ordinary: Page) -> None:
    ordinary.browser.find_element(By.ID, "text").send_keys("acme/okta")
    assert ordinary.shown() == [OKTA]


def test_on_a_phone_the_two_sides_stand_below_each_other(open_page: Callable[..., Page]) -> None:
    def tops(width: int) -> list[float]:
        page = open_page(REPORTS["ordinary"], width=width)
        cells = "document.querySelectorAll('.card.update tbody tr:not(.same) td')"
        return list(
            page.run(f"return [...{cells}].slice(0, 2).map((cell) => cell.getBoundingClientRect().top)")
        )

    before, after = tops(DESKTOP)
    assert before == after
    before, after = tops(PHONE)
    assert before < after


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_has_the_readers_colours(open_page: Callable[..., Page], scheme: str) -> None:
    page = open_page(REPORTS["ordinary"], scheme=scheme)
    ground = page.run("return getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]


def test_on_paper_everything_is_open_and_the_filter_is_gone(ordinary: Page) -> None:
    ordinary.browser.find_element(By.ID, "close").click()
    assert base64.b64decode(ordinary.browser.print_page()).startswith(b"%PDF")
    assert ordinary.run("return [...document.querySelectorAll('.card')].some((card) => card.open)") is False
    ordinary.run("dispatchEvent(new Event('beforeprint'))")
    assert ordinary.run("return [...document.querySelectorAll('details')].every((fold) => fold.open)") is True
    ordinary.run("dispatchEvent(new Event('afterprint'))")
    assert ordinary.run("return [...document.querySelectorAll('.card')].some((card) => card.open)") is False
    media: dict[str, Any] = {"media": "print", "features": []}
    ordinary.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    assert not ordinary.browser.find_element(By.ID, "filter").is_displayed()


def test_no_name_becomes_markup(open_page: Callable[..., Page]) -> None:
    page = open_page(REPORTS["hostile"])
    foreign = 'main script, main img, a:not([href^="#"]), main iframe, [onerror], [onmouseover]'
    assert page.run(f"return document.querySelectorAll('{foreign}').length") == 0
    Select(page.browser.find_element(By.ID, "organization")).select_by_index(1)
    assert len(page.shown()) == 3


def test_without_its_script_everything_can_still_be_read(open_page: Callable[..., Page]) -> None:
    html = REPORTS["ordinary"]
    page = open_page(html[: html.index("<script>")] + "</body></html>")
    assert page.shown() == [OKTA, OLD, ENTRA, KEYCLOAK]
    assert not page.browser.find_element(By.ID, "filter").is_displayed()


def test_a_thousand_organizations_are_filtered_at_once(open_page: Callable[..., Page]) -> None:
    page = open_page(PLAN_FORMATS["html"](large_plan(1_000)))
    milliseconds = page.run(
        "const text = document.getElementById('text'); const began = performance.now();"
        "text.value = 'the-last'; text.dispatchEvent(new Event('input', {bubbles: true}));"
        "return performance.now() - began"
    )
    assert page.shown() == ["customer-00999/the-last"]
    assert milliseconds < 1_000


def test_thirteen_changes_take_two_screens_of_a_desktop(open_page: Callable[..., Page]) -> None:
    page = open_page(REPORTS["review"], width=DESKTOP)
    assert len(page.shown()) == 13
    assert not page.run("return document.querySelector('details[open]')")
    assert page.run("return document.documentElement.scrollHeight") <= 2 * 900


def test_a_destroy_takes_one_line(open_page: Callable[..., Page]) -> None:
    page = open_page(REPORTS["review"], width=DESKTOP)
    cards = "[...document.querySelectorAll('.card.delete')]"
    heights = page.run(f"return {cards}.map((card) => card.getBoundingClientRect().height)")
    assert len(heights) == 3
    assert max(heights) < 40


@every_report
@every_width
def test_there_are_three_sizes_of_type(open_page: Callable[..., Page], html: str, width: int) -> None:
    page = open_page(html, width=width)
    page.run("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    sizes = page.run(
        "return [...new Set([...document.body.querySelectorAll(':not(script)')]"
        ".filter((it) => it.innerText).map((it) => getComputedStyle(it).fontSize))]"
    )
    assert set(sizes) <= {"24px", "16px", "13px"}


@every_scheme
def test_a_live_plan_never_looks_like_one_of_test(open_page: Callable[..., Page], scheme: str) -> None:
    def header(html: str) -> tuple[str, str, float, str]:
        page = open_page(html, scheme=scheme)
        style = "getComputedStyle(document.querySelector('header'))"
        color = page.run(f"return {style}.backgroundColor")
        red, green, blue = (int(part) for part in color.strip("rgb()").split(","))
        words = page.browser.find_element(By.TAG_NAME, "h1").text
        return words, page.run(f"return {style}.borderTopStyle"), red - (green + blue) / 2, page.browser.title

    words, border, redness, title = header(REPORTS["review"])
    assert words == "LIVE project-live-0c2f"
    assert title.startswith("LIVE: Plan: 3 to add")
    assert redness > 90
    words, other_border, redness, title = header(REPORTS["review of test"])
    assert words == "TEST project-test-7b21"
    assert title.startswith("TEST: Plan: 3 to add")
    assert redness < 0
    assert border != other_border


def test_counters_and_jumps_come_first_then_what_decides(open_page: Callable[..., Page]) -> None:
    page = open_page(REPORTS["review"])
    places = page.run(
        "return ['h1', '.verdict', '.counters', '.jump', '#decisive', '#connections']"
        ".map((it) => document.querySelector(it).getBoundingClientRect().top)"
    )
    assert places == sorted(places)
    counters = page.browser.find_element(By.CLASS_NAME, "counters").text.split()
    assert " ".join(counters) == ("3 to add 7 to change 3 to destroy 2 risks 1 unmanaged 3 warnings")


def test_every_jump_leads_somewhere(open_page: Callable[..., Page]) -> None:
    page = open_page(REPORTS["review"])
    links = "[...document.querySelectorAll('a')].map((link) => link.getAttribute('href'))"
    assert page.run(f"return {links}.length") > 13
    assert page.run(f"return {links}.filter((it) => !document.getElementById(it.slice(1)))") == []


def test_a_risk_stands_at_the_change_that_it_is_about(open_page: Callable[..., Page]) -> None:
    page = open_page(REPORTS["review"])
    assert not page.browser.find_elements(By.ID, "findings")
    card = page.browser.find_element(By.CSS_SELECTOR, ".card.update")
    assert card.text.split("\n") == [
        "~ acme/okta-workforce will be updated in-place "
        "issuer, authorization_url, token_url, userinfo_url, jwks_url",
        "risk the host of issuer changes from acme.okta.com to login.acme.com issuer-host-change "
        "and 5 that follow from it",
    ]
    card.find_element(By.TAG_NAME, "summary").click()
    assert "--accept-risk issuer-host-change:acme/okta-workforce" in card.text
    assert "secret-kept" in card.text


@pytest.mark.parametrize("path", ["organizations/a b.yaml", '../x"onclick=alert(1).yaml', "#?<script>.yaml"])
def test_places_link_to_the_forge(open_page: Callable[..., Page], path: str) -> None:
    links = SourceLinks(base="https://forge.example/acme/sso/blob/5f2a9c1", folder="sso")
    page = open_page(PLAN_FORMATS["html"](plan(replace(create(), location=place(5, path))), links=links))
    page.run("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    (link,) = page.browser.find_elements(By.CSS_SELECTOR, "main a[href^=https]")
    assert link.text == f"{path}:5:3"
    address = urlsplit(link.get_attribute("href"))
    wanted = posixpath.normpath(f"/acme/sso/blob/5f2a9c1/sso/{path}")
    assert (address.netloc, unquote(address.path)) == ("forge.example", wanted)
    assert address.fragment == "L5"
    assert link.get_dom_attribute("rel") == "noopener noreferrer"
