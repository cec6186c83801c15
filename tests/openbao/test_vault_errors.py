"""What can be wrong with Vault: one clear line, the other organizations planned, and nothing shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from reconciler.secrets import SecretAccess, SecretPolicy
from reconciler.secrets.vault import open_store
from tests.openbao import running_openbao
from tests.openbao.conftest import VaultProject
from tests.openbao.impostor import HTML, impostor, response

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.workplace import Workplace

CANARY: Final = "canary-7f2c"


def number(project: VaultProject) -> None:
    project.store("acme", 4711)


def empty(project: VaultProject) -> None:
    project.store("acme", "")


def nested(project: VaultProject) -> None:
    project.store("acme", {"okta": CANARY})


def other_key(project: VaultProject) -> None:
    project.server.put("sso/acme", {CANARY: CANARY}, mount=project.mount)


def deleted(project: VaultProject) -> None:
    project.store("acme", CANARY, owner=CANARY)
    project.server.request("DELETE", f"{project.mount}/data/sso/acme")


def destroyed(project: VaultProject) -> None:
    project.store("acme", CANARY, owner=CANARY)
    project.server.request("POST", f"{project.mount}/destroy/sso/acme", {"versions": [1]})


def nothing(_project: VaultProject) -> None:
    """There is no such path, and the token may know it."""


def forbidden(project: VaultProject) -> None:
    project.store("acme", CANARY)
    project.place.setenv("VAULT_TOKEN", project.server.token(project.server.policy("other", "secret/data/x")))


def forbidden_and_nothing(project: VaultProject) -> None:
    project.place.setenv("VAULT_TOKEN", project.server.token(project.server.policy("other", "secret/data/x")))


def wrong_token(project: VaultProject) -> None:
    project.place.setenv("VAULT_TOKEN", CANARY)


def revoked_token(project: VaultProject) -> None:
    project.store("acme", CANARY)
    token = project.server.token(project.policy)
    project.place.setenv("VAULT_TOKEN", token)
    project.server.request("POST", "auth/token/revoke", {"token": token})


def broken_token(project: VaultProject) -> None:
    project.place.setenv("VAULT_TOKEN", f"{CANARY}\n")


def no_token(project: VaultProject) -> None:
    project.place.delenv("VAULT_TOKEN")


def half_a_role(project: VaultProject) -> None:
    no_token(project)
    project.place.setenv("VAULT_ROLE_ID", CANARY)


def wrong_role(project: VaultProject) -> None:
    no_token(project)
    role_id, _secret_id = project.server.app_role(project.policy)
    project.place.setenv("VAULT_ROLE_ID", role_id)
    project.place.setenv("VAULT_SECRET_ID", CANARY)


def unknown_method(project: VaultProject) -> None:
    project.place.setenv("VAULT_AUTH_METHOD", "ldap")


def wrong_namespace(project: VaultProject) -> None:
    project.store("acme", CANARY)
    project.place.setenv("VAULT_NAMESPACE", "elsewhere")


def no_address(project: VaultProject) -> None:
    project.place.delenv("VAULT_ADDR")


def plain_http(project: VaultProject) -> None:
    project.place.setenv("VAULT_ADDR", "http://vault.example.com:8200")


def credentials_in_the_address(project: VaultProject) -> None:
    project.place.setenv("VAULT_ADDR", f"https://user:{CANARY}@vault.example.com")


def nobody_listens(project: VaultProject) -> None:
    project.place.setenv("VAULT_ADDR", "http://127.0.0.1:1")


def unknown_authority(project: VaultProject) -> None:
    project.place.setenv("VAULT_ADDR", project.server.tls_address)


def broken_authority(project: VaultProject) -> None:
    unknown_authority(project)
    project.place.setenv("VAULT_CACERT", "reconciler.yaml")


def no_tls_there(project: VaultProject) -> None:
    project.place.setenv("VAULT_ADDR", project.server.address.replace("http", "https"))


def no_extra(project: VaultProject) -> None:
    project.place.hide_module("hvac")


DENIED: Final = (
    "Vault denies access to {mount}/sso/acme, or there is no such path: correct it, or let a policy of the "
    "token permit `read` on it"
)
CASES: Final = {
    number: "the value is a number, and a secret is text: quote it when you store it",
    empty: "the value is empty; store the secret there",
    nested: "the value is an object, and a secret is text: quote it when you store it",
    other_key: "there is no key 'okta' at vault:{mount}/sso/acme; add it, or correct the reference",
    deleted: "the latest version of vault:{mount}/sso/acme is deleted: restore it, or store a new one",
    destroyed: "the latest version of vault:{mount}/sso/acme is deleted: restore it, or store a new one",
    nothing: "there is no secret at vault:{mount}/sso/acme: store it, or correct the path",
    forbidden: DENIED,
    forbidden_and_nothing: DENIED,
    wrong_token: "Vault does not accept VAULT_TOKEN: it is wrong, expired, or has no permission at all",
    revoked_token: "Vault does not accept VAULT_TOKEN: it is wrong, expired, or has no permission at all",
    broken_token: "VAULT_TOKEN holds a space, a line break or a character that is not ASCII",
    no_token: (
        "there are no credentials for Vault: set VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID, or "
        "VAULT_ROLE and VAULT_JWT"
    ),
    half_a_role: "Vault's login by approle needs VAULT_SECRET_ID, which is not set",
    wrong_role: (
        "Vault refuses the login (approle): check VAULT_ROLE_ID and VAULT_SECRET_ID, VAULT_AUTH_MOUNT and "
        "VAULT_NAMESPACE"
    ),
    unknown_method: "VAULT_AUTH_METHOD has to be one of token, approle, jwt, kubernetes",
    wrong_namespace: (
        "Vault does not accept VAULT_TOKEN in the namespace VAULT_NAMESPACE: it is wrong, expired, or has no "
        "permission at all"
    ),
    no_address: "VAULT_ADDR is not set; it is the address of the server: https://HOST:8200",
    plain_http: "VAULT_ADDR has to be an https URL without user and password (http is for loopback only)",
    credentials_in_the_address: (
        "VAULT_ADDR has to be an https URL without user and password (http is for loopback only)"
    ),
    nobody_listens: "Vault cannot be reached: 127.0.0.1:1 refused the connection; check VAULT_ADDR",
    unknown_authority: (
        "Vault cannot be reached: the certificate of {tls} was issued by an authority that is not trusted; "
        "set VAULT_CACERT to a PEM file with the certificate to trust; check VAULT_ADDR"
    ),
    broken_authority: "VAULT_CACERT has to name a PEM file with the certificates to trust",
    no_tls_there: (
        "Vault cannot be reached: {plain} does not speak TLS; the port or http:// may be wrong; check "
        "VAULT_ADDR"
    ),
    no_extra: "the scheme vault needs an extra: pip install 'oidc-reconciler[vault]'",
}
"""Each defect, and what the line about the reference says."""


def check(project: VaultProject, reason: str) -> None:
    """The organization that needs the secret is refused, in one finding; the other one is planned."""
    place = project.place
    project.declare("acme")
    project.declare("globex", "${env:GLOBEX_CLIENT_SECRET}")
    place.setenv("GLOBEX_CLIENT_SECRET", "of-globex")
    run = place.run("plan", "--format", "json", "-v")
    assert run.code == 1
    findings = [finding for finding in run.document["diagnostics"] if finding["severity"] == "error"]
    reference = f"${{vault:{project.mount}/sso/acme#okta}}"
    assert [finding["summary"] for finding in findings] == [f"{reference} cannot be resolved: {reason}"]
    assert findings[0]["address"] == "acme/sso"
    assert [change["address"] for change in run.document["resource_changes"]] == ["globex/sso"]
    assert CANARY not in run.output
    assert "Traceback" not in run.output


NOT_VAULT: Final = "the server at VAULT_ADDR is not Vault: its responses are not JSON; check the address"
CORE: Final = (number, deleted, forbidden, revoked_token, unknown_authority, no_extra)
"""The defects that the suite knows; the others are proofs."""


@pytest.mark.parametrize(
    "defect",
    [
        pytest.param(defect, id=defect.__name__, marks=() if defect in CORE else pytest.mark.proofs)
        for defect in CASES
    ],
)
def test_each_defect_is_one_line(project: VaultProject, defect: Callable[[VaultProject], None]) -> None:
    defect(project)
    server = project.server
    reason = CASES[defect].format(
        mount=project.mount, tls=server.tls_address.removeprefix("https://"),
        plain=server.address.removeprefix("http://"),
    )  # fmt: skip
    check(project, reason)


OTHER_SERVERS: Final = {
    "html": (response("200 OK", HTML, "Content-Type: text/html"), NOT_VAULT),
    "html-404": (response("404 Not Found", HTML), NOT_VAULT),
    "list": (response("200 OK", b'["canary-7f2c"]'), NOT_VAULT),
    "deep": (response("200 OK", b"[" * 100_000), NOT_VAULT),
    "text": (
        response("200 OK", b'{"data": "canary-7f2c"}'),
        "'data' in the response should be an object but",
    ),
    "long": (response("200 OK", b" " * 5_000_000), "the response is longer than 4194304 bytes"),
    "maintenance": (
        response("503 Service Unavailable", HTML),
        "Vault cannot be read: it is sealed or in main",
    ),
    "busy": (response("429 Too Many Requests"), "Vault cannot be read: it limits the rate of requests"),
    "error": (
        response("500 Internal Server Error", b'{"errors": ["canary-7f2c"]}'),
        "Vault answers with the error 500 for",
    ),
    "no-http": (b"220 canary-7f2c\r\n", "Vault cannot be reached: 127.0.0.1:"),
}
"""What answers, and what is said of it."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "html" else pytest.mark.proofs) for name in OTHER_SERVERS]
)
def test_another_server_than_vault(project: VaultProject, name: str) -> None:
    answer, reason = OTHER_SERVERS[name]
    with impostor(answer) as server:
        project.place.setenv("VAULT_ADDR", server.address)
        project.declare("acme")
        run = project.place.run("plan")
    assert run.code == 1
    assert reason in run.err
    assert not any(word in run.output for word in (CANARY, "Traceback", "Sign in"))


