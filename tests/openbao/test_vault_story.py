"""Secrets in a real OpenBao, through plan, apply, an empty plan and a rotation, by each login and store."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.openbao import ROOT_TOKEN
from tests.openbao.conftest import VaultProject
from tests.openbao.impostor import impostor, response
from tests.support.workplace import NO_CHANGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.openbao import OpenBao
    from tests.support.workplace import Workplace

    Login = Callable[[VaultProject, ExitStack], dict[str, str]]

FIRST, SECOND = "canary-of-the-first~secret", "canary-of-the-second~secret"


def by_token(_project: VaultProject, _stack: ExitStack) -> dict[str, str]:
    return {}


def by_tls(project: VaultProject, _stack: ExitStack) -> dict[str, str]:
    return {"VAULT_ADDR": project.server.tls_address, "VAULT_CACERT": str(project.server.ca_file)}


def by_app_role(project: VaultProject, _stack: ExitStack) -> dict[str, str]:
    role_id, secret_id = project.server.app_role(project.policy)
    return {"VAULT_TOKEN": "", "VAULT_ROLE_ID": role_id, "VAULT_SECRET_ID": secret_id}


def signed(claims: dict[str, Any]) -> tuple[str, str]:
    """Return a token for ten minutes, and the public key that verifies it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    now = int(time.time())
    return jwt.encode(claims | {"nbf": now, "iat": now, "exp": now + 600}, key, "RS256"), public.decode()


def by_jwt(project: VaultProject, _stack: ExitStack) -> dict[str, str]:
    """A login as CI systems do it, at a method that is not mounted at its usual path."""
    mount = f"ci-{project.mount}"
    token, public = signed({"iss": "https://ci", "aud": "vault", "sub": "apply"})
    project.server.request("POST", f"sys/auth/{mount}", {"type": "jwt"})
    settings = {"jwt_validation_pubkeys": [public], "bound_issuer": "https://ci"}
    project.server.request("POST", f"auth/{mount}/config", settings)
    role = {
        "role_type": "jwt",
        "user_claim": "sub",
        "bound_audiences": ["vault"],
        "token_policies": [project.policy],
    }
    project.server.request("POST", f"auth/{mount}/role/reconciler", role)
    return {"VAULT_TOKEN": "", "VAULT_AUTH_MOUNT": mount, "VAULT_ROLE": "reconciler", "VAULT_JWT": token}


def by_kubernetes(project: VaultProject, stack: ExitStack) -> dict[str, str]:
    """A login as a pod does it; a server on loopback says what the API of a cluster says of its token."""
    user = {"username": "system:serviceaccount:ci:apply", "uid": "1f", "groups": ["system:authenticated"]}
    review = {"kind": "TokenReview", "status": {"authenticated": True, "user": user}}
    cluster = stack.enter_context(impostor(response("201 Created", json.dumps(review).encode())))
    account = {"namespace": "ci", "serviceaccount": {"name": "apply", "uid": "1f"}}
    token, _public = signed({"iss": "kubernetes", "sub": user["username"], "kubernetes.io": account})
    mount = f"k8s-{project.mount}"
    project.server.request("POST", f"sys/auth/{mount}", {"type": "kubernetes"})
    settings = {
        "kubernetes_host": cluster.address,
        "kubernetes_ca_cert": project.server.ca_file.read_text(),
        "disable_local_ca_jwt": True,
        "token_reviewer_jwt": token,
    }
    project.server.request("POST", f"auth/{mount}/config", settings)
    role = {
        "bound_service_account_names": ["apply"],
        "bound_service_account_namespaces": ["ci"],
        "token_policies": [project.policy],
    }
    project.server.request("POST", f"auth/{mount}/role/reconciler", role)
    return {
        "VAULT_TOKEN": "",
        "VAULT_AUTH_METHOD": "kubernetes",
        "VAULT_AUTH_MOUNT": mount,
        "VAULT_ROLE": "reconciler",
        "VAULT_JWT": token,
    }


