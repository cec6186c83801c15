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
- Before a write is sent again, or after it had to wait for the rate limit, the connection must still
  be what this operation last saw (`preconditions`). Anything else is somebody's work: the operation
  stops, and nothing is overwritten.
- Every write is confirmed by a reading. A field that was sent and that the service stored differently
  is sent once more, then reported as "did not converge". A field that the service had confirmed, or
  that was not sent at all, was changed by somebody else; it is reported and left alone.

Why the next run can finish the job: a create that fails after its POST leaves an unconfigured
connection of the declared name, which the planner recognizes and completes. So in the end there is
one connection, and no update is lost. The one exception is named as such: two simultaneous creates of
the same name, which the API has no way to exclude, are both reported by `check_duplicates`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from reconciler.applier.errors import (
    ConcurrentChange,
    DidNotConverge,
    WriteRefused,
    changed_concurrently,
    did_not_converge,
    kept_urls,
    still_pending,
)
from reconciler.applier.preconditions import (
    check_duplicates,
    check_no_effect,
    check_not_configured,
    check_not_created,
    check_still_planned,
    check_unchanged,
    get_listed,
)
from reconciler.core.change import Create, Delete, Update
from reconciler.core.connection import Status
from reconciler.core.diff import changed_fields, uncomparable_fields
from reconciler.core.errors import (
    ConnectionNotFound,
    MalformedAnswer,
    ProviderError,
    RequestRejected,
    TimedOut,
    UnknownOutcome,
)
from reconciler.core.operation import values_to_send, with_secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.applier.read_back import ReadBack
    from reconciler.core.change import Change
    from reconciler.core.connection import OidcConnection
    from reconciler.core.diff import Secrets
    from reconciler.core.state import LiveOrganization
    from reconciler.providers.base import Provider


@dataclass(slots=True)
class Progress:
    """How far an operation has come; it is read also if the operation fails.

    ``live`` is the latest reading. ``history`` lists what went wrong on the way and how it was
    handled. ``unfinished_id`` is the connection that a create has made but not completed. ``sent``
    are the fields that were sent, and ``is_repeated`` tells whether an update was sent again.
    """

    live: LiveOrganization
    warnings: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    unfinished_id: str = ""
    sent: set[str] = field(default_factory=set)
    is_repeated: bool = False


