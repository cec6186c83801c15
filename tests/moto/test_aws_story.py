"""Secrets in AWS Secrets Manager through plan, apply, an empty plan and a rotation, by moto's server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.workplace import NO_CHANGES

if TYPE_CHECKING:
    from tests.moto import Moto
    from tests.moto.conftest import AwsProject

FIRST, SECOND = "canary-of-the-first~secret", "canary-of-the-second~secret"


def test_plan_apply_and_rotate(project: AwsProject, moto: Moto) -> None:
    place = project.place
    project.declare("acme")
    moto.store("sso/acme", {"okta": FIRST})
    plan = place.run("plan", "-v")
    assert (plan.code, "1 to add" in plan.out) == (0, True), plan.output
    place.applied()
    assert place.live("acme")[0]["client_secret"] == FIRST
    assert NO_CHANGES in place.run("plan").out

    moto.replace("sso/acme", {"okta": SECOND})
    rotation = place.run("plan", "--out", "plan.json", "-v")
    assert "client_secret     = (sensitive value)" in rotation.out
    applied = place.run("apply", "plan.json", "-v")
    assert applied.code == 0, applied.output
    assert place.live("acme")[0]["client_secret"] == SECOND
    assert NO_CHANGES in place.run("plan").out
    printed = plan.output + rotation.output + applied.output + (place.root / "plan.json").read_text()
    assert "canary" not in printed.lower()


def test_what_cannot_be_read_stops_its_organization_and_no_other(project: AwsProject, moto: Moto) -> None:
    place = project.place
    project.declare("acme")
    moto.store("sso/acme", {"okta": FIRST})
    project.declare("globex")
    moto.store("sso/globex", {"okta": SECOND})
    moto.client().delete_secret(SecretId="sso/globex")
    project.declare("initech", "sso/acme#okta")
    run = place.run("plan")
    assert run.code == 1
    assert "# acme/sso will be created" in run.out
    assert "${aws-sm:sso/globex#okta} cannot be resolved: the secret is marked for deletion" in run.output
    assert "initech/sso will be created" not in run.out
    assert "canary" not in run.output


LISTED = """
import sys
opened = set()
sys.addaudithook(lambda event, facts: event == "open" and opened.add(str(facts[0])))
from reconciler.cli.main import main
code = main(["secrets", "check"])
print(*opened, sep="\\n", file=sys.stderr)
sys.exit(code)
"""


def test_no_file_of_the_repository_chooses_account_region_or_endpoint(
    project: AwsProject, moto: Moto
) -> None:
    """AWS' library opens nothing below the working directory; the home directory is the user's own."""
    place = project.place
    project.declare("acme")
    moto.store("sso/acme", {"okta": FIRST})
    elsewhere = "[default]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:1\n"
    names = (
        ".aws/config",
        ".aws/credentials",
        "aws/config",
        "config",
        "credentials",
        ".boto",
        "boto.cfg",
        ".env",
    )
    for name in names:
        place.write(name, elsewhere)
    place.write(".aws/models/secretsmanager/2017-10-17/service-2.json", "{}")
    process = subprocess.run(
        [sys.executable, "-c", LISTED],
        cwd=place.root,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (process.returncode, process.stdout) == (0, "1 secret reference resolved.\n"), process.stderr
    opened = {place.root / name for name in process.stderr.splitlines() if not name.isdecimal()}
    here = {str(file.relative_to(place.root)) for file in opened if file.is_relative_to(place.root)}
    assert here == {"reconciler.yaml", "organizations/acme.yaml"}


def test_a_program_of_the_user_gives_credentials_once_a_run(project: AwsProject, moto: Moto) -> None:
    """AWS' own chain: here, the settings in the user's home directory."""
    place = project.place
    project.declare("acme")
    moto.store("sso/acme", {"okta": FIRST})
    place.delenv("AWS_ACCESS_KEY_ID")
    place.delenv("AWS_SECRET_ACCESS_KEY")
    home = Path(os.environ["HOME"])
    credentials = {"Version": 1, "AccessKeyId": "AKIACANARYKEYID", "SecretAccessKey": "canary-of-the-program"}
    program = home / "credentials"
    program.write_text(f"#!/bin/sh\necho x >> {home}/asked\necho '{json.dumps(credentials)}'\n")
    program.chmod(0o700)
    (home / ".aws").mkdir()
    (home / ".aws/config").write_text(f"[default]\ncredential_process = {program}\n")
    applied = place.run("apply", "--auto-approve", "-v")
    assert applied.code == 0, applied.output
    assert place.live("acme")[0]["client_secret"] == FIRST
    assert (home / "asked").read_text() == "x\n"
    assert "canary" not in applied.output.lower()
