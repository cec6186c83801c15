"""The readme, typed into a terminal word for word: a living estate of sixty organizations is adopted."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from reconciler.emulator import EmulatorSettings, running_emulator
from tests.docs.pages import ROOT, Block, blocks
from tests.journeys.story import compare_output
from tests.support.terminal import shell
from tests.support.workplace import CompletedRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.emulator import RunningEmulator
    from tests.support.terminal import Terminal

ORGANIZATIONS = Path(__file__).parent / "sixty-organizations.yaml"
BY_HAND = "$EDITOR organizations/acme.yaml"
SECRET_OF_ACME = "read -rs ACME_ACME_OKTA_CLIENT_SECRET"
UNCOMMENT = r"""#!/bin/sh
sed 's/# client_secret/client_secret/' "$1" > "$1.new" && mv "$1.new" "$1"
"""


def readme(section: str) -> list[Block]:
    """Return the blocks of a section that this test types."""
    return [block for block in blocks(ROOT / "README.md", "sh", "console") if block.section == section]


def commands(block: Block, text: str = "") -> list[tuple[str, str]]:
    """Return each command with the output below it; that of a script is not told."""
    text = text or block.text
    if block.language == "sh":
        return [(line, "...") for line in text.splitlines()]
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture
def estate() -> Iterator[RunningEmulator]:
    with running_emulator(EmulatorSettings(random_seed=60, seed=ORGANIZATIONS)) as running:
        running.emulator.request_log.clear()
        yield running


@pytest.fixture
def terminal(tmp_path: Path, estate: RunningEmulator) -> Iterator[Terminal]:
    """A shell as the readme expects it: credentials in the environment, and an editor."""
    editor = tmp_path / "editor"
    editor.write_text(UNCOMMENT)
    editor.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "EDITOR": str(editor),
        "PIP_NO_INDEX": "1",  # the package and all that it needs are installed already
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "STYTCH_BASE_URL": estate.base_url,
        "STYTCH_PROJECT_ID": estate.emulator.settings.project.project_id,
        "STYTCH_SECRET": estate.emulator.settings.project.secret,
    }
    with shell(work, environment, columns=150) as session:
        yield session


def enter(session: Terminal, command: str, expected: str, *, hidden: str = "") -> str:
    """Type a command of the readme, and check what the screen shows and that it succeeded."""
    output = session.enter(command, hidden=hidden, patience=100)
    assert session.enter("echo $?") == "0\n", f"{command}\n{output}"
    assert compare_output(expected, CompletedRun(0, output, "")) is not None, f"{command}\n{output}"
    return output


def secret_of(running: RunningEmulator, organization: str) -> str:
    (connection,) = running.emulator.oidc_connections(organization)
    return str(connection["client_secret"])


def test_sixty_organizations_are_adopted_word_for_word(
    terminal: Terminal, estate: RunningEmulator, tmp_path: Path
) -> None:
    secret = secret_of(estate, "acme")
    steps = [step for block in readme("Adopt your connections") for step in commands(block)]
    assert [command for command, _ in steps if "import --all --secrets none" in command]
    for command, expected in steps:
        asks = command.startswith(SECRET_OF_ACME)
        enter(terminal, command, expected, hidden=secret if asks else "")
    assert any(command.startswith(BY_HAND) for command, _ in steps)
    assert not estate.emulator.request_log.writes
    assert secret not in terminal.screen
    assert "Traceback" not in terminal.screen

    folder = tmp_path / "work/sso/organizations"
    manifests = [yaml.safe_load(path.read_text()) for path in folder.iterdir()]
    assert len([manifest for manifest in manifests if manifest]) == 60
    referring = [path.stem for path in folder.iterdir() if "\n    client_secret:" in path.read_text()]
    assert referring == ["acme"], "only one secret is connected"
    assert not (tmp_path / "work/sso/.env.example").exists(), "no variable is needed"

    asking = next(command for command, _ in steps if command.startswith(SECRET_OF_ACME))
    enter(terminal, asking, "", hidden="another-secret")
    output = terminal.enter(steps[-1][0])
    assert "~ client_secret" in output, "a wrong secret is seen before it is sent"
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in output
    assert "another-secret" not in terminal.screen
    assert not estate.emulator.request_log.writes


def test_it_can_be_tried_without_an_account(terminal: Terminal) -> None:
    (block,) = readme("Try it without an account")
    outputs = [enter(terminal, command, expected) for command, expected in commands(block)]
    assert "Apply complete! Resources: 4 added, 0 changed, 0 destroyed." in outputs[-1]


def test_the_readme_is_short_and_leads_with_what_it_does() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) < 160
    headings = [line for line in lines if line.startswith("## ")]
    assert headings[0] == "## Adopt your connections"
