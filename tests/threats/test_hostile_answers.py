"""Whoever answers in place of the API cannot empty an organization, fill the memory, or repeat a secret."""

from __future__ import annotations

import asyncio
import base64
import codecs
import contextlib
import itertools
import json
import zlib
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from reconciler.core.connection import OidcConnection
from reconciler.core.errors import MalformedAnswer, ProviderError, UnknownOutcome
from reconciler.core.secret import Secret
from reconciler.providers.stytch.backend import MAX_SEARCH_BYTES
from reconciler.providers.stytch.http_transport import ConnectionFailed, HttpTransport
from tests.providers.support import (
    ACME,
    CONNECTION_ID,
    MEMBER,
    PROJECT,
    SECRET,
    Script,
    ask,
    connection,
    ok,
    organization,
    refused,
    wrapped,
)
from tests.providers.test_client_errors import WRITES, create, delete, error_of, read, update

CLIENT_SECRET = "canary-client-secret"


async def list_all(provider: Any) -> object:
    return [organization async for organization in provider.list_organizations()]


async def get(provider: Any) -> object:
    return await provider.get_organization(ACME.organization_id)


NOT_A_LIST = {
    "an error": {"error_type": "internal_server_error", "oidc_connections": []},
    "an error without a type": {"error_message": "no", "oidc_connections": []},
    "an error of OAuth": {"error": "invalid_request", "oidc_connections": []},
    "a status that fails": {"status_code": 503, "oidc_connections": []},
    "a status that is text": {"status_code": "200", "oidc_connections": []},
    "an organization": {"organization": organization("acme")},
    "organizations": {"organizations": []},
    "one connection": {"connection": connection()},
    "a deletion": {"connection_id": CONNECTION_ID},
    "another key": {"message": "ok"},
    "the list under another name": {"connections": []},
}


@pytest.mark.parametrize("fields", NOT_A_LIST.values(), ids=NOT_A_LIST.keys())
def test_an_answer_of_another_kind_is_no_empty_list(fields: dict[str, Any]) -> None:
    """Threats 3: 200 with `error_type`, or of another kind, is an error, never an empty list."""
    with pytest.raises(MalformedAnswer):
        ask(Script(ok(**fields)), read)


@pytest.mark.parametrize("fields", list(NOT_A_LIST.values())[:5], ids=list(NOT_A_LIST)[:5])
@pytest.mark.parametrize("question", WRITES)
def test_a_write_that_answers_with_an_error_is_not_known(question: Any, fields: dict[str, Any]) -> None:
    """Threats 3: 200 with `error_type` is no success of a write either."""
    answer = {"connection": connection(), "connection_id": CONNECTION_ID, **fields}
    with pytest.raises(UnknownOutcome):
        ask(Script(ok(**answer)), question)


TWICE = {
    "a list": b'{"oidc_connections": [], "oidc_connections": [], "saml_connections": []}',
    "the same list, written otherwise": b'{"oidc_connections": [], "oidc_\\u0063onnections": []}',
    "a status": b'{"status_code": 500, "status_code": 200, "oidc_connections": []}',
    "an error": b'{"error_type": "internal_server_error", "oidc_connections": [], "error_type": ""}',
    "a field below": json.dumps({"oidc_connections": [connection(issuer="https://b.example")]})
    .replace('"issuer"', '"issuer": "https://a.example", "issuer"')
    .encode(),
}


@pytest.mark.parametrize("body", TWICE.values(), ids=TWICE.keys())
def test_an_answer_that_names_a_key_twice_is_malformed(body: bytes) -> None:
    """Threats 3: which of the two counts is for nobody to choose; a proxy may have read the other one."""
    with pytest.raises(MalformedAnswer):
        ask(Script(httpx.Response(200, content=body)), read)


def test_a_deletion_of_another_connection_is_not_known() -> None:
    """Threats 3: an answer about something else."""
    with pytest.raises(UnknownOutcome, match="another connection"):
        ask(Script(ok(connection_id="oidc-connection-test-other")), delete)


