"""One operation: create, update or delete a connection, and see that it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.applier.settling import Settling, Unsettled
from reconciler.applier.surprises import (
    listed,
    refuse_if_altered,
    refuse_if_appeared,
    refuse_if_filled_in,
    refuse_if_interfered,
    refuse_if_moved_on,
    refuse_if_not_planned,
    report_twins,
)
from reconciler.applier.wording import (
    changed_meanwhile,
    did_not_converge,
    mixed_identity,
    refused,
    still_pending,
)
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
    from collections.abc import Mapping, Sequence

    from reconciler.core.change import Create, Delete, Update
    from reconciler.core.connection import OidcConnection
    from reconciler.core.secret import Secret, SecretReference
    from reconciler.core.state import LiveOrganization
    from reconciler.providers.base import Provider


@dataclass(slots=True)
class Effect:
    """What an operation led to."""

    live: LiveOrganization
    connection: OidcConnection
    warnings: list[str] = field(default_factory=list)


class Writing:
    """One operation on one organization.

    ``receipt`` tells, also where the operation failed, what did not go straight.
    """

    def __init__(
        self,
        provider: Provider,
        settling: Settling,
        secrets: Mapping[SecretReference, Secret],
        repeats: int,
    ) -> None:
        self._provider = provider
        self._settling = settling
        self._secrets = secrets
        self._repeats = repeats
        self._sent: set[str] = set()
        self._is_repeated = False
        self.receipt: list[str] = []

    async def create(self, change: Create, live: LiveOrganization, pending_id: str | None) -> Effect:
        """Create a connection in two calls, or complete the one that was begun.

        Raises:
            ProviderError: it was refused, failed or did not converge; `Unsettled` says that reading
                did not tell what became of it.
        """
        known = {one.connection_id or "" for one in live.connections}
        if pending_id is None:
            effect = await self._begin(change, live, known)
        else:
            effect = Effect(live, listed(live, pending_id))
            self.receipt.append(f"completed {pending_id}, which an interrupted create left behind")
        try:
            await self._complete(change, effect)
        except ProviderError as error:
            error.message += f"; {effect.connection.connection_id} exists, and the next apply completes it"
            raise
        report_twins(effect.live, effect.connection, known)
        return effect

    async def update(self, change: Update, live: LiveOrganization) -> Effect:
        """Send what differs, read back, correct once.

        Raises:
            ProviderError: it was refused, failed or did not converge.
        """
        effect = Effect(live, listed(live, change.before.connection_id or ""))
        remaining = changed_fields(change.declared, effect.connection, self._secrets)
        missing = tuple(dict.fromkeys((*remaining, *_blind(change))))
        await self._update(change.organization_id, change.declared, missing, effect)
        await self._confirm(change.organization_id, change.declared, effect)
        if mixed := mixed_identity(change.declared, change.before, effect.connection):
            effect.warnings.append(mixed)
        return effect

    async def delete(self, change: Delete, live: LiveOrganization) -> Effect:
        """Delete a connection and see that it is gone; being gone already is success.

        Only what got no answer is sent again, and only if the connection is still there.

        Raises:
            ProviderError: it was refused, failed or is still there.
        """
        connection_id = change.before.connection_id or ""
        effect = Effect(live, change.before)
        for attempt in range(self._repeats + 1):
            is_answered = await self._delete(change, connection_id, attempt)
            effect.live = await self._settling.until_gone(connection_id)
            if effect.live.connection(connection_id) is None:
                return effect
            if is_answered:
                break
            refuse_if_moved_on(change, effect.live, self._secrets)
        raise Unsettled(
            f"did not converge: {connection_id} is still listed after it was deleted; the list lags, or the "
            "service has kept it: wait a while before planning again"
        )

    async def _delete(self, change: Delete, connection_id: str, attempt: int) -> bool:
        """Send a delete; return whether there was an answer."""

        async def recheck() -> None:
            refuse_if_not_planned(change, await self._settling.once(), self._secrets)

        try:
            await self._provider.delete_connection(change.organization_id, connection_id, recheck=recheck)
        except ConnectionNotFound:
            self.receipt.append("it was gone already")
        except RequestRejected as error:
            error.message = refused("to delete it", error.message)
            raise
        except (UnknownOutcome, MalformedAnswer) as error:
            self.receipt.append(f"the answer to delete {attempt + 1} was lost: {error}")
            return False
        return True

    async def _begin(self, change: Create, live: LiveOrganization, known: set[str]) -> Effect:
        name = change.declared.display_name or ""
        provider = change.declared.identity_provider or ""

        async def recheck() -> None:
            refuse_if_appeared(await self._settling.once(), name, known)

        for attempt in range(self._repeats + 1):
            try:
                created = await self._provider.create_connection(
                    change.organization_id, name, provider, recheck=recheck
                )
            except RequestRejected as error:
                error.message = refused("to create it", error.message)
                raise
            except (UnknownOutcome, MalformedAnswer) as error:
                self.receipt.append(f"the answer to create {attempt + 1} was lost: {error}")
                effect = await self._adopt(change, known, is_under_way=isinstance(error, TimedOut))
                if effect is not None:
                    return effect
                self.receipt.append("no connection of that name appeared")
            else:
                return Effect(live, created)
        raise Unsettled(
            f"no answer to {self._repeats + 1} attempts to create it, and no connection of that name "
            "appeared; apply again later: what was created all the same will be resumed, not doubled"
        )

    async def _complete(self, change: Create, effect: Effect) -> None:
        """Send what a create call does not take, and confirm; a mask never stands for our secret."""
        declared, fresh = change.declared, effect.connection
        missing = (
            *changed_fields(declared, fresh, self._secrets),
            *uncomparable_fields(declared, fresh, self._secrets),
        )
        if missing:
            await self._update(change.organization_id, declared, missing, effect)
        await self._confirm(change.organization_id, declared, effect)

    async def _adopt(self, change: Create, known: set[str], *, is_under_way: bool) -> Effect | None:
        """Take over the one connection that appeared, unless somebody has filled it in otherwise."""
        name = change.declared.display_name or ""
        live, found = await self._settling.new_connections(name, known, is_under_way=is_under_way)
        if len(found) > 1:
            ids = ", ".join(sorted(one.connection_id or "" for one in found))
            raise Unsettled(
                f"{len(found)} new connections of that name appeared: {ids}; delete all but one, or pin "
                "the one that is meant"
            )
        if not found:
            return None
        refuse_if_filled_in(change, found[0], self._secrets)
        self.receipt.append(f"adopted {found[0].connection_id}")
        return Effect(live, found[0])

    async def _update(
        self,
        organization_id: str,
        declared: OidcConnection,
        missing: Sequence[str],
        effect: Effect,
    ) -> None:
        """Send an update; after an unknown outcome read first, and repeat only if it had no effect."""
        before = effect.connection
        connection_id = before.connection_id or ""
        values = with_secret(values_to_send(declared, missing), self._secrets)
        self._sent.update(values.declared_fields)

        async def recheck() -> None:
            refuse_if_interfered(before, await self._settling.once())

        for attempt in range(self._repeats + 1):
            self._is_repeated |= attempt > 0
            try:
                written = await self._provider.update_connection(
                    organization_id, connection_id, values, recheck=recheck
                )
            except RequestRejected as error:
                error.message = refused(", ".join(values.declared_fields), error.message)
                raise
            except (UnknownOutcome, MalformedAnswer) as error:
                self.receipt.append(f"the answer to update {attempt + 1} was lost: {error}")
                effect.live = await self._settling.until_it_holds(connection_id, declared, self._secrets)
                effect.connection = listed(effect.live, connection_id)
                if not changed_fields(declared, effect.connection, self._secrets):
                    return
                refuse_if_altered(before, effect.connection)
            else:
                effect.connection = written.connection
                if written.warning:
                    effect.warnings.append(written.warning)
                return
        remaining = changed_fields(declared, effect.connection, self._secrets)
        silence = f"with no answer to {self._repeats + 1} attempts to update it; apply again later"
        raise Unsettled(did_not_converge(declared, effect.connection, remaining, silence))

    async def _confirm(self, organization_id: str, declared: OidcConnection, effect: Effect) -> None:
        """Read back; what the service took otherwise than sent is sent once more, then reported.

        What had to be sent again already, its answer being lost, has had its second chance.

        What it had taken, or what was not sent at all, somebody else has changed meanwhile. That is
        left alone: it was in no plan.
        """
        mistaken = changed_fields(declared, effect.connection, self._secrets)
        remaining = await self._read_back(declared, effect)
        foreign = [name for name in remaining if name not in mistaken or name not in self._sent]
        if foreign:
            raise Unsettled(changed_meanwhile(declared, effect.connection, foreign))
        if remaining and not self._is_repeated:
            self.receipt.append(f"corrected {', '.join(remaining)}, which did not hold at first")
            await self._update(organization_id, declared, remaining, effect)
            remaining = await self._read_back(declared, effect)
        if remaining:
            tried = "although it was sent twice" if self._is_repeated else "after one correction"
            raise Unsettled(did_not_converge(declared, effect.connection, remaining, tried))
        if effect.connection.status == Status.PENDING:
            effect.warnings.append(still_pending(effect.connection))

    async def _read_back(self, declared: OidcConnection, effect: Effect) -> tuple[str, ...]:
        connection_id = effect.connection.connection_id or ""
        try:
            if changed_fields(declared, effect.connection, self._secrets):
                effect.live = await self._settling.once()  # the service itself says so: nothing to wait for
            else:
                effect.live = await self._settling.until_it_holds(connection_id, declared, self._secrets)
        except ProviderError:
            self.receipt.append(f"{connection_id} was written, but could not be read back")
            raise
        effect.connection = listed(effect.live, connection_id)
        return changed_fields(declared, effect.connection, self._secrets)


def _blind(change: Update) -> tuple[str, ...]:
    return tuple(name for name in change.changed if name == "client_secret")
