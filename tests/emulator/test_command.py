"""`reconciler emulator` as people start it: what its options do, and what it says to a wrong one."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.cli.main import main
from reconciler.emulator import DEFAULT_PROJECT_ID, DEFAULT_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AUTH = (DEFAULT_PROJECT_ID, DEFAULT_SECRET)
SEED = """
organizations:
  - organization_slug: acme
    members:
      - roles: [stytch_admin]
        sessions: [{session_token: session-of-acme-admin}]
"""


@contextmanager
def started(*words: str) -> Iterator[httpx.Client]:
    """Start the command at a free port, and stop it as people do, with Ctrl-C."""
    command = (sys.executable, "-m", "reconciler", "emulator", "--port", "0", *words)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("export STYTCH_BASE_URL=http://127.0.0.1:"), process.communicate()
        with httpx.Client(base_url=line.partition("=")[2].strip(), auth=AUTH, trust_env=False) as client:
            yield client
        process.send_signal(signal.SIGINT)
        _out, said = process.communicate(timeout=20)
        assert process.returncode == 0, said
        assert "Traceback" not in said


@pytest.fixture
def seed(tmp_path: Path) -> str:
    file = tmp_path / "seed.yaml"
    file.write_text(SEED)
    return str(file)


def test_fault_limit_and_switch_options_take_effect(seed: str) -> None:
    words = ("--fault", "list-connections:503:first=1", "--rate-limit", "2/h:search-organizations")
    with started("--seed", seed, *words, "--switch", "retry-after=seconds") as api:
        assert [api.get("/v1/b2b/sso/acme").status_code for _ in range(2)] == [503, 200]
        searches = [api.post("/v1/b2b/organizations/search", json={}) for _ in range(3)]
        assert [search.status_code for search in searches] == [200, 200, 429]
        assert int(searches[2].headers["retry-after"]) > 0
        assert api.get("/_control/requests").status_code == 404


def test_latency_makes_every_answer_slow(seed: str) -> None:
    with started("--seed", seed, "--latency", "0.3-0.4") as api:
        begun = time.monotonic()
        assert api.get("/v1/b2b/sso/acme").status_code == 200
        assert time.monotonic() - begun >= 0.3


def test_the_control_api_needs_its_option(seed: str) -> None:
    with started("--seed", seed, "--control") as api:
        api.get("/v1/b2b/sso/acme")
        log = api.get("/_control/requests").json()["requests"]
        assert [request["operation"] for request in log] == ["list-connections"]


def test_a_random_seed_repeats_the_ids(seed: str) -> None:
    def created() -> str:
        with started("--seed", seed, "--random-seed", "7") as api:
            response = api.post("/v1/b2b/sso/oidc/acme", json={"display_name": "Okta"})
            return str(response.json()["connection"]["connection_id"])

    assert created() == created()


def test_a_state_file_persists_and_is_seeded_once(seed: str, tmp_path: Path) -> None:
    state = str(tmp_path / "state.sqlite")
    with started("--seed", seed, "--state", state) as api:
        api.post("/v1/b2b/sso/oidc/acme", json={"display_name": "Okta"})
    with started("--seed", seed, "--state", state) as api:
        names = [
            connection["display_name"]
            for connection in api.get("/v1/b2b/sso/acme").json()["oidc_connections"]
        ]
        assert names == ["Okta"]


@pytest.mark.parametrize("words", [(), ("--local-redirects",)])
def test_new_connections_lead_back_to_the_emulator_if_asked(seed: str, words: tuple[str, ...]) -> None:
    with started("--seed", seed, *words) as api:
        connection = api.post("/v1/b2b/sso/oidc/acme").json()["connection"]
        host = str(api.base_url).rstrip("/") if words else "https://test.stytch.com"
        assert connection["redirect_url"] == f"{host}/v1/b2b/sso/callback/{connection['connection_id']}"


def test_the_list_of_switches_is_complete(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["emulator", "--list-switches"]) == 0
    listed = capfd.readouterr().out
    for number in range(1, 37):
        assert f"(U{number}): " in listed
    assert "    ignored (default), clears, rejected" in listed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--switch", "empty-strings=clears"), "unknown switch 'empty-strings', did you mean 'empty-s"),
        (("--switch", "zzz=1"), "--list-switches lists them all"),
        (("--switch", "empty-string=explodes"), "known: ignored, clears, rejected"),
        (("--fault", "nonsense"), "is not of the form OPERATION:EFFECT[:OPTION=VALUE,…]"),
        (("--fault", "list:500"), "unknown operation 'list'; known: list-connections, "),
        (("--fault", "list-connections:zzz"), "known: 408, 429, 499, 500, 502, 503, 504, html, empty, "),
        (("--fault", "list-connections:restet"), "unknown effect 'restet', did you mean 'reset'?"),
        (("--fault", "reads:500:frist=1"), "unknown option 'frist', did you mean 'first'?"),
        (("--rate-limit", "fast"), "as in 100/s or 5/10s:list-*"),
        (("--rate-limit", "5/s:lists"), "unknown operation 'lists' in a rate limit; known: list-connections"),
        (("--latency", "soon"), "must have the form SECONDS or LOW-HIGH, such as 0.1-0.5"),
        (("--latency", "2-1"), "must have the form SECONDS or LOW-HIGH"),
        (("--latency", "4000"), "seconds from 0 to 3600"),
        (("--seed", "nowhere.yaml"), "cannot read seed 'nowhere.yaml': No such file"),
        (("--state", "."), "cannot open state '.': unable to open database file"),
        (("--state", "text"), "cannot use state 'text': file is not a database"),
        (("--seed", "text"), "the seed: expected a mapping"),
        (("--seed", "typo.yaml"), "organizations[0].organization_slag: unknown key, did you mean"),
        (("--ca-file", "nowhere.pem"), "cannot use 'nowhere.pem': No such file"),
        (("--ca-file", "text"), "cannot use 'text': no certificates in PEM"),
        (("--host", "nowhere.invalid"), "cannot listen on nowhere.invalid:0: "),
    ],
    ids=" ".join,
)
def test_an_invalid_option_is_one_sentence_with_the_known_values(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("no database, and no mapping " * 50)
    (tmp_path / "typo.yaml").write_text("organizations: [{organization_slag: acme}]")
    assert main(["emulator", "--port", "0", *words]) == 1
    err = capfd.readouterr().err
    assert said in err
    assert "Traceback" not in err
