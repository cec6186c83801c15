"""What is live in one organization → the manifest that declares it, as far as a manifest can."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.core.address import Address
from reconciler.core.connection import WRITABLE_FIELDS
from reconciler.manifests.declarable import objection
from reconciler.manifests.names import connection_names
from reconciler.manifests.writing import flow_list, indented, literal, mapping_lines, scalar, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import LiveOrganization
    from reconciler.manifests.names import VariableNames

_HEADER: Final = "# Imported from what is live. What is not declared here is left as it is."
_NO_PRUNING: Final = "prune: false  # or what is left alone below would be deleted"
_INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Variable:
    """The environment variable that has to hold the client secret of an address."""

    name: str
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenManifest:
    """A manifest's text. ``remarks`` says what is live and not declared in it, and why."""

    text: str
    connections: int
    variables: tuple[Variable, ...]
    remarks: tuple[str, ...]


def write_manifest(
    live: LiveOrganization, reference: str, names: VariableNames, *, prunes: bool
) -> WrittenManifest:
    """Return the manifest of an organization, pinned to its ids.

    ``prunes``: connections that are not declared would be deleted by default.
    """
    blocks = write_connections(live.connections, reference, names)
    left_alone = [*_left_alone(live)]
    is_whole = len(blocks.names) == len(live.connections)
    lines = [
        _HEADER,
        *([f"# organization_name: {shown(live.organization.name)}"] if live.organization.name else []),
        f"organization: {scalar(reference)}",
        f"organization_id: {scalar(live.organization.organization_id)}",
        *([_NO_PRUNING] if prunes and not is_whole else []),
        *(["connections:", *indented(blocks.lines)] if blocks.names else ["connections: {}"]),
        *(["# left alone:", *(f"#   {one}" for one in left_alone)] if left_alone else []),
    ]
    return WrittenManifest(
        text="\n".join(lines) + "\n",
        connections=len(blocks.names),
        variables=tuple(blocks.variables),
        remarks=(*blocks.remarks, *left_alone),
    )


@dataclass(slots=True)
class Blocks:
    """The blocks below ``connections:``, and what there is to say of them."""

    lines: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    variables: list[Variable] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def write_connections(
    connections: Sequence[OidcConnection],
    reference: str,
    variables: VariableNames,
    taken: Mapping[str, str] | None = None,
) -> Blocks:
    """Return a block for every connection that can be declared, by name.

    ``taken`` are the connections that the manifest has already: name → display_name.
    """
    blocks = Blocks()
    taken = taken or {}
    declarable = [one for one in connections if _reason_to_leave(one) is None]
    names = connection_names(declarable, {*taken, *taken.values()})
    display_names = set(taken.values())
    for one in sorted(declarable, key=lambda one: names[one.connection_id or ""]):
        name = names[one.connection_id or ""]
        block = _Block(Address(reference, name), variables, one.display_name in display_names)
        blocks.lines += [f"{scalar(name)}:", *indented(block.lines(one))]
        blocks.names[one.connection_id or ""] = name
        blocks.variables += block.variables
        blocks.remarks += block.remarks
        display_names.add(one.display_name or "")
    return blocks


class _Block:
    """One connection; what a manifest cannot say becomes a comment."""

    def __init__(self, address: Address, names: VariableNames, is_name_taken: bool) -> None:
        self.variables: list[Variable] = []
        self.remarks: list[str] = []
        self._address = address
        self._names = names
        self._is_name_taken = is_name_taken

    def lines(self, live: OidcConnection) -> Iterator[str]:
        is_named = True
        for name in WRITABLE_FIELDS:
            if not _has_value(getattr(live, name)) and name != "display_name":
                continue
            reason = self._reason(name, live)
            if reason is None:
                yield from self._field(name, live)
                continue
            is_named = is_named and name != "display_name"
            self.remarks.append(f"{self._address}: {name} is not declared: {reason}")
            yield f"# {name} is not declared: {reason}"
        yield f"connection_id: {scalar(live.connection_id or '')}"
        if not is_named:
            yield from ("lifecycle:", f"{_INDENT}ignore_changes: [display_name]")

    def _reason(self, name: str, live: OidcConnection) -> str | None:
        """Return why a manifest cannot declare what is live, or should not."""
        if name == "client_secret":
            return self._reason_without_secret(live)
        if name == "display_name" and self._is_name_taken:
            return f"{shown(live.display_name or '')} is also the name of another connection"
        return objection(name, getattr(live, name))

    def _reason_without_secret(self, live: OidcConnection) -> str | None:
        if live.client_secret is not None and not live.client_secret.fits_a_variable:  # type: ignore[union-attr]  # live values are secrets
            return "no environment variable can hold it"
        name = self._names.name_for(self._address)
        if name is None:
            return "secrets.env.allow in the project file permits no variable of a fitting name"
        self.variables.append(Variable(name, self._address))
        return None

    def _field(self, name: str, live: OidcConnection) -> Iterator[str]:
        if name == "client_secret":
            yield f"client_secret: ${{env:{self.variables[-1].name}}}"
        elif name == "custom_scopes":
            yield f"custom_scopes: {flow_list(live.custom_scopes or ())}"
        elif name == "attribute_mapping":
            yield "attribute_mapping:"
            yield from indented(mapping_lines(live.attribute_mapping or {}))
        else:
            yield f"{name}: {literal(getattr(live, name))}"


def _left_alone(live: LiveOrganization) -> Iterator[str]:
    for one in live.connections:
        reason = _reason_to_leave(one)
        if reason is not None:
            yield f"{shown(one.display_name or '')} ({_plain_id(one.connection_id or '')}): {reason}"
    for other in live.other_connections:
        kind = shown(other.kind).strip('"')
        yield f"{shown(other.display_name)} ({_plain_id(other.connection_id)}): {kind}, never touched"


def _reason_to_leave(connection: OidcConnection) -> str | None:
    """Return why a connection is better not declared at all, or cannot be."""
    if connection.is_unconfigured:
        return "pending and never configured"
    reason = objection("connection_id", connection.connection_id)
    return f"its id cannot be pinned: {reason}" if reason else None


def _plain_id(text: str) -> str:
    return shown(text).strip('"')


def _has_value(value: object) -> bool:
    return not value.is_empty if hasattr(value, "is_empty") else bool(value)
