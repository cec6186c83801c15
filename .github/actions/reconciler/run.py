#!/usr/bin/env python3
"""Runs one command as a workflow step: reads inputs from the environment and writes outputs to files.

Needs only Python. The command's output cannot issue workflow commands. What people type into the form of
`workflow_dispatch` is checked before it becomes an argument.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

# for each document: the key of its list, and the summary's keys for adds, changes and destroys
SUMMARY_KEYS: Final = {
    "plan": ("resource_changes", "add", "change", "destroy"),
    "apply": ("outcomes", "added", "changed", "destroyed"),
    "drift": ("findings", "missing", "changed", "unexpected"),
}
REPORTS: Final = {"drift": "reconciler-drift.json", "verify": "reconciler-verify.json"}
"""The commands that are compared with their last report, and the default name of its file."""
COMMANDS: Final = ("validate", *SUMMARY_KEYS, "verify", "publish", "publish webhook", "secrets check")

SLACK: Final = timedelta(hours=6)  # a schedule does not start on the minute

ADDRESS: Final = r"[A-Za-z0-9._~|*?!\[\]-]{1,256}(?:/[A-Za-z0-9._*?!\[\]-]{1,256})?"
FORMS: Final = {
    "ACCEPT_RISK": (rf"[a-z][a-z0-9-]{{0,127}}:{ADDRESS}", "RULE:ADDRESS, such as issuer-change:acme/okta"),
    "EVERY_DAYS": (r"[1-9][0-9]?", "a number of days, from 1 to 99"),
    "ALLOW_DELETES": (r"[1-9][0-9]{0,6}", "a number"),
    "ROTATE": (ADDRESS, "an address such as acme/okta, or a glob"),
    "TARGET": (ADDRESS, "an address such as acme/okta, or a glob"),
}
# for each of these inputs: the commands that have its option
OPTIONS: Final = {
    "ACCEPT_RISK": ("--accept-risk", ("plan", "apply")),
    "ALLOW_DELETES": ("--allow-deletes", ("plan", "apply")),
    "ROTATE": ("--rotate", ("plan", "apply")),
    "TARGET": ("--target", ("plan", "apply", "drift", "verify", "secrets check")),
}
# the options of `publish` for its inputs; the result of an apply replaces its plan
PUBLISHED: Final = {
    "--apply": "APPLY_FILE",
    "--secrets": "SECRETS_FILE",
    "--plan": "PLAN_FILE",
    "--drift": "REPORT_FILE",
    "--verify": "VERIFY_FILE",
    "--pins": "PINS_FILE",
}


@dataclass
class Step:
    """One run of this step: its inputs and its files."""

    command: str = field(default_factory=lambda: read_input("COMMAND"))
    temporary: Path = field(default_factory=lambda: Path(os.environ["RUNNER_TEMP"]))

    @property
    def result(self) -> Path:
        """The file for the command's JSON document."""
        return self.temporary / f"reconciler-{self.command.replace(' ', '-')}-result.json"

    @property
    def annotations(self) -> Path:
        """The file for annotations on the manifests' lines."""
        return self.temporary / "reconciler-annotations.txt"

    @property
    def summary(self) -> Path:
        """The file for the part of the job's summary."""
        return self.temporary / "reconciler-summary.md"

    @property
    def plan(self) -> Path:
        """The file for the saved plan."""
        return self.file("PLAN_FILE", "reconciler-plan.json")

    @property
    def checks_secrets(self) -> bool:
        """Whether all references to secrets are checked before the command runs."""
        return self.command == "apply" and read_input("CHECK_SECRETS") == "true"

    def execute(self) -> int:
        """Run the command, write its annotations, summary and outputs, and return its exit code."""
        self.clear()
        if self.is_early():
            return self.pass_on_previous()
        code = run([*self.installed(), *self.command_line()])
        if self.annotations.exists():
            write(self.annotations.read_text(encoding="utf-8"))
        if self.summary.exists():
            append("GITHUB_STEP_SUMMARY", self.summary.read_text(encoding="utf-8"))
        self.write_outputs({"exit-code": str(code), **self.counts(), **self.saved_files()})
        return code

    def write_outputs(self, outputs: dict[str, str]) -> None:
        """Write the step's outputs."""
        append("GITHUB_OUTPUT", "".join(f"{name}={value}\n" for name, value in outputs.items()))

    def is_early(self) -> bool:
        """Tell whether the last report is younger than the number of days after which it is due."""
        if self.command != "verify" or not read_input("EVERY_DAYS") or not read_input("PREVIOUS"):
            return False
        try:
            report = json.loads(self.file("PREVIOUS").read_text(encoding="utf-8"))
            age = datetime.now(UTC) - datetime.fromisoformat(report["timestamp"])
        except (OSError, ValueError, KeyError, TypeError):  # there is none, or it cannot be used
            return False
        return age < timedelta(days=int(read_input("EVERY_DAYS"))) - SLACK

    def pass_on_previous(self) -> int:
        """Leave the last report as the report of this run, which is not due yet."""
        write(f"verify is not due: the last report is younger than {read_input('EVERY_DAYS')} days\n")
        self.save_report(self.file("PREVIOUS"))
        self.write_outputs({"report-file": str(self.report), "is-new": "false"})
        return 0

    def installed(self) -> list[str]:
        """Return the command that the install step has written down; empty if there was no such step."""
        file = self.temporary / "reconciler-command.json"
        words: list[str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
        return words

    def saved_files(self) -> dict[str, str]:
        """Return the outputs that name the files which the command has written.

        There is a result of every run, also of one that failed. A failed drift run replaces no report.
        """
        name = "secrets-file" if self.command == "secrets check" else "result-file"
        result = {name: str(self.result)} if self.result.exists() else {}
        return result | self.saved_file()

    def saved_file(self) -> dict[str, str]:
        """Return the outputs about the saved plan or the report."""
        if self.command == "plan" and self.counts() and self.plan.exists():
            return {"plan-file": str(self.plan)}
        if self.command in REPORTS and self.counts():
            self.save_report(self.result)
            return {"report-file": str(self.report), "is-new": "true"}
        return {}

    @property
    def report(self) -> Path:
        """The file for the report."""
        return self.file("REPORT_FILE", REPORTS[self.command])

    def save_report(self, file: Path) -> None:
        """Copy a report to where it is kept. The repository may hold a link of that name."""
        if file.resolve() != self.report.resolve() or self.report.is_symlink():
            self.report.unlink(missing_ok=True)
            self.report.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, self.report)

    def file(self, name: str, default: str = "") -> Path:
        """Return the path from an input, relative to the step's initial working directory."""
        return (Path.cwd() / (read_input(name) or self.temporary / default)).absolute()

    def clear(self) -> None:
        """Remove files that an earlier step of the same job has written."""
        for path in (self.result, self.annotations, self.summary):
            path.unlink(missing_ok=True)
        if self.command == "plan":
            self.plan.unlink(missing_ok=True)

    def problem(self) -> str:
        """Return what is wrong with the inputs; empty if nothing is."""
        if self.command not in COMMANDS:
            return f"unknown command; known: {', '.join(COMMANDS)}"
        for name, (form, words) in FORMS.items():
            for value in values(name):
                if not re.fullmatch(form, value):
                    return f"{name.lower().replace('_', '-')}: {value[:100]!a} must be {words}"
        if self.command in REPORTS and read_input("PREVIOUS") and self.is_in_checkout("PREVIOUS"):
            return (
                "previous: the file must be outside of the checkout, such as in ${{ runner.temp }}: a file "
                "of the repository must not pass for the last report"
            )
        if self.command.startswith("publish") and not self.publish_options():
            return "nothing to publish: none of the files exists"
        if not self.installed():
            return "not installed: add a step with `command: install` before this one, without `env:`"
        return ""

    def is_in_checkout(self, name: str) -> bool:
        """Tell whether the path from an input is in the checkout, also through a link."""
        checkout = Path(os.environ["GITHUB_WORKSPACE"])
        return self.file(name).resolve().is_relative_to(checkout.resolve())

    def command_line(self) -> list[str]:
        """Return the command's arguments."""
        config = [f"--config={read_input('CONFIG')}"] if read_input("CONFIG") else []
        if self.command.startswith("publish"):
            place = "webhook" if self.command == "publish webhook" else "github"
            return [*config, "publish", place, *self.publish_options(), *lines("ARGUMENTS")]
        arguments = lines("ARGUMENTS") if self.command == read_input("COMMAND") else []
        return [*config, *self.command.split(), *self.options(), *arguments, "--", *self.paths()]

    def publish_options(self) -> list[str]:
        """Return the options that name what to publish: the files that exist, an apply before its plan.

        On a pull request, a plan that is missing is told, and so is an apply.
        """
        given = {option: self.file(name) for option, name in PUBLISHED.items() if read_input(name)}
        files = {option: file for option, file in given.items() if file.exists()}
        files.pop("--plan" if "--apply" in files else "--secrets", None)
        missing = self.missing_options(given, files)
        options = [*(word for option, file in files.items() for word in (option, str(file))), *missing]
        if self.command == "publish webhook":
            return options
        if "--plan" in files and read_input("ENVIRONMENT"):
            options.append(f"--environment={read_input('ENVIRONMENT')}")
        return [*options, "--adopt"] if "--drift" in files and read_input("ADOPT") == "true" else options

    def missing_options(self, given: dict[str, Path], files: dict[str, Path]) -> list[str]:
        """Return the options that tell of a result which its job has not left."""
        if self.command == "publish webhook" or "--plan" not in given or "--apply" in files:
            return []
        if "--plan" not in files:
            return ["--no-result"]
        return ["--not-applied"] if "--apply" in given else []

    def options(self) -> list[str]:
        """Return the options from the inputs."""
        options = ["--output", f"json={self.result}", *self.checked_options()]
        if read_input("CHANGED_SINCE"):
            options += ["--changed-since", read_input("CHANGED_SINCE")]
        if self.command in {"plan", "drift"} and read_input("NO_SECRETS") == "true":
            options += ["--no-secrets"]
        if self.command == "secrets check":
            options += ["--output", f"markdown={self.summary}"]
        elif self.command != "apply":
            options += ["--output", f"github={self.annotations}"]
        if self.command in REPORTS and read_input("PREVIOUS") and self.file("PREVIOUS").exists():
            options += ["--previous", str(self.file("PREVIOUS"))]
        if self.command == "verify" and read_input("PROBE_CREDENTIALS") == "true":
            options += ["--probe-credentials"]
        if self.command == "apply" and not read_input("PLAN_FILE"):
            options += ["--auto-approve"]
        return [*options, "--out", str(self.plan)] if self.command == "plan" else options

    def checked_options(self) -> list[str]:
        """Return the options whose values have a form; each is one word, so that none becomes an option."""
        return [
            f"{option}={value}"
            for name, (option, commands) in OPTIONS.items()
            if self.command in commands
            for value in values(name)
        ]

    def paths(self) -> list[str]:
        """Return the saved plan to apply, or the paths of manifests."""
        if self.command == "apply" and read_input("PLAN_FILE"):
            return [str(self.file("PLAN_FILE"))]
        return lines("PATHS")

    def counts(self) -> dict[str, str]:
        """Return the outputs with numbers, if the command got that far."""
        document = self.document()
        if not document:
            return {}
        if self.command == "verify":
            return {name: str(document["summary"][name]) for name in ("errors", "warnings")}
        if self.command not in SUMMARY_KEYS:
            return {}
        list_key, *count_keys = SUMMARY_KEYS[self.command]
        numbers = (str(document["summary"][key]) for key in count_keys)
        flags = {"has-changes": bool(document[list_key])}
        if self.command == "plan":
            flags["can-apply"] = document["applyable"]
        outputs = {name: "true" if value else "false" for name, value in flags.items()}
        return outputs | dict(zip(("adds", "changes", "destroys"), numbers, strict=True))

    def document(self) -> dict[str, Any]:
        """Return the command's JSON document; empty if it failed before there was a result."""
        document: dict[str, Any] = (
            json.loads(self.result.read_text(encoding="utf-8")) if self.result.exists() else {}
        )
        return {} if "error_count" in document or "summary" not in document else document

    def may_have_findings(self) -> bool:
        """Tell whether findings of a verify that looked at everything leave the step green."""
        is_allowed = self.command == "verify" and read_input("ALLOW_FINDINGS") == "true"
        return is_allowed and self.document().get("complete") is True


def main() -> int:
    """Run the command. Exit code 2 means changes or drift, which does not fail the step."""
    step = Step()
    if problem := step.problem():
        write(f"::error::{problem.replace('%', '%25')}\n")
        return 1
    checked = Step("secrets check").execute() if step.checks_secrets else 0
    code = step.execute()
    if code == 2 and step.command in {"plan", "drift"}:  # noqa: PLR2004 - there are changes
        return 0
    if code == 1 and step.may_have_findings():
        return 0
    return code or checked


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


def values(name: str) -> list[str]:
    """Return the words of an input: one a line, or separated by blanks, as a form with one line needs it."""
    return read_input(name).split()


def append(name: str, text: str) -> None:
    """Append to one of the files that GitHub's runner reads."""
    with Path(os.environ[name]).open("a", encoding="utf-8") as stream:
        stream.write(text)


def write(text: str) -> None:
    """Print immediately, in order with the command's output."""
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
