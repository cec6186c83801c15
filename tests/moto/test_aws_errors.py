"""Each defect is one line, names the reference and what to do, and refuses its organizations alone."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from reconciler.core.errors import SecretUnavailable
from reconciler.secrets import SecretAccess, SecretPolicy
from reconciler.secrets.aws_secrets_manager import open_store
from tests.idp.provider import scripted_provider
from tests.openbao.impostor import HTML, impostor, response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.moto.conftest import AwsProject

CANARY: Final = "canary-7f2c"
ENDPOINT: Final = "AWS_ENDPOINT_URL_SECRETS_MANAGER"


def check(project: AwsProject, reason: str) -> None:
    """Plan an organization that needs the secret, and one that does not."""
    place = project.place
    project.declare("acme")
    place.add_organization("globex")
    place.declare("globex")
    place.setenv("GLOBEX_CLIENT_SECRET", "of-another-scheme")
    run = place.run("plan", "--format", "json", "-v")
    assert run.code == 1
    errors = [finding for finding in run.document["diagnostics"] if finding["severity"] == "error"]
    assert [error["summary"].partition(" cannot be resolved: ")[::2] for error in errors] == [
        ("${aws-sm:sso/acme#okta}", reason)
    ]
    assert errors[0]["address"] == "acme/sso"
    assert [change["address"] for change in run.document["resource_changes"]] == ["globex/sso"]
    assert not any(word in run.output for word in (CANARY, "Traceback", "Sign in"))


def no_region(project: AwsProject) -> None:
    project.place.delenv("AWS_REGION")


def no_such_region(project: AwsProject) -> None:
    project.place.setenv("AWS_REGION", f"eu central {CANARY}")


def no_credentials(project: AwsProject) -> None:
    project.place.delenv("AWS_ACCESS_KEY_ID")
    project.place.delenv("AWS_SECRET_ACCESS_KEY")


def half_of_the_credentials(project: AwsProject) -> None:
    project.place.delenv("AWS_SECRET_ACCESS_KEY")


def no_such_profile(project: AwsProject) -> None:
    no_credentials(project)
    project.place.setenv("AWS_PROFILE", CANARY)


def broken_settings(project: AwsProject) -> None:
    no_credentials(project)
    folder = Path(os.environ["HOME"]) / ".aws"
    folder.mkdir()
    (folder / "config").write_text(f"{CANARY}\n")


def plain_http(project: AwsProject) -> None:
    project.place.setenv(ENDPOINT, "http://secrets.example.com")


def no_url(project: AwsProject) -> None:
    project.place.setenv(ENDPOINT, CANARY)


def nobody_listens(project: AwsProject) -> None:
    project.place.setenv(ENDPOINT, "http://127.0.0.1:1")


def no_extra(project: AwsProject) -> None:
    project.place.hide_module("boto3.session")


_UNUSABLE: Final = (
    "there are no usable AWS credentials ({}): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or"
    " AWS_PROFILE, or run where a role is given"
)
CASES: Final[dict[Callable[[AwsProject], None], str]] = {
    no_region: "there is no AWS region: set AWS_REGION",
    no_such_region: "the AWS region is not the name of one: check AWS_REGION",
    no_credentials: _UNUSABLE.format("NoCredentialsError"),
    half_of_the_credentials: _UNUSABLE.format("PartialCredentialsError"),
    no_such_profile: _UNUSABLE.format("ProfileNotFound"),
    broken_settings: _UNUSABLE.format("ConfigParseError"),
    plain_http: (
        "secrets are not read from http://secrets.example.com: use https (http is for loopback only)"
    ),
    no_url: "the endpoint of AWS in the environment is not a URL",
    nobody_listens: "AWS Secrets Manager cannot be reached: 127.0.0.1:1 refused the connection",
    no_extra: "the scheme aws-sm needs an extra: pip install 'oidc-reconciler[aws]'",
}
CORE: Final = (no_region, no_such_region, no_credentials, plain_http, no_url, nobody_listens, no_extra)
"""The defects that the suite knows; the others are proofs."""


@pytest.mark.parametrize(
    "defect",
    [
        pytest.param(defect, id=defect.__name__, marks=() if defect in CORE else pytest.mark.proofs)
        for defect in CASES
    ],
)
def test_each_defect_is_one_line(project: AwsProject, defect: Callable[[AwsProject], None]) -> None:
    defect(project)
    check(project, CASES[defect])


def error(code: str) -> bytes:
    """Return an answer in the form of AWS' JSON protocol."""
    body = json.dumps({"__type": code, "message": f"{CANARY} arn:aws:secretsmanager:{CANARY}"}).encode()
    return response("400 Bad Request", body, "Content-Type: application/x-amz-json-1.1")


