"""Shell completion, with real keys in real shells: commands, options, files and declared addresses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.cli.commands import VERBS
from tests.support.programs import skip_or_fail
from tests.support.terminal import shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.terminal import Terminal
    from tests.support.workplace import Workplace

SET_UP = {
    "bash": 'eval "$(reconciler completion bash)"',
    "zsh": "autoload -U compinit; compinit -u -D; setopt interactivecomments; "
    'eval "$(reconciler completion zsh)"',
    "fish": "reconciler completion fish | source",
}


@pytest.fixture(params=SET_UP)
def session(request: pytest.FixtureRequest, bare: Workplace) -> Iterator[Terminal]:
    program = request.param
    if program == "fish":  # runs the same code as zsh
        request.getfixturevalue("unmeasured")
    if shutil.which(program) is None:
        skip_or_fail(f"{program} is not installed: make tools")
    bare.write("reconciler.yaml", "organizations: [estate/*.yaml]")
    for slug in ("acme", "apex", "globex"):
        bare.declare(slug).rename(bare.write(f"estate/{slug}.yaml", ""))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with shell(bare.root, environment, columns=100, program=program) as terminal:
        terminal.enter(SET_UP[program])
        yield terminal


def completed(session: Terminal, typed: str) -> str:
    """Type a line and a tab, turn the line into a comment, and return it."""
    session.type(f"{typed}\t\x01#\n")
    session.enter("echo")
    return next(line for line in reversed(session.lines) if line.startswith("$ #")).removeprefix("$ #")


LINES = {
    "reconciler pl": "reconciler plan",
    "reconciler plan --det": "reconciler plan --detailed-exitcode",
    "reconciler plan --target g": "reconciler plan --target globex/sso",
    "reconciler output ac": "reconciler output acme/sso",
    "reconciler output acme/sso redir": "reconciler output acme/sso redirect_url",
    "reconciler list gl": "reconciler list globex",
    "reconciler validate est": "reconciler validate estate",
    "reconciler plan --target=g": "reconciler plan --target=globex/sso",
    "reconciler plan --target=a/b --target ac": "reconciler plan --target=a/b --target acme/sso",
    "reconciler completion z": "reconciler completion zsh",
    "reconciler explain unpinned": "reconciler explain unpinned-organization",
    "reconciler -C estate/.. plan --target g": "reconciler -C estate/.. plan --target globex/sso",
    "reconciler --config nope.yaml plan --target g": "reconciler --config nope.yaml plan --target g",
}


def test_a_tab_completes(session: Terminal) -> None:
    assert {typed: completed(session, typed).rstrip("/") for typed in LINES} == LINES


HOSTILE = (
    "$(touch pwned)",
    "`touch pwned`",
    "a;touch pwned",
    "a\ntouch pwned",
    "a\u001b[2J",
    "--auto-approve",
)


def test_hostile_names_are_harmless(session: Terminal, bare: Workplace) -> None:
    for number, name in enumerate(HOSTILE):
        document = {"organization": name, "connections": {name: {"issuer": "https://acme.example.com"}}}
        bare.write(f"estate/{number}.yaml", json.dumps(document))
    bare.write("estate/x$(touch pwned);`touch pwned`.yaml", "organization: [")
    session.type("reconciler plan --target \t\t\x03")
    session.enter("echo")
    session.enter(completed(session, "reconciler plan --target a"))
    session.enter(completed(session, "reconciler validate estate/x"))
    session.enter(completed(session, "reconciler validate estate/"))
    assert not [path for path in bare.root.rglob("*") if path.name == "pwned"]
    assert "Traceback" not in session.text


def complete(line: str, *, shell: str = "bash", folder: Path | None = None) -> list[str]:
    """Return what the command answers to the script of a shell."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    done = subprocess.run(
        [Path(sys.executable).with_name("reconciler")],
        env={**os.environ, **words, "_RECONCILER_COMPLETE": f"{shell}_complete"},
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_all_commands_are_offered(bare: Workplace) -> None:
    assert complete("reconciler ") == [f"plain,{verb}" for verb in VERBS]


def test_only_harmless_addresses_are_offered(bare: Workplace) -> None:
    for number, name in enumerate((*HOSTILE, "acme", "åcme.example")):
        document = {"organization": name, "connections": {"sso": {"issuer": "https://acme.example.com"}}}
        bare.write(f"organizations/{number}.yaml", json.dumps(document))
    assert complete("reconciler plan --target ") == ["plain,acme/sso", "plain,åcme.example/sso"]


def test_what_is_broken_is_left_out_without_a_word(bare: Workplace) -> None:
    bare.declare("acme", isuer="https://acme.example.com")
    bare.write("organizations/broken.yaml", "organization: [")
    assert complete("reconciler plan --target ") == ["plain,acme/sso"]
    bare.write("reconciler.yaml", "version: {")
    assert complete("reconciler plan --target ") == [""]


def test_nothing_is_requested(place: Workplace) -> None:
    assert "plain,acme/sso" in complete("reconciler plan --target ")
    assert not list(place.emulator.request_log)
