"""A model of runs that create the same connection: every interleaving, over the real deciding functions.

Each request takes effect in one step, and between any two steps anything else may happen, so a run may be
frozen anywhere. A wait that ends is a jump in time: what other runs have read before is old by then, and
their next write reads first. The model assumes that a request which was sent takes effect before another
run's whole wait is over. A run may die at any point; a request under way is then either done or not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create
from reconciler.core.operation import AlreadyDone, Proceed, Undecided, judge
from reconciler.core.secret import Secret
from reconciler.core.withdrawal import (
    Conflict,
    Keep,
    Leave,
    OwnConnection,
    Withdraw,
    decide_after_update,
    decide_before_update,
)
from tests.support.values import declared, live, live_connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.core.state import LiveOrganization
    from reconciler.core.withdrawal import Decision

_DECLARED: Final = declared("okta", identity_provider="okta", issuer="https://a.example", client_id="a")
_CHANGE: Final = Create(
    address=_DECLARED.address, organization_id="organization-test-1", declared=_DECLARED.connection
)
Server = tuple[tuple[bool, ...], int]
"""Whether each connection is configured, in the order of the ids; and the number of the default, or -1."""


@dataclass(frozen=True, slots=True, order=True)
class Run:
    """One run. ``step`` is what it does next; ``own`` the number of its connection, -1 without one.

    ``created`` are the numbers of those that its POSTs made. ``is_fresh``: its reading is not old.
    ``is_written``: it has sent its PUT. ``waits``: its last decision was to wait, and ``has_waited``
    that the wait is over; ``awaited`` is the number of the pending one that it waits for, or -1.
    ``saw`` is how many connections there were when it failed because more than one stay.
    """

    step: str = "read"
    own: int = -1
    can_withdraw: bool = False
    created: frozenset[int] = frozenset()
    posts: int = 0
    is_fresh: bool = False
    is_written: bool = False
    waits: bool = False
    has_waited: bool = False
    awaited: int = -1
    saw: int = 0

    @property
    def is_alive(self) -> bool:
        return self.step not in {"done", "failed", "dead"}

    @property
    def died_after_update(self) -> bool:
        """Whether it was killed after its PUT and before the end of its wait: the case that remains."""
        return self.step == "dead" and self.is_written


@dataclass(frozen=True, slots=True)
class State:
    """The server and all runs; ``kills`` are left."""

    server: Server
    runs: tuple[Run, ...]
    kills: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What may happen.

    ``has_default``: the first configured connection becomes the default, which cannot be deleted while
    there are others. ``is_timely``: no run is frozen for as long as another one's wait, so a wait ends
    only when all others have ended, died, or wait themselves.
    """

    has_default: bool = False
    is_timely: bool = False


def explore(runs: int, kills: int, rules: Rules, *, posts: int = 2) -> Iterator[State]:
    """Yield every state in which all runs have ended; a run sends ``posts`` creates at most."""
    first = State(((), -1), (Run(),) * runs, kills)
    seen, todo = {first}, [first]
    while todo:
        state = todo.pop()
        following = list(_following(state, rules, posts))
        if not any(run.is_alive for run in state.runs):
            yield state
        for later in following:
            if later not in seen:
                seen.add(later)
                todo.append(later)


def _following(state: State, rules: Rules, posts: int) -> Iterator[State]:
    for number, run in enumerate(state.runs):
        if not run.is_alive:
            continue
        if state.kills:
            yield _with(state, number, replace(run, step="dead", is_fresh=False), kills=state.kills - 1)
        if run.waits and not run.has_waited and (not rules.is_timely or _is_due(state, run, rules)):
            yield _time_passes(state, number)
        if run.is_fresh and run.step != "compare":
            yield _with(state, number, replace(run, is_fresh=False))  # it was frozen
        yield from _act(state, number, rules, posts)