_NOT_AWS: Final = (
    "the server at {} is not AWS Secrets Manager: check AWS_ENDPOINT_URL_SECRETS_MANAGER, AWS_ENDPOINT_URL"
    " and the proxy"
)
ANSWERS: Final = {
    "expired": (error("ExpiredTokenException"), "the AWS credentials have expired: renew them"),
    "html": (response("200 OK", HTML, "Content-Type: text/html"), _NOT_AWS),
    "unknown-key": (
        error("UnrecognizedClientException"),
        "AWS does not accept the credentials: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and"
        " AWS_SESSION_TOKEN, or AWS_PROFILE",
    ),
    "denied": (
        error("AccessDeniedException"),
        "AWS denies access, or there is no such secret: correct the reference, or permit"
        " secretsmanager:GetSecretValue (and kms:Decrypt) on it (aws-sm:sso/acme)",
    ),
    "no-key": (
        error("DecryptionFailure"),
        "the key of the secret cannot be used: permit kms:Decrypt, or enable the key (aws-sm:sso/acme)",
    ),
    "another": (error("OptInRequired"), "AWS Secrets Manager answers with the error OptInRequired"),
    "no-code": (error("a b\\u202e"), "AWS Secrets Manager answers with the error 400"),
    "html-404": (
        response("404 Not Found", HTML, "Content-Type: text/html"),
        "AWS Secrets Manager answers with the error 404",
    ),
    "other-json": (response("200 OK", b'{"Name": "canary-7f2c"}'), _NOT_AWS),
    "list": (response("200 OK", b'["canary-7f2c"]'), _NOT_AWS),
}
"""What answers, and what is said of it."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in {"expired", "html", "list", "no-key"} else pytest.mark.proofs)
        for name in ANSWERS
    ],
)
def test_each_answer_is_one_line(project: AwsProject, name: str) -> None:
    answer, reason = ANSWERS[name]
    with impostor(answer) as server:
        project.place.setenv(ENDPOINT, server.address)
        check(project, reason.format(server.address))


def test_a_certificate_that_is_not_trusted(project: AwsProject) -> None:
    """Neither request nor token is sent."""
    with scripted_provider() as server:
        project.place.setenv(ENDPOINT, server.issuer)
        place = server.issuer.removeprefix("https://")
        check(
            project,
            f"AWS Secrets Manager cannot be reached: the certificate of {place} was issued by an authority"
            " that is not trusted; set AWS_CA_BUNDLE to a PEM file with the certificate to trust",
        )
        assert not server.paths


def test_a_silent_server_ends_at_the_deadline_for_all_secrets(project: AwsProject) -> None:
    """The first calls that nobody answers end the reading: the deadline is not paid for each batch."""
    with impostor() as server:
        project.place.setenv(ENDPOINT, server.address)
        access = SecretAccess(policy=SecretPolicy(Path()), environment=os.environ, seconds=2)
        answers = open_store(access).read([f"sso/{number}" for number in range(400)])
    (text,) = {str(answer) for answer in answers.values()}
    assert text.startswith("the store did not answer within 2 seconds: check that it can be reached")
    assert len(answers) == 400


@contextmanager
def denying_one(name: str) -> Iterator[str]:
    """Run a server that gives a secret, and denies another one within the same answer: moto cannot."""
    body = {
        "SecretValues": [{"Name": "sso/acme", "SecretString": '{"okta": "first"}'}],
        "Errors": [{"SecretId": name, "ErrorCode": "AccessDeniedException", "Message": CANARY}],
    }
    answer = response("200 OK", json.dumps(body).encode(), "Content-Type: application/x-amz-json-1.1")
    with impostor(answer) as server:
        yield server.address


def test_a_batch_that_denies_one_secret(project: AwsProject) -> None:
    with denying_one("sso/globex") as address:
        project.place.setenv(ENDPOINT, address)
        access = SecretAccess(policy=SecretPolicy(Path()), environment=os.environ)
        answers = open_store(access).read(["sso/acme", "sso/globex"])
    assert not isinstance(answers["sso/acme"], SecretUnavailable)
    assert str(answers["sso/globex"]).startswith("AWS denies access, or there is no such secret: ")


def test_an_answer_about_another_secret(project: AwsProject) -> None:
    """What was not asked for is given to nobody."""
    secret = {"Name": "sso/globex", "SecretString": json.dumps({"okta": CANARY})}
    body = json.dumps({"SecretValues": [secret], "Errors": [], "SecretList": [], **secret}).encode()
    with impostor(response("200 OK", body, "Content-Type: application/x-amz-json-1.1")) as server:
        project.place.setenv(ENDPOINT, server.address)
        check(project, "AWS answered with another secret than sso/acme: correct the reference")
