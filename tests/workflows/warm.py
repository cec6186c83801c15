"""Serves the command from a process that has imported it once: each run is a fork, with its own environment.

A workflow runs a dozen commands, and most of the time of each is its imports. What a run gets and gives is
what any process does: arguments, environment, folder, the three streams and the exit code. Waiting is short.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import socket
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from reconciler.cli.main import main
from reconciler.http.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

HASTE = 50
"""How much faster than usual a run waits for the rate limit and before retries."""

_STREAMS = ((0, "r"), (1, "w"), (2, "w"))
_LONGEST_REQUEST = 2**22
_CLIENT = """#!{python} -IS
import array, json, os, socket, sys
request = json.dumps({{"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}})
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    streams = array.array("i", [0, 1, 2])
    server.sendmsg([len(request).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
    server.sendall(request.encode())
    sys.exit(server.recv(1)[0])
"""


@contextlib.contextmanager
def warm_command(folder: Path) -> Iterator[Path]:
    """Start the server; yield an executable called ``reconciler`` that runs on it."""
    address = str(folder / "socket")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.workflows.warm", str(listening.fileno())],
            cwd=Path(__file__).parents[2],
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            pass_fds=[listening.fileno()],
        )
    executable = folder / "reconciler"
    executable.write_text(_CLIENT.format(python=sys.executable, address=address), encoding="utf-8")
    executable.chmod(0o755)
    try:
        yield executable
    finally:
        server.terminate()
        server.wait()


def serve(listening: socket.socket) -> None:
    """Fork for each request, one after the other, and send the exit code."""
    while True:
        request, _ = listening.accept()
        with request:
            size, streams, _, _ = socket.recv_fds(request, 4, 3)
            text = _receive(request, int.from_bytes(size, "big"))
            child = os.fork()
            if not child:
                _run(json.loads(text), streams)
            for stream in streams:
                os.close(stream)
            _, status = os.waitpid(child, 0)
            request.sendall(bytes([os.waitstatus_to_exitcode(status) % 256]))


def _receive(request: socket.socket, size: int) -> bytes:
    text = b""
    while len(text) < size:
        text += request.recv(_LONGEST_REQUEST)
    return text


def _run(request: dict[str, Any], streams: list[int]) -> NoReturn:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, encoding="utf-8") for number, mode in _STREAMS
    )
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    clock = Clock(
        monotonic=lambda: time.monotonic() * HASTE, sleep=lambda seconds: asyncio.sleep(seconds / HASTE)
    )
    sys.exit(main(request["arguments"], clock))


if __name__ == "__main__":
    for verb in ("validate", "plan", "apply", "drift", "publish", "secrets", "pin", "import_"):
        import_module(f"reconciler.cli.{verb}")
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