@pytest.mark.parametrize("envelope", [{"error_type": "internal_server_error"}, {"status_code": 500}])
def test_an_error_beside_the_data_is_an_error(envelope: dict[str, Any]) -> None:
    """Threats 3: the frontend API wraps its answers; an error may stand outside."""
    own = wrapped(organization=organization("acme"))
    lists = {"data": {"request_id": "request-1", "oidc_connections": []}, **envelope}
    with pytest.raises(MalformedAnswer):
        ask(Script(own, httpx.Response(200, json=lists)), read, MEMBER)


@pytest.mark.parametrize(
    "fields", [{"oidc_connections": []}, {"organization": organization("acme")}, {"message": "ok"}]
)
def test_a_search_without_organizations_is_an_error(fields: dict[str, Any]) -> None:
    """Threats 3: an answer of another kind is not the end of all organizations."""
    with pytest.raises(MalformedAnswer):
        ask(Script(ok(**fields)), list_all)


def test_lists_that_are_left_out_are_empty() -> None:
    """Threats 3, the other side (U20): the service may leave out empty lists."""
    live: Any = ask(Script(ok()), read)
    assert live.connections == ()
    assert ask(Script(ok(results_metadata={"total": 0})), list_all) == []


@pytest.mark.parametrize("size", [0, 1])
def test_endless_pages_end(size: int) -> None:
    """Threats 3: an endless `next_cursor` that never repeats, with and without organizations."""
    numbers = itertools.count()

    def page(_request: httpx.Request) -> httpx.Response:
        found = [organization(next(numbers)) for _ in range(size)]
        return ok(organizations=found, results_metadata={"next_cursor": str(next(numbers))})

    with pytest.raises(MalformedAnswer, match="do not end"):
        ask(page, list_all)


def test_large_pages_end() -> None:
    """Threats 3: all pages together are bounded in bytes."""
    size = MAX_SEARCH_BYTES // 5
    numbers = itertools.count()
    served: list[int] = []

    def page(_request: httpx.Request) -> httpx.Response:
        number = next(numbers)
        found = [organization(number, organization_name="x" * size)]
        served.append(number)
        return ok(organizations=found, results_metadata={"next_cursor": str(number)})

    with pytest.raises(MalformedAnswer, match="longer than"):
        ask(page, list_all)
    assert len(served) == 5  # of the fifth, the last bytes are too many


@pytest.mark.parametrize("question", [read, *WRITES, get, list_all])
@pytest.mark.parametrize("error_type", ["", "made_up_type", "bad_requests"])
def test_only_known_error_types_show_their_message(question: Any, error_type: str) -> None:
    """Threats 3: a message that could hold any encoding of our secret is not shown."""
    hidden = codecs.encode(SECRET, "rot13")[::-1]
    error = error_of(question, refused(400, error_type, f"Try {hidden}."))
    assert hidden not in str(error)
    assert "not shown" in error.message
    assert error.error_type == error_type


def test_the_message_of_a_known_error_type_is_shown() -> None:
    """Threats 3, the other side."""
    assert "must be https" in error_of(update, refused(400, "invalid_issuer", "It must be https.")).message


ENCODINGS = {
    "as it is": lambda text: text,
    "reversed": lambda text: text[::-1],
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "base64 in the middle": lambda text: base64.b64encode(f"x:{text}".encode()).decode(),
    "base85": lambda text: base64.b85encode(text.encode()).decode(),
    "hexadecimal with colons": lambda text: ":".join(f"{byte:02x}" for byte in text.encode()),
    "decimal": lambda text: " ".join(str(byte) for byte in text.encode()),
    "binary": lambda text: " ".join(f"{byte:08b}" for byte in text.encode()),
    "with points": ".".join,
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS.keys())
@pytest.mark.parametrize("secret", [SECRET.removeprefix("secret-test-"), CLIENT_SECRET])
def test_encodings_of_a_secret_are_not_shown(encode: Any, secret: str) -> None:
    """Threats 3: any encoding of our secret, in the message of a known type and in a warning."""
    text = encode(secret)
    assert text not in error_of(update, refused(400, "bad_request", f"Found {text}!")).message
    written: Any = ask(Script(ok(connection=connection(), warning=f"Found {text}!")), update)
    assert text not in written.warning