class ConnectionWriter:
    """Writes connections of one organization.

    Every method raises a `ProviderError` if the operation was refused, failed or did not converge;
    the progress it was given tells what had happened before.
    """

    def __init__(self, provider: Provider, read_back: ReadBack, secrets: Secrets, repeats: int) -> None:
        self._provider = provider
        self._read_back = read_back
        self._secrets = secrets
        self._attempts = range(1, repeats + 2)

    async def write(self, change: Change, progress: Progress, connection_id: str | None) -> OidcConnection:
        """Apply a change and return the connection as it is now, or as it was before it was deleted."""
        match change:
            case Create():
                return await self.create(change, progress, connection_id)
            case Update():
                return await self.update(change, progress)
            case Delete():
                return await self.delete(change, progress)
            case _:
                assert_never(change)

    async def create(self, change: Create, progress: Progress, pending_id: str | None) -> OidcConnection:
        """Create a connection in two calls, or complete the one that an interrupted create began."""
        known = {connection.connection_id or "" for connection in progress.live.connections}
        if pending_id is None:
            created = await self._begin(change, progress, known)
        else:
            created = get_listed(progress.live, pending_id)
            progress.history.append(f"completed {pending_id}, which an interrupted create left behind")
        progress.unfinished_id = created.connection_id or ""
        completed = await self._complete(change, created, progress)
        progress.unfinished_id = ""
        check_duplicates(progress.live, completed, known)
        return completed

    async def update(self, change: Update, progress: Progress) -> OidcConnection:
        """Send what differs, read back, correct once."""
        current = get_listed(progress.live, change.before.connection_id or "")
        rotated = [name for name in change.changed if name == "client_secret"]  # a mask hides a difference
        differing = changed_fields(change.declared, current, self._secrets)
        names = tuple(dict.fromkeys((*differing, *rotated)))
        written = await self._send_update(change, current, names, progress)
        confirmed = await self._confirm(change, written, progress)
        if warning := kept_urls(change.declared, change.before, confirmed):
            progress.warnings.append(warning)
        return confirmed

    async def delete(self, change: Delete, progress: Progress) -> OidcConnection:
        """Delete a connection and wait until it is no longer listed; not existing is success.

        Only a delete without an answer is sent again, and only if the connection still exists.
        """
        connection_id = change.before.connection_id or ""
        for attempt in self._attempts:
            is_answered = await self._send_delete(change, attempt, progress)
            progress.live = await self._read_back.until_deleted(connection_id)
            if progress.live.connection(connection_id) is None:
                return change.before
            if is_answered:
                break
            lost = f"the response to the delete was lost, and {connection_id} is no longer what the plan saw"
            check_still_planned(change, progress.live, self._secrets, lost)
        raise DidNotConverge(
            f"did not converge: {connection_id} is still listed after it was deleted; the list lags, or the "
            "service has kept it: wait a while before planning again"
        )

    async def _send_delete(self, change: Delete, attempt: int, progress: Progress) -> bool:
        """Send a delete; return whether there was an answer."""

        async def recheck() -> None:
            waited = "changed since the plan while the delete waited for the rate limit"
            check_still_planned(change, await self._read_back.once(), self._secrets, waited)

        try:
            await self._provider.delete_connection(
                change.organization_id, change.before.connection_id or "", recheck=recheck
            )
        except ConnectionNotFound:
            progress.history.append("it no longer existed")
        except RequestRejected as error:
            raise WriteRefused("to delete it", error) from error
        except (UnknownOutcome, MalformedAnswer) as error:
            progress.history.append(f"the response to delete {attempt} was lost: {error}")
            return False
        return True

    async def _begin(self, change: Create, progress: Progress, known: set[str]) -> OidcConnection:
        """Send the POST until a connection exists, and return it."""
        for attempt in self._attempts:
            try:
                return await self._send_create(change, known)
            except (UnknownOutcome, MalformedAnswer) as error:
                progress.history.append(f"the response to create {attempt} was lost: {error}")
                adopted = await self._adopt(change, progress, known, is_pending=isinstance(error, TimedOut))
            if adopted is not None:
                return adopted
            progress.history.append("no connection of that name appeared")
        raise DidNotConverge(
            f"no response to {len(self._attempts)} attempts to create it, and no connection of that name "
            "appeared; apply again later: if it was created after all, it will be resumed"
        )

    async def _send_create(self, change: Create, known: set[str]) -> OidcConnection:
        name = change.declared.display_name or ""
        provider = change.declared.identity_provider or ""

        async def recheck() -> None:
            check_not_created(await self._read_back.once(), name, known)

        try:
            return await self._provider.create_connection(
                change.organization_id, name, provider, recheck=recheck
            )
        except RequestRejected as error:
            raise WriteRefused("to create it", error) from error

    async def _adopt(
        self, change: Create, progress: Progress, known: set[str], *, is_pending: bool
    ) -> OidcConnection | None:
        """Adopt the one connection that appeared, unless somebody else has configured it."""
        name = change.declared.display_name or ""
        progress.live, created = await self._read_back.until_created(name, known, is_pending=is_pending)
        if not created:
            return None
        if len(created) > 1:
            ids = ", ".join(sorted(connection.connection_id or "" for connection in created))
            raise ConcurrentChange(
                f"{len(created)} new connections of that name appeared: {ids}; delete all but one, or pin "
                "the right one"
            )
        check_not_configured(change, created[0], self._secrets)
        progress.history.append(f"adopted {created[0].connection_id}")
        return created[0]

    async def _complete(self, change: Create, created: OidcConnection, progress: Progress) -> OidcConnection:
        """Send what the POST does not take, and confirm; a mask does not count as our secret."""
        names = (
            *changed_fields(change.declared, created, self._secrets),
            *uncomparable_fields(change.declared, created, self._secrets),
        )
        written = await self._send_update(change, created, names, progress) if names else created
        return await self._confirm(change, written, progress)

    async def _send_update(
        self, change: Create | Update, before: OidcConnection, names: Sequence[str], progress: Progress
    ) -> OidcConnection:
        """Send an update; if the outcome is unknown, read first, and repeat only if it had no effect."""
        values = with_secret(values_to_send(change.declared, names), self._secrets)
        progress.sent.update(values.declared_fields)
        connection_id, current = before.connection_id or "", before
        for attempt in self._attempts:
            progress.is_repeated |= attempt > 1
            try:
                return await self._put(change.organization_id, before, values, progress)
            except (UnknownOutcome, MalformedAnswer) as error:
                progress.history.append(f"the response to update {attempt} was lost: {error}")
            progress.live = await self._read_back.until_converged(
                connection_id, change.declared, self._secrets
            )
            current = get_listed(progress.live, connection_id)
            if not changed_fields(change.declared, current, self._secrets):
                return current
            check_no_effect(before, current)
        remaining = changed_fields(change.declared, current, self._secrets)
        after = f"with no response to {len(self._attempts)} attempts to update it; apply again later"
        raise DidNotConverge(did_not_converge(change.declared, current, remaining, after))

    async def _put(
        self, organization_id: str, before: OidcConnection, values: OidcConnection, progress: Progress
    ) -> OidcConnection:
        async def recheck() -> None:
            check_unchanged(before, await self._read_back.once())

        try:
            written = await self._provider.update_connection(
                organization_id, before.connection_id or "", values, recheck=recheck
            )
        except RequestRejected as error:
            raise WriteRefused(", ".join(values.declared_fields), error) from error
        if written.warning:
            progress.warnings.append(written.warning)
        return written.connection

    async def _confirm(
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
            written = await self._send_update(change, current, remaining, progress)
            current = await self._confirming_read(change, written, progress)
            remaining = changed_fields(declared, current, self._secrets)
        if remaining:
            after = "although it was sent twice" if progress.is_repeated else "after one correction"
            raise DidNotConverge(did_not_converge(declared, current, remaining, after))
        if current.status == Status.PENDING:
            progress.warnings.append(still_pending(current))
        return current

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
