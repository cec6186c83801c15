"""Reading 1,000 secrets, against a bare loop of hvac in as many threads."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import hvac
import pytest

from reconciler.secrets import SecretAccess, SecretPolicy
from reconciler.secrets.store import THREADS, Entry
from reconciler.secrets.vault import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.openbao import OpenBao

SECRETS: Final = 1000
ROUNDS: Final = 5
MOST: Final = 1.5
"""Times as long as the bare loop."""


def seconds(work: Callable[[], int]) -> float:
    """Return how long it takes to read all of them."""
    begun = time.perf_counter()
    assert work() == SECRETS
    return time.perf_counter() - begun


@pytest.mark.proofs
def test_a_thousand_secrets_take_about_as_long_as_with_hvac_alone(
    openbao: OpenBao, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """The rounds alternate, and the fastest of each counts: other load on the machine concerns both."""
    openbao.mount("speed", 2)
    for number in range(SECRETS):
        openbao.put(f"sso/{number}", {"okta": f"secret-{number}"}, mount="speed")
    token = openbao.token(openbao.policy("speed", "speed/data/sso"))
    variables = {"VAULT_ADDR": openbao.address, "VAULT_TOKEN": token}
    access = SecretAccess(policy=SecretPolicy(tmp_path), environment=variables)

    def with_hvac() -> int:
        client = hvac.Client(url=openbao.address, token=token)

        def read(number: int) -> str:
            answer = client.secrets.kv.v2.read_secret_version(
                f"sso/{number}", mount_point="speed", raise_on_deleted_version=True
            )
            return str(answer["data"]["data"]["okta"])

        with ThreadPoolExecutor(THREADS) as pool:
            count = len(set(pool.map(read, range(SECRETS))))
        client.adapter.close()
        return count

    def with_the_reconciler() -> int:
        answers = open_store(access).read([f"speed/sso/{number}" for number in range(SECRETS)])
        return sum(isinstance(answer, Entry) for answer in answers.values())

    pairs = [(seconds(with_hvac), seconds(with_the_reconciler)) for _ in range(ROUNDS)]
    bare, ours = (min(times) for times in zip(*pairs, strict=True))
    record_property(
        "row",
        {
            "what": f"{SECRETS:,} secrets from OpenBao, {THREADS} threads",
            "hvac": f"{bare:.2f} s",
            "reconciler": f"{ours:.2f} s",
            "ratio": f"{ours / bare:.2f}",
        },
    )
    assert ours <= MOST * bare
