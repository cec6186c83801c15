"""Reads what a document with errors declares, as far as it goes, so that it can be compared with others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.address import Address
from reconciler.core.connection import OidcConnection
from reconciler.core.secret import SecretReference
from reconciler.core.state import DesiredConnection, DesiredOrganization, Lifecycle, Presence
from reconciler.manifests.findings import Findings
from reconciler.manifests.interpolation import Interpolation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.manifests.environments import RunEnvironment
    from reconciler.manifests.source_file import Source
    from reconciler.manifests.yaml_reader import Node, Value


def read_partially(
    document: Node, source: Source, variables: Mapping[str, str], environment: RunEnvironment
) -> DesiredOrganization | None:
    """Return what a document declares, without validating it; None if it does not name its organization.

    Values of the wrong type and references that cannot be replaced are left out.
    """
    rules = Interpolation(variables=variables, policy=None, holds_secret=lambda _path: True)
    values = rules.apply(document.value, Findings(source, 1).document(document))
    if not isinstance(values, dict):
        return None
    reference = _text(values, "organization")
    if not reference:
        return None
    return DesiredOrganization(
        reference=reference,
        location=source.location(document.span.start),
        organization_id=environment.choose(values.get("organization_id")),
        connections=tuple(_connections(reference, values.get("connections"), document, source, environment)),
    )


def _connections(
    reference: str, blocks: Value, document: Node, source: Source, environment: RunEnvironment
) -> Iterator[DesiredConnection]:
    for name, block in blocks.items() if isinstance(blocks, dict) else ():
        if isinstance(name, str) and isinstance(block, dict):
            node = document.find(("connections", name))
            yield DesiredConnection(
                address=Address(reference, name),
                connection=_declared(name, block, environment),
                location=source.location((node.key_span or node.span).start),
                presence=_presence(block.get("state")),
                lifecycle=Lifecycle(prevent_destroy=_protects(block.get("lifecycle"))),
            )


def _presence(state: Value) -> Presence:
    return next((presence for presence in Presence if presence == state), Presence.PRESENT)


def _declared(name: str, block: Mapping[str, Value], environment: RunEnvironment) -> OidcConnection:
    secret = block.get("client_secret")
    return OidcConnection(
        display_name=_text(block, "display_name") or name,
        issuer=_text(block, "issuer"),
        client_id=_text(block, "client_id"),
        client_secret=secret if isinstance(secret, SecretReference) else None,
        connection_id=environment.choose(block.get("connection_id")),
    )


def _protects(lifecycle: Value) -> bool:
    return isinstance(lifecycle, dict) and lifecycle.get("prevent_destroy") is True


def _text(values: Mapping[str, Value], key: str) -> str | None:
    value = values.get(key)
    return value if isinstance(value, str) and value else None
