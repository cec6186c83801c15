"""The page is one file that makes no network requests, and in which every name is only text."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given

from reconciler.core.results import ValidationResult
from reconciler.reports import DRIFT_FORMATS, FAILURE_FORMATS, PLAN_FORMATS, VALIDATION_FORMATS
from tests.reports.markup import Markup
from tests.reports.published import FINDINGS, HOSTILE, ORDINARY, QUIET, drift_of, hostile_plan, large_plan
from tests.reports.test_markdown_safety import nasty_texts
from tests.support.generated import examples

if TYPE_CHECKING:
    from collections.abc import Callable

FORMS: dict[str, Callable[[str], str]] = {
    "plan": lambda text: PLAN_FORMATS["html"](hostile_plan((text,))),
    "drift": lambda text: DRIFT_FORMATS["html"](drift_of(hostile_plan((text,)))),
    "validation": lambda text: VALIDATION_FORMATS["html"](
        ValidationResult(diagnostics=hostile_plan((text,)).diagnostics)
    ),
    "failure": lambda text: FAILURE_FORMATS["html"](hostile_plan((text,)).diagnostics),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
@given(text=nasty_texts)
@examples(40)
@example(text=HOSTILE[0])
@example(text=HOSTILE[4])
@example(text="\" onmouseover='alert(1)' x=\"")
@example(text="{{ 7*7 }}{% raw %}")
def test_a_page_has_the_same_elements_whatever_the_names_are(form: Callable[[str], str], text: str) -> None:
    page, harmless = Markup(form(text)), Markup(form("harmless"))
    assert _without_marks(page) == _without_marks(harmless)
    assert {(tag, name) for tag, name, _ in page.attributes} == {
        (tag, name) for tag, name, _ in harmless.attributes
    }


def _without_marks(page: Markup) -> list[str]:
    """Leave out the marks of a difference: a name that is its own mirror image has none."""
    return [tag for tag in page.skeleton if not re.match(r"</?(ins|del)\b", tag)]


PAGES = (PLAN_FORMATS["html"](ORDINARY), FAILURE_FORMATS["html"](()))


@pytest.mark.parametrize("text", PAGES)
def test_it_allows_only_its_own_style_and_script(text: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert content
        digest = b64encode(sha256(content[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    assert policy[1].startswith("default-src 'none'; ")
    assert "unsafe" not in policy[1]


def test_it_refers_to_nothing_outside() -> None:
    page = Markup(PLAN_FORMATS["html"](hostile_plan()))
    targets = [(tag, value) for tag, name, value in page.attributes if name in {"src", "href"}]
    assert [target for target in targets if not re.fullmatch(r"#\w+", target[1])] == [("link", "data:,")]
    style = PLAN_FORMATS["html"](QUIET)
    assert "url(" not in style
    assert "@import" not in style


def test_values_stand_side_by_side() -> None:
    text = PLAN_FORMATS["html"](ORDINARY)
    (row,) = (line for line in text.split("\n") if 'scope="row">issuer</th>' in line and "<del>" in line
              and "<ins>" in line)  # fmt: skip
    assert (
        re.sub(r"<[^>]+>", "", row) == "issuer&#34;https://acme.okta.com&#34;&#34;https://login.acme.com&#34;"
    )
    assert "(known after apply)" in text
    assert "(sensitive value)" in text


def test_a_very_large_plan_stays_light() -> None:
    """Each change is text, without what stays the same: 10,000 changes are a file that a browser opens."""
    plan = large_plan(1_000)
    page = PLAN_FORMATS["html"](plan)
    assert 'class="same"' not in page
    assert re.search(r"\(\d unchanged attributes hidden\)", page)
    assert len(page) / len(plan.changes) < 2_000
    assert page.count("</") / len(plan.changes) < 20


def test_findings_show_the_line_they_are_about() -> None:
    page = VALIDATION_FORMATS["html"](FINDINGS)
    assert "<mark>https://login.acme.com</mark>" in page


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("name", ["text", "json"])
def test_the_usual_formats_do_not_pay_for_the_others(name: str) -> None:
    program = (
        "import sys; from tests.reports.published import QUIET; from reconciler.reports import PLAN_FORMATS; "
        f"PLAN_FORMATS[{name!r}](QUIET); "
        "print(sorted({'jinja2', 'html', 'reconciler.reports.markdown'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
