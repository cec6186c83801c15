"""Serving over loopback, and the package as others import it."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.emulator import DEFAULT_PROJECT_ID, DEFAULT_SECRET, running_emulator

if TYPE_CHECKING:
    from pathlib import Path

AUTH = (DEFAULT_PROJECT_ID, DEFAULT_SECRET)
SERVE = """
import sys
from pathlib import Path
from reconciler.emulator import EmulatorSettings, serve
settings = EmulatorSettings(state=Path(sys.argv[1]))
def ready(running):
    if not list(running.emulator.context.state.all("organizations")):
        running.emulator.add_organization("acme")
    print(running.base_url, flush=True)
serve(settings, on_ready=ready)
print("stopped", flush=True)
"""


def test_it_listens_on_a_free_loopback_port_and_stops() -> None:
    with running_emulator() as server:
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*", server.base_url)
        server.emulator.add_organization("acme")
        response = httpx.get(f"{server.base_url}/v1/b2b/sso/acme", auth=AUTH, trust_env=False)
        assert response.status_code == 200
        names = [thread.name for thread in threading.enumerate()]
        assert "emulator" in names
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.base_url, trust_env=False)
    assert "emulator" not in [thread.name for thread in threading.enumerate()]


def test_it_stops_at_once_while_a_request_hangs() -> None:
    with running_emulator() as server:
        server.emulator.add_fault("*:hang:seconds=3600")
        with httpx.Client(base_url=server.base_url, auth=AUTH, trust_env=False) as client:
            with pytest.raises(httpx.ReadTimeout):
                client.get("/v1/b2b/sso/acme", timeout=0.1)
            begun = time.monotonic()
            server.emulator.clear_faults()
    assert "emulator" not in [thread.name for thread in threading.enumerate()]
    assert time.monotonic() - begun < 0.9, "uvicorn alone would wait a second for the request"


def test_a_client_that_disconnects_in_a_request_is_a_quiet_line_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with running_emulator() as server:
        url = httpx.URL(server.base_url)
        with socket.create_connection((url.host, url.port or 0)) as client:
            client.sendall(b"PUT /v1/b2b/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            time.sleep(0.1)
        assert httpx.get(f"{server.base_url}/v1/b2b/sso/acme", auth=AUTH, trust_env=False).status_code == 404
    (line,) = [record for record in caplog.records if record.name == "reconciler.emulator"]
    assert line.getMessage() == "PUT /v1/b2b/x: the client disconnected before the end of its request"
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_a_taken_port_is_an_error() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="in use"),
        running_emulator(port=taken.getsockname()[1]),
    ):
        pytest.fail("it started on a port that is taken")


def test_the_built_in_provider_is_fetched_over_loopback() -> None:
    with running_emulator() as server:
        server.emulator.add_organization("acme")
        connection_id = server.emulator.add_connection("acme")["connection_id"]
        issuer = server.base_url + server.emulator.add_identity_provider("acme")
        path = f"{server.base_url}/v1/b2b/sso/oidc/acme/connections/{connection_id}"
        body = {"issuer": issuer, "client_id": "c", "client_secret": "s"}
        response = httpx.put(path, json=body, auth=AUTH, trust_env=False).json()
        assert response["connection"]["status"] == "active"
        assert response["connection"]["token_url"] == f"{issuer}/token"
        assert [entry.operation for entry in server.emulator.request_log] == [
            "idp-discovery",
            "update-oidc-connection",
        ]


def test_many_clients_at_once_create_each_exactly_once() -> None:
    with running_emulator() as server, httpx.Client(auth=AUTH, trust_env=False) as client:
        server.emulator.add_organization("acme")
        url = f"{server.base_url}/v1/b2b/sso/oidc/acme"

        def create(number: int) -> int:
            return client.post(url, json={"display_name": str(number)}).status_code

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(create, range(80))) == {200}
        names = [connection["display_name"] for connection in server.emulator.connections("acme")]
        assert sorted(names, key=int) == [str(number) for number in range(80)]
        assert len(server.emulator.request_log.writes) == 80


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly_and_the_state_stays(tmp_path: Path, stop: signal.Signals) -> None:
    state = tmp_path / "state.sqlite"
    connections = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(state)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        with httpx.Client(base_url=base_url, auth=AUTH, trust_env=False) as client:
            client.post("/v1/b2b/sso/oidc/acme", json={})
            connections.append(len(client.get("/v1/b2b/sso/acme").json()["oidc_connections"]))
        process.send_signal(stop)
        output, errors = process.communicate(timeout=10)
        assert (output, errors, process.returncode) == ("stopped\n", "", 0)
    assert connections == [1, 2]


def test_a_killed_server_keeps_every_write_it_answered(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(state)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    base_url = process.stdout.readline().strip()
    with httpx.Client(base_url=base_url, auth=AUTH, trust_env=False) as client:
        created = client.post("/v1/b2b/sso/oidc/acme", json={"display_name": "Kept"}).json()
    process.kill()
    process.communicate(timeout=10)
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(state)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    base_url = process.stdout.readline().strip()
    with httpx.Client(base_url=base_url, auth=AUTH, trust_env=False) as client:
        (connection,) = client.get("/v1/b2b/sso/acme").json()["oidc_connections"]
    process.terminate()
    process.communicate(timeout=10)
    assert connection == created["connection"]


def test_importing_the_package_loads_no_server() -> None:
    code = (
        "import sys, reconciler.emulator;"
        "print([name for name in ('starlette', 'uvicorn', 'httpx') if name in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def test_the_emulator_shares_no_code_with_the_product() -> None:
    code = (
        "import sys, reconciler.emulator, reconciler.emulator.application;"
        "print([n for n in sys.modules if n.startswith(('reconciler.core','reconciler.providers',"
        "'reconciler.secrets'))])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


@pytest.mark.parametrize("library", ["starlette", "uvicorn"])
def test_a_missing_extra_names_the_install_command(library: str) -> None:
    code = (
        f"import sys; sys.modules['{library}'] = None\n"
        "from reconciler.emulator import MissingExtraError, running_emulator\n"
        "try:\n"
        "    with running_emulator(): pass\n"
        "except ImportError as error:\n"
        "    assert isinstance(error, MissingExtraError)\n"
        "    print(error)\n"
    )
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert "pip install 'oidc-reconciler[emulator]'" in run.stdout
    assert run.stderr == ""
