"""Creates one connection, and withdraws it where another run has created the same one.

A create takes a POST with the name and a PUT with everything else. Each write rests on a reading; where
something of the declared name has come up since, the create is judged again, as if it began only now:
what another run has completed is the outcome, what one has begun is completed, and where nothing is left
the create begins anew. After the PUT, `reconciler.core.withdrawal` decides whether the connection stays.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Final

from reconciler.applier.errors import (
    ConcurrentChange,
    DidNotConverge,
    NotListed,
    Overtaken,
    WriteRefused,
    found_duplicates,
    left_behind,
)
from reconciler.applier.preconditions import check_not_configured, check_not_overtaken, get_listed
from reconciler.core.diff import changed_fields, uncomparable_fields
from reconciler.core.errors import (
    ConnectionNotFound,
    MalformedAnswer,
    RequestRejected,
    TimedOut,
    UnknownOutcome,
)
from reconciler.core.operation import AlreadyDone, Proceed, Stale
from reconciler.core.withdrawal import (
    Conflict,
    Keep,
    Leave,
    OwnConnection,
    Withdraw,
    decide_after_update,
    decide_before_update,
    find_duplicates,
)
from reconciler.providers.base import Recheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.applier.context import Progress, WriteContext
    from reconciler.applier.updates import ConnectionUpdater
    from reconciler.core.change import Create
    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import LiveOrganization
    from reconciler.core.withdrawal import Decision

    Decide = Callable[[LiveOrganization], Decision]

_MAX_CREATES: Final = 2
"""POSTs that were answered, in one create: who has withdrawn begins anew once."""

_MAX_ROUNDS: Final = 6
"""How often a create is judged again in all; each time another run has done something."""


class ConnectionCreator:
    """Carries out one create of one run."""

    def __init__(
        self, context: WriteContext, updater: ConnectionUpdater, change: Create, progress: Progress
    ) -> None:
        self._context = context
        self._read_back = context.read_back
        self._secrets = context.secrets
        self._updater = updater
        self._change = change
        self._progress = progress
        self._created: set[str] = set()
        self._refused: set[str] = set()
        self._is_lost = False
        self._lost_withdrawals = 0
        self._answered_at = inf

    async def create(self, pending_id: str | None) -> OidcConnection:
        """Create the connection, complete the pending one, or return what another run has created.

        Raises:
            ProviderError: it was refused, failed, did not converge, or there are two now.
        """
        for _ in range(_MAX_ROUNDS):
            completed = await self._try(pending_id)
            if completed is not None:
                return completed
            self._progress.unfinished_id = ""
            verdict, self._progress.live = await self._read_back.until_decided(
                self._change, self._progress.live, self._secrets
            )
            match verdict:
                case AlreadyDone(connection):
                    assert connection is not None
                    self._progress.is_superseded = True
                    return connection
                case Stale(reason):
                    raise ConcurrentChange(f"changed since the plan: {reason}")
                case Proceed(connection_id):
                    pending_id = connection_id
        raise ConcurrentChange("other runs create and withdraw it again and again; plan again")

    async def _try(self, pending_id: str | None) -> OidcConnection | None:
        """Create or complete it once; None if the create has to be judged again."""
        try:
            own, connection = await self._begin(pending_id)
        except Overtaken:
            return None
        self._progress.unfinished_id = own.connection_id
        is_written = True
        try:
            await self._complete(own, connection)
        except Overtaken:
            is_written = False
        except (NotListed, ConnectionNotFound):
            if not await self._is_taken_over(own):
                raise
            return None
        return await self._settle(own, is_written=is_written)

    async def _begin(self, pending_id: str | None) -> tuple[OwnConnection, OidcConnection]:
        """Return the connection to complete, and whether this run may withdraw it.

        Raises:
            Overtaken: nothing was created, since another run has created something.
        """
        if pending_id is not None:
            self._progress.history.append(
                f"adopted {pending_id}"
                if self._is_lost
                else f"completed {pending_id}, which an interrupted create left behind"
            )
            self._answered_at = self._progress.live.read_at
            pending = get_listed(self._progress.live, pending_id)
            can_withdraw = pending_id in self._created - self._refused
            return OwnConnection(connection_id=pending_id, can_withdraw=can_withdraw), pending
        if len(self._created) == _MAX_CREATES:
            raise ConcurrentChange(
                "created and withdrawn twice, since another run did the same; no connection of that name is "
                "left, plan again"
            )
        for attempt in self._context.attempts:
            try:
                created = await self._post()
            except (UnknownOutcome, MalformedAnswer) as error:
                self._progress.history.append(f"the response to create {attempt} was lost: {error}")
                await self._look_for_lost(is_pending=isinstance(error, TimedOut))
            else:
                return OwnConnection(connection_id=created.connection_id or "", can_withdraw=True), created
        raise DidNotConverge(
            f"no response to {len(self._context.attempts)} attempts to create it, and no connection of that "
            "name appeared; apply again later: if it was created after all, it will be resumed"
        )

    async def _post(self) -> OidcConnection:
        declared, progress = self._change.declared, self._progress

        def check(live: LiveOrganization) -> None:
            progress.live = live
            check_not_overtaken(self._change, self._secrets, live)

        recheck = self._context.recheck(progress.live.read_at, check)
        try:
            created = await self._context.provider.create_connection(
                self._change.organization_id,
                declared.display_name or "",
                declared.identity_provider or "",
                recheck=recheck,
            )
        except RequestRejected as error:
            raise WriteRefused("to create it", error) from error
        self._created.add(created.connection_id or "")
        self._answered_at = recheck.sent_at
        return created

    async def _look_for_lost(self, *, is_pending: bool) -> None:
        """Look for what a POST without an answer has created; return if there is nothing.

        Raises:
            Overtaken: something of the name has appeared; the create is judged again, and adopts it if
                nobody completes it meanwhile, since another run may have created it.
        """
        self._progress.live, created = await self._read_back.until_created(
            self._change, self._secrets, is_pending=is_pending
        )
        if len(created) == 1:
            check_not_configured(self._change, created[0], self._secrets)
        if created:
            self._is_lost = True
            raise Overtaken("a connection of that name appeared")
        self._progress.history.append("no connection of that name appeared")

    async def _complete(self, own: OwnConnection, connection: OidcConnection) -> None:
        """Send what the POST does not take, and confirm; a mask does not count as our secret.

        The PUT rests on the answer to the POST, as one create. Where it is late, it reads first.

        Raises:
            Overtaken: it was not sent, since the connection is not to stay, or is gone.
        """
        change, progress = self._change, self._progress

        def check(live: LiveOrganization) -> None:
            progress.live = live
            if not isinstance(decide_before_update(change, live, own, self._secrets), Keep):
                raise Overtaken("another run has created it")

        names = (
            *changed_fields(change.declared, connection, self._secrets),
            *uncomparable_fields(change.declared, connection, self._secrets),
        )
        written = connection
        if names:
            recheck = self._context.recheck(self._answered_at, check)
            written = await self._updater.send(change, connection, names, progress, recheck)
        await self._updater.confirm(change, written, progress)

    async def _is_taken_over(self, own: OwnConnection) -> bool:
        """Whether the run's own connection is gone, and may be replaced by another run's.

        What was adopted may have been withdrawn by the run that created it. What this run created and
        cannot see is not replaced: the list may lag.
        """
        self._progress.live = live = await self._read_back.once()
        if live.connection(own.connection_id) is not None:
            return False
        return not own.can_withdraw or bool(find_duplicates(self._change, live, self._secrets).complete)

    async def _settle(self, own: OwnConnection, *, is_written: bool) -> OidcConnection | None:
        """Read on while another run may withdraw; return the connection, or None if it is not to stay.

        None as well if it is not written yet, and may be after all: then the create is judged again.
        """
        waits = deque(self._read_back.rival_waits)
        decide = self._decider(own, is_written=is_written, is_last=False)
        decision = await self._decide(own, decide)
        while not isinstance(decision, Keep):
            if isinstance(decision, Leave):
                return None
            if isinstance(decision, Conflict):
                self._progress.unfinished_id = ""
                is_refused = own.connection_id in self._refused
                raise ConcurrentChange(found_duplicates(own.connection_id, decision, is_refused=is_refused))
            if isinstance(decision, Withdraw):
                if await self._withdraw(own, decision.preferred, decide):
                    return None
                if own.connection_id in self._refused and own.can_withdraw:
                    own = replace(own, can_withdraw=False)
                    waits.extend(self._read_back.rival_waits)
            elif not waits:
                get_listed(self._progress.live, own.connection_id)
            self._progress.live = await self._read_back.after(waits.popleft() if waits else 0.0)
            decide = self._decider(own, is_written=is_written, is_last=not waits)
            decision = await self._decide(own, decide)
        if not is_written:
            return None
        if decision.leftovers:
            self._progress.warnings.append(left_behind(decision.leftovers, self._change.address.connection))
        self._progress.unfinished_id = ""
        return get_listed(self._progress.live, own.connection_id)

    async def _decide(self, own: OwnConnection, decide: Decide) -> Decision:
        """Decide on the latest reading; if there is something to compare, read the organization as well."""
        live = self._progress.live
        if find_duplicates(self._change, live, self._secrets, own.connection_id).complete:
            self._progress.live = live = await self._read_back.with_organization(live)
        return decide(live)

    def _decider(self, own: OwnConnection, *, is_written: bool, is_last: bool) -> Decide:
        def decide(live: LiveOrganization) -> Decision:
            if is_written:
                return decide_after_update(self._change, live, own, self._secrets, is_last=is_last)
            return decide_before_update(self._change, live, own, self._secrets)

        return decide

    async def _withdraw(self, own: OwnConnection, preferred: str, decide: Decide) -> bool:
        """Delete the run's own connection; False if it is still there, and has to be compared again."""
        progress = self._progress

        async def read_again() -> float:
            progress.live = await self._read_back.once()
            if not isinstance(await self._decide(own, decide), Withdraw):
                raise Overtaken("the other run has withdrawn")
            return progress.live.read_at

        try:
            await self._context.provider.delete_connection(
                self._change.organization_id,
                own.connection_id,
                recheck=Recheck(progress.live.read_at, read_again),
            )
        except Overtaken:
            return False
        except ConnectionNotFound:
            progress.history.append(f"{own.connection_id} no longer existed")
        except RequestRejected as error:
            progress.history.append(f"the service refuses to delete {own.connection_id}: {error}")
            self._refused.add(own.connection_id)
            return False
        except (UnknownOutcome, MalformedAnswer) as error:
            progress.history.append(f"the response to the withdrawal was lost: {error}")
        progress.live = await self._read_back.until_deleted(own.connection_id)
        if progress.live.connection(own.connection_id) is not None:
            self._lost_withdrawals += 1
            if self._lost_withdrawals > self._context.repeats:
                raise DidNotConverge(
                    f"did not converge: {own.connection_id} is still listed after it was deleted"
                )
            return False
        progress.unfinished_id = ""
        progress.history.append(
            f"withdrew {own.connection_id}: another run created {preferred} of the same name at the same time"
        )
        return True