def _is_due(state: State, waiting: Run, rules: Rules) -> bool:
    """Whether a wait may end: all others wait as well; who cannot withdraw waits the longest."""
    return all(
        run.waits
        and list(_act(state, number, rules, 0)) == [state]
        and (waiting.can_withdraw or not run.can_withdraw)
        for number, run in enumerate(state.runs)
        if run.is_alive
    )


def _act(state: State, number: int, rules: Rules, posts: int) -> Iterator[State]:
    run = state.runs[number]
    if run.step == "read":
        yield _with(state, number, _judged(run, _live(state.server)))
    elif run.step == "compare":
        yield _with(state, number, _compared(run, _live(state.server)))
    elif not run.is_fresh:
        yield _with(state, number, _reread(run, _live(state.server)))
    elif run.step == "post":
        yield from _post(state, number, posts)
    elif run.step == "put":
        yield _put(state, number, rules)
    else:
        yield _withdraw(state, number, rules)


def _judged(run: Run, organization: LiveOrganization) -> Run:
    """What `ConnectionCreator.create` does with a reading before anything is its own."""
    run = replace(run, own=-1, can_withdraw=False, is_written=False, waits=False)
    match judge(_CHANGE, organization, {}):
        case AlreadyDone():
            return replace(run, step="done", is_fresh=False)
        case Proceed(None):
            return replace(run, step="post", is_fresh=True, has_waited=False)
        case Undecided() if not run.has_waited:
            return replace(run, step="read", waits=True, is_fresh=False)
        case Proceed(connection_id) if not run.has_waited or run.awaited != _number(connection_id):
            awaited = _number(connection_id)
            return replace(run, step="read", waits=True, has_waited=False, awaited=awaited, is_fresh=False)
        case Proceed(connection_id):
            own = _number(connection_id)
            can_withdraw = own in run.created
            return replace(
                run, step="put", own=own, can_withdraw=can_withdraw, is_fresh=True, has_waited=False
            )
        case _:
            return replace(run, step="failed", is_fresh=False, saw=len(organization.connections))


def _compared(run: Run, organization: LiveOrganization) -> Run:
    own = OwnConnection(connection_id=_id(run.own), can_withdraw=run.can_withdraw)
    decision = decide_after_update(_CHANGE, organization, own, {}, is_last=run.has_waited)
    return _decided(run, decision, organization)


def _reread(run: Run, organization: LiveOrganization) -> Run:
    """What the rechecks do before a write that is late."""
    if run.step == "post":
        return _judged(run, organization)
    own = OwnConnection(connection_id=_id(run.own), can_withdraw=run.can_withdraw)
    if run.is_written:
        decision = decide_after_update(_CHANGE, organization, own, {}, is_last=run.has_waited)
    else:
        decision = decide_before_update(_CHANGE, organization, own, {})
    if run.step == "withdraw" and not isinstance(decision, Withdraw):
        return replace(run, step="compare", is_fresh=False)
    if isinstance(decision, Keep):
        return replace(run, is_fresh=True)
    return _decided(run, decision, organization)


def _decided(run: Run, decision: Decision, organization: LiveOrganization) -> Run:
    match decision:
        case Keep():
            return replace(run, step="done", waits=False, is_fresh=False)
        case Withdraw():
            return replace(run, step="withdraw", waits=False, is_fresh=True)
        case Leave():
            return _judged(run, organization)
        case Conflict():
            saw = len(organization.connections)
            return replace(run, step="failed", waits=False, is_fresh=False, saw=saw)
        case _:
            return replace(run, step="compare", waits=True, is_fresh=False)


def _post(state: State, number: int, posts: int) -> Iterator[State]:
    """A new connection, whose id may stand anywhere among those that are there."""
    run = state.runs[number]
    if run.posts == posts:
        yield _with(state, number, replace(run, step="failed", is_fresh=False))
        return
    configured, default = state.server
    for place in range(len(configured) + 1):
        server = ((*configured[:place], False, *configured[place:]), default + (default >= place))
        runs = [_shifted(other, partial(_moved, place)) for other in state.runs]
        created = runs[number].created | {place}
        runs[number] = replace(
            runs[number], step="put", own=place, can_withdraw=True, created=created, posts=run.posts + 1
        )
        yield _state(server, runs, state.kills)