@pytest.mark.parametrize(
    ("version", "login"),
    [
        (2, by_token),
        (1, by_app_role),
        pytest.param(1, by_tls, marks=pytest.mark.proofs),
        pytest.param(2, by_jwt, marks=pytest.mark.proofs),
        pytest.param(2, by_app_role, marks=pytest.mark.proofs),
        pytest.param(2, by_kubernetes, marks=pytest.mark.proofs),
    ],
)
def test_plan_apply_and_rotate(place: Workplace, openbao: OpenBao, version: int, login: Login) -> None:
    project = VaultProject(place, openbao, version)
    with ExitStack() as stack:
        for name, value in login(project, stack).items():
            place.setenv(name, value)
        plan_apply_and_rotate(place, project)


def plan_apply_and_rotate(place: Workplace, project: VaultProject) -> None:
    project.declare("acme")
    project.store("acme", FIRST)

    plan = place.run("plan")
    assert (plan.code, "1 to add" in plan.out) == (0, True), plan.output
    place.applied()
    assert place.live("acme")[0]["client_secret"] == FIRST
    assert NO_CHANGES in place.run("plan").out

    project.store("acme", SECOND)
    rotation = place.run("plan", "--out", "plan.json")
    assert "client_secret     = (sensitive value)" in rotation.out
    applied = place.run("apply", "plan.json", "-v")
    assert applied.code == 0, applied.output
    assert place.live("acme")[0]["client_secret"] == SECOND
    assert NO_CHANGES in place.run("plan").out
    assert "canary" not in rotation.output + applied.output + (place.root / "plan.json").read_text()


def test_the_whole_path_is_fetched_once_and_its_store_is_looked_up_once(
    project: VaultProject, caplog: pytest.LogCaptureFixture
) -> None:
    """Three connections use three keys at one path, and two organizations one store."""
    place = project.place
    project.server.put("sso/acme", {"a": "1st", "b": "2nd", "c": "3rd"}, mount=project.mount)
    connections: dict[str, Any] = {
        name: {"client_secret": f"${{vault:{project.mount}/sso/acme#{name}}}"} for name in "abc"
    }
    place.write("organizations/acme.yaml", f"{{organization: acme, connections: {connections}}}")
    project.declare("globex")
    project.store("globex", FIRST)
    with caplog.at_level(logging.DEBUG, "urllib3.connectionpool"):
        checked = place.run("secrets", "check")
    assert checked.out == "4 secret references resolved.\n"
    paths = sorted(path for record in caplog.records for path in re.findall(r"/v1/\S+", record.getMessage()))
    assert paths == [
        f"/v1/{project.mount}/data/sso/acme",
        f"/v1/{project.mount}/data/sso/globex",
        f"/v1/sys/internal/ui/mounts/{project.mount}/sso/acme",
    ]


def test_no_spelling_of_a_path_in_kv_2_is_a_way_around_the_allow_list(project: VaultProject) -> None:
    """Each would be refused by Vault, or read what is another path for it; none is asked for."""
    place = project.place
    project.store("globex", FIRST)
    spellings = {
        "acme0": "data/sso/globex",
        "acme1": "sso/globex",
        "acme2": "./sso/globex",
        "acme3": "sso/acme3/../globex",
        "acme4": "sso//globex",
        "acme5": "sso/acme5/%2e%2e/globex",
        "acme6": "/sso/globex",
        "acme7": "sso/globex/",
    }
    for slug, path in spellings.items():
        project.declare(slug, f"${{vault:{project.mount}/{path}#okta}}")
    with impostor() as server:
        place.setenv("VAULT_ADDR", server.address)
        run = place.run("plan", "--format", "json")
    errors = {finding["address"]: finding["code"] for finding in run.document["diagnostics"]}
    assert errors == {f"{slug}/sso": "secret-not-allowed" for slug in spellings}
    assert (run.code, server.received) == (1, [])


