"""Secrets from AWS Secrets Manager: ``${aws-sm:NAME#KEY}``, a text in the JSON object of a secret.

Twenty secrets are read by one call. Those about which it does not tell, and all if the role may not make that
call, are read one by one. The name is the only spelling of a secret: an ARN would choose account and region,
and that is up to the environment. The tags of secrets are only in lists of secrets, so those that have the
tag `expires_on` and a name that begins as all wanted ones do are listed at the same time.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.errors import SecretUnavailable
from reconciler.http.json_fields import parse_json
from reconciler.secrets.aws_connection import RefusedByAws, connect
from reconciler.secrets.store import Entry, read_each, text_values

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.secrets.aws_connection import AwsConnection
    from reconciler.secrets.store import SecretAccess

SCHEME: Final = "aws-sm"

EXPIRES_ON: Final = "expires_on"
"""The tag with the expiry date of a secret."""

BATCH: Final = 20
"""Secrets that one call returns at most (BatchGetSecretValue)."""

LIST_PAGE: Final = 100
LIST_PAGES: Final = 20
"""Secrets in a page of a list (ListSecrets), and the pages that are read at most."""


def open_store(access: SecretAccess) -> AwsStore:
    """Return the store. No request is sent yet."""
    return AwsStore(access)


class AwsStore:
    """Reads each secret once, whichever keys of it are needed."""

    def __init__(self, access: SecretAccess) -> None:
        self._access = access
        self._may_batch = True

    def read(self, names: Collection[str]) -> Mapping[str, Entry | SecretUnavailable]:
        """Return the secret under each name, with the expiry date from its tag.

        Raises:
            SecretUnavailable: AWS cannot be asked, or does not accept the credentials.
        """
        names = tuple(names)
        seconds, aws = self._access.seconds, self._connection()
        batches = [names[start : start + BATCH] for start in range(0, len(names), BATCH)]
        calls = {batch: partial(self._read_batch, aws, batch) for batch in batches}
        list_days = partial(_listed_days, aws, names)
        answers = read_each([*calls.values(), list_days], lambda call: call(), seconds=seconds)
        days = answers[list_days]
        entries: dict[str, Entry | SecretUnavailable] = {}
        for batch, call in calls.items():
            answer = answers[call]
            entries |= dict.fromkeys(batch, answer) if isinstance(answer, SecretUnavailable) else answer
        rest = [name for name in names if name not in entries]
        entries |= read_each(rest, partial(_read_secret, aws), seconds=seconds)
        return _with_days(entries, {} if isinstance(days, SecretUnavailable) else days)

    def _connection(self) -> AwsConnection:
        """Return the connection of the run: a role is assumed once, and a program of the user asked once."""
        logins, seconds = self._access.logins, self._access.seconds
        if SCHEME not in logins:
            aws = read_each([SCHEME], lambda _name: connect(self._access), seconds=seconds)[SCHEME]
            if isinstance(aws, SecretUnavailable):
                raise aws
            logins[SCHEME] = aws
        connection: AwsConnection = logins[SCHEME]
        return connection

    def _read_batch(self, aws: AwsConnection, names: tuple[str, ...]) -> dict[str, Any]:
        """Return the secrets that one call returns."""
        if not self._may_batch:
            return {}
        try:
            answer = aws.call("batch_get_secret_value", "SecretValues", SecretIdList=list(names))
        except RefusedByAws as refusal:
            self._may_batch = not refusal.is_denied
            return {}
        refused = {
            error["SecretId"]: _explained(error["SecretId"], error["ErrorCode"], aws)
            for error in answer.get("Errors", ())
            if error.get("SecretId") in names and error.get("ErrorCode")
        }
        secrets = {secret["Name"]: secret for secret in answer["SecretValues"] if secret.get("Name") in names}
        return {**refused, **{name: _entry(name, secret) for name, secret in secrets.items()}}


def _read_secret(aws: AwsConnection, name: str) -> Entry | SecretUnavailable:
    try:
        secret = aws.call("get_secret_value", "Name", SecretId=name)
    except RefusedByAws as refusal:
        return _explained(name, refusal.code, aws)
    if secret["Name"] != name:
        return SecretUnavailable(f"AWS answered with another secret than {name}: correct the reference")
    return _entry(name, secret)


def _listed_days(aws: AwsConnection, names: tuple[str, ...]) -> dict[str, str]:
    """Return the expiry dates in the tags of secrets; none if the role cannot list secrets."""
    filters = [{"Key": "tag-key", "Values": [EXPIRES_ON]}]
    if prefix := _common_start(names):
        filters.append({"Key": "name", "Values": [prefix]})
    days: dict[str, str] = {}
    position: dict[str, str] = {}
    for _page in range(LIST_PAGES):
        try:
            page = aws.call("list_secrets", "SecretList", Filters=filters, MaxResults=LIST_PAGE, **position)
        except RefusedByAws:
            return days
        days |= {secret["Name"]: day for secret in page["SecretList"] if (day := _tagged_day(secret))}
        if not page.get("NextToken"):
            break
        position = {"NextToken": page["NextToken"]}
    return days


def _common_start(names: Collection[str]) -> str:
    """Return the common prefix of all names; AWS compares characters, not segments."""
    pairs = zip(min(names), max(names), strict=False)
    return "".join(first for first, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _tagged_day(secret: Mapping[str, Any]) -> str:
    tags = {tag.get("Key"): tag.get("Value", "") for tag in secret.get("Tags", ())}
    return str(tags.get(EXPIRES_ON, ""))


def _with_days(
    entries: Mapping[str, Entry | SecretUnavailable], days: Mapping[str, str]
) -> dict[str, Entry | SecretUnavailable]:
    return {
        name: replace(entry, expires_on=days.get(name, "")) if isinstance(entry, Entry) else entry
        for name, entry in entries.items()
    }


def _entry(name: str, secret: Mapping[str, Any]) -> Entry | SecretUnavailable:
    """Return the values in a secret; its text is part of no message."""
    text = secret.get("SecretString")
    if text is None:
        return SecretUnavailable(
            f"aws-sm:{name} is binary: store a JSON object as SecretString", problem="the secret is binary"
        )
    try:
        values = parse_json(text.encode())
    except ValueError:
        values = None
    if not isinstance(values, dict):
        return SecretUnavailable(
            f'aws-sm:{name} is not a JSON object: store it as {{"KEY": "VALUE"}}, and name KEY in the '
            "reference",
            problem="the secret is not a JSON object",
        )
    return Entry(text_values(values))


def _explained(name: str, code: str, aws: AwsConnection) -> SecretUnavailable:
    """Explain an error of AWS. A denial does not reveal whether the secret exists."""
    if code == "ResourceNotFoundException":
        problem, advice = f"there is no such secret in {aws.region}", "create it, or correct the reference"
    elif code == "InvalidRequestException":
        problem, advice = "the secret is marked for deletion", "restore it, or correct the reference"
    elif code == "DecryptionFailure":
        problem, advice = "the key of the secret cannot be used", "permit kms:Decrypt, or enable the key"
    else:
        problem = "AWS denies access, or there is no such secret"
        advice = "correct the reference, or permit secretsmanager:GetSecretValue (and kms:Decrypt) on it"
    return SecretUnavailable(f"{problem}: {advice} (aws-sm:{name})", problem=problem)
