"""Connects to AWS Secrets Manager with the settings of the environment, and explains failed calls.

Credentials, region and endpoint are found by AWS' own library, in the environment and in the user's own
files; nothing in a repository is read for it. Its messages can hold an answer, so none of them is passed on.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from reconciler.http.connection_errors import causes, reason
from reconciler.http.urls import is_secure, parse_url
from reconciler.secrets.store import THREADS, StoreUnavailable, import_library

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from reconciler.secrets.store import SecretAccess

_LIBRARIES: Final = ("boto3.session", "botocore.config", "botocore.exceptions", "botocore.parsers")
_UNPARSED: Final = (AttributeError, LookupError, TypeError, ValueError)
"""What AWS' library raises about JSON that is no object, or has values of other types."""

_ATTEMPTS: Final = 3
_CODE: Final = re.compile(r"[A-Za-z]{1,60}")

_DENIED: Final = frozenset({"AccessDeniedException", "AccessDenied"})
_OF_A_SECRET: Final = frozenset(
    {"ResourceNotFoundException", "InvalidRequestException", "InvalidParameterException", "DecryptionFailure"}
)
_PROBLEMS: Final[Mapping[str, tuple[str, ...]]] = {
    "the AWS credentials have expired: renew them": (
        "ExpiredTokenException", "ExpiredToken", "RequestExpired",
    ),
    "AWS does not accept the credentials: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and"
    " AWS_SESSION_TOKEN, or AWS_PROFILE": (
        "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException",
        "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken",
    ),
    "AWS Secrets Manager limits the rate of requests: run it again later": (
        "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded",
    ),
}  # fmt: skip
_BY_CODE: Final = {code: problem for problem, codes in _PROBLEMS.items() for code in codes}

_NO_CREDENTIALS: Final = (
    "there are no usable AWS credentials ({name}): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or"
    " AWS_PROFILE, or run where a role is given"
)
_NO_REGION: Final = "there is no AWS region: set AWS_REGION"


class RefusedByAws(Exception):
    """AWS refused a call for a reason that concerns this secret or this operation; ``code`` is AWS' own."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def is_denied(self) -> bool:
        """Whether the role lacks a permission."""
        return self.code in _DENIED


@dataclass(frozen=True, slots=True)
class AwsConnection:
    """A client of AWS' library, which threads can share."""

    client: Any
    errors: ModuleType
    parsers: ModuleType

    @property
    def region(self) -> str:
        """The region that is asked."""
        return str(self.client.meta.region_name)

    def call(self, operation: str, expected: str, **parameters: object) -> Mapping[str, Any]:
        """Call an operation of Secrets Manager; ``expected`` is a field that its answer always has.

        Raises:
            RefusedByAws: AWS answered with an error that does not concern the next call.
            StoreUnavailable: there was no answer of AWS, or an error that concerns every call.
        """
        try:
            answer: Mapping[str, Any] = getattr(self.client, operation)(**parameters)
        except self.errors.ClientError as error:
            raise _refusal(error.response) from None
        except self.errors.BotoCoreError as error:
            raise self._unavailable(error) from None
        except (self.parsers.ResponseParserError, *_UNPARSED):
            raise self._no_answer() from None
        if expected not in answer:
            raise self._no_answer()
        return answer

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        if isinstance(error, self.errors.ConnectionError | self.errors.HTTPClientError):
            endpoint = str(self.client.meta.endpoint_url)
            cause = next((cause for cause in causes(error) if isinstance(cause, OSError)), error)
            why = reason(cause, endpoint, None, "AWS_CA_BUNDLE")
            return StoreUnavailable(f"AWS Secrets Manager cannot be reached: {why}")
        return _unusable(error, self.errors)

    def _no_answer(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"the server at {self.client.meta.endpoint_url} is not AWS Secrets Manager: check"
            " AWS_ENDPOINT_URL_SECRETS_MANAGER, AWS_ENDPOINT_URL and the proxy"
        )


def connect(access: SecretAccess) -> AwsConnection:
    """Return a connection. AWS' chain of credentials may ask a service, or run a program of the user.

    Raises:
        SecretUnavailable: the extra is missing.
        StoreUnavailable: there is no region, or what the environment says cannot be used.
    """
    session, config, errors, parsers = (import_library(name, "aws-sm") for name in _LIBRARIES)
    _keep_out_of_logs()
    settings = config.Config(
        connect_timeout=access.seconds / 2,
        read_timeout=access.seconds,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=THREADS,
    )
    try:
        own = session.Session(region_name=access.environment.get("AWS_REGION") or None)
        client = own.client("secretsmanager", config=settings)
    except errors.BotoCoreError as error:
        raise _unusable(error, errors) from None
    except ValueError:
        raise StoreUnavailable("the endpoint of AWS in the environment is not a URL") from None
    if not is_secure(parse_url(client.meta.endpoint_url)):
        raise StoreUnavailable(
            f"secrets are not read from {client.meta.endpoint_url}: use https (http is for loopback only)"
        )
    return AwsConnection(client, errors, parsers)


def _keep_out_of_logs() -> None:
    """Drop what AWS' library logs of headers and bodies, however much somebody lets it log."""
    for name in ("auth", "parsers"):
        logging.getLogger(f"botocore.{name}").setLevel(logging.INFO)
    logging.getLogger("botocore.endpoint").addFilter(_has_no_headers)


def _has_no_headers(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Sending http request")


def _refusal(response: Mapping[str, Any]) -> RefusedByAws | StoreUnavailable:
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in _DENIED or (status == HTTPStatus.FORBIDDEN and code not in _BY_CODE):
        return RefusedByAws("AccessDeniedException")
    if code in _OF_A_SECRET:
        return RefusedByAws(code)
    word = code if _CODE.fullmatch(code) else str(status)
    return StoreUnavailable(_BY_CODE.get(code, f"AWS Secrets Manager answers with the error {word}"))


def _unusable(error: Exception, errors: ModuleType) -> StoreUnavailable:
    """Return what is wrong with the settings that AWS' library found; its texts can hold file contents."""
    if isinstance(error, errors.NoRegionError):
        return StoreUnavailable(_NO_REGION)
    if isinstance(error, errors.InvalidRegionError):
        return StoreUnavailable("the AWS region is not the name of one: check AWS_REGION")
    return StoreUnavailable(_NO_CREDENTIALS.format(name=type(error).__name__))
