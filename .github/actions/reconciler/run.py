#!/usr/bin/env python3
"""Runs one command of the reconciler as a step of a workflow: inputs from the environment, outputs to files.

Needs nothing but Python. What the command prints can never pass for an instruction to the runner.
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

# how each document calls its list, and what is to add, to change and to destroy
COUNTED: Final = {
    "plan": ("resource_changes", "add", "change", "destroy"),
    "apply": ("outcomes", "added", "changed", "destroyed"),
    "drift": ("findings", "missing", "changed", "unexpected"),
}
COMMANDS: Final = ("validate", *COUNTED, "publish")


@dataclass
class Step:
    """One run of this step: what it was given, and where it puts what it makes."""

    command: str = field(default_factory=lambda: given("COMMAND"))
    temporary: Path = field(default_factory=lambda: Path(os.environ["RUNNER_TEMP"]))

    @property
    def result(self) -> Path:
        """The file of the command's JSON."""
        return self.temporary / "reconciler-result.json"

    @property
    def annotations(self) -> Path:
        """The file of instructions that put findings beside the lines of the manifests."""
        return self.temporary / "reconciler-annotations.txt"

    @property
    def plan(self) -> Path:
        """The file that a plan is saved to."""
        return self.file("PLAN_FILE", "reconciler-plan.json")

    def kept(self) -> dict[str, str]:
        """Return the output that names the file of this command, if the command got that far.

        A drift report takes the place of an earlier one only when there is one.
        """
        if self.command == "plan" and self.counts() and self.plan.exists():
            return {"plan-file": str(self.plan)}
        if self.command == "drift" and self.counts():
            report = self.file("REPORT_FILE", "reconciler-drift.json")
            shutil.copyfile(self.result, report)
            return {"report-file": str(report)}
        return {}

    def file(self, name: str, default: str = "") -> Path:
        """Return the path that an input names, from the folder in which the step starts."""
        return (Path.cwd() / (given(name) or self.temporary / default)).absolute()

    def clear(self) -> None:
        """Remove what an earlier step of the same job has left, so that it cannot pass for this one's."""
        for path in (self.result, self.annotations):
            path.unlink(missing_ok=True)
        if self.command == "plan":
            self.plan.unlink(missing_ok=True)

    def words(self) -> list[str]:
        """Return the words of the command."""
        if self.command == "publish":
            return ["publish", "github", *self.published(), *lines("ARGUMENTS")]
        return [self.command, *self.options(), *lines("ARGUMENTS"), "--", *self.subjects()]

    def published(self) -> list[str]:
        """Return what is to be shown on GitHub."""
        files = {"--plan": "PLAN_FILE", "--drift": "REPORT_FILE"}
        return [
            word for option, name in files.items() if given(name) for word in (option, str(self.file(name)))
        ]

    def options(self) -> list[str]:
        """Return the options that the inputs stand for."""
        options = ["--output", f"json={self.result}"]
        if given("CHANGED_SINCE"):
            options += ["--changed-since", given("CHANGED_SINCE")]
        if self.command in {"plan", "drift"} and given("NO_SECRETS") == "true":
            options += ["--no-secrets"]
        if self.command != "apply":
            options += ["--output", f"github={self.annotations}"]
        if self.command == "drift" and given("PREVIOUS") and self.file("PREVIOUS").exists():
            options += ["--previous", str(self.file("PREVIOUS"))]
        if self.command == "apply" and not given("PLAN_FILE"):
            options += ["--auto-approve"]
        if self.command == "plan":
            options += ["--out", str(self.plan)]
        return options

    def subjects(self) -> list[str]:
        """Return the saved plan that is to be applied, or the manifests."""
        if self.command == "apply" and given("PLAN_FILE"):
            return [str(self.file("PLAN_FILE"))]
        return lines("PATHS")

    def counts(self) -> dict[str, str]:
        """Return the outputs that say how much there is to do, as far as the command got."""
        document = json.loads(self.result.read_text(encoding="utf-8")) if self.result.exists() else {}
        was_never_made = document.get("target", "") is None  # how a failed plan or drift report says so
        if self.command not in COUNTED or "summary" not in document or was_never_made:
            return {}
        listed, *names = COUNTED[self.command]
        numbers = (str(document["summary"][name]) for name in names)
        has_changes = "true" if document[listed] else "false"
        return {"has-changes": has_changes} | dict(zip(("adds", "changes", "destroys"), numbers, strict=True))


def main() -> int:
    """Run the command; 2 means changes or drift, which is an output and no failure."""
    step = Step()
    if step.command not in COMMANDS:
        say(f"::error::unknown command; known: {', '.join(COMMANDS)}\n")
        return 1
    step.clear()
    code = run([given("EXECUTABLE"), *step.words()])
    if step.annotations.exists():
        say(step.annotations.read_text(encoding="utf-8"))
    outputs = {"exit-code": str(code), **step.counts(), **step.kept()}
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as stream:
        stream.writelines(f"{name}={value}\n" for name, value in outputs.items())
    return 0 if code == 2 and step.command in {"plan", "drift"} else code  # noqa: PLR2004 - there are changes


def run(words: list[str]) -> int:
    """Run the command while the runner does not listen for instructions."""
    end = secrets.token_hex(16)
    say(f"::stop-commands::{end}\n")
    try:
        return subprocess.run(words, cwd=given("WORKING_DIRECTORY") or ".", check=False).returncode  # noqa: S603 - no shell
    finally:
        say(f"\n::{end}::\n")


def given(name: str) -> str:
    """Return an input without the blanks around it."""
    return os.environ.get(name, "").strip()


def lines(name: str) -> list[str]:
    """Return the lines of an input that are not empty."""
    return [line.strip() for line in given(name).splitlines() if line.strip()]


def say(text: str) -> None:
    """Print at once, so that it stands in its place among what the command prints."""
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
