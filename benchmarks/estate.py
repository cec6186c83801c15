"""Generates manifests and the matching live connections, from numbers alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

PROJECT_ID: Final = "project-test-00000000-0000-4000-8000-000000000000"
CLIENT_SECRET: Final = "benchmark-client-secret"
ENVIRONMENT: Final = {"STYTCH_SECRET": "secret-test-benchmark", "BENCHMARK_CLIENT_SECRET": CLIENT_SECRET}
"""Environment variables that the manifests and the project file refer to."""

CONNECTIONS: Final = 5
"""Connections of each organization."""

AT_ONCE: Final = 32
"""Concurrent requests, of every program."""

LATENCY: Final = 0.02
"""Seconds until the service responds."""

SCOPES: Final = ("email", "groups", "openid", "profile")
ATTRIBUTES: Final = {
    "email": "email",
    "full_name": "name",
    "groups": "groups",
    "department": "custom_department",
}
_FILES_PER_FOLDER: Final = 1000


@dataclass(frozen=True, slots=True)
class Estate:
    """A folder of manifests for ``organizations`` organizations.

    ``ports`` are those of identity providers on loopback, if there are any; organizations share them.
    """

    folder: Path
    organizations: int
    ports: tuple[int, ...] = ()

    @property
    def connections(self) -> int:
        """The number of declared connections."""
        return self.organizations * CONNECTIONS

    @property
    def manifests(self) -> list[Path]:
        """All manifests, sorted."""
        return sorted((self.folder / "organizations").rglob("*.yaml"))

    @property
    def size(self) -> int:
        """Size of all manifests in bytes."""
        return sum(path.stat().st_size for path in self.manifests)


def write_estate(folder: Path, organizations: int, ports: tuple[int, ...] = ()) -> Estate:
    """Write the manifests, one file for each organization."""
    for index in range(organizations):
        directory = folder / "organizations" / f"{index // _FILES_PER_FOLDER:03d}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{slug(index)}.yaml").write_text(manifest(index, ports=ports), encoding="utf-8")
    return Estate(folder, organizations, ports)


def environment_for(base_url: str) -> dict[str, str]:
    """Return the environment of commands that call the service at that address."""
    return {**ENVIRONMENT, "STYTCH_BASE_URL": base_url}


def write_project(
    folder: Path, *, requests_per_second: float, concurrency: int = AT_ONCE, idp: str = "{}"
) -> None:
    """Write the project file; the environment names the service."""
    (folder / "reconciler.yaml").write_text(
        "version: 1\n"
        "target:\n"
        f"  project_id: {PROJECT_ID}\n"
        "  secret: ${env:STYTCH_SECRET}\n"
        "limits:\n"
        f"  requests_per_second: {requests_per_second:.0f}\n"
        f"  concurrency: {concurrency}\n"
        f"idp: {idp}\n",
        encoding="utf-8",
    )


def manifest(index: int, *, suffix: str = "", ports: tuple[int, ...] = ()) -> str:
    """Return an organization's manifest; ``suffix`` is appended to the client_id of its first connection."""
    lines = [f"organization: {organization_id(index)}", "connections:"]
    for number in range(CONNECTIONS):
        fields = declared(index, number, ports)
        fields["client_id"] += suffix if number == 0 else ""
        lines.append(f"  idp-{number}:")
        lines += [f"    {key}: {value}" for key, value in fields.items()]
        lines += [
            "    client_secret: ${env:BENCHMARK_CLIENT_SECRET}",
            f"    custom_scopes: [{', '.join(SCOPES)}]",
            "    attribute_mapping:",
            *(f"      {key}: {value}" for key, value in ATTRIBUTES.items()),
        ]
    return "\n".join(lines) + "\n"


def declared(index: int, number: int, ports: tuple[int, ...] = ()) -> dict[str, str]:
    """Return the string fields of a connection."""
    host = f"https://customer-{index:06d}-{number}.identity.example.com/oauth2/default"
    issuer = issuer_at(ports[index % len(ports)]) if ports else host
    return {
        "display_name": f"Customer {index:06d} single sign-on {number}",
        "identity_provider": "okta",
        "issuer": issuer,
        "client_id": f"0oa{index:06d}client{number}",
        **provider_urls(issuer),
    }


def issuer_at(port: int) -> str:
    """Return the issuer of an identity provider on loopback."""
    return f"https://localhost:{port}/oauth2/default"


def provider_urls(issuer: str) -> dict[str, str]:
    """Return the URLs of an issuer's endpoints."""
    return {
        "authorization_url": f"{issuer}/v1/authorize",
        "token_url": f"{issuer}/v1/token",
        "userinfo_url": f"{issuer}/v1/userinfo",
        "jwks_url": f"{issuer}/v1/keys",
    }


def live(index: int, number: int, ports: tuple[int, ...] = ()) -> dict[str, Any]:
    """Return the live connection that matches its manifest."""
    return {
        "organization_id": organization_id(index),
        "connection_id": f"oidc-connection-test-{_uuid(index, number + 1)}",
        "status": "active",
        "redirect_url": f"https://test.stytch.com/v1/b2b/sso/callback/{_uuid(index, number + 1)}",
        "client_secret": CLIENT_SECRET,
        "custom_scopes": " ".join(SCOPES),
        "attribute_mapping": ATTRIBUTES,
        **declared(index, number, ports),
    }


def organization(index: int) -> dict[str, Any]:
    """Return an organization as the service returns it."""
    return {
        "organization_id": organization_id(index),
        "organization_slug": slug(index),
        "organization_name": f"Customer {index:06d}",
        "organization_external_id": "",
        "sso_default_connection_id": "",
        "sso_jit_provisioning": "ALL_ALLOWED",
        "auth_methods": "ALL_ALLOWED",
        "sso_active_connections": [],
    }


def organization_id(index: int) -> str:
    """Return the id of an organization."""
    return f"organization-test-{_uuid(index, 0)}"


def index_of(reference: str) -> int:
    """Return the index in an organization id."""
    return int(reference[18:26])


def slug(index: int) -> str:
    """Return the slug of an organization."""
    return f"customer-{index:06d}"


def _uuid(index: int, number: int) -> str:
    return f"{index:08d}-0000-4000-8000-{number:012d}"
