"""Creates, updates and deletes one connection, and reads it back to confirm each write.

The problem: the API has no idempotency key and no conditional write, and a create takes two calls (a
POST with the name, then a PUT with everything else). Answers are lost, lists lag behind writes, and
other people and other runs write too. A naive retry creates the connection twice or overwrites
somebody's edit; no retry leaves it half done.

The rule:

- A write whose outcome is unknown is never simply sent again. The organization is read until the
  effect shows (`ReadBack`). A create whose connection appears adopts it; an update or delete whose
  effect shows is done. Only what is known to have had no effect is sent again, at most ``repeats``
  times.
- Before a write is sent again, or late, the connection must still be what this operation last saw
  (`preconditions`). Anything else is somebody's work: the operation stops, and nothing is overwritten.
- Every write is confirmed by a reading. A field that was sent and that the service stored differently
  is sent once more, then reported as "did not converge". A field that the service had confirmed, or
  that was not sent at all, was changed by somebody else; it is reported and left alone.

Why the next run can finish the job: a create that fails after its POST leaves an unconfigured
connection of the declared name, which the planner recognizes and completes. So in the end there is
one connection, and no update is lost. Where two runs create the same connection at the same time, one
of them withdraws its own (`reconciler.core.withdrawal`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.applier.creates import ConnectionCreator
from reconciler.applier.errors import ConcurrentChange, DidNotConverge, WriteRefused
from reconciler.applier.preconditions import check_still_planned, get_listed
from reconciler.applier.updates import ConnectionUpdater
from reconciler.core.change import Create, DefaultChange, Delete, Update
from reconciler.core.errors import ConnectionNotFound, MalformedAnswer, RequestRejected, UnknownOutcome
from reconciler.core.operation import Stale, judge
from reconciler.providers.base import Recheck

if TYPE_CHECKING:
    from reconciler.applier.context import Progress, WriteContext
    from reconciler.core.change import Change
    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import LiveOrganization


class ConnectionWriter:
    """Writes connections of one organization.

    Every method raises a `ProviderError` if the operation was refused, failed or did not converge;
    the progress it was given tells what had happened before.
    """

    def __init__(self, context: WriteContext) -> None:
        self._context = context
        self._updater = ConnectionUpdater(context)

    async def write(self, change: Change, progress: Progress, connection_id: str | None) -> OidcConnection:
        """Apply a change and return the connection as it is now, or as it was before it was deleted."""
        match change:
            case Create():
                creator = ConnectionCreator(self._context, self._updater, change, progress)
                return await creator.create(connection_id)
            case Update():
                return await self._updater.update(change, progress)
            case Delete():
                return await self.delete(change, progress)
            case DefaultChange():
                return await DefaultWriter(self._context).write(change, progress, connection_id or "")
            case _:
                assert_never(change)

    async def delete(self, change: Delete, progress: Progress) -> OidcConnection:
        """Delete a connection and wait until it is no longer listed; not existing is success.

        Only a delete without an answer is sent again, and only if the connection still exists.
        """
        connection_id = change.before.connection_id or ""
        for attempt in self._context.attempts:
            is_answered = await self._send_delete(change, attempt, progress)
            progress.live = await self._context.read_back.until_deleted(connection_id)
            if progress.live.connection(connection_id) is None:
                return change.before
            if is_answered:
                break
            lost = f"the response to the delete was lost, and {connection_id} is no longer what the plan saw"
            check_still_planned(change, progress.live, self._context.secrets, lost)
        raise DidNotConverge(
            f"did not converge: {connection_id} is still listed after it was deleted; the list lags, or the "
            "service has kept it: wait a while before planning again"
        )

    async def _send_delete(self, change: Delete, attempt: int, progress: Progress) -> bool:
        """Send a delete; return whether there was an answer."""

        def check(live: LiveOrganization) -> None:
            situation = "changed since the plan while the delete waited"
            check_still_planned(change, live, self._context.secrets, situation)

        try:
            await self._context.provider.delete_connection(
                change.organization_id,
                change.before.connection_id or "",
                recheck=self._context.recheck(progress.live.read_at, check),
            )
        except ConnectionNotFound:
            progress.history.append("it no longer existed")
        except RequestRejected as error:
            raise WriteRefused("to delete it", error) from error
        except (UnknownOutcome, MalformedAnswer) as error:
            progress.history.append(f"the response to delete {attempt} was lost: {error}")
            return False
        return True


class DefaultWriter:
    """Sets the default connection of one organization."""

    def __init__(self, context: WriteContext) -> None:
        self._context = context

    async def write(self, change: DefaultChange, progress: Progress, connection_id: str) -> OidcConnection:
        """Send the id until the organization has it as its default, and return the connection.

        Only a write without an answer is sent again, and only if the default is still what the plan saw.
        """
        for attempt in self._context.attempts:
            is_answered = await self._send(change, attempt, progress, connection_id)
            progress.live = await self._context.read_back.until_default(connection_id)
            if progress.live.organization.default_connection_id == connection_id:
                return get_listed(progress.live, connection_id)
            if is_answered:
                break
            self._check(change, progress)
        raise DidNotConverge(
            f"did not converge: the default connection is "
            f"{progress.live.organization.default_connection_id or 'none'}, not {connection_id}, although it "
            "was sent; the organization lags, or the service has not kept it: wait before planning again"
        )

    async def _send(
        self, change: DefaultChange, attempt: int, progress: Progress, connection_id: str
    ) -> bool:
        """Send the id; return whether there was an answer."""

        async def read_again() -> float:
            progress.live = await self._context.read_back.with_organization(
                await self._context.read_back.once()
            )
            self._check(change, progress)
            return progress.live.read_at

        try:
            await self._context.provider.set_default_connection(
                change.organization_id, connection_id, recheck=Recheck(progress.live.read_at, read_again)
            )
        except RequestRejected as error:
            raise WriteRefused("the default connection", error) from error
        except (UnknownOutcome, MalformedAnswer) as error:
            progress.history.append(f"the response to update {attempt} was lost: {error}")
            return False
        return True

    def _check(self, change: DefaultChange, progress: Progress) -> None:
        verdict = judge(change, progress.live, self._context.secrets)
        if isinstance(verdict, Stale):
            raise ConcurrentChange(
                f"changed since the plan: {verdict.reason}; nothing was overwritten, plan again"
            )