def _base58(text: str) -> str:
    number = int.from_bytes(text.encode(), "big")
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = alphabet[digit] + digits
    return digits


UNKNOWN_ENCODINGS = {
    "base58": _base58,
    "compressed": lambda text: base64.b64encode(zlib.compress(text.encode())).decode(),
    "shifted": lambda text: "".join(
        chr((ord(letter) + 3) % 128 + (ord(letter) > 124) * 33) for letter in text
    ),
    "shifted decimals": lambda text: " ".join(str(ord(letter) + 5) for letter in text),
    "masked": lambda text: bytes(byte ^ 0x55 for byte in text.encode()).hex(),
    "letters for digits": lambda text: "".join(chr(97 + int(digit, 16)) for digit in text.encode().hex()),
    "every second": lambda text: text[::2] + text[1::2],
    "one letter a word": lambda text: " ".join(codecs.encode(text, "rot13")[::2]),
}


@pytest.mark.parametrize("encode", UNKNOWN_ENCODINGS.values(), ids=UNKNOWN_ENCODINGS.keys())
@pytest.mark.parametrize("secret", [SECRET.removeprefix("secret-test-"), CLIENT_SECRET])
def test_a_warning_shows_plain_words_only(encode: Any, secret: str) -> None:
    """Threats 3: free text of the service holds no encoding of our secret, not even one of its own."""
    text = encode(secret)
    written: Any = ask(Script(ok(connection=connection(), warning=f"The secret {text} was weak!")), update)
    kept = "".join(written.warning.split())
    pieces = ["".join(text.split())[start : start + 6] for start in range(0, 12, 6)]
    assert not any(piece and piece in kept for piece in pieces), written.warning


def test_a_warning_of_plain_words_is_shown_whole() -> None:
    """It names what we sent: that is no secret."""
    text = "The OpenID Provider Metadata of https://new.example.com could not be retrieved: it answered 404."
    values = OidcConnection(issuer="https://new.example.com", client_secret=Secret(CLIENT_SECRET))

    async def move(provider: Any) -> Any:
        return await provider.update_connection(ACME.organization_id, CONNECTION_ID, values)

    assert ask(Script(ok(connection=connection(), warning=text)), move).warning == text


FORGED_IDS = (
    SECRET,
    CLIENT_SECRET,
    base64.urlsafe_b64encode(SECRET.encode()).decode(),
    f"request-id-test-{CLIENT_SECRET.encode().hex()}",
    f"request-id-test-{CLIENT_SECRET}",
    "request-id-test-\u202e1",
    "request-id-test-1\n::error::x",
    "request-id-test-1<img>",
    "request-" + "1" * 200,
    "x" * 30,
    5,
    {"a": 1},
)


@pytest.mark.parametrize("forged", FORGED_IDS, ids=repr)
@pytest.mark.parametrize("status", [200, 400])
def test_a_request_id_is_checked(forged: object, status: int) -> None:
    """Threats 3: `request_id` is checked for its form and length, and is inert, in errors and in the log."""
    body = {"status_code": status, "request_id": forged, "connection": connection("oidc-connection-test-2")}
    answer = httpx.Response(
        status, content=json.dumps(body | ({"error_type": "x_y"} if status > 200 else {}))
    )
    with capture_logs() as logged, pytest.raises(ProviderError) as caught:
        ask(Script(answer), update)
    assert caught.value.request_id == ""
    assert [entry["request_id"] for entry in logged] == [""]


