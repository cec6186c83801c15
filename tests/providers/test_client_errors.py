"""Which error each bad answer becomes, and what it tells the user."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest

from reconciler.core.connection import OidcConnection
from reconciler.core.errors import (
    AccessDenied,
    ConnectionNotFound,
    MalformedAnswer,
    NotFound,
    OrganizationNotFound,
    ProviderError,
    RequestRejected,
    Unavailable,
    UnknownOutcome,
)
from reconciler.core.secret import Secret
from reconciler.http.redaction import WITHHELD
from tests.providers.support import (
    ACME,
    CLIENT_SECRET,
    CONNECTION_ID,
    MEMBER,
    PROJECT,
    Script,
    ask,
    connection,
    ok,
    organization,
    refused,
    wrapped,
)

VALUES = OidcConnection(client_secret=Secret(CLIENT_SECRET))


async def read(provider: Any) -> object:
    return await provider.read_organization(ACME)


async def create(provider: Any) -> object:
    return await provider.create_connection(ACME.organization_id, "Acme Okta", "okta")


async def update(provider: Any) -> object:
    return await provider.update_connection(ACME.organization_id, CONNECTION_ID, VALUES)


async def delete(provider: Any) -> object:
    return await provider.delete_connection(ACME.organization_id, CONNECTION_ID)


WRITES = (create, update, delete)


def error_of(question: Any, *steps: Any, target: Any = PROJECT) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(Script(*steps), question, target)
    return caught.value


@pytest.mark.parametrize(
    ("status", "error_type", "words"),
    [
        (401, "unauthorized_credentials", "project_id and the secret"),
        (401, "invalid_project_id_authentication", "does not know this project_id"),
        (401, "invalid_secret_authentication", "does not belong to this project_id"),
        (401, "unauthorized_project_id_test", "another environment"),
        (401, "unauthorized_project_id_live", "another environment"),
        (401, "wrong_stack_test", "another environment"),
        (401, "wrong_stack_live", "another environment"),
        (401, "endpoint_not_authorized_for_sdk", "Frontend SDK"),
        (403, "session_authorization_error", "stytch.sso"),
        (403, "session_authorization_tenancy_error", "of another organization"),
        (403, "use_https", "https://"),
        (401, "something_new", "not documented"),
        (404, "session_not_found", "log in again"),
        (401, "user_unauthenticated", "log in again"),
        (400, "invalid_session_token", "log in again"),
        (400, "bad_domain_for_stytch_sdk", "authorized domains"),
    ],
)
@pytest.mark.parametrize("question", [read, create])
def test_denied_says_what_to_change(question: Any, status: int, error_type: str, words: str) -> None:
    error = error_of(question, refused(status, error_type))
    assert type(error) is AccessDenied
    assert words in error.message
    assert (error.status, error.error_type, error.request_id) == (status, error_type, "request-id-test-9")


@pytest.mark.parametrize("error_type", ["unauthorized_credentials", "invalid_secret_authentication"])
def test_in_the_frontend_api_bad_credentials_mean_a_dead_session(error_type: str) -> None:
    error = error_of(read, refused(401, error_type), target=MEMBER)
    assert type(error) is AccessDenied
    assert "log in again" in error.message
    assert "project_id" not in error.message


@pytest.mark.parametrize(
    ("error_type", "kind"),
    [
        ("organization_not_found", OrganizationNotFound),
        ("oidc_connection_not_found", ConnectionNotFound),
        ("sso_connection_not_found", ConnectionNotFound),
        ("route_not_found", NotFound),
        ("project_not_found", NotFound),
        ("some_error", NotFound),
    ],
)
def test_not_found_is_told_apart_by_type(error_type: str, kind: type[ProviderError]) -> None:
    assert type(error_of(delete, refused(404, error_type))) is kind


@pytest.mark.parametrize("status", [400, 402, 405, 409, 413, 422, 301, 302, 307])
@pytest.mark.parametrize("question", [read, *WRITES])
def test_other_refusals_are_final(question: Any, status: int) -> None:
    script = Script(refused(status, "some_error"))
    with pytest.raises(RequestRejected):
        ask(script, question)
    assert len(script.requests) == 1


@pytest.mark.parametrize("question", [read, *WRITES])
def test_a_redirect_is_not_followed(question: Any) -> None:
    script = Script(httpx.Response(307, headers={"Location": "http://127.0.0.1:9/elsewhere"}))
    with pytest.raises(RequestRejected, match="is a redirect"):
        ask(script, question)
    assert len(script.requests) == 1


def test_a_message_names_the_call_the_organization_and_the_request() -> None:
    error = error_of(update, refused(400, "invalid_issuer", "Issuer is bad."))
    assert str(error) == (
        f"PUT connection '{CONNECTION_ID}' of organization '{ACME.organization_id}': Issuer is bad"
        " (400, invalid_issuer, request_id request-id-test-9)"
    )


def test_the_session_api_s_form_of_a_validation_error_is_read() -> None:
    finding = {"keyword": "type", "dataPath": ".display_name", "message": "should be string"}
    script = Script(
        wrapped(organization=organization("acme")), httpx.Response(400, json={"body": [finding, 5]})
    )
    with pytest.raises(RequestRejected, match=r"\.display_name should be string"):
        ask(script, create, MEMBER)


def test_a_validation_error_of_another_shape_is_a_refusal_without_words() -> None:
    error = error_of(read, httpx.Response(400, json={"body": "client_secret was wrong"}))
    assert "answered 400 without saying why" in error.message


def test_plain_text_content_types_are_read() -> None:
    body = json.dumps({"error_type": "bad_request", "error_message": "Nope."})
    error = error_of(read, httpx.Response(400, text=body, headers={"Content-Type": "text/plain"}))
    assert "Nope" in error.message


def test_the_free_text_of_the_oauth_form_is_not_shown() -> None:
    error = error_of(
        read, httpx.Response(400, json={"error": "invalid_request", "error_description": "Nope."})
    )
    assert "Nope" not in error.message
    assert "not documented" in error.message


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>denied</html>", b"null", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"error_type": 5}'],
)
@pytest.mark.parametrize(
    ("status", "kind"), [(401, AccessDenied), (403, AccessDenied), (404, NotFound), (400, RequestRejected)]
)
def test_without_an_envelope_the_status_decides(body: bytes, status: int, kind: type[ProviderError]) -> None:
    error = error_of(delete, httpx.Response(status, content=body))
    assert type(error) is kind
    assert str(status) in error.message
    assert "html" not in error.message


def test_foreign_words_are_made_fit_for_a_line() -> None:
    error = error_of(read, refused(400, "bad_request", "a\x1b[31mb\n\u202ec\u200b" + "x" * 9000))
    assert "a [31mb c xxx" in error.message
    assert len(error.message) < 500
    assert error.message.isprintable()


def test_identifiers_that_are_none_are_left_out() -> None:
    body = {"error_type": "bad\ntype", "request_id": {"a": 1}, "error_message": "m"}
    error = error_of(read, httpx.Response(400, json=body))
    assert (error.error_type, error.request_id) == ("", "")


def test_words_in_which_the_server_repeats_a_secret_are_not_shown() -> None:
    error = error_of(update, refused(400, "bad_request", f"client_secret {CLIENT_SECRET} is too short"))
    assert WITHHELD in error.message
    assert "too short" not in error.message
    assert error.error_type == "bad_request"


def test_a_secret_is_not_shown_as_an_identifier_either() -> None:
    error = error_of(update, refused(400, CLIENT_SECRET, "no"))
    assert error.error_type == ""


UNREADABLE = [
    b"",
    b"<html>hello</html>",
    b'{"oidc_connections": [',
    b"null",
    b"[]",
    b"{}",
    b'{"unrelated": 1}',
    b'{"request_id": "r", "status_code": 500, "error_type": "internal_server_error"}',
    b'{"request_id": "\\ud800", "oidc_connections": []}',
    b'{"request_id": "\xed\xa0\x80", "oidc_connections": []}',
    b'{"request_id": "r", "oidc_connections": [], "rate": NaN}',
    '{"request_id": "r", "oidc_connections": []}'.encode("utf-16"),
    b"\xff\xfe\x00",
    b"[" * 100_000,
]


@pytest.mark.parametrize("body", UNREADABLE)
def test_a_good_status_with_a_bad_body_is_never_nothing_there(body: bytes) -> None:
    script = Script(httpx.Response(200, content=body))
    with pytest.raises(MalformedAnswer, match="gave up after"):
        ask(script, read)
    assert len(script.requests) > 3


@pytest.mark.parametrize("body", UNREADABLE)
@pytest.mark.parametrize("question", WRITES)
def test_a_write_with_an_unreadable_answer_is_not_known_and_not_repeated(question: Any, body: bytes) -> None:
    script = Script(httpx.Response(200, content=body))
    with pytest.raises(UnknownOutcome, match="read the live state"):
        ask(script, question)
    assert len(script.requests) == 1


def test_a_bad_body_may_be_followed_by_a_good_one() -> None:
    script = Script(httpx.Response(200, content=b"{"), ok(oidc_connections=[connection()]))
    live: Any = ask(script, read)
    assert [connection.connection_id for connection in live.connections] == [CONNECTION_ID]


@pytest.mark.parametrize("question", [create, update])
@pytest.mark.parametrize(
    "answer",
    [
        ok(),
        ok(connection=None),
        ok(connection=[]),
        ok(connection={}),
        ok(connection=connection(organization_id="organization-test-other")),
        ok(connection=connection(issuer=5)),
    ],
)
def test_a_write_that_answers_without_its_connection_is_not_known(question: Any, answer: Any) -> None:
    script = Script(answer)
    with pytest.raises(UnknownOutcome, match="read the live state") as caught:
        ask(script, question)
    assert caught.value.request_id == "request-id-test-1"
    assert len(script.requests) == 1


def test_an_update_that_answers_with_another_connection_is_not_known() -> None:
    with pytest.raises(UnknownOutcome, match="another connection"):
        ask(Script(ok(connection=connection("oidc-connection-test-other"))), update)


@pytest.mark.parametrize(("question", "kind"), [(read, MalformedAnswer), (update, UnknownOutcome)])
def test_an_answer_without_end_is_cut(question: Any, kind: type[ProviderError]) -> None:
    bomb = gzip.compress(b" " * (80 * 1024 * 1024))
    requests = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, content=bomb, headers={"Content-Encoding": "gzip"})

    with pytest.raises(kind, match="longer than"):
        ask(answer, question)
    assert len(requests) == 1


@pytest.mark.parametrize("question", [read, *WRITES])
@pytest.mark.parametrize("target", [PROJECT, MEMBER])
def test_every_failure_is_of_a_promised_kind(question: Any, target: Any) -> None:
    for status in range(300, 600):
        error = error_of(question, refused(status), target=target)
        assert isinstance(error, ProviderError)
        if question is not read and status in {408, 499, *range(500, 600)} and target is PROJECT:
            assert type(error) is UnknownOutcome, status


def test_a_dead_service_is_unavailable_for_a_reader() -> None:
    error = error_of(read, refused(503, "server_unavailable"))
    assert type(error) is Unavailable
    assert error.status == 503
