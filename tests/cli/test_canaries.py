"""No secret appears in anything that the command prints or writes."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import click
import pytest

from reconciler.cli.main import group
from reconciler.emulator import EmulatorSettings, Project, running_emulator
from tests.cli.echo import OLD_SECRET, echoing
from tests.support.workplace import hasty_clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.workplace import CompletedRun, Workplace

TOOL_SECRET = "secret-test-Kanarek~0987612345"
SESSION_TOKEN = "session-token-Kanarek~5432167890"
CANARIES = {
    "short": "q~}{",
    "numeric": "0918273645",
    "ending": "Zm9vYmFyLWthbmFyaWU~ = !",
    "lines": "first-Kanarie-line\nsecond-Kanarie-line\n\tthird-Kanarie-line",
    "unicode": "Kanári-金丝雀-🐤",
    "quotes": "kan\"ar'ie\\n${env:HOME}",
    "markup": "[red]<b>&amp;kanarie[/red]%0A",
}


def formats_of(verb: str) -> tuple[str, ...]:
    command = group.get_command(click.Context(group), verb)
    assert command is not None
    (choice,) = [option.type for option in command.params if option.name == "format_"]
    assert isinstance(choice, click.Choice)
    return tuple(choice.choices)


FORMATS = {verb: formats_of(verb) for verb in ("validate", "plan", "apply", "show")}
LOUD = ("-vv", "--log-format", "json")

PATIENCE = 2_000
"""How much faster than usual a failing run waits: minutes in all."""

every_canary = pytest.mark.parametrize("name", CANARIES)


@pytest.fixture
def cage(bare: Workplace) -> Iterator[Workplace]:
    """One organization that has a connection with the old secret, and two that have none."""
    settings = EmulatorSettings(project=Project(secret=TOOL_SECRET), random_seed=1)
    with running_emulator(settings) as running:
        bare.use(running)
        bare.write("reconciler.yaml", "limits: {requests_per_second: 500}")
        for slug in ("acme", "globex", "initech"):
            bare.add_organization(slug)
            bare.declare(slug)
        running.emulator.add_connection(
            "acme",
            display_name="sso",
            issuer="https://acme.example.com",
            client_id="client-of-acme",
            client_secret=OLD_SECRET,
        )
        yield bare


def cage_canary(place: Workplace, name: str) -> tuple[str, ...]:
    """Give the secret to every organization, and return what must be seen nowhere."""
    secret = CANARIES[name]
    place.setenv("ACME_CLIENT_SECRET", secret)
    place.setenv("GLOBEX_CLIENT_SECRET", secret)
    place.write("kept/secret", "").write_text(secret + "\n")
    place.declare("initech", client_secret="${file:kept/secret}")
    return (*traces(secret), *traces(OLD_SECRET), *traces(TOOL_SECRET), *traces(SESSION_TOKEN))


def traces(secret: str) -> Iterator[str]:
    """Every form in which the secret could be seen, whole or a line of it."""
    for part in {secret, *(line.strip() for line in secret.split("\n"))}:
        yield from {
            part,
            json.dumps(part)[1:-1],
            json.dumps(part, ensure_ascii=False)[1:-1],
            repr(part)[1:-1],
            quote(part, safe=""),
            base64.b64encode(part.encode()).decode().rstrip("=")[: len(part)],
        }


def hunt(place: Workplace, run: CompletedRun, hidden: tuple[str, ...]) -> None:
    """Look at both streams and at every file that was written."""
    places = {"the streams": run.output}
    for file in place.root.rglob("*"):
        if file.is_file() and "kept" not in file.parts:
            places[str(file)] = file.read_text(encoding="utf-8")
    leaks = [(where, secret) for where, text in places.items() for secret in hidden if secret in text]
    assert not leaks, run.output


@every_canary
def test_a_full_workflow_leaks_no_secret(cage: Workplace, name: str) -> None:
    hidden = cage_canary(cage, name)
    for verb in ("validate", "plan"):
        for format_ in FORMATS[verb]:
            run = cage.run(verb, "--format", format_, "--output", f"{verb}.{format_}")
            assert run.code == 0, run.output
            hunt(cage, run, hidden)
    run = cage.run("plan", "--out", "plan.json", *LOUD)
    assert "client_secret" in run.out
    hunt(cage, run, hidden)
    for format_ in FORMATS["show"]:
        hunt(cage, cage.run("show", "plan.json", "--format", format_), hidden)
    run = cage.run("apply", "plan.json", *LOUD, "--format", "json", "--output", "text=result")
    assert run.code == 0
    hunt(cage, run, hidden)
    assert {
        connection["client_secret"]
        for slug in ("acme", "globex", "initech")
        for connection in cage.live(slug)
    } == {CANARIES[name]}
    hunt(cage, cage.run("plan", "-vv"), hidden)


@every_canary
@pytest.mark.parametrize(
    "fault",
    [
        "update-oidc-connection:500",
        "update-oidc-connection:html",
        "update-oidc-connection:malformed",
        "update-oidc-connection:truncated",
        "update-oidc-connection:429",
        "update-oidc-connection:reset:after",
        "list-connections:malformed",
        "list-connections:html",
        "create-oidc-connection:empty",
        "*:unauthorized_credentials",
    ],
)
def test_no_failure_leaks_a_secret(cage: Workplace, name: str, fault: str) -> None:
    cage.clock = hasty_clock(PATIENCE)
    hidden = cage_canary(cage, name)
    cage.emulator.add_fault(fault)
    for format_ in ("text", "json"):
        run = cage.run("apply", "--auto-approve", "--format", format_, *LOUD, "--output", f"json={format_}")
        assert run.code in {0, 1}
        assert "Traceback" not in run.err
        hunt(cage, run, hidden)


@every_canary
@pytest.mark.parametrize("mode", ["refused", "denied", "warning", "read"])
def test_secrets_in_api_errors_are_redacted(bare: Workplace, name: str, mode: str) -> None:
    bare.clock = hasty_clock(PATIENCE)
    bare.declare("acme")
    bare.write("reconciler.yaml", "limits: {requests_per_second: 500}")
    bare.setenv("STYTCH_PROJECT_ID", "project-test-1")
    bare.setenv("STYTCH_SECRET", TOOL_SECRET)
    bare.setenv("ACME_CLIENT_SECRET", CANARIES[name])
    hidden = (*traces(CANARIES[name]), *traces(TOOL_SECRET))
    for format_ in ("text", "json"):
        with echoing(mode) as base_url:
            bare.setenv("STYTCH_BASE_URL", base_url)
            run = bare.run("apply", "--auto-approve", "--format", format_, *LOUD)
        assert run.code == (0 if mode == "warning" else 1)
        hunt(bare, run, hidden)


@every_canary
def test_a_masked_secret_is_not_leaked(cage: Workplace, name: str) -> None:
    hidden = cage_canary(cage, name)
    cage.emulator.set_switch("client-secret", "masked")
    for words in (("plan",), ("apply", "--auto-approve"), ("plan", "--rotate", "acme/*")):
        hunt(cage, cage.run(*words, *LOUD), hidden)


@every_canary
def test_a_member_session_is_not_leaked(cage: Workplace, name: str) -> None:
    hidden = cage_canary(cage, name)
    for slug in ("globex", "initech"):
        (cage.root / f"organizations/{slug}.yaml").unlink()
    cage.emulator.add_session("acme", "stytch_admin", session_token=SESSION_TOKEN)
    cage.delenv("STYTCH_PROJECT_ID")
    cage.delenv("STYTCH_SECRET")
    cage.setenv("STYTCH_PUBLIC_TOKEN", cage.emulator.settings.project.public_token)
    cage.setenv("STYTCH_SESSION_TOKEN", SESSION_TOKEN)
    for words in (("plan", "--out", "p"), ("apply", "--auto-approve"), ("plan", "--format", "json")):
        run = cage.run(*words, *LOUD)
        assert run.code == 0, run.output
        hunt(cage, run, hidden)
    assert cage.live("acme")[0]["client_secret"] == CANARIES[name]


@pytest.mark.parametrize("name", ["STYTCH_SECRET", "STYTCH_SESSION_TOKEN", "STYTCH_PROJECT_ID"])
def test_manifests_cannot_refer_to_the_tools_credentials(cage: Workplace, name: str) -> None:
    hidden = cage_canary(cage, "short")
    cage.setenv("STYTCH_SESSION_TOKEN", SESSION_TOKEN)
    for field in ("client_secret", "client_id", "display_name"):
        cage.declare("acme", **{field: f"${{env:{name}}}"})
        for words in (("validate",), ("plan",), ("apply", "--auto-approve")):
            run = cage.run(*words, *LOUD) if words[0] != "validate" else cage.run(*words)
            assert run.code == 1
            hunt(cage, run, hidden)
    assert not cage.emulator.request_log.writes


@every_canary
def test_a_literal_secret_is_refused_and_not_printed(cage: Workplace, name: str) -> None:
    cage.declare("acme", client_secret=CANARIES[name].replace("${env:HOME}", ""))
    (cage.root / "organizations/acme.yaml").rename(cage.root / "organizations/kept")
    (cage.root / "kept").mkdir(exist_ok=True)
    (cage.root / "organizations/kept").rename(cage.root / "kept/acme.yaml")
    for words in (("validate",), ("plan",), ("apply", "--auto-approve")):
        for format_ in ("text", "json"):
            run = cage.run(*words, "kept/acme.yaml", "--format", format_)
            assert run.code == 1
            hunt(cage, run, tuple(traces(CANARIES[name].replace("${env:HOME}", ""))))


def test_the_search_for_leaks_finds_a_leak(cage: Workplace) -> None:
    cage.setenv("ACME_CLIENT_SECRET", "x")
    run = cage.run("validate", "--output", "json=seen")
    (cage.root / "seen").write_text(f"oh, {CANARIES['unicode']}")
    with pytest.raises(AssertionError):
        hunt(cage, run, tuple(traces(CANARIES["unicode"])))
