"""Matches declared connections with live ones.

The problem: the API has no name that a client may choose. A connection's id is known only after it
was created, and anyone can change its display name. So the manifest's key has to be matched
with a live connection on every run. A wrong match would overwrite the settings of one customer's
identity provider with another's; a missed match would create a second connection.

The rule: identity is decided in this order, each step on what the steps before left unmatched.

1. a pinned ``connection_id``;
2. the ``display_name``;
3. one of ``previous_display_names``;
4. nothing: the connection is to be created, unless an unmatched live one has the same issuer and
   client_id and so was probably renamed.

A pending connection that nobody has configured is no candidate beside a configured one of the same name:
it is what an interrupted create left behind.

Why it never guesses: a step matches only if exactly one live connection fits, and no other
declaration fits it as well. Everything else is an error that names the candidates, and the
organization is not planned until the manifest says which one is right.

The subtle case is ``previous_display_names``. Two declarations may have exchanged their names, or
one may claim by an old name what the other one claims by its present name. Both are reported before
any name is matched, since matching present names first would make one of the two readings silently.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reconciler.core.codes import Code
    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import DesiredConnection, DesiredOrganization, LiveOrganization

    NamesOf = Callable[[DesiredConnection], Iterable[str]]
    Candidates = dict[str, list[str]]
    """The ids of unmatched live connections, by the key of a declaration."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A declared connection and the live one it was matched with; None where there is none."""

    desired: DesiredConnection
    live: OidcConnection | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """All pairs in the order of the manifest, live connections that are not declared, and errors.

    ``left_alone`` are the pairs of declarations with ``state: unmanaged``, which nothing is decided about.
    ``leftovers`` are among the unmanaged ones: untouched, pending, and of a name that a declaration has
    whose own connection is configured. By each stands that declaration.
    ``missing`` are the declarations whose pinned connection is not live; each of them has an error, too.
    """

    pairs: tuple[Pair, ...]
    unmanaged: tuple[OidcConnection, ...]
    diagnostics: tuple[Diagnostic, ...]
    leftovers: Mapping[str, DesiredConnection]
    missing: tuple[DesiredConnection, ...] = ()
    left_alone: tuple[Pair, ...] = ()


def match_connections(desired: DesiredOrganization, live: LiveOrganization) -> Matching:
    """Match every declaration with at most one live connection, and no live one twice."""
    matcher = _Matcher(desired.connections, live)
    matcher.match_pins()
    matcher.check_contested_names()
    matcher.match_names(_present_name)
    matcher.match_names(_previous_names)
    matcher.check_possible_renames()
    return matcher.matching()