def _put(state: State, number: int, rules: Rules) -> State:
    run = state.runs[number]
    if run.own < 0:  # what it adopted is gone
        return _with(state, number, _judged(run, _live(state.server)))
    configured, default = state.server
    configured = (*configured[: run.own], True, *configured[run.own + 1 :])
    default = run.own if rules.has_default and default < 0 else default
    runs = list(state.runs)
    runs[number] = replace(run, step="compare", is_written=True, is_fresh=False, has_waited=False)
    return _state((configured, default), runs, state.kills)


def _withdraw(state: State, number: int, rules: Rules) -> State:
    run, (configured, default) = state.runs[number], state.server
    assert run.own in run.created, "a run withdraws only what its own POST answered with"
    if rules.has_default and run.own == default and len(configured) > 1:
        refused = replace(run, step="compare", can_withdraw=False, has_waited=False, is_fresh=False)
        created = run.created - {run.own}  # never tried again
        return _with(state, number, replace(refused, created=created))
    gone = run.own
    server = ((*configured[:gone], *configured[gone + 1 :]), _without(default, gone))
    runs = [_shifted(other, lambda own: _without(own, gone)) for other in state.runs]
    runs[number] = replace(runs[number], step="read", is_written=False, is_fresh=False, has_waited=False)
    return _state(server, runs, state.kills)


def _moved(place: int, number: int) -> int:
    """Return the number of what stood before a new connection came to ``place``."""
    return number + (number >= place)


def _without(number: int, gone: int) -> int:
    return -1 if number == gone else number - (number > gone)


def _shifted(run: Run, place: Callable[[int], int]) -> Run:
    created = frozenset(place(number) for number in run.created) - {-1}
    own, awaited = (place(number) if number >= 0 else -1 for number in (run.own, run.awaited))
    return replace(run, own=own, awaited=awaited, created=created)


def _time_passes(state: State, number: int) -> State:
    """A run's whole wait is over: what the others have read is old."""
    runs = [replace(run, is_fresh=False) for run in state.runs]
    runs[number] = replace(runs[number], has_waited=True)
    return _state(state.server, runs, state.kills)


def _with(state: State, number: int, run: Run, kills: int | None = None) -> State:
    runs = (*state.runs[:number], run, *state.runs[number + 1 :])
    return _state(state.server, runs, state.kills if kills is None else kills)


def _state(server: Server, runs: list[Run] | tuple[Run, ...], kills: int) -> State:
    """Runs are alike, so their order does not matter."""
    return State(server, tuple(sorted(runs, key=_order)), kills)


def _order(run: Run) -> tuple[object, ...]:
    return (
        run.step,
        run.own,
        sorted(run.created),
        run.posts,
        run.can_withdraw,
        run.is_fresh,
        run.is_written,
        run.waits,
        run.has_waited,
        run.awaited,
        run.saw,
    )


@cache
def _live(server: Server) -> LiveOrganization:
    configured, default = server
    connections = (
        live_connection(
            number,
            display_name="okta",
            connection_id=_id(number),
            status="active" if is_configured else "pending",
            client_secret=Secret(""),
            **({"identity_provider": "okta", "issuer": "https://a.example", "client_id": "a"})
            if is_configured
            else {},
        )
        for number, is_configured in enumerate(configured)
    )
    return live(*connections, default_connection_id=_id(default) if default >= 0 else "")


def _id(number: int) -> str:
    return f"oidc-connection-test-{number:03}"


def _number(connection_id: str | None) -> int:
    return int((connection_id or "").rpartition("-")[2])
