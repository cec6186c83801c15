"""Executes a page: writes its files, runs its commands, and compares what they print with what it shows.

A page runs in a copy of the project that ``<!-- project: FOLDER -->`` names, by default examples/quickstart,
against an emulator with the data of the project's ``emulator.yaml``. With ``, anew in each section``, each
section starts from there. In the order of the page,

- a ``yaml`` block whose first line is a comment with a path (``# organizations/acme.yaml``) becomes that file
- the commands of a ``console`` block have to print what follows them
- the commands of a ``sh`` block have to succeed

A command's comment may say its exit code (``# exit code 2``). Any other block is marked: the line above it
says ``<!-- not executed: REASON -->``.

Two things differ from the page: ids, where its output has taught us those of this run, and the last day of an
approval, because pages grow older.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.emulator import EmulatorSettings, read_seed, running_emulator
from tests.cli.estates import ROOT, quickstart_secrets
from tests.docs.pages import blocks, name_of, read
from tests.support.workplace import CompletedRun, issuer_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from reconciler.emulator import RunningEmulator
    from tests.docs.pages import Block
    from tests.support.workplace import Workplace

    OpenPage = Callable[[str], AbstractContextManager["Story"]]

_PROJECT = re.compile(r"<!-- project: ([\w/-]+)(, anew in each section)? -->")
_FILE = re.compile(r"# ([\w./-]+\.ya?ml)\n")
_ADDRESS = "http://127.0.0.1:8080"
_SHELL = re.compile(r"[|<>;&*]|\$[\w({]")
"""What only a shell understands; a command without it runs in this process, which is faster."""

_ID = re.compile(r"(?<=-(?:test|live)-)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UNTIL = re.compile(r"(?<=until: )\d{4}-\d\d-\d\d")
_CHANGING = (
    (re.compile(r"(?<= until )\d{4}-\d\d-\d\d"), "DAY"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"after \d+s"), "after 0s"),
)


class Story:
    """A page that is played section by section, in a workplace with its own emulator."""

    def __init__(self, page: Path, place: Workplace, stack: ExitStack) -> None:
        self.place = place
        self._page = page
        self._stack = stack
        self._played: dict[Block, str] = {}
        self._ids: dict[str, str] = {}
        option = _PROJECT.search(read(page))
        self._project = option[1] if option else "examples/quickstart"
        self._is_anew = bool(option and option[2])
        self._begin()

    def play(self, *sections: str) -> None:
        """Execute the blocks of these sections; the blocks above the first heading are in section ``""``."""
        for section in sections:
            steps = [block for block in _steps(self._page) if block.section == section]
            assert steps, f"{name_of(self._page)} has nothing to execute under {section!r}"
            if self._is_anew:
                self._begin()
            for block in steps:
                assert block not in self._played, f"{section!r} is played twice"
                self._played[block] = self._play(block)

    def play_all(self) -> None:
        """Execute every section."""
        self.play(*dict.fromkeys(block.section for block in _steps(self._page)))

    def text(self) -> str:
        """Return the page with what its commands printed; every block has to be executed by now."""
        missing = [
            f"{block.section} (line {block.line})"
            for block in unmarked(self._page)
            if block not in self._played
        ]
        assert not missing, f"{name_of(self._page)}: not executed, and not marked: {missing}"
        page = read(self._page)
        for block, text in sorted(self._played.items(), key=lambda step: step[0].span, reverse=True):
            page = block.replaced(page, text)
        return page

    def live(self, organization: str) -> dict[str, dict[str, Any]]:
        """Return the live OIDC connections of an organization by their display_name."""
        connections = self.place.live(organization)
        by_name = {str(connection["display_name"]): connection for connection in connections}
        assert len(by_name) == len(connections), "two connections have one name"
        return by_name

    def default(self, organization: str) -> str:
        """Return the display_name of the organization's default connection."""
        default = self.place.emulator.organization(organization)["sso_default_connection_id"]
        return next(
            name for name, live in self.live(organization).items() if live["connection_id"] == default
        )

    def discover(self, issuer: str) -> None:
        """Let an identity provider publish its metadata."""
        self.place.emulator.set_discovery(issuer, issuer_metadata(issuer))

    def _begin(self) -> None:
        self._stack.close()
        shutil.rmtree(self.place.root)
        self.place.root.mkdir()
        os.chdir(self.place.root)
        settings = EmulatorSettings(random_seed=1, log_secrets=True)
        self._running = self._stack.enter_context(running_emulator(settings))
        self.place.use(self._running)
        if self._project != "none":
            _copy_project(ROOT / self._project, self.place, self._running)

    def _play(self, block: Block) -> str:
        """Execute a block; return its text with the output that its commands printed."""
        if block.language == "yaml":
            self._write(block)
            return block.text
        if block.language == "sh":
            for command in _commands(block.text):
                self._check(block, command, self._run(command))
            return block.text
        parts = re.split(r"^\$ ((?:.*\\\n)*.*)\n", block.text, flags=re.MULTILINE)
        assert not parts[0], "a console block begins with a command"
        return "".join(self._show(block, *step) for step in zip(parts[1::2], parts[2::2], strict=True))

    def _write(self, block: Block) -> None:
        match = _FILE.match(block.text)
        assert match is not None
        file = self.place.write(match[1], self._translate(block.text))
        if file.name == "emulator.yaml":
            self._running.emulator.seed(read_seed(file))

    def _show(self, block: Block, command: str, expected: str) -> str:
        """Run a command; return it with its output, which is the expected one if that matches."""
        ended = self._run(command)
        self._check(block, command, ended)
        _edit(command, self.place)
        ids = compare_output(expected, ended)
        if ids is not None:
            self._ids |= ids
            return f"$ {command}\n{expected}"
        assert "\n...\n" not in f"\n{expected}", self._place_of(block, command, ended)
        host, page_host = (url.rpartition("/")[2] for url in (self._running.base_url, _ADDRESS))
        return f"$ {command}\n{(ended.out or ended.err).replace(host, page_host)}"

    def _check(self, block: Block, command: str, ended: CompletedRun) -> None:
        exit_code = re.search(r"# exit code (\d+)", command)
        assert ended.code == (int(exit_code[1]) if exit_code else 0), self._place_of(block, command, ended)

    def _place_of(self, block: Block, command: str, ended: CompletedRun) -> str:
        return f"{name_of(self._page)}:{block.line}: {command}\n{ended.code}: {ended.output}"

    def _translate(self, text: str) -> str:
        """Put the emulator's address, the ids of this run and a day to come in place of those of the page."""
        text = text.replace(_ADDRESS, self._running.base_url)
        text = _UNTIL.sub(str(datetime.now(UTC).date() + timedelta(days=30)), text)
        return _ID.sub(lambda match: self._ids.get(match[0], match[0]), text)

    def _run(self, command: str) -> CompletedRun:
        command = self._translate(command)
        verb, *words = shlex.split(command, comments=True)
        if verb in {"export", "unset"}:
            self._change_environment(verb, words)
            return CompletedRun(0, "", "")
        if verb == "reconciler" and not _SHELL.search(_without_quotes(command)):
            return self.place.run(*words)
        return _run_in_shell(command, self.place.root)

    def _change_environment(self, verb: str, words: list[str]) -> None:
        """Carry out ``export A=1 B=2`` and ``unset A``."""
        for name, _, value in (word.partition("=") for word in words):
            if verb == "unset":
                self.place.delenv(name)
            else:
                self.place.setenv(name, value)