def test_the_path_of_the_api_of_kv_2_is_another_path(project: VaultProject) -> None:
    """Where an allow list permits it, it reads nothing of the secret at the path without ``data/``."""
    place = project.place
    place.write("reconciler.yaml", f"{{secrets: {{vault: {{allow: ['{project.mount}/data/*']}}}}}}\n")
    project.declare("acme", f"${{vault:{project.mount}/data/sso/acme#okta}}")
    project.store("acme", FIRST)
    place.setenv("VAULT_TOKEN", ROOT_TOKEN)
    run = place.run("plan")
    assert run.code == 1
    path = f"{project.mount}/data/sso/acme"
    assert f"there is no secret at vault:{path}: store it, or correct the path, without `data/`" in run.err


def test_a_run_without_vault_asks_it_nothing(project: VaultProject) -> None:
    project.place.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    project.place.setenv("ACME_CLIENT_SECRET", FIRST)
    project.declare("acme", "${env:ACME_CLIENT_SECRET}")
    assert project.place.run("plan").code == 0


def test_the_secret_of_the_project_can_be_in_vault_and_is_out_of_reach_of_manifests(
    project: VaultProject,
) -> None:
    """The environment has to allow the reference; no allow list permits a manifest to use the same place."""
    place, mount = project.place, project.mount
    server, own = project.server, f"${{vault:{mount}/sso/own#secret}}"
    server.put("sso/own", {"secret": os.environ["STYTCH_SECRET"]}, mount=mount)
    server.put("sso/acme", {"okta": os.environ["STYTCH_SECRET"]}, mount=mount)
    place.write(
        "reconciler.yaml", f"{{target: {{secret: '{own}'}}, secrets: {{vault: {{allow: ['{mount}/*']}}}}}}\n"
    )
    place.delenv("STYTCH_SECRET")
    project.declare("globex")
    project.store("globex", FIRST)
    assert "RECONCILER_ALLOWED_TARGET_REFERENCES" in place.run("plan").output
    place.setenv("RECONCILER_ALLOWED_TARGET_REFERENCES", "vault:*/sso/own#secret")
    assert place.run("plan").code == 0
    for slug, reference in (("initech", own), ("hooli", own.replace("sso", "data/sso")), ("acme", "")):
        project.declare(slug, reference)
    run = place.run("plan", "--format", "json")
    errors = {finding["address"]: finding["summary"] for finding in run.document["diagnostics"]}
    assert run.code == 1
    assert errors.keys() == {"initech/sso", "hooli/sso", "acme/sso"}
    assert "holds a credential of the reconciler itself or of CI" in errors["acme/sso"]
    assert [change["address"] for change in run.document["resource_changes"]] == ["globex/sso"]


def test_a_token_without_the_default_policy_suffices(project: VaultProject) -> None:
    project.declare("acme")
    project.store("acme", FIRST)
    project.place.setenv("VAULT_TOKEN", project.server.token(project.policy, no_default_policy=True))
    assert project.place.run("secrets", "check").code == 0


def test_a_run_logs_in_once(project: VaultProject) -> None:
    """A SecretID may be for one login. `apply` reads twice, and the project's own secret is there too."""
    place, mount = project.place, project.mount
    project.server.put("sso/own", {"secret": os.environ["STYTCH_SECRET"]}, mount=mount)
    place.write(
        "reconciler.yaml",
        f"target: {{secret: '${{vault:{mount}/sso/own#secret}}'}}\n"
        f"secrets: {{vault: {{allow: ['{mount}/sso/{{organization}}#*']}}}}\n",
    )
    place.delenv("STYTCH_SECRET")
    place.delenv("VAULT_TOKEN")
    place.setenv("RECONCILER_ALLOWED_TARGET_REFERENCES", "vault:*/sso/own#secret")
    project.declare("acme")
    project.store("acme", FIRST)
    for words in (("apply", "--auto-approve"), ("plan",), ("drift",)):
        role_id, secret_id = project.server.app_role(project.policy, uses=1)
        place.setenv("VAULT_ROLE_ID", role_id)
        place.setenv("VAULT_SECRET_ID", secret_id)
        run = place.run(*words)
        assert run.code == 0, run.output
    assert place.live("acme")[0]["client_secret"] == FIRST
