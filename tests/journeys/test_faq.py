"""The page of questions says how many requests a run sends, and how long that takes."""

from __future__ import annotations

import re
from math import ceil
from typing import TYPE_CHECKING

from tests.docs.pages import ROOT, read
from tests.support.fixtures import running

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

__all__ = ["running"]

PAGE = read(ROOT / "docs/explanation/faq.md")
ORGANIZATIONS = ("acme", "globex", "initech")


def table(*columns: str) -> list[list[str]]:
    """Return the rows of the page's table with these columns."""
    head = f"| {' | '.join(columns)} |\n"
    assert head in PAGE
    rows = PAGE.partition(head)[2].partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def duration(requests: int, rate: int) -> str:
    minutes, seconds = divmod(ceil(requests / rate), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def test_durations_follow_from_the_number_of_requests() -> None:
    for row in table("organizations", "requests", "at 10 a second", "at 100 a second"):
        organizations, requests = (int(cell.replace(",", "")) for cell in row[:2])
        assert requests == organizations + ceil(organizations / 1000)
        assert row[2:] == [duration(requests, 10), duration(requests, 100)]


def count(place: Workplace, *words: str) -> int:
    place.emulator.request_log.clear()
    assert place.run(*words).code == 0
    return len(list(place.emulator.request_log))


def test_each_change_costs_the_requests_that_the_page_says(bare: Workplace, running: RunningEmulator) -> None:
    bare.use(running)
    bare.clock = None  # in hasty time, writes read once more
    bare.write("reconciler.yaml", "limits: {requests_per_second: 500}")
    for name in ORGANIZATIONS:
        bare.add_organization(name)
        bare.setenv(f"{name.upper()}_CLIENT_SECRET", f"hidden {name}")
        bare.declare(name)
    apply = ("apply", "--auto-approve", "--quiet")
    created = count(bare, *apply)
    plan = count(bare, "plan")
    assert plan == len(ORGANIZATIONS) + 1
    assert count(bare, "drift") == plan + 1
    bare.setenv("GLOBEX_CLIENT_SECRET", "hidden anew")
    updated = count(bare, *apply)
    bare.declare("initech", state="absent")
    deleted = count(bare, *apply)
    costs = {"create": (created - plan) // 3, "update": updated - plan, "delete": deleted - plan}
    assert {change: int(number) for change, number in table("change", "requests")} == costs
    assert (created - plan) % 3 == 0


def test_the_comparison_quotes_the_measured_ratio() -> None:
    measured = read(ROOT / "docs/test-reports/performance.md")
    wall = {
        name: float(seconds)
        for name, seconds in re.findall(
            r"^\| ([^|]+?) \| ([\d.]+) \| [\d.]+ \| \d+ \|$", measured, re.MULTILINE
        )
    }
    script, reconciler = (
        wall["async script on Stytch's SDK, 32 requests at once"],
        wall["reconciler, no limit"],
    )
    page = " ".join(read(ROOT / "docs/explanation/comparison.md").split())
    assert f"[{script / reconciler:.1f} times as long]" in page