@pytest.mark.parametrize("error_type", [SECRET, CLIENT_SECRET, "A-B", "x" * 300, "\u202ebad_request", "a b"])
def test_an_error_type_is_checked(error_type: str) -> None:
    """Threats 3: so is `error_type`."""
    assert error_of(update, refused(400, error_type, "m")).error_type == ""


@pytest.mark.parametrize("question", [read, create, update])
@pytest.mark.parametrize("text", [SECRET, PROJECT.headers()["Authorization"].removeprefix("Basic ")])
def test_an_answer_that_repeats_our_credentials_is_refused(question: Any, text: str) -> None:
    """Threats 3: nothing shows a value in which the credentials of the run come back."""
    for writing in (text, text[0] + "".join(f"\\u{ord(letter):04x}" for letter in text[1:])):
        fields = connection(display_name="DISPLAY", client_id=f"x{text}x")
        body = json.dumps({"request_id": "request-1", "connection": fields, "oidc_connections": [fields]})
        answer = httpx.Response(200, content=body.replace(text, writing))
        error = error_of(question, answer)
        assert "credentials" in error.message
        assert text not in str(error)


def test_names_in_messages_about_foreign_objects_are_checked() -> None:
    """Threats 3: the id of a foreign object is shown only if it has the form of an id."""
    for owner in ("organization-test-\u202e", "a\nb", "x" * 9000, "organization-test-<b>"):
        error = error_of(read, ok(oidc_connections=[connection(organization_id=owner)]))
        assert owner not in error.message
        assert len(error.message) < 500


BODY = json.dumps({"status_code": 200, "request_id": "request-id-test-1", "organizations": []}).encode()
LIES = {
    "a flood of headers": b"HTTP/1.1 200 OK\r\n" + b"X-1: a\r\n" * 50_000,
    "a header without end": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 5_000_000,
    "a flood of interim answers": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20_000,
    "more bytes announced": b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + BODY,
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + BODY,
    "a huge length": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n" + BODY,
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\n" + BODY,
    "a chunk without end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n" + BODY,
    "no status": b"HTTP/1.1 abc OK\r\n\r\n" + BODY,
    "no HTTP": b"hello",
}


@pytest.mark.parametrize("answer", LIES.values(), ids=LIES.keys())
def test_an_answer_that_breaks_http_is_no_answer(answer: bytes) -> None:
    """Threats 3: nothing of it is read as an answer, and memory stays within bounds."""

    async def ask_once() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answer)
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, HttpTransport(f"http://127.0.0.1:{port}") as transport:
            with pytest.raises(ConnectionFailed) as caught:
                await transport.exchange("GET", "/", {"Authorization": f"Basic {SECRET}"}, None, 100_000)
            assert SECRET not in caught.value.reason
            assert len(caught.value.reason) < 200

    asyncio.run(asyncio.wait_for(ask_once(), 60))


NOT_OURS = {
    "HTML": b"<!doctype html><title>Sign in</title>",
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a number of 5,000 digits": b'{"status_code": ' + b"9" * 5_000 + b', "oidc_connections": []}',
    "a number beyond floats": b'{"status_code": 1e999999, "oidc_connections": []}',
    "NaN": b'{"status_code": NaN, "oidc_connections": []}',
    "deep nesting": b"[" * 100_000,
    "half a character": b'{"oidc_connections": [], "x": "\\ud800"}',
    "UTF-16": json.dumps({"oidc_connections": []}).encode("utf-16"),
}


@pytest.mark.parametrize("body", NOT_OURS.values(), ids=NOT_OURS.keys())
@pytest.mark.parametrize("question", [read, create, update, delete])
def test_a_good_status_with_a_body_of_another_kind_is_an_error(question: Any, body: bytes) -> None:
    """Threats 3: 200 with HTML, huge numbers and the like: never an empty list, a write never known."""
    answers = [httpx.Response(200, content=body)] * 20
    error = error_of(question, *answers)
    assert isinstance(error, ProviderError)
    assert isinstance(error, UnknownOutcome) is (question is not read)
