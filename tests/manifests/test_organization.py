"""What a valid manifest declares."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING

import pytest

from reconciler.core.address import Address
from reconciler.core.connection import COMPUTED_FIELDS, FIELDS, WRITABLE_FIELDS, OidcConnection
from reconciler.core.errors import SourceLocation
from reconciler.core.secret import SecretReference
from reconciler.core.state import (
    DesiredConnection,
    DesiredOrganization,
    DesiredState,
    Discovery,
    Lifecycle,
    Presence,
)
from reconciler.manifests import Loaded, load_manifests, load_project
from reconciler.manifests.organization_model import (
    ConnectionManifest,
    LifecycleManifest,
    OrganizationManifest,
)
from tests.manifests.everything import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Workspace:
    """A working directory with manifests."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def write(self, path: str, text: str | bytes) -> Path:
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def load(self, *paths: str | Path, variables: Mapping[str, str] | None = None) -> Loaded:
        return load_manifests(paths, load_project(None, self.directory), variables or {})


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def only(workspace: Workspace, body: str) -> DesiredConnection:
    """Load one connection with this body, indented by nothing."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    workspace.write("organizations/a.yaml", f"organization: acme\nconnections:\n  okta:\n{lines}")
    loaded = workspace.load()
    assert not loaded.has_errors, loaded.diagnostics
    return loaded.state.connections[0]


def test_everything_that_can_be_declared_is_declared(workspace: Workspace) -> None:
    workspace.write("reconciler.yaml", "vars: {tenant: acme}\n")
    workspace.write("organizations/acme.yaml", EVERYTHING)
    loaded = workspace.load()
    assert loaded.diagnostics == ()
    assert loaded.file_count == 1
    secret = loaded.state.connections[0].connection.client_secret
    assert isinstance(secret, SecretReference)
    assert secret.text == "${env:ACME_OKTA_CLIENT_SECRET}"
    assert loaded.state == DesiredState(
        (
            DesiredOrganization(
                reference="acme",
                location=SourceLocation("organizations/acme.yaml", line=2, column=1),
                organization_id="organization-live-1",
                prune=True,
                connections=(
                    DesiredConnection(
                        address=Address("acme", "okta-workforce"),
                        connection=OidcConnection(
                            display_name="Acme Okta",
                            identity_provider="okta",
                            issuer="https://acme.okta.com",
                            client_id="0oa1b2c3d4",
                            client_secret=secret,
                            authorization_url="https://acme.okta.com/authorize?a=b",
                            token_url="https://acme.okta.com/token",
                            userinfo_url="http://localhost:8080/userinfo",
                            jwks_url="http://[::1]/keys",
                            custom_scopes=("email", "groups", "openid", "profile"),
                            attribute_mapping={"groups": "groups"},
                            connection_id="oidc-connection-live-1",
                        ),
                        location=SourceLocation("organizations/acme.yaml", line=6, column=3),
                        secret_location=SourceLocation("organizations/acme.yaml", line=11, column=5),
                        presence=Presence.PRESENT,
                        previous_display_names=("Acme SSO",),
                        discovery=Discovery.OFF,
                        secret_expires_on=date(2027, 3, 31),
                        lifecycle=Lifecycle(prevent_destroy=True, ignore_changes=("display_name",)),
                    ),
                ),
            ),
        )
    )


def test_undeclared_fields_are_none(workspace: Workspace) -> None:
    found = only(workspace, "issuer: https://a.example.com")
    assert found.connection == OidcConnection(display_name="okta", issuer="https://a.example.com")
    assert found.discovery is Discovery.REPORT
    assert found.lifecycle == Lifecycle()
    assert found.presence is Presence.PRESENT


def test_an_absent_connection_needs_no_other_field(workspace: Workspace) -> None:
    assert only(workspace, "state: absent").is_absent


def test_a_manifest_overrides_the_defaults_of_the_project(workspace: Workspace) -> None:
    workspace.write("reconciler.yaml", "defaults: {prune: true, discovery: enforce}\n")
    workspace.write(
        "organizations/a.yaml", "organization: acme\nconnections: {a: {}, b: {discovery: report}}\n"
    )
    workspace.write("organizations/b.yaml", "organization: beta\nprune: false\n")
    acme, beta = workspace.load().state.organizations
    assert (acme.prune, beta.prune) == (True, False)
    assert [connection.discovery for connection in acme.connections] == [Discovery.ENFORCE, Discovery.REPORT]


@pytest.mark.parametrize(
    ("written", "scopes"),
    [
        ("openid profile email", ("email", "openid", "profile")),
        ("[openid, profile, email, openid]", ("email", "openid", "profile")),
        ("[]", ()),
        ("'urn:x:a/b openid'", ("openid", "urn:x:a/b")),
    ],
)
def test_scopes_are_a_set_however_they_are_written(
    workspace: Workspace, written: str, scopes: tuple[str, ...]
) -> None:
    assert only(workspace, f"custom_scopes: {written}").connection.custom_scopes == scopes


@pytest.mark.parametrize("written", ["2027-03-31", "'2027-03-31'"])
def test_a_date_may_have_quotes(workspace: Workspace, written: str) -> None:
    assert only(workspace, f"secret_expires_on: {written}").secret_expires_on == date(2027, 3, 31)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("abc", "abc"),
        ("'no'", "no"),
        ('"0123"', "0123"),
        ("y", "y"),
        ("0oa1", "0oa1"),
        ("1.2.3", "1.2.3"),
        ("12-34", "12-34"),
        ("-x", "-x"),
        ("a: b".replace(": ", ":"), "a:b"),
        ("$${var:x}", "${var:x}"),
        ("a$${b", "a${b"),
        ("$abc{d}", "$abc{d}"),
        ("${var:x}", "y"),
        ("1${var:x}2${var:x}", "1y2y"),
        ("'Ünï 🔑'", "Ünï 🔑"),
        ("x" * 2048, "x" * 2048),
    ],
)
def test_text_is_read_as_written(workspace: Workspace, written: str, value: str) -> None:
    workspace.write("reconciler.yaml", "vars: {x: y}\n")
    assert only(workspace, f"client_id: {written}").connection.client_id == value


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example.com",
        "https://a.example.com/",
        "https://a.example.com:8443/path/v2.0",
        "https://login.microsoftonline.com/{tenant}/v2.0".replace("{tenant}", "0b-1c"),
        "https://192.0.2.1",
        "https://[2001:db8::1]:443/x",
        "http://localhost",
        "http://localhost:8080/a",
        "http://127.0.0.1:80",
        "http://127.255.0.9/a",
        "http://[::1]:5000",
    ],
)
def test_a_url_is_https_or_loopback(workspace: Workspace, url: str) -> None:
    assert only(workspace, f"issuer: {url}").connection.issuer == url


def test_variables_of_the_command_line_take_precedence(workspace: Workspace) -> None:
    workspace.write("reconciler.yaml", "vars: {a: file, b: file}\n")
    workspace.write("organizations/a.yaml", "organization: x-${var:a}-${var:b}\n")
    loaded = workspace.load(variables={"a": "call"})
    assert loaded.state.organizations[0].reference == "x-call-file"


def test_a_variables_value_is_not_interpolated(workspace: Workspace) -> None:
    workspace.write("organizations/a.yaml", "organization: acme\nconnections: {o: {client_id: '${var:a}'}}\n")
    loaded = workspace.load(variables={"a": "${env:SECRET}"})
    assert loaded.state.connections[0].connection.client_id == "${env:SECRET}"


def test_an_invisible_character_in_a_variable_is_found(workspace: Workspace) -> None:
    workspace.write("organizations/a.yaml", "organization: acme\nconnections: {o: {client_id: '${var:a}'}}\n")
    loaded = workspace.load(variables={"a": "x\u202ey"})
    assert [diagnostic.code for diagnostic in loaded.diagnostics] == ["unsafe-character"]


def test_a_secret_may_have_literal_parts_and_variables(workspace: Workspace) -> None:
    workspace.write("reconciler.yaml", "vars: {x: '${'}\n".replace("'${'", "'a$b'"))
    found = only(workspace, "client_secret: ${var:x}-${env:A_CLIENT_SECRET}-$${").connection.client_secret
    assert isinstance(found, SecretReference)
    assert found.text == "a$b-${env:A_CLIENT_SECRET}-$${"
    assert [str(locator) for locator in found.locators] == ["${env:A_CLIENT_SECRET}"]


def test_aliases_stand_for_whole_values(workspace: Workspace) -> None:
    workspace.write(
        "organizations/a.yaml",
        "organization: acme\nconnections:\n"
        "  a: {custom_scopes: &scopes [openid, email, profile], "
        "client_secret: &secret '${env:A_CLIENT_SECRET}'}\n"
        "  b: {custom_scopes: *scopes, client_secret: *secret}\n",
    )
    loaded = workspace.load()
    assert loaded.diagnostics == ()
    first, second = loaded.state.connections
    assert first.connection.custom_scopes == second.connection.custom_scopes
    assert first.connection.client_secret == second.connection.client_secret


@pytest.mark.parametrize(
    "text",
    [
        "\ufefforganization: acme\nconnections: {okta: {}}\n",
        "organization: acme\r\nconnections:\r\n  okta: {}\r\n",
        "---\norganization: acme\nconnections: {okta: {}}\n...\n",
        "# a comment\n---\n---\norganization: acme\nconnections: {okta: {}}\n---\n",
        "organization: acme\nconnections: {okta: {}}",
        '{"organization": "acme", "connections": {"okta": {}}}',
        "%YAML 1.1\n---\norganization: acme\nconnections: {okta: {}}\n",
    ],
    ids=["byte-order-mark", "crlf", "markers", "empty-documents", "no-newline", "json", "directive"],
)
def test_files_may_be_written_in_any_common_form(workspace: Workspace, text: str) -> None:
    workspace.write("organizations/a.yaml", text)
    loaded = workspace.load()
    assert loaded.diagnostics == ()
    assert [str(connection.address) for connection in loaded.state.connections] == ["acme/okta"]


def test_places_count_characters_from_one_and_bytes_from_zero(workspace: Workspace) -> None:
    text = "\ufeff# ünï 🔑\r\norganization: acme\r\nconnections: {'ü': {}, okta: {issuer: no}, x: {}}\r\n"
    workspace.write("organizations/a.yaml", text.replace("'ü'", "u"))
    found = workspace.load().diagnostics[0].location
    assert found is not None
    assert (found.line, found.column) == (3, 37)
    assert (workspace.directory / "organizations/a.yaml").read_bytes()[found.byte :].startswith(b"no}")


@pytest.mark.parametrize("prefix", ["", "\ufeff", "# ünï 🔑\n", "\ufeff# ü\n"])
def test_connections_have_a_location(workspace: Workspace, prefix: str) -> None:
    workspace.write("organizations/a.yaml", f"{prefix}organization: acme\nconnections:\n  okta: {{}}\n")
    found = workspace.load().state.connections[0].location
    assert (found.line, found.column) == (3 + prefix.count("\n"), 3)
    assert (workspace.directory / "organizations/a.yaml").read_bytes()[found.byte :].startswith(b"okta:")


def test_an_invalid_document_does_not_hide_the_others(workspace: Workspace) -> None:
    workspace.write(
        "organizations/a.yaml",
        "organization: acme\n---\norganization: globex\nprune: 1\n---\norganization: beta\n",
    )
    loaded = workspace.load()
    assert [organization.reference for organization in loaded.state.organizations] == ["acme", "beta"]
    assert [organization.reference for organization in loaded.refused] == ["globex"]
    assert [diagnostic.code for diagnostic in loaded.diagnostics] == ["wrong-type"]


def test_a_document_without_a_name_makes_its_file_unreadable(workspace: Workspace) -> None:
    workspace.write(
        "organizations/a.yaml", "organization: acme\n---\norganization: 1\n---\norganization: beta\n"
    )
    workspace.write("organizations/b.yaml", "organization: [\n")
    loaded = workspace.load()
    assert [file.is_readable for file in loaded.files] == [False, False]
    assert [organization.reference for organization in loaded.refused] == ["acme", "beta"]
    assert [diagnostic.code for diagnostic in loaded.diagnostics] == ["not-text", "invalid-yaml"]


def test_the_model_and_the_core_have_the_same_fields() -> None:
    declared = set(ConnectionManifest.__annotations__)
    treatment = {"default", "previous_display_names", "state", "discovery", "secret_expires_on", "lifecycle"}
    assert declared - treatment == set(FIELDS) - {"redirect_url", "status"}
    assert treatment | {"connection_id"} == (
        {field.name for field in fields(DesiredConnection)}
        - {"address", "connection", "location", "secret_location", "presence", "is_default", "other_ids"}
        - {"published", "enforced", "stored_expires_on"}  # learned while planning
    ) | {"default", "state", "connection_id"}
    assert set(LifecycleManifest.__annotations__) == {field.name for field in fields(Lifecycle)}
    assert set(OrganizationManifest.__annotations__) - {"organization"} == (
        {field.name for field in fields(DesiredOrganization)}
        - {"reference", "location", "protections", "commit", "other_ids"}
    )
    assert "connection_id" in COMPUTED_FIELDS
    assert (*WRITABLE_FIELDS, *COMPUTED_FIELDS) == FIELDS
