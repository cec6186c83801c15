"""A project folder, its environment, an emulator, and the real command."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.cli.commands import VERBS
from reconciler.cli.main import main
from reconciler.http.clock import Clock
from tests.support.json_documents import check_document

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from reconciler.emulator import Emulator, RunningEmulator

NO_CHANGES = "No changes. Your infrastructure matches the configuration."
NOT_COMPARED = "Guards: not compared, because there is no base (--changed-since)."


def hasty_clock(haste: float) -> Clock:
    """Return a clock that runs so many times as fast: what waits by it is awake so much earlier."""
    return Clock(
        monotonic=lambda: time.monotonic() * haste, sleep=lambda seconds: asyncio.sleep(seconds / haste)
    )


@dataclass(frozen=True)
class CompletedRun:
    """A run of the command: its exit code, and what it printed."""

    code: int
    out: str
    err: str
    verb: str = ""

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document that it must be, as its schema describes it."""
        document = json.loads(self.out)
        if self.verb not in {"", "schema"}:
            check_document(self.verb, document)
        return document

    @property
    def codes(self) -> list[str]:
        """The codes of the diagnostics in the JSON document."""
        return [diagnostic["code"] for diagnostic in self.document["diagnostics"]]

    @property
    def output(self) -> str:
        return self.out + self.err


def discovery_document(slug: str) -> dict[str, str]:
    """Return what the identity provider of an organization publishes."""
    return issuer_metadata(f"https://{slug}.example.com")


def issuer_metadata(issuer: str) -> dict[str, str]:
    """Return what an identity provider publishes below its issuer."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/keys",
    }


def okta(name: str, **fields: Any) -> dict[str, Any]:
    """Return the wire fields of a complete connection."""
    base = "https://acme.okta.example"
    return {
        "display_name": name,
        "identity_provider": "okta",
        "issuer": base,
        "client_id": "0oa1b2c3",
        "client_secret": f"s3cr3t~{name}",
        "authorization_url": f"{base}/authorize",
        "token_url": f"{base}/token",
        "userinfo_url": f"{base}/userinfo",
        "jwks_url": f"{base}/keys",
        "custom_scopes": "openid%20email profile",
        "attribute_mapping": {"groups": "groups"},
        **fields,
    }


class Workplace:
    """A project folder and the command; ``use`` connects it to an emulator.

    ``clock`` is by what the commands wait that run in this process.
    """

    def __init__(self, root: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._patch = patch
        self._capture = capture
        self._running: RunningEmulator | None = None
        self.clock: Clock | None = hasty_clock(50)

    @property
    def emulator(self) -> Emulator:
        assert self._running is not None
        return self._running.emulator

    @property
    def base_url(self) -> str:
        assert self._running is not None
        return self._running.base_url

    @property
    def headline(self) -> str:
        """What a plan in text begins with: whose credentials go to which host, and a blank line."""
        token = os.environ.get("STYTCH_PUBLIC_TOKEN")
        target = f"Session with {token}" if token else f"Project {os.environ['STYTCH_PROJECT_ID']}"
        host = os.environ["STYTCH_BASE_URL"].removeprefix("http://")
        return f"{target} (test) at {host}\n\n"

    def use(self, running: RunningEmulator) -> None:
        self._running = running
        self.setenv("STYTCH_BASE_URL", running.base_url)
        self.setenv("STYTCH_PROJECT_ID", running.emulator.settings.project.project_id)
        self.setenv("STYTCH_SECRET", running.emulator.settings.project.secret)

    def setenv(self, name: str, value: str) -> None:
        self._patch.setenv(name, value)

    def replace(self, owner: object, name: str, value: object) -> None:
        """Replace an attribute of a module, to provoke what no input can."""
        self._patch.setattr(owner, name, value)

    def hide_module(self, name: str) -> None:
        """Let an import fail as if nothing of that name were installed."""
        self._patch.setitem(sys.modules, name, None)

    def delenv(self, name: str) -> None:
        self._patch.delenv(name)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def declare(self, slug: str, name: str = "sso", **fields: object) -> Path:
        """Write a manifest of one connection; `fields` are laid over the usual ones."""
        connection = {
            "issuer": f"https://{slug}.example.com",
            "client_id": f"client-of-{slug}",
            "client_secret": f"${{env:{slug.upper()}_CLIENT_SECRET}}",
            **fields,
        }
        document = {"organization": slug, "connections": {name: connection}}
        return self.write(f"organizations/{slug}.yaml", json.dumps(document, indent=2))

    def add_organization(self, slug: str, *connections: str, **fields: Any) -> None:
        """Add an organization with a discoverable issuer, and complete connections of these names."""
        self.emulator.add_organization(slug, **fields)
        self.emulator.set_discovery(f"https://{slug}.example.com", discovery_document(slug))
        for name in connections:
            self.emulator.add_connection(slug, **okta(name, client_id=name))

    def git(self, *words: str, folder: Path | None = None) -> str:
        """Run Git without the configuration of this machine; return what it prints."""
        done = subprocess.run(
            ["git", "-c", "user.name=N", "-c", "user.email=n@example.com", *words],
            cwd=folder or self.root,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self) -> str:
        """Commit everything, and return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "x")
        return self.git("rev-parse", "HEAD")

    def run(self, *words: str) -> CompletedRun:
        """Run the command in this process."""
        self._capture.readouterr()
        code = main(list(words), self.clock)
        out, err = self._capture.readouterr()
        return CompletedRun(code, out, err, next((word for word in words if word in VERBS), "failure"))

    def applied(self) -> Workplace:
        """Bring everything that is declared to life."""
        run = self.run("apply", "--auto-approve", "-q")
        assert run.code == 0, run.output
        self.emulator.request_log.clear()
        return self

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Start the command as a process of its own."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            [sys.executable, "-m", "reconciler", *words],
            cwd=self.root,
            env=dict(os.environ),
            text=True,
            **(streams | options),
        )

    def live(self, slug: str) -> tuple[dict[str, Any], ...]:
        """The OIDC connections of an organization, as they are."""
        return self.emulator.oidc_connections(slug)
