"""Did the last block that declared a connection forbid to destroy it? Asked of past manifests.

A past version need not follow the rules of today, so its values are looked at as they are. Where
one cannot be told (a variable that nobody defines any more), it counts as meaning the connection:
a delete too few can be made up for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reconciler.manifests.reading import read_text
from reconciler.secrets import MalformedReference, parse_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import SourceLocation
    from reconciler.core.secret import Locator
    from reconciler.core.state import Organization
    from reconciler.manifests.composer import Document
    from reconciler.manifests.limits import ReadLimits
    from reconciler.manifests.source import Source

PROTECTING_KEY: Final = "prevent_destroy"


@dataclass(frozen=True, slots=True)
class PastBlock:
    """One block of a past manifest that declared a connection."""

    is_protected: bool
    location: SourceLocation


@dataclass(frozen=True, slots=True)
class PastManifests:
    """Looks into past versions of manifests, with the variables of today."""

    variables: Mapping[str, str]
    limits: ReadLimits

    def find(
        self,
        content: bytes,
        shown: str,
        organization: Organization,
        reference: str,
        connection: OidcConnection,
    ) -> PastBlock | None:
        """Return the block that declared a connection in a version of a file, a protected one first."""
        names = organization.names | {reference}
        read = read_text(content, shown, self.limits)
        found = [
            block
            for _, document in read.documents
            if self._declares(document.value, names, organization.organization_id)
            for block in self._blocks(document, connection, read.source)
        ]
        return max(found, key=lambda one: one.is_protected, default=None)

    def _declares(self, value: object, names: frozenset[str], organization_id: str) -> bool:
        if not isinstance(value, dict):
            return False
        pin, name = self._text(value.get("organization_id")), self._text(value.get("organization"))
        return pin == organization_id if pin else name in names or name is None

    def _blocks(self, document: Document, connection: OidcConnection, source: Source) -> Iterator[PastBlock]:
        connections = document.value.get("connections")
        for name, block in connections.items() if isinstance(connections, dict) else ():
            if isinstance(block, dict) and self._means(name, block, connection):
                mark = document.marks.get(name, document.start)
                yield PastBlock(_is_protected(block), source.location(mark.index))

    def _means(self, name: str, block: Mapping[str, Any], connection: OidcConnection) -> bool:
        pin = self._text(block.get("connection_id"))
        if pin:
            return pin == connection.connection_id
        previous = block.get("previous_display_names")
        names = [block.get("display_name", name), *(previous if isinstance(previous, list) else ())]
        texts = [self._text(one) for one in names]
        if connection.display_name in texts or None in texts:
            return True
        client = (self._text(block.get("issuer")), self._text(block.get("client_id")))
        return bool(connection.issuer) and all(
            text in {None, live}
            for text, live in zip(client, (connection.issuer, connection.client_id), strict=True)
        )

    def _text(self, value: object) -> str | None:
        """Return a text with its variables put in, nothing for no text; None if it cannot be told."""
        if not isinstance(value, str):
            return ""
        try:
            parts = parse_template(value)
        except MalformedReference:
            return None
        texts = [part if isinstance(part, str) else self._variable(part) for part in parts]
        known = [one for one in texts if one is not None]
        return "".join(known) if len(known) == len(texts) else None

    def _variable(self, locator: Locator) -> str | None:
        return self.variables.get(locator.path) if locator.scheme == "var" else None


def _is_protected(block: Mapping[str, Any]) -> bool:
    lifecycle = block.get("lifecycle")
    return isinstance(lifecycle, dict) and lifecycle.get(PROTECTING_KEY) is True
