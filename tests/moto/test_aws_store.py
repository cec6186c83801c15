"""What AWS Secrets Manager answers, by moto's server, and by one that answers as moto cannot."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.core.errors import SecretUnavailable
from reconciler.core.secret import Secret
from reconciler.secrets import SecretPolicy
from reconciler.secrets.aws_secrets_manager import open_store
from reconciler.secrets.store import Entry, SecretAccess

if TYPE_CHECKING:
    import pytest

    from tests.moto import Moto
    from tests.moto.conftest import AwsProject


def read(*names: str, seconds: float = 10) -> dict[str, Any]:
    """Read secrets; return the values and the day of each, or why there is none."""
    access = SecretAccess(policy=SecretPolicy(Path()), environment=os.environ, seconds=seconds)
    return {name: _plain(entry) for name, entry in open_store(access).read(names).items()}


def _plain(entry: Entry | SecretUnavailable) -> Any:
    if isinstance(entry, SecretUnavailable):
        return str(entry)
    values = {key: _value(value) for key, value in entry.values.items()}
    return (values, entry.expires_on) if entry.expires_on else values


def _value(value: Secret | SecretUnavailable) -> str:
    return value.reveal() if isinstance(value, Secret) else f"({value})"


def calls(caplog: pytest.LogCaptureFixture) -> Counter[str]:
    """Return how often AWS' library called each operation."""
    return Counter(
        match[1]
        for record in caplog.records
        if (match := re.match(r"Making request for OperationModel\(name=(\w+)\)", record.getMessage()))
    )


def test_each_answer(project: AwsProject, moto: Moto) -> None:
    moto.store("sso/acme", {"okta": "first", "number": 1, "none": None, "empty": ""})
    moto.store("sso/binary", SecretBinary=b"\x00canary")
    moto.store("sso/plain", SecretString="canary-plain-text")
    moto.store("sso/list", ["canary"])
    moto.store("sso/twice", SecretString='{"okta": "canary", "okta": "canary"}')
    moto.store("sso/deleted", {"okta": "canary"})
    moto.client().delete_secret(SecretId="sso/deleted")
    moto.store("sso/no-value")
    not_json = 'is not a JSON object: store it as {"KEY": "VALUE"}, and name KEY in the reference'
    deleted = "the secret is marked for deletion: restore it, or correct the reference"
    missing = "there is no such secret in eu-central-1: create it, or correct the reference"
    assert read(
        "sso/acme", "sso/binary", "sso/plain", "sso/list", "sso/twice", "sso/deleted", "sso/missing",
        "SSO/acme", "sso/no-value",
    ) == {
        "sso/acme": {
            "okta": "first",
            "number": "(the value is a number, and a secret is text: quote it when you store it)",
            "none": "(the value is null, and a secret is text: quote it when you store it)",
            "empty": "(the value is empty; store the secret there)",
        },
        "sso/binary": "aws-sm:sso/binary is binary: store a JSON object as SecretString",
        "sso/plain": f"aws-sm:sso/plain {not_json}",
        "sso/list": f"aws-sm:sso/list {not_json}",
        "sso/twice": f"aws-sm:sso/twice {not_json}",
        "sso/deleted": f"{deleted} (aws-sm:sso/deleted)",
        "sso/missing": f"{missing} (aws-sm:sso/missing)",
        "SSO/acme": f"{missing} (aws-sm:SSO/acme)",
        "sso/no-value": f"{missing} (aws-sm:sso/no-value)",
    }  # fmt: skip


def test_the_last_day_is_in_a_tag(project: AwsProject, moto: Moto) -> None:
    tag = {"Key": "expires_on", "Value": "2027-03-31"}
    moto.store("sso/acme", {"okta": "first"}, Tags=[tag])
    moto.store("sso/acme-eu", {"okta": "second"}, Tags=[{"Key": "owner", "Value": "2027-03-31"}])
    moto.store("sso/globex", {"okta": "third"}, Tags=[tag | {"Value": "next year"}])
    moto.store("sso/initech", {"okta": "fourth"})
    assert read("sso/acme", "sso/acme-eu", "sso/globex", "sso/initech") == {
        "sso/acme": ({"okta": "first"}, "2027-03-31"),
        "sso/acme-eu": {"okta": "second"},
        "sso/globex": ({"okta": "third"}, "next year"),
        "sso/initech": {"okta": "fourth"},
    }


def test_twenty_secrets_are_one_call(
    project: AwsProject, moto: Moto, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"sso/customer{number}" for number in range(45)]
    for name in names:
        moto.store(name, {"okta": f"of {name}"})
    with caplog.at_level(logging.DEBUG, "botocore.endpoint"):
        assert read(*names) == {name: {"okta": f"of {name}"} for name in names}
    assert calls(caplog) == {"BatchGetSecretValue": 3, "ListSecrets": 1}


def test_a_role_that_may_only_get_single_secrets(
    project: AwsProject, moto: Moto, caplog: pytest.LogCaptureFixture
) -> None:
    moto.store("sso/acme", {"okta": "first"}, Tags=[{"Key": "expires_on", "Value": "2027-03-31"}])
    moto.store("sso/globex", {"okta": "second"})
    for name, value in moto.user(("secretsmanager:GetSecretValue", "*")).items():
        project.place.setenv(name, value)
    moto.check_permissions()
    with caplog.at_level(logging.DEBUG, "botocore.endpoint"):
        assert read("sso/acme", "sso/globex") == {
            "sso/acme": {"okta": "first"},
            "sso/globex": {"okta": "second"},
        }
    assert calls(caplog) == {"BatchGetSecretValue": 1, "GetSecretValue": 2, "ListSecrets": 1}


def test_a_denial_does_not_tell_whether_there_is_such_a_secret(project: AwsProject, moto: Moto) -> None:
    moto.store("sso/globex", {"okta": "canary"})
    for name, value in moto.user(("secretsmanager:ListSecrets", "*")).items():
        project.place.setenv(name, value)
    moto.check_permissions()
    answers = read("sso/globex", "sso/missing")
    assert answers["sso/globex"] == (
        "AWS denies access, or there is no such secret: correct the reference, or permit"
        " secretsmanager:GetSecretValue (and kms:Decrypt) on it (aws-sm:sso/globex)"
    )
    assert answers["sso/missing"] == answers["sso/globex"].replace("globex", "missing")