class _Matcher:
    """The state of one matching: which declarations are decided, and what is still unmatched."""

    def __init__(self, declared: tuple[DesiredConnection, ...], live: LiveOrganization) -> None:
        self._declared = declared
        self._live = live
        self._unmatched = {connection.connection_id or "": connection for connection in live.connections}
        self._matched: dict[str, OidcConnection] = {}
        self._decided: set[str] = set()
        self._diagnostics: list[Diagnostic] = []
        self._missing: list[DesiredConnection] = []

    def match_pins(self) -> None:
        """Decide every declaration that names its connection by id, and those that are left alone."""
        for desired in self._declared:
            pin = desired.connection.connection_id
            if pin is not None or desired.is_unmanaged:
                self._decided.add(desired.address.connection)
            if pin is None:
                continue
            if pin in self._unmatched:
                self._match(desired, pin)
            elif desired.is_present:
                self._report(desired, "pin-not-live", *_pin_not_live(desired, pin, self._live))
                if all(pin != connection.connection_id for connection in self._live.other_connections):
                    self._missing.append(desired)

    def check_contested_names(self) -> None:
        """Report declarations whose present and previous names lead to no certain match."""
        undecided = self._undecided()
        renamed = [desired for desired in undecided if desired.previous_display_names]
        if not renamed:
            return
        present, previous = self._candidates(_present_name), self._candidates(_previous_names)
        for desired in undecided:
            ids = present[desired.address.connection]
            rivals = [
                rival.address.connection
                for rival in renamed
                if _exchanged_names(desired, rival) or (ids and _claims(rival, present, previous) == ids)
            ]
            if rivals:
                self._report(desired, "claimed-twice", *_claimed_twice(desired, ids, rivals))
        for desired in renamed:
            self._check_absent(desired, present, previous)

    def match_names(self, names_of: NamesOf) -> None:
        """Match the declarations whose names lead to exactly one unmatched connection."""
        candidates = self._candidates(names_of)
        claimed_by = defaultdict(list)
        for key, ids in candidates.items():
            for connection_id in ids:
                claimed_by[connection_id].append(key)
        for desired in self._declared:
            ids = candidates.get(desired.address.connection, [])
            if len(ids) > 1:
                self._report(desired, "ambiguous-match", *_ambiguous(desired, ids))
            elif ids and len(claimed_by[ids[0]]) > 1:
                self._report(desired, "claimed-twice", *_claimed_twice(desired, ids, claimed_by[ids[0]]))
            elif ids:
                self._match(desired, ids[0])

    def check_possible_renames(self) -> None:
        """Report declarations without a match where an unmatched connection looks like a renamed one."""
        for desired in self._undecided():
            renamed = None if desired.is_absent else self._possible_rename(desired.connection)
            if renamed is not None:
                self._report(desired, "looks-renamed", *_looks_renamed(desired, renamed))

    def matching(self) -> Matching:
        """Return the result."""
        pairs = [Pair(desired, self._matched.get(desired.address.connection)) for desired in self._declared]
        return Matching(
            pairs=tuple(pair for pair in pairs if not pair.desired.is_unmanaged),
            left_alone=tuple(pair for pair in pairs if pair.desired.is_unmanaged),
            unmanaged=tuple(self._unmatched.values()),
            diagnostics=tuple(self._diagnostics),
            leftovers=self._leftovers(),
            missing=tuple(self._missing),
        )

    def _leftovers(self) -> Mapping[str, DesiredConnection]:
        """Return what interrupted creates left beside the connections that were made in their place."""
        made = {
            desired.connection.display_name: desired
            for desired in self._declared
            if (live := self._matched.get(desired.address.connection))
            and live.display_name == desired.connection.display_name
            and not live.is_unconfigured
            and desired.is_present
        }
        return {
            connection_id: made[connection.display_name]
            for connection_id, connection in self._unmatched.items()
            if connection.is_unconfigured and connection.display_name in made
        }

    def _undecided(self) -> list[DesiredConnection]:
        return [desired for desired in self._declared if desired.address.connection not in self._decided]

    def _check_absent(self, desired: DesiredConnection, present: Candidates, previous: Candidates) -> None:
        """Report a declared delete that would go on, once done, to another connection by an old name."""
        key = desired.address.connection
        if not desired.is_absent or key in self._decided or not present[key]:
            return
        claimed = {connection_id for ids in present.values() for connection_id in ids}
        later = [connection_id for connection_id in previous[key] if connection_id not in claimed]
        if later:
            self._report(desired, "ambiguous-match", *_ambiguous(desired, present[key] + later))

    def _candidates(self, names_of: NamesOf) -> Candidates:
        by_name = defaultdict(list)
        for connection_id, connection in self._unmatched.items():
            by_name[connection.display_name].append(connection_id)
        return {
            desired.address.connection: [
                connection_id
                for name in dict.fromkeys(names_of(desired))
                for connection_id in self._without_leftovers(desired, by_name.get(name, ()))
            ]
            for desired in self._undecided()
        }

    def _without_leftovers(self, desired: DesiredConnection, same_name_ids: Sequence[str]) -> Sequence[str]:
        """Return the configured connections of one name; the untouched ones only if there are no others.

        Not for a delete, whose next run would go on to the leftovers.
        """
        configured = [
            connection_id
            for connection_id in same_name_ids
            if not desired.is_absent and not self._unmatched[connection_id].is_unconfigured
        ]
        return configured or same_name_ids

    def _possible_rename(self, declared: OidcConnection) -> OidcConnection | None:
        if not declared.issuer or not declared.client_id:
            return None
        same_client = (
            live
            for live in self._unmatched.values()
            if live.issuer == declared.issuer and live.client_id == declared.client_id
        )
        return min(same_client, key=lambda live: live.connection_id or "", default=None)

    def _match(self, desired: DesiredConnection, connection_id: str) -> None:
        self._decided.add(desired.address.connection)
        self._matched[desired.address.connection] = self._unmatched.pop(connection_id)

    def _report(self, desired: DesiredConnection, code: Code, summary: str, detail: str) -> None:
        self._decided.add(desired.address.connection)
        address, location = str(desired.address), desired.location
        self._diagnostics.append(
            Diagnostic(Severity.ERROR, code, summary, detail=detail, address=address, location=location)
        )


