"""1,000 secrets: 50 calls for their values, and hardly more time than by the client of AWS alone."""

from __future__ import annotations

import json
import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
import pytest

from reconciler.secrets import SecretAccess, SecretPolicy
from reconciler.secrets.aws_secrets_manager import BATCH, open_store
from reconciler.secrets.store import THREADS, Entry
from tests.moto import REGION
from tests.moto.test_aws_store import calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.moto import Moto
    from tests.moto.conftest import AwsProject

ROUNDS: Final = 5
MOST: Final = 1.5
"""Times as long as the bare loop."""

NAMES = [f"sso/customer-{number}" for number in range(1000)]
TAG = [{"Key": "expires_on", "Value": "2027-03-31"}]


@pytest.fixture
def thousand(project: AwsProject, moto: Moto) -> Moto:
    """One secret in ten has the tag."""
    client = moto.client()
    for number, name in enumerate(NAMES):
        value = json.dumps({"okta": f"secret-of-{name}"})
        client.create_secret(Name=name, SecretString=value, Tags=[] if number % 10 else TAG)
    return moto


def seconds(work: Callable[[], int]) -> float:
    """Return how long it takes to read all of them."""
    begun = time.perf_counter()
    assert work() == len(NAMES)
    return time.perf_counter() - begun


def with_the_reconciler() -> int:
    access = SecretAccess(policy=SecretPolicy(Path()), environment=os.environ)
    entries = open_store(access).read(NAMES)
    dated = sum(isinstance(entry, Entry) and bool(entry.expires_on) for entry in entries.values())
    assert dated == len(NAMES) / 10
    return sum(isinstance(entry, Entry) for entry in entries.values())


def with_boto3() -> int:
    client = boto3.session.Session(region_name=REGION).client("secretsmanager")

    def read(names: list[str]) -> int:
        answer = client.batch_get_secret_value(SecretIdList=names)
        return len({json.loads(secret["SecretString"])["okta"] for secret in answer["SecretValues"]})

    batches = [NAMES[start : start + BATCH] for start in range(0, len(NAMES), BATCH)]
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(read, batches))


@pytest.mark.proofs
@pytest.mark.usefixtures("thousand")
def test_a_thousand_secrets_take_about_as_long_as_with_boto3_alone(
    caplog: pytest.LogCaptureFixture, record_property: Callable[[str, object], None]
) -> None:
    """The rounds alternate, and the fastest of each counts: other load on the machine concerns both."""
    with caplog.at_level(logging.DEBUG, "botocore.endpoint"):
        with_the_reconciler()
    assert calls(caplog) == {"BatchGetSecretValue": 50, "ListSecrets": 1}

    pairs = [(seconds(with_boto3), seconds(with_the_reconciler)) for _ in range(ROUNDS)]
    bare, ours = (min(times) for times in zip(*pairs, strict=True))
    record_property(
        "row",
        {
            "what": f"{len(NAMES):,} secrets from AWS (moto's server), {THREADS} threads",
            "boto3": f"{bare:.2f} s",
            "reconciler": f"{ours:.2f} s",
            "ratio": f"{ours / bare:.2f}",
        },
    )
    assert ours <= MOST * bare, (bare, ours)
