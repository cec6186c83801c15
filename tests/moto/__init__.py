"""moto's server, which answers as AWS Secrets Manager and IAM do, on loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import httpx

from tests.support.programs import skip_or_fail

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION: Final = "eu-central-1"
COMMANDS: Final = Path(sys.prefix) / "moto/bin"
"""The folder of the server's program, and of AWS' own command."""
_PROGRAM: Final = COMMANDS / "moto_server"
_ADDRESS: Final = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")
_START_LIMIT: Final = 60.0
_NO_LIMIT: Final = "1000000000"


@dataclass(frozen=True, slots=True)
class Moto:
    """A running server, and clients of an administrator."""

    address: str

    def client(self, service: str = "secretsmanager", region: str = REGION) -> Any:
        """Return an administrator's client of a service."""
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.address,
            aws_access_key_id="AKIAADMINISTRATOR",
            aws_secret_access_key="the-administrators-key",
        )

    def store(self, name: str, values: Any = None, **fields: Any) -> None:
        """Store a JSON object, or what the fields of CreateSecret say."""
        value = {"SecretString": json.dumps(values)} if values is not None else {}
        self.client().create_secret(Name=name, **value, **fields)

    def replace(self, name: str, values: Any) -> None:
        """Store a new version of a secret."""
        self.client().put_secret_value(SecretId=name, SecretString=json.dumps(values))

    def reset(self) -> None:
        """Forget everything, and check no permissions."""
        self.check_permissions(after=_NO_LIMIT)
        httpx.post(f"{self.address}/moto-api/reset", trust_env=False).raise_for_status()

    def check_permissions(self, after: str = "0") -> None:
        """Check signatures and permissions from now on."""
        headers = {"Content-Type": "text/plain"}
        httpx.post(
            f"{self.address}/moto-api/reset-auth", content=after, headers=headers, trust_env=False
        ).raise_for_status()

    def user(self, *statements: tuple[str, str]) -> dict[str, str]:
        """Return the variables of a new user, who may do these (action, resource) and nothing else."""
        iam = self.client("iam")
        iam.create_user(UserName="reconciler")
        document = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in statements
            ],
        }
        iam.put_user_policy(
            UserName="reconciler", PolicyName="reconciler", PolicyDocument=json.dumps(document)
        )
        key = iam.create_access_key(UserName="reconciler")["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


@contextmanager
def running_moto(folder: Path) -> Iterator[Moto]:
    """Run a server in memory until the block ends."""
    if not _PROGRAM.exists():
        skip_or_fail("needs moto's server: make moto")
    environment = {
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
        "PYTHONUNBUFFERED": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "INITIAL_NO_AUTH_ACTION_COUNT": _NO_LIMIT,
    }
    command = [str(_PROGRAM), "-H", "127.0.0.1", "-p", "0"]
    log = folder / "server.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, env=environment)
        try:
            yield Moto(_address(process, log))
        finally:
            process.terminate()
            process.wait(timeout=20)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return where the server listens: it chose a free port, and says so."""
    deadline = time.monotonic() + _START_LIMIT
    while not (line := _ADDRESS.search(log.read_text(encoding="utf-8"))):
        assert process.poll() is None, "the server ended at once"
        assert time.monotonic() < deadline, "the server does not start"
        time.sleep(0.05)
    return line[1]