def _present_name(desired: DesiredConnection) -> tuple[str, ...]:
    return (desired.connection.display_name or "",)


def _previous_names(desired: DesiredConnection) -> tuple[str, ...]:
    present = desired.connection.display_name
    return tuple(name for name in desired.previous_display_names if name != present)


def _exchanged_names(first: DesiredConnection, second: DesiredConnection) -> bool:
    """Whether the present name of each is a previous name of the other."""
    names = (first.connection.display_name, second.connection.display_name)
    return names[0] in _previous_names(second) and names[1] in _previous_names(first)


def _claims(rival: DesiredConnection, present: Candidates, previous: Candidates) -> list[str]:
    """Return what another declaration claims by a previous name, if nothing has its present name.

    A declared delete is no rival: if it finds nothing, nothing is deleted.
    """
    key = rival.address.connection
    return [] if rival.is_absent or present[key] else previous[key]


def _pin_not_live(desired: DesiredConnection, pin: str, live: LiveOrganization) -> tuple[str, str]:
    kinds = {connection.connection_id: connection.kind for connection in live.other_connections}
    if pin in kinds:
        return (
            f"{desired.address} is pinned to a {kinds[pin]} connection, which is never touched",
            f"correct or remove the line `connection_id: {pin}`",
        )
    return (
        f"{desired.address} is pinned to {pin}, which organization "
        f"{live.organization.organization_id} does not have",
        "if it was deleted, remove the line `connection_id:` to create it again (with a new id and "
        "redirect_url); if it is another connection's id, correct it",
    )


def _ambiguous(desired: DesiredConnection, ids: Sequence[str]) -> tuple[str, str]:
    return (
        f"{desired.address} matches {len(ids)} live connections: {', '.join(sorted(ids))}",
        "add the line `connection_id:` with the id of the right one",
    )


def _claimed_twice(desired: DesiredConnection, ids: Sequence[str], keys: Sequence[str]) -> tuple[str, str]:
    others = ", ".join(sorted(key for key in keys if key != desired.address.connection))
    match = ids[0] if len(ids) == 1 else f"the name {quote_yaml(desired.connection.display_name)}"
    return (
        f"{desired.address} matches {match}, and so does {others}",
        "remove the name from all `previous_display_names` but one, or pin each connection_id",
    )


def _looks_renamed(desired: DesiredConnection, live: OidcConnection) -> tuple[str, str]:
    name = quote_yaml(live.display_name)
    return (
        f"{desired.address} is not live, but {live.connection_id} has the same issuer and client_id "
        f"under the name {name}: it looks renamed",
        f"if it is the same connection, add the line `connection_id: {live.connection_id}`, or "
        f"`previous_display_names: [{name}]`; if you want a second connection, "
        f"declare {live.connection_id} too",
    )


def leftover_line(connection_id: str, key: str) -> str:
    """Return the line of a manifest that deletes what an interrupted create of a connection left behind."""
    suffix = connection_id.rpartition("-")[2][-6:]
    return f"`{key}-leftover-{suffix}: {{connection_id: {connection_id}, state: absent}}`"


def quote_yaml(text: str | None) -> str:
    """Return a text as a double-quoted YAML scalar."""
    escaped = (text or "").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
