"""Sends an update, reads it back, and corrects once what the service stored differently."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reconciler.applier.errors import (
    ConcurrentChange,
    DidNotConverge,
    WriteRefused,
    changed_concurrently,
    did_not_converge,
    kept_urls,
    still_pending,
)
from reconciler.applier.preconditions import check_no_effect, check_unchanged, get_listed
from reconciler.core.connection import Status
from reconciler.core.diff import changed_fields
from reconciler.core.errors import MalformedAnswer, ProviderError, RequestRejected, UnknownOutcome
from reconciler.core.operation import values_to_send, with_secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.applier.context import Progress, WriteContext
    from reconciler.core.change import Create, Update
    from reconciler.core.connection import OidcConnection
    from reconciler.providers.base import Recheck


class ConnectionUpdater:
    """Updates connections of one organization, for updates and for the second call of a create."""

    def __init__(self, context: WriteContext) -> None:
        self._context = context
        self._read_back = context.read_back
        self._secrets = context.secrets

    async def update(self, change: Update, progress: Progress) -> OidcConnection:
        """Send what differs, read back, correct once."""
        current = get_listed(progress.live, change.before.connection_id or "")
        rotated = [name for name in change.changed if name == "client_secret"]  # a mask hides a difference
        differing = changed_fields(change.declared, current, self._secrets)
        names = tuple(dict.fromkeys((*differing, *rotated)))
        recheck = self._unchanged(current, progress)
        written = await self.send(change, current, names, progress, recheck)
        confirmed = await self.confirm(change, written, progress)
        if warning := kept_urls(change.declared, change.before, confirmed):
            progress.warnings.append(warning)
        return confirmed

    async def send(
        self,
        change: Create | Update,
        before: OidcConnection,
        names: Sequence[str],
        progress: Progress,
        recheck: Recheck,
    ) -> OidcConnection:
        """Send an update; if the outcome is unknown, read first, and repeat only if it had no effect."""
        values = with_secret(values_to_send(change.declared, names), self._secrets)
        progress.sent.update(values.declared_fields)
        connection_id, current = before.connection_id or "", before
        for attempt in self._context.attempts:
            progress.is_repeated |= attempt > 1
            try:
                return await self._put(change.organization_id, connection_id, values, progress, recheck)
            except (UnknownOutcome, MalformedAnswer) as error:
                progress.history.append(f"the response to update {attempt} was lost: {error}")
            progress.live = await self._read_back.until_converged(
                connection_id, change.declared, self._secrets
            )
            current = get_listed(progress.live, connection_id)
            if not changed_fields(change.declared, current, self._secrets):
                return current
            check_no_effect(before, current)
            recheck.read_at = await recheck.read_again()  # another run may have finished meanwhile
        remaining = changed_fields(change.declared, current, self._secrets)
        after = f"with no response to {len(self._context.attempts)} attempts to update it; apply again later"
        raise DidNotConverge(did_not_converge(change.declared, current, remaining, after))

    async def confirm(
        self, change: Create | Update, written: OidcConnection, progress: Progress
    ) -> OidcConnection:
        """Read back, and correct once what the service stored differently from what it was sent.

        What had to be sent again already, because its answer was lost, has had its second chance.
        """
        declared = change.declared
        misstored = changed_fields(declared, written, self._secrets)
        current = await self._confirming_read(change, written, progress)
        remaining = changed_fields(declared, current, self._secrets)
        foreign = [name for name in remaining if name not in misstored or name not in progress.sent]
        if foreign:
            raise ConcurrentChange(changed_concurrently(declared, current, foreign))
        if remaining and not progress.is_repeated:
            progress.history.append(f"corrected {', '.join(remaining)}, which did not hold at first")
            written = await self.send(
                change, current, remaining, progress, self._unchanged(current, progress)
            )
            current = await self._confirming_read(change, written, progress)
            remaining = changed_fields(declared, current, self._secrets)
        if remaining:
            after = "although it was sent twice" if progress.is_repeated else "after one correction"
            raise DidNotConverge(did_not_converge(declared, current, remaining, after))
        if current.status == Status.PENDING:
            progress.warnings.append(still_pending(current))
        return current

    def _unchanged(self, before: OidcConnection, progress: Progress) -> Recheck:
        return self._context.recheck(progress.live.read_at, partial(check_unchanged, before))

    async def _put(
        self,
        organization_id: str,
        connection_id: str,
        values: OidcConnection,
        progress: Progress,
        recheck: Recheck,
    ) -> OidcConnection:
        try:
            written = await self._context.provider.update_connection(
                organization_id, connection_id, values, recheck=recheck
            )
        except RequestRejected as error:
            raise WriteRefused(", ".join(values.declared_fields), error) from error
        if written.warning:
            progress.warnings.append(written.warning)
        return written.connection

    async def _confirming_read(
        self, change: Create | Update, written: OidcConnection, progress: Progress
    ) -> OidcConnection:
        """Read the connection back; do not wait for a field that the answer itself shows to differ."""
        connection_id, declared = written.connection_id or "", change.declared
        try:
            if changed_fields(declared, written, self._secrets):
                progress.live = await self._read_back.once()
            else:
                progress.live = await self._read_back.until_converged(connection_id, declared, self._secrets)
        except ProviderError:
            progress.history.append(f"{connection_id} was written, but could not be read back")
            raise
        return get_listed(progress.live, connection_id)
