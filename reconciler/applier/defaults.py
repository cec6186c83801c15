"""Makes a connection the default of its organization, and reads the organization back to confirm it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.applier.errors import ConcurrentChange, DidNotConverge, WriteRefused
from reconciler.applier.preconditions import get_listed
from reconciler.core.errors import MalformedAnswer, RequestRejected, UnknownOutcome
from reconciler.core.operation import Stale, judge
from reconciler.providers.base import Recheck

if TYPE_CHECKING:
    from reconciler.applier.context import Progress, WriteContext
    from reconciler.core.change import DefaultChange
    from reconciler.core.connection import OidcConnection


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