@pytest.mark.proofs
def test_a_sealed_server(place: Workplace, tmp_path: Path) -> None:
    with running_openbao(tmp_path) as server:
        project = VaultProject(place, server)
        server.request("PUT", "sys/seal")
        check(project, "Vault cannot be read: it is sealed or in maintenance; unseal it, or try again later")


def test_a_silent_server_ends_at_the_deadline_for_all_paths(tmp_path: Path) -> None:
    """The first request that nobody answers ends the reading: the deadline is not paid for each path."""
    with impostor() as server:
        variables = {"VAULT_ADDR": server.address, "VAULT_TOKEN": CANARY}
        access = SecretAccess(policy=SecretPolicy(tmp_path), environment=variables, seconds=0.3)
        answers = open_store(access).read([f"kv/sso/{number}" for number in range(100)])
        assert len(server.received) == 1
    (text,) = {str(answer) for answer in answers.values()}
    assert len(answers) == 100
    assert text.startswith("the store did not answer within 0.3 seconds: check that it can be reached")


@pytest.mark.proofs
def test_a_server_that_drips_ends_at_the_deadline(project: VaultProject) -> None:
    """Each byte is in time, and the answer is not."""
    with impostor(response("200 OK", b" " * 1000), seconds_a_byte=0.5) as server:
        project.place.setenv("VAULT_ADDR", server.address)
        project.declare("acme")
        run = project.place.run("plan")
    assert run.code == 1
    assert "did not answer within 10 seconds" in run.err
