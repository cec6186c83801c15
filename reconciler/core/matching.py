"""Which live connection is meant by which declaration.

Identity is decided in this order, each step on what the steps before left unclaimed:

1. a pinned ``connection_id``;
2. the ``display_name``;
3. one of ``previous_display_names``;
4. nothing: the connection is to be created, unless an unclaimed one looks like it was renamed.

Whatever is not certain is a finding, never a guess: a wrong pairing would overwrite the settings of
one customer's identity provider with another's.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import DesiredConnection, DesiredOrganization, LiveOrganization

    Names = Callable[[DesiredConnection], Iterable[str]]
    Candidates = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A declared connection and the live one it means; None where there is none."""

    desired: DesiredConnection
    live: OidcConnection | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """All pairs, in the order of the manifest; live connections nobody declares; what is unclear."""

    pairs: tuple[Pair, ...]
    unmanaged: tuple[OidcConnection, ...]
    diagnostics: tuple[Diagnostic, ...]


def match_connections(desired: DesiredOrganization, live: LiveOrganization) -> Matching:
    """Pair every declaration with at most one live connection, and no connection with two."""
    claims = _Claims(desired.connections, live)
    claims.by_pin()
    claims.contested_names()
    claims.by_name(_present_name)
    claims.by_name(_previous_names)
    claims.look_alikes()
    return claims.matching()


class _Claims:
    """The state of one matching: who has claimed what so far."""

    def __init__(self, declared: tuple[DesiredConnection, ...], live: LiveOrganization) -> None:
        self._declared = declared
        self._live = live
        self._unclaimed = {one.connection_id or "": one for one in live.connections}
        self._claimed: dict[str, OidcConnection] = {}
        self._settled: set[str] = set()
        self._diagnostics: list[Diagnostic] = []

    def by_pin(self) -> None:
        """Settle every declaration that says which connection it means."""
        for one in self._declared:
            pin = one.connection.connection_id
            if pin is None:
                continue
            self._settled.add(one.address.connection)
            if pin in self._unclaimed:
                self._claim(one, pin)
            elif not one.is_absent:
                self._report(one, "pin-not-live", *_pin_not_live(one, pin, self._live))

    def contested_names(self) -> None:
        """Report declarations whose names, present and previous, lead to no certain answer."""
        unsettled = [one for one in self._declared if one.address.connection not in self._settled]
        renamed = [one for one in unsettled if one.previous_display_names]
        if not renamed:
            return
        present, previous = self._candidates(_present_name), self._candidates(_previous_names)
        for one in unsettled:
            mine = present[one.address.connection]
            rivals = [
                other.address.connection
                for other in renamed
                if _have_exchanged(one, other) or (mine and _only(other, present, previous) == mine)
            ]
            if rivals:
                self._report(one, "claimed-twice", *_claimed_twice(one, mine, rivals))
        for one in renamed:
            self._check_tombstone(one, present, previous)

    def by_name(self, names_of: Names) -> None:
        """Settle the declarations whose names lead to exactly one unclaimed connection."""
        if not self._unclaimed:
            return
        candidates = self._candidates(names_of)
        wanted_by = defaultdict(list)
        for name, ids in candidates.items():
            for connection_id in ids:
                wanted_by[connection_id].append(name)
        for one in self._declared:
            ids = candidates.get(one.address.connection, [])
            if len(ids) > 1:
                self._report(one, "ambiguous-match", *_ambiguous(one, ids))
            elif ids and len(wanted_by[ids[0]]) > 1:
                self._report(one, "claimed-twice", *_claimed_twice(one, ids, wanted_by[ids[0]]))
            elif ids:
                self._claim(one, ids[0])

    def look_alikes(self) -> None:
        """Report declarations without a match that look like a connection that was renamed."""
        for one in self._declared if self._unclaimed else ():
            if one.address.connection in self._settled or one.is_absent:
                continue
            twin = self._look_alike(one.connection)
            if twin is not None:
                self._report(one, "looks-renamed", *_looks_renamed(one, twin))

    def matching(self) -> Matching:
        """Return what has been found."""
        pairs = (Pair(one, self._claimed.get(one.address.connection)) for one in self._declared)
        return Matching(
            pairs=tuple(pairs),
            unmanaged=tuple(self._unclaimed.values()),
            diagnostics=tuple(self._diagnostics),
        )

    def _check_tombstone(self, one: DesiredConnection, present: Candidates, previous: Candidates) -> None:
        """Report a tombstone that would, its work done, go on to what has one of its previous names."""
        name = one.address.connection
        wanted = {connection_id for ids in present.values() for connection_id in ids}
        others = [connection_id for connection_id in previous[name] if connection_id not in wanted]
        if one.is_absent and name not in self._settled and present[name] and others:
            self._report(one, "ambiguous-match", *_ambiguous(one, present[name] + others))

    def _candidates(self, names_of: Names) -> Candidates:
        by_name = defaultdict(list)
        for connection_id, live in self._unclaimed.items():
            by_name[live.display_name].append(connection_id)
        found = {}
        for one in self._declared:
            if one.address.connection not in self._settled:
                names = dict.fromkeys(names_of(one))
                found[one.address.connection] = [
                    connection_id for name in names for connection_id in by_name.get(name, ())
                ]
        return found

    def _claim(self, one: DesiredConnection, connection_id: str) -> None:
        self._settled.add(one.address.connection)
        self._claimed[one.address.connection] = self._unclaimed.pop(connection_id)

    def _look_alike(self, declared: OidcConnection) -> OidcConnection | None:
        if not declared.issuer or not declared.client_id:
            return None
        twins = (
            live
            for live in self._unclaimed.values()
            if live.issuer == declared.issuer and live.client_id == declared.client_id
        )
        return min(twins, key=lambda live: live.connection_id or "", default=None)

    def _report(self, one: DesiredConnection, code: str, summary: str, detail: str) -> None:
        self._settled.add(one.address.connection)
        self._diagnostics.append(
            Diagnostic(
                Severity.ERROR, code, summary, detail=detail, address=str(one.address), location=one.location
            )
        )


