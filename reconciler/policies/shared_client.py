"""One issuer and client_id are declared in two organizations."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create, Update
from reconciler.policies.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.core.change import Change
    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import DesiredOrganization


class Clients:
    """Remembers in which organizations each pair of issuer and client_id is declared.

    Only a hash of the pair is kept, in 8 bytes, so that an estate of any size fits; two pairs with
    one hash would lead to a needless question, nothing worse.
    """

    def __init__(self) -> None:
        self._keys = array("q")
        self._ends = array("I")
        self._references: list[str] = []
        self._by_key: dict[int, list[str]] = {}

    def add(self, organization: DesiredOrganization) -> None:
        """Take note of an organization's declarations."""
        keys = [_key(one.connection) for one in organization.connections if not one.is_absent]
        self._keys.extend([key for key in keys if key is not None])
        self._ends.append(len(self._keys))
        self._references.append(organization.reference)
        self._by_key.clear()

    def sharers(self, change: Change) -> tuple[str, ...]:
        """Name the other organizations that declare what this change writes."""
        if not isinstance(change, Create | Update) or not _touches(change):
            return ()
        key = _key(change.declared)
        if key is None:
            return ()
        everybody = dict.fromkeys(self._index().get(key, ()))
        return tuple(one for one in everybody if one != change.address.organization)

    def _index(self) -> Mapping[int, Sequence[str]]:
        """Return who declares what, which is needed only where something is written."""
        if not self._by_key:
            for begin, end, owner in zip((0, *self._ends), self._ends, self._references, strict=False):
                for key in self._keys[begin:end]:
                    self._by_key.setdefault(key, []).append(owner)
        return self._by_key


def find_shared(change: Change, clients: Clients) -> Iterator[str]:
    """Yield a clause if another organization declares the same client."""
    others = clients.sharers(change)
    if others:
        yield f"issuer and client_id are those of {', '.join(others[:3])}{_more(others)} too"


def _touches(change: Create | Update) -> bool:
    return isinstance(change, Create) or bool({"issuer", "client_id"} & set(change.changed))


def _key(connection: OidcConnection) -> int | None:
    if not connection.issuer or not connection.client_id:
        return None
    return hash((connection.issuer, connection.client_id))


def _more(others: tuple[str, ...]) -> str:
    hidden = len(others) - 3
    return f" and {hidden} more" if hidden > 0 else ""


SHARED_CLIENT: Final = Rule(
    "shared-client",
    lambda _change: (),  # needs to know of all organizations: see `find_shared`
    "members of one customer could log in to the other's organization",
)
