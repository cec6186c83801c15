#!/usr/bin/env python3
"""Runs one command as a workflow step: reads inputs from the environment and writes outputs to files.

Needs only Python. The command's output cannot issue workflow commands.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# for each document: the key of its list, and the summary's keys for adds, changes and destroys
SUMMARY_KEYS: Final = {
    "plan": ("resource_changes", "add", "change", "destroy"),
    "apply": ("outcomes", "added", "changed", "destroyed"),
    "drift": ("findings", "missing", "changed", "unexpected"),
}
COMMANDS: Final = ("validate", *SUMMARY_KEYS, "publish")


@dataclass
class Step:
    """One run of this step: its inputs and its files."""

    command: str = field(default_factory=lambda: read_input("COMMAND"))
    temporary: Path = field(default_factory=lambda: Path(os.environ["RUNNER_TEMP"]))

    @property
    def result(self) -> Path:
        """The file for the command's JSON document."""
        return self.temporary / "reconciler-result.json"

    @property
    def annotations(self) -> Path:
        """The file for annotations on the manifests' lines."""
        return self.temporary / "reconciler-annotations.txt"

    @property
    def plan(self) -> Path:
        """The file for the saved plan."""
        return self.file("PLAN_FILE", "reconciler-plan.json")

    def installed(self) -> list[str]:
        """Return the command that the install step has written down; empty if there was no such step."""
        file = self.temporary / "reconciler-command.json"
        words: list[str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
        return words

    def saved_file(self) -> dict[str, str]:
        """Return the output that names the saved file, if the command wrote one.

        A failed drift run does not replace an earlier report.
        """
        if self.command == "plan" and self.counts() and self.plan.exists():
            return {"plan-file": str(self.plan)}
        if self.command == "drift" and self.counts():
            report = self.file("REPORT_FILE", "reconciler-drift.json")
            shutil.copyfile(self.result, report)
            return {"report-file": str(report)}
        return {}

    def file(self, name: str, default: str = "") -> Path:
        """Return the path from an input, relative to the step's initial working directory."""
        return (Path.cwd() / (read_input(name) or self.temporary / default)).absolute()

    def clear(self) -> None:
        """Remove files that an earlier step of the same job has written."""
        for path in (self.result, self.annotations):
            path.unlink(missing_ok=True)
        if self.command == "plan":
            self.plan.unlink(missing_ok=True)

    def command_line(self) -> list[str]:
        """Return the command's arguments."""
        if self.command == "publish":
            return ["publish", "github", *self.publish_options(), *lines("ARGUMENTS")]
        config = [f"--config={read_input('CONFIG')}"] if read_input("CONFIG") else []
        return [*config, self.command, *self.options(), *lines("ARGUMENTS"), "--", *self.paths()]

    def publish_options(self) -> list[str]:
        """Return the options that name the plan or the report to publish."""
        inputs = {"--plan": "PLAN_FILE", "--drift": "REPORT_FILE"}
        files = {option: str(self.file(name)) for option, name in inputs.items() if read_input(name)}
        return [word for pair in files.items() for word in pair]

    def options(self) -> list[str]:
        """Return the options from the inputs."""
        options = ["--output", f"json={self.result}"]
        if read_input("CHANGED_SINCE"):
            options += ["--changed-since", read_input("CHANGED_SINCE")]
        if self.command in {"plan", "drift"} and read_input("NO_SECRETS") == "true":
            options += ["--no-secrets"]
        if self.command != "apply":
            options += ["--output", f"github={self.annotations}"]
        if self.command == "drift" and read_input("PREVIOUS") and self.file("PREVIOUS").exists():
            options += ["--previous", str(self.file("PREVIOUS"))]
        if self.command == "apply" and not read_input("PLAN_FILE"):
            options += ["--auto-approve"]
        if self.command == "plan":
            options += ["--out", str(self.plan), *(f"--rotate={address}" for address in lines("ROTATE"))]
        return options

    def paths(self) -> list[str]:
        """Return the saved plan to apply, or the paths of manifests."""
        if self.command == "apply" and read_input("PLAN_FILE"):
            return [str(self.file("PLAN_FILE"))]
        return lines("PATHS")

    def counts(self) -> dict[str, str]:
        """Return the outputs with the number of changes, if the command got that far."""
        document = json.loads(self.result.read_text(encoding="utf-8")) if self.result.exists() else {}
        has_failed = document.get("target", "") is None  # a run that failed before there was a plan
        if self.command not in SUMMARY_KEYS or "summary" not in document or has_failed:
            return {}
        list_key, *count_keys = SUMMARY_KEYS[self.command]
        numbers = (str(document["summary"][key]) for key in count_keys)
        has_changes = "true" if document[list_key] else "false"
        return {"has-changes": has_changes} | dict(zip(("adds", "changes", "destroys"), numbers, strict=True))


def main() -> int:
    """Run the command. Exit code 2 means changes or drift, which does not fail the step."""
    step = Step()
    if step.command not in COMMANDS:
        write(f"::error::unknown command; known: {', '.join(COMMANDS)}\n")
        return 1
    command = step.installed()
    if not command:
        write("::error::not installed: add a step with `command: install` before this one, without `env:`\n")
        return 1
    step.clear()
    code = run([*command, *step.command_line()])
    if step.annotations.exists():
        write(step.annotations.read_text(encoding="utf-8"))
    outputs = {"exit-code": str(code), **step.counts(), **step.saved_file()}
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as stream:
        stream.writelines(f"{name}={value}\n" for name, value in outputs.items())
    return 0 if code == 2 and step.command in {"plan", "drift"} else code  # noqa: PLR2004 - there are changes


def run(words: list[str]) -> int:
    """Run the command while workflow commands are disabled."""
    end = secrets.token_hex(16)
    write(f"::stop-commands::{end}\n")
    try:
        return subprocess.run(words, cwd=read_input("WORKING_DIRECTORY") or ".", check=False).returncode  # noqa: S603 - no shell
    finally:
        write(f"\n::{end}::\n")


def read_input(name: str) -> str:
    """Return an input without surrounding whitespace."""
    return os.environ.get(name, "").strip()


def lines(name: str) -> list[str]:
    """Return the lines of an input that are not empty."""
    return [line.strip() for line in read_input(name).splitlines() if line.strip()]


def write(text: str) -> None:
    """Print immediately, in order with the command's output."""
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