def _present_name(one: DesiredConnection) -> tuple[str, ...]:
    return (one.connection.display_name or "",)


def _previous_names(one: DesiredConnection) -> tuple[str, ...]:
    """Return the names it had, other than the one it has."""
    return tuple(name for name in one.previous_display_names if name != one.connection.display_name)


def _have_exchanged(one: DesiredConnection, other: DesiredConnection) -> bool:
    """Whether each has the present name of what the other one was called before."""
    names = (one.connection.display_name, other.connection.display_name)
    return names[0] in _previous_names(other) and names[1] in _previous_names(one)


def _only(other: DesiredConnection, present: Candidates, previous: Candidates) -> list[str]:
    """Return what another declaration could mean by a previous name, if nothing has its present one.

    A tombstone is no rival: if it finds nothing, nothing is deleted.
    """
    name = other.address.connection
    return [] if other.is_absent or present[name] else previous[name]


def _pin_not_live(one: DesiredConnection, pin: str, live: LiveOrganization) -> tuple[str, str]:
    foreign = next((other for other in live.other_connections if other.connection_id == pin), None)
    if foreign is not None:
        return (
            f"{one.address} is pinned to a {foreign.kind} connection, which is never touched",
            f"correct or remove the line `connection_id: {pin}`",
        )
    return (
        f"{one.address} is pinned to {pin}, which organization "
        f"{live.organization.organization_id} does not have",
        "if it was deleted, remove the line `connection_id:` to create it anew (with a new id and "
        "redirect_url); if it is another connection's id, correct it",
    )


def _ambiguous(one: DesiredConnection, ids: list[str]) -> tuple[str, str]:
    return (
        f"{one.address} could mean {len(ids)} live connections: {', '.join(sorted(ids))}",
        "add the line `connection_id:` with the id that is meant",
    )


def _claimed_twice(one: DesiredConnection, ids: list[str], names: list[str]) -> tuple[str, str]:
    others = ", ".join(sorted(name for name in names if name != one.address.connection))
    meant = ids[0] if len(ids) == 1 else f"the name {quoted(one.connection.display_name)}"
    return (
        f"{one.address} could mean {meant}, and so could {others}",
        "remove the name from all `previous_display_names` but one, or pin each connection_id",
    )


def _looks_renamed(one: DesiredConnection, twin: OidcConnection) -> tuple[str, str]:
    return (
        f"{one.address} is not live, but {twin.connection_id} has the same issuer and client_id "
        f"under the name {quoted(twin.display_name)}: it looks renamed",
        f"if it is the same connection, add the line `connection_id: {twin.connection_id}`, or "
        f"`previous_display_names: [{quoted(twin.display_name)}]`; if a second one is wanted, "
        f"declare {twin.connection_id} too",
    )


def quoted(name: str | None) -> str:
    """Return a name as YAML takes it in double quotes."""
    escaped = (name or "").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
