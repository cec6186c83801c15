"""The verbs init, schema, demo and emulator, and shell completion."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from reconciler.emulator import EmulatorSettings, running_emulator
from reconciler.reports.wording import NO_DRIFT, NOTHING_SELECTED
from tests.cli.estates import ROOT
from tests.support.workplace import NO_CHANGES, NOT_COMPARED

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

PROJECT = "Project project-test-11111111-1111-4111-8111-111111111111 (test) at HOST"
AUTH = ("project-test-11111111-1111-4111-8111-111111111111", "secret-test-11111111111111111111111111111111")


class TestInit:
    @pytest.mark.parametrize("words", [(), ("shop",), ("deep/er/down",)], ids=str)
    def test_what_it_writes_is_valid(self, bare: Workplace, words: tuple[str, ...]) -> None:
        run = bare.run("init", *words)
        assert (run.code, run.err) == (0, "")
        folder = "".join(words) or "."
        assert bare.run("-C", folder, "validate").code == 0

    @pytest.mark.parametrize("organizations", [0, 3], ids=["empty", "full"])
    def test_its_plan_exits_with_0_and_says_what_comes_next(
        self, bare: Workplace, running: RunningEmulator, organizations: int
    ) -> None:
        bare.use(running)
        for number in range(organizations):
            bare.add_organization(f"customer-{number}", "Okta")
        bare.run("init")
        run = bare.run("plan", "--detailed-exitcode")
        assert run.code == 0, run.output
        assert run.out == f"{bare.headline}{NOTHING_SELECTED}\n{NOT_COMPARED}\n"
        assert run.err == (
            "The manifests declare no organization yet. To write one for each organization that exists, run "
            "`reconciler import --all --secrets none`.\n"
        )
        assert not bare.emulator.request_log.writes

    def test_its_next_steps_end_in_no_changes(self, bare: Workplace, running: RunningEmulator) -> None:
        bare.use(running)
        bare.add_organization("acme", "Okta")
        bare.add_organization("globex", "Okta", "Okta 2")
        steps = bare.run("init", "my sso").out.partition("\nNext")[2]
        assert "\n   cd 'my sso'\n" in steps
        commands = re.findall(r"^   reconciler (.*?) *#", steps, re.MULTILINE)
        assert commands == ["import --all --secrets none", "plan"]
        os.chdir("my sso")
        imported, planned = [bare.run(*command.split()) for command in commands]
        assert imported.code == 0, imported.output
        assert planned.code == 0, planned.output
        assert NO_CHANGES in planned.out
        manifest = Path("organizations/acme.yaml").read_text()
        assert not schema_errors(Path("organizations/acme.yaml"), manifest.splitlines()[0], manifest)
        assert not bare.emulator.request_log.writes

    def test_its_commented_organization_is_valid_and_pinned(self, bare: Workplace) -> None:
        bare.run("init")
        example = Path("organizations/example.yaml")
        lines = example.read_text().splitlines()
        assert all(line.startswith("#") for line in lines)
        declared = "\n".join(line[2:] for line in lines[lines.index("#") + 1 :])
        example.write_text(declared)
        assert yaml.safe_load(declared)["organization_id"].startswith("organization-test-")
        assert bare.run("validate").code == 0
        assert not schema_errors(example, lines[0], declared)
        assert schema_errors(example, lines[0], declared.replace("issuer:", "isuer:"))

    def test_its_project_file_has_a_schema(self, bare: Workplace) -> None:
        bare.run("init")
        project = Path("reconciler.yaml")
        text = project.read_text()
        assert not schema_errors(project, text.splitlines()[0], text)
        assert schema_errors(project, text.splitlines()[0], text.replace("limits:", "limit:"))

    def test_it_names_every_file(self, bare: Workplace) -> None:
        out = bare.run("init").out
        files = [path for path in Path().rglob("*") if path.is_file()]
        assert len(files) >= 3
        assert all(str(path) in out for path in files)

    def test_its_workflows_are_yaml(self, bare: Workplace) -> None:
        bare.run("init")
        workflows = list(Path(".github/workflows").iterdir())
        assert workflows
        for path in workflows:
            assert yaml.safe_load(path.read_text())["jobs"]

    @pytest.mark.parametrize("name", ["reconciler.yaml", "organizations/example.yaml"])
    def test_it_overwrites_nothing_and_writes_nothing(self, bare: Workplace, name: str) -> None:
        bare.write(name, "mine")
        run = bare.run("init")
        assert run.code == 1
        assert name in run.err
        assert [str(path) for path in Path().rglob("*") if path.is_file()] == [name]
        assert Path(name).read_text() == "mine"

    def test_a_second_init_names_the_first_existing_file(self, bare: Workplace) -> None:
        bare.run("init")
        run = bare.run("init")
        assert run.code == 1
        assert "reconciler.yaml exists already; nothing was written: name a new folder" in run.err
        assert "organizations" not in run.err

    def test_a_dangling_link_is_not_overwritten(self, bare: Workplace) -> None:
        Path("reconciler.yaml").symlink_to("nowhere")
        assert bare.run("init").code == 1
        assert Path("reconciler.yaml").is_symlink()

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("file",), "file is not a folder; nothing was written [usage-error]"),
            (("file/deeper",), "file is not a folder; nothing was written [usage-error]"),
            (("taken",), "taken/organizations is not a folder; nothing was written [usage-error]"),
            (
                ("x" * 300,),
                f"cannot look into {'x' * 300}: File name too long; nothing was written [usage-error]",
            ),
            (("",), "Invalid value for '[DIR]': empty value: omit the option or give a name [usage-error]"),
            (("a", "b"), "Got unexpected extra argument (b) [usage-error]"),
        ],
        ids=["file", "below a file", "file in the way", "long", "empty", "two"],
    )
    def test_a_folder_that_cannot_be_used(
        self, bare: Workplace, words: tuple[str, ...], message: str
    ) -> None:
        bare.write("file", "")
        bare.write("taken/organizations", "")
        run = bare.run("init", *words)
        assert (run.code, run.out) == (1, "")
        assert [line for line in run.err.splitlines() if "Error" in line] == [f"│ Error: {message}"]
        files = sorted(str(path) for path in Path().rglob("*") if path.is_file())
        assert files == ["file", "taken/organizations"]


def schema_errors(file: Path, line: str, text: str) -> list[str]:
    """Check a document with the schema that its first line names, as an editor does."""
    path = line.removeprefix("# yaml-language-server: $schema=")
    schema = json.loads((file.parent / path).read_text())
    document = json.loads(json.dumps(yaml.safe_load(text), default=str))  # to an editor, a date is a string
    return [error.message for error in Draft202012Validator(schema).iter_errors(document)]


@pytest.mark.parametrize("name", ["organization", "project", "plan", "secrets-check"])
def test_the_schemas_are_valid_and_the_published_ones(bare: Workplace, name: str) -> None:
    run = bare.run("schema", name)
    assert run.code == 0
    Draft202012Validator.check_schema(run.document)
    assert run.out == (ROOT / "schemas" / f"{name}.schema.json").read_text()


def test_a_saved_plan_matches_its_schema(place: Workplace) -> None:
    place.run("plan", "--out", "plan.json")
    schema = place.run("schema", "plan").document
    Draft202012Validator(schema).validate(json.loads(Path("plan.json").read_text()))


class TestDemo:
    def test_it_runs_the_real_commands_and_leaves_no_files(self, bare: Workplace) -> None:
        bare.setenv("TMPDIR", str(bare.root))
        with bare.start("demo") as process:
            out, err = process.communicate(timeout=110)
        assert process.returncode == 0, out + err
        assert len(out.splitlines()) < 210, "a demo has to be short"
        assert "Plan: 4 to add, 0 to change, 0 to destroy." in out
        assert "Risks:" not in out
        assert "Apply complete! Resources: 4 added, 0 changed, 0 destroyed." in out
        assert f"\n$ reconciler plan\n{PROJECT}\n\n{NO_CHANGES}\n" in re.sub(r"127\S+", "HOST", out)
        assert "Drift: 0 missing, 1 changed, 0 unexpected." in out
        assert "Apply complete! Resources: 0 added, 1 changed, 0 destroyed." in out
        assert out.index("Resources: 0 added, 1 changed") < out.index(NO_DRIFT)
        assert out.count("Warning: ") == 1
        assert out.index("Warning: globex/entra") < out.index("The warning is staged: globex's")
        assert "alice@example.com has a session in initech." in out.partition("── Log in through ")[2]
        assert "reconciler demo --keep DIR" in out.partition("\nNext:")[2]
        assert not list(bare.root.iterdir())

    def test_a_kept_project_works_as_the_demo_says(self, bare: Workplace) -> None:
        with bare.start("demo", "--keep", "my demo") as process:
            steps = process.communicate(timeout=110)[0].partition("\nNext")[2]
        commands = re.findall(r"^   (.*?)(?: +#.*)?$", steps, re.MULTILINE)
        assert commands[0] == "cd 'my demo'"
        assert commands[1] == "reconciler emulator --seed emulator.yaml"
        assert commands[3:] == ["reconciler plan", "reconciler init sso"]
        os.chdir("my demo")
        check_schemas(Path("reconciler.yaml"), *Path("organizations").iterdir())
        for variable in commands[2].removeprefix("export ").split():
            bare.setenv(*variable.split("="))
        with running_emulator(EmulatorSettings(seed=Path("emulator.yaml"))) as running:
            bare.use(running)
            project = Path("reconciler.yaml")
            project.write_text(project.read_text().replace("http://127.0.0.1:8080", running.base_url))
            planned = bare.run("plan")
            assert "Plan: 4 to add, 0 to change, 0 to destroy." in planned.out, planned.output
            applied = bare.run("apply", "--auto-approve")
            assert "Resources: 4 added, 0 changed, 0 destroyed." in applied.out, applied.output

    def test_it_overwrites_nothing(self, bare: Workplace) -> None:
        run = bare.run("demo", "--keep", ".")
        assert run.code == 1
        assert "nothing is overwritten" in run.err

    def test_a_folder_that_cannot_be_created(self, bare: Workplace) -> None:
        bare.write("file", "")
        run = bare.run("demo", "--keep", "file/below")
        assert run.code == 1
        assert "cannot create file/below" in run.err
        assert "Traceback" not in run.err


def check_schemas(*files: Path) -> None:
    """Check that each file is valid by the schema that its first line names, and that a mistake is found."""
    assert len(files) == 4
    for file in files:
        text = file.read_text()
        assert not schema_errors(file, text.splitlines()[0], text)
        assert schema_errors(file, text.splitlines()[0], f"{text}\nmisspelt: true")


class TestEmulator:
    @pytest.fixture
    def started(self, bare: Workplace) -> Iterator[subprocess.Popen[str]]:
        bare.write("seed.yaml", "organizations: [{organization_slug: acme, organization_name: Acme}]")
        with self.start(bare) as process:
            yield process
            process.kill()

    def start(self, place: Workplace) -> subprocess.Popen[str]:
        return place.start("emulator", "--port", "0", "--seed", "seed.yaml", "--state", "state.db")

    def announced(self, process: subprocess.Popen[str]) -> dict[str, str]:
        """What it prints can be evaluated by a shell as it stands."""
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(3)]
        assert all(line.startswith("export STYTCH_") for line in lines)
        return dict(line.removeprefix("export ").split("=", 1) for line in lines)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
    def test_it_prints_its_settings_serves_and_stops(
        self, started: subprocess.Popen[str], number: signal.Signals
    ) -> None:
        base_url = self.announced(started)["STYTCH_BASE_URL"]
        answer = httpx.get(f"{base_url}/v1/b2b/organizations/acme", auth=AUTH)
        assert answer.json()["organization"]["organization_name"] == "Acme"
        started.send_signal(number)
        _, err = started.communicate(timeout=30)
        assert started.returncode == 0
        assert "Traceback" not in err

    def test_the_commands_work_with_its_settings_and_its_state_survives(
        self, bare: Workplace, started: subprocess.Popen[str]
    ) -> None:
        bare.declare("acme", issuer="http://127.0.0.1:9/nobody")
        bare.setenv("ACME_CLIENT_SECRET", "x")
        for name, value in self.announced(started).items():
            bare.setenv(name, value)
        assert bare.run("apply", "--auto-approve").code == 0
        started.send_signal(signal.SIGINT)
        started.communicate(timeout=30)
        with self.start(bare) as again:
            for name, value in self.announced(again).items():
                bare.setenv(name, value)
            assert bare.run("plan").out.startswith(f"{bare.headline}{NO_CHANGES}")
            again.kill()

    def test_a_port_that_is_taken(self, bare: Workplace, started: subprocess.Popen[str]) -> None:
        port = self.announced(started)["STYTCH_BASE_URL"].rpartition(":")[2]
        run = bare.run("emulator", "--port", port)
        assert run.code == 1
        assert f"cannot listen on 127.0.0.1:{port}" in run.err

    @pytest.mark.parametrize("seed", ["organizations: 7", "{", "nonsense: []"])
    def test_an_invalid_seed(self, bare: Workplace, seed: str) -> None:
        bare.write("seed.yaml", seed)
        run = bare.run("emulator", "--port", "0", "--seed", "seed.yaml")
        assert run.code == 1
        assert "Traceback" not in run.err

    def test_the_switches_are_listed(self, bare: Workplace) -> None:
        run = bare.run("emulator", "--list-switches")
        assert run.code == 0
        assert all(f"(U{number})" in run.out for number in range(1, 37))

    @pytest.mark.parametrize("words", [("emulator", "--port", "0"), ("demo",)], ids=lambda words: words[0])
    def test_without_its_extra_it_says_what_to_install(
        self, bare: Workplace, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bare.write("missing/uvicorn.py", "raise ModuleNotFoundError(name='uvicorn')")
        bare.setenv("PYTHONPATH", str(bare.root / "missing"))
        with bare.start(*words) as process:
            _, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "pip install 'oidc-reconciler[emulator]'" in err
        assert "Traceback" not in err