@contextmanager
def telling(page: Path, place: Workplace, matches_golden: Callable[[str, Path], None]) -> Iterator[Story]:
    """Tell the story of a page; in the end, all of it has to be played and to show what was printed."""
    with ExitStack() as stack:
        story = Story(page, place, stack)
        yield story
        matches_golden(story.text(), page)


def unmarked(page: Path) -> list[Block]:
    """Return the blocks that have to be executed; other tests validate manifests and run Python."""
    return [
        block
        for block in blocks(page)
        if not block.reason and block.language != "python" and not _is_only_validated(block)
    ]


def _steps(page: Path) -> list[Block]:
    return [block for block in unmarked(page) if block.language in {"console", "sh", "yaml"}]


def _is_only_validated(block: Block) -> bool:
    return block.language == "yaml" and not _FILE.match(block.text)


def compare_output(expected: str, ended: CompletedRun) -> dict[str, str] | None:
    """Compare expected output; return the ids of this run by those of the page, or None if it differs.

    A line of three dots matches any lines. The expected lines are those of one stream. Where nothing is
    expected, both are empty.
    """
    if not expected.strip():
        return None if ended.output.strip() else {}
    expected = "\n" + _steady(expected).rstrip("\n")
    ids = _ID.findall(expected)
    pieces = [
        f"({_ID.pattern})".join(map(re.escape, _ID.split(piece)))
        for piece in re.split(r"\n\.\.\.(?=\n|$)", expected)
    ]
    pattern = re.compile(r"(?:\n.*)*?".join(pieces))
    matches = (pattern.fullmatch("\n" + _steady(text).rstrip("\n")) for text in (ended.out, ended.err))
    return next((dict(zip(ids, match.groups(), strict=True)) for match in matches if match), None)


def _steady(text: str) -> str:
    for pattern, word in _CHANGING:
        text = pattern.sub(word, text)
    return text


def _copy_project(folder: Path, place: Workplace, running: RunningEmulator) -> None:
    """Copy a project, seed the emulator, and set what the quickstart needs."""
    shutil.copytree(folder, place.root, dirs_exist_ok=True)
    running.emulator.seed(read_seed(place.root / "emulator.yaml"))
    if folder.name != "quickstart":
        for name in ("STYTCH_PROJECT_ID", "STYTCH_SECRET"):
            place.delenv(name)
        return
    project = place.root / "reconciler.yaml"
    idp = f"{running.base_url}/idp/initech"
    project.write_text(project.read_text().replace("https://sso.initech.example", idp))
    for name in quickstart_secrets(place.root):
        place.setenv(name, f"hidden {name}")


def _commands(text: str) -> list[str]:
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def _without_quotes(command: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"]*\"|#.*", "", command)


def _run_in_shell(command: str, folder: Path) -> CompletedRun:
    """Run a command as a person would; Git has an author and no settings of this machine."""
    author = {
        f"GIT_{role}_{field}": "ada@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for field in ("NAME", "EMAIL")
    }
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **author,
    }
    words = ["bash", "-euo", "pipefail", "-c", command]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return CompletedRun(done.returncode, done.stdout, done.stderr)


def _edit(command: str, place: Workplace) -> None:
    """Do what the README says that somebody does in the dashboard."""
    if "# then someone edits globex" in command:
        (connection,) = place.live("globex")
        token_url = connection["token_url"].replace("/oauth2/v2.0/", "/oauth2/")
        place.emulator.edit_connection(connection["connection_id"], token_url=token_url)
