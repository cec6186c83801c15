"""Case 26, what a terminal shows at several widths: nothing is glued, torn or left behind.

The golden files are what somebody sees who scrolls back, one for each width.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import terminal
from tests.support.workplace import okta

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

pytestmark = pytest.mark.usefixtures("unmeasured")

SCREENS = Path(__file__).parent / "screens"
WIDTHS = (60, 80, 110, 120)
CHANGES = 40
BAR = re.compile(r"(Reading organizations|Applying changes) [━╸╺ ]+ ?[\d,]+ of \d+ \[.* a second.*\]")
LONG_URL = "https://login.acme.example/realms/workforce/protocol/openid-connect/authorize"


@pytest.fixture
def many(bare: Workplace, running: RunningEmulator) -> Workplace:
    """Forty organizations, each with a connection to be created, and a service that takes its time."""
    bare.use(running)
    bare.write(
        "reconciler.yaml",
        """
        limits: {requests_per_second: 500, concurrency: 4}
        policies: {unpinned-organization: "off"}
        """,
    )
    bare.setenv("IDP_CLIENT_SECRET", "hidden")
    for number in range(CHANGES):
        bare.add_organization(f"org-{number:02}")
        bare.declare(f"org-{number:02}", client_secret="${env:IDP_CLIENT_SECRET}")
    bare.emulator.add_fault("*:latency:seconds=0.02")
    return bare


def unwrapped(lines: Sequence[str], columns: int) -> list[str]:
    """Join the lines that the terminal itself has broken, because they were longer than it is wide."""
    joined = [""]
    for line in lines:
        joined[-1] += line
        if len(line) < columns:
            joined.append("")
    return joined


@pytest.mark.parametrize("columns", WIDTHS)
def test_an_apply_of_forty_changes_keeps_the_screen_clean(many: Workplace, columns: int) -> None:
    with terminal(many, "apply", "--auto-approve", columns=columns, result_on_screen=True) as session:
        assert session.end()[0] == 0
    assert session.shows_cursor
    lines = unwrapped(session.lines, columns)
    assert not [line for line in lines if "Applying changes" in line or "Reading organizations" in line]
    first = next(index for index, line in enumerate(lines) if line.endswith("Creating..."))
    last = next(index for index, line in enumerate(lines) if line.startswith("Apply complete!"))
    log = [line for line in lines[first:last] if line and not line.startswith("Project project-test-")]
    begun = [line for line in log if re.fullmatch(r"org-\d\d/sso: Creating\.\.\.", line)]
    ended = [
        line
        for line in log
        if re.fullmatch(
            r"org-\d\d/sso: Creation complete after \d+s \[id=oidc-connection-test-[0-9a-f-]{36}\]", line
        )
    ]
    assert len(set(begun)) == len(set(ended)) == CHANGES
    assert len(log) == 2 * CHANGES


@pytest.mark.parametrize("columns", WIDTHS)
def test_there_is_one_bar_and_it_is_the_last_line(many: Workplace, columns: int) -> None:
    with terminal(many, "apply", "--auto-approve", columns=columns, result_on_screen=True) as session:
        assert session.end()[0] == 0
    bars = 0
    for frame in session.frames:
        at = [index for index, line in enumerate(frame) if re.search("Applying changes|Reading org", line)]
        assert at in ([], [len(frame) - 1]), frame
        bars += bool(at and BAR.fullmatch(frame[-1]))
    assert bars > 3


def test_waits_and_interruptions_are_said_above_the_bar(many: Workplace) -> None:
    many.emulator.set_switch("retry-after", "seconds")
    many.emulator.add_fault("create-oidc-connection:429:nth=20")
    many.emulator.add_fault("update-oidc-connection:latency:seconds=0.2")
    with terminal(many, "apply", "--auto-approve", columns=80, result_on_screen=True) as session:
        session.wait_for("retrying in")
        session.type("\x03")
        assert session.end()[0] == 130
    lines = session.lines
    assert len([line for line in lines if re.fullmatch(r"rate limited, retrying in \d s", line)]) == 1
    assert "Interrupted: finishing running operations, then stopping. Again to stop at once." in lines
    assert not [line for line in lines if "Applying changes" in line]
    assert session.shows_cursor


@pytest.fixture
def varied(place: Workplace) -> Workplace:
    """One connection to be created, one to be changed, a refused organization, and many unmanaged ones."""
    place.write(
        "reconciler.yaml",
        """
        limits: {requests_per_second: 500}
        organizations: [organizations/*.yaml]
        """,
    )
    for number in range(13):
        place.emulator.add_connection("acme", **okta(f"Old {number:02}", client_id=f"old-{number}"))
    place.emulator.add_connection("globex", **okta("sso", client_id="old"))
    place.declare("globex", identity_provider="okta", authorization_url=LONG_URL)
    place.declare("initech")
    place.setenv("INITECH_CLIENT_SECRET", "hidden")
    return place


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_plan(varied: Workplace, columns: int, matches_golden: Callable[[str, Path], None]) -> None:
    with terminal(varied, "plan", columns=columns, result_on_screen=True) as session:
        assert session.end()[0] == 1
    matches_golden(seen(session.text), SCREENS / f"plan-{columns}.txt")


BROKEN = """
organization: acme
connections:
  okta:
    issuer: https://login.acme.example/realms/workforce/of/the/north/.well-known/openid-configuration
    client_id: 0oa1b2c3
    client_secret: ${{ secrets.ACME_CLIENT_SECRET }}
    custom_scopes: openid, profile, email, groups, offline_access, https://acme.example/scopes/every, phone
    tokenurl: https://acme.okta.com
"""


@pytest.mark.parametrize("columns", WIDTHS)
def test_errors(bare: Workplace, columns: int, matches_golden: Callable[[str, Path], None]) -> None:
    bare.write("organizations/acme.yaml", BROKEN)
    with terminal(bare, "validate", columns=columns, result_on_screen=True) as session:
        assert session.end()[0] == 1
    lines = session.lines
    assert "https://login.acme.example/realms/workforce/of/the/north" in "".join(unwrapped(lines, columns))
    matches_golden(seen(session.text), SCREENS / f"errors-{columns}.txt")


def seen(text: str) -> str:
    """Return the lines, with other ids of requests and another port, which always has five digits."""
    text = re.sub(r"127\.0\.0\.1:(\d\n?){5}", lambda port: re.sub(r"\d(?=[\d\n]*$)", "9", port[0]), text)
    return re.sub(r"request-id-test-[0-9a-f-]{36}", f"request-id-test-{'0' * 36}", text)
