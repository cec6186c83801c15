"""Serves an OpenID provider of Python on loopback with TLS: Authlib's, or pyop.

Standard input: one line of JSON with its name, port, key, certificate and redirect URL. Standard output: one
line with its issuer, its token_url, and id and secret of a client for each method. `make providers` installs
what it needs in an environment of its own.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from importlib import import_module
from typing import Any

METHODS = ("client_secret_basic", "client_secret_post")


def authlib(settings: dict[str, str], _issuer: str) -> tuple[Any, dict[str, list[str]]]:
    """Return the server, and the clients that it registered."""
    app = import_module("oidc_provider_mock").app(require_client_registration=True)
    clients = {}
    for method in METHODS:
        body = {"redirect_uris": [settings["redirect_url"]], "token_endpoint_auth_method": method}
        client = app.test_client().post("/oauth2/clients", json=body, base_url="https://localhost").get_json()
        clients[method] = [client["client_id"], client["client_secret"]]
    return app, clients


def pyop(settings: dict[str, str], issuer: str) -> tuple[Any, dict[str, list[str]]]:
    """Return a server whose token endpoint is pyop's, and its clients."""
    flask, errors = import_module("flask"), import_module("pyop.exceptions")
    clients = {method: [f"client-{method}", f"the-secret-of-{method}"] for method in METHODS}
    known = {
        client_id: {
            "client_secret": secret,
            "redirect_uris": [settings["redirect_url"]],
            "response_types": ["code"],
            "token_endpoint_auth_method": method,
        }
        for method, (client_id, secret) in clients.items()
    }
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
        "token_endpoint_auth_methods_supported": list(METHODS),
    }
    subjects = import_module("pyop.subject_identifier").HashBasedSubjectIdentifierFactory("salt")
    state = import_module("pyop.authz_state").AuthorizationState(subjects)
    rsa = import_module("Cryptodome.PublicKey.RSA").generate(2048)
    key = import_module("jwkest.jwk").RSAKey(key=rsa, alg="RS256", kid="key-1", use="sig")
    provider = import_module("pyop.provider").Provider(key, document, state, known, None)
    app = flask.Flask("pyop")

    def token() -> Any:
        try:
            body = flask.request.get_data(as_text=True)
            return provider.handle_token_request(body, flask.request.headers).to_dict()
        except errors.OAuthError as error:
            status = 401 if error.oauth_error == "invalid_client" else 400
            return {"error": error.oauth_error, "error_description": str(error)}, status

    app.post("/token")(token)
    app.get("/.well-known/openid-configuration")(provider.provider_configuration.to_dict)
    app.get("/jwks")(lambda: provider.jwks)
    return app, clients


def serve(settings: dict[str, str]) -> None:
    """Serve until standard input ends."""
    server = import_module("werkzeug.serving")
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(settings["key"] + settings["certificate"])
        file.flush()
        port = int(settings["port"])
        issuer = f"https://localhost:{port}"
        make, path = {"authlib": (authlib, "oauth2/token"), "pyop": (pyop, "token")}[settings["name"]]
        app, clients = make(settings, issuer)
        running = server.make_server(
            "127.0.0.1", port, app, threaded=True, ssl_context=(file.name, file.name)
        )
    threading.Thread(target=running.serve_forever, daemon=True).start()
    sys.stdout.write(
        json.dumps({"issuer": issuer, "token_url": f"{issuer}/{path}", "clients": clients}) + "\n"
    )
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    serve(json.loads(sys.stdin.readline()))
