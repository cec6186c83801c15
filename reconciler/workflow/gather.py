"""Reading what is declared a part at a time, so that an estate need not fit into memory."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

from reconciler.core.address import Address
from reconciler.core.errors import InvalidConfiguration, UsageError
from reconciler.core.shard import Share
from reconciler.policies import assess
from reconciler.policies.shared_client import Clients
from reconciler.secrets import wanted_by
from reconciler.workflow.finding import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

    from reconciler.core.change import Change
    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan import Plan
    from reconciler.core.planner import Choices
    from reconciler.core.secret import Secret, SecretReference
    from reconciler.core.shard import Shard
    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests import ManifestFile
    from reconciler.secrets import ResolvedSecrets, WantedSecret

    Resolve = Callable[[Iterable[WantedSecret]], ResolvedSecrets]

_FIRST_SIZES: Final = (50, 250)
"""Organizations in the first batches: few, so that reading live state begins at once. Any other has as
many as one search finds."""

_FIRST_FORESEEN: Final = (1, 99)
"""The same where many were foreseen: with the first one all others are searched for, at once, and the next
ones are read meanwhile. Batches end where what one search finds ends."""

_FORESEEN: Final = 50
"""Organizations in any other batch of such as were foreseen: few, since they are searched for before."""

_MOST_FORESEEN: Final = 10_000
"""Foreseen organizations that are remembered; any others come as a surprise, and cost nothing but time."""

_DONE_AT_ONCE: Final = 20
"""Files and connections that are read before others get their turn: some 3 ms of work."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some organizations in which something may change, and the secrets they need.

    Whoever plans an organization takes it out, so that it need not be kept any longer. ``foreseen``
    are organizations that it and later batches seem to hold, each told once.
    """

    organizations: deque[DesiredOrganization]
    secrets: Mapping[SecretReference, Secret] = field(default_factory=dict)
    foreseen: tuple[str, ...] = ()


class Declared:
    """What manifests declare, in batches; of a shard, only that shard's organizations.

    From the first error on nothing more is handed out, but everything is still checked, so that
    `complete` can name all findings at once.
    """

    def __init__(
        self,
        files: Iterable[ManifestFile],
        choices: Choices,
        resolve: Resolve,
        shard: Shard | None = None,
    ) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.organizations = 0
        self.connections = 0
        self._files = files
        self._choices = choices
        self._resolve = resolve
        self._unmatched = dict.fromkeys((*choices.targets, *choices.rotate))
        self._clients = Clients()
        self._shard = shard
        self._positions: dict[str, int] = {}
        self._file_count = self._files_read = self._aimed_count = 0
        self._is_selective = bool(choices.targets) or shard is not None
        self._foreseen: set[str] = set()
        self._untold: list[str] = []
        self._surprises = 0

    async def batches(self) -> AsyncIterator[Batch]:
        """Yield batches; every few files the event loop gets its turn."""
        waiting: list[DesiredOrganization] = []
        sizes, few = chain(_FIRST_SIZES, repeat(AT_ONCE)), chain(_FIRST_FORESEEN, repeat(_FORESEEN))
        surprised, foreseen, done = next(sizes), next(few), 0
        for file in self._files:
            self.diagnostics += file.diagnostics
            done += 1 + sum(len(one.connections) for one in file.organizations)
            if done >= _DONE_AT_ONCE:
                await _let_others_work()
                done = 0
            aimed = tuple(self._aimed_at(file.organizations))
            waiting += aimed
            self._count(file, len(aimed))
            self._foresee(file, aimed)
            while len(waiting) >= self._enough(surprised, foreseen):
                taken = surprised if self._surprises else AT_ONCE
                batch = self._batch(waiting[:taken])
                del waiting[:taken]
                self._surprises = len(waiting)
                surprised, foreseen = next(sizes), next(few)
                if batch is not None:
                    yield batch
        batch = self._batch(waiting)
        waiting.clear()
        if batch is not None:
            yield batch

    def check(self) -> None:
        """Read and check everything that was not handed out yet, where nothing can be planned anyway.

        Raises:
            InvalidConfiguration: something is wrong with a manifest, or a secret is missing.
        """
        for file in self._files:
            self.diagnostics += file.diagnostics
            self._secrets(tuple(self._aimed_at(file.organizations)))
        self.complete()

    def complete(self) -> None:
        """Say whether what was handed out is to be relied on.

        Raises:
            InvalidConfiguration: something is wrong with a manifest, or a secret is missing.
            UsageError: a target, or an address to rotate, means nothing that is declared.
        """
        if self.has_errors:
            raise InvalidConfiguration(tuple(self.diagnostics))
        for pattern in self._unmatched:
            raise UsageError(f"no declared connection matches {pattern!r}; addresses look like acme/okta")

    @property
    def expected(self) -> int:
        """How many organizations there will be, going by the files read so far; 0 if nobody knows."""
        if not self._files_read or not self._file_count:
            return 0
        return round(self._aimed_count / self._files_read * self._file_count)

    @property
    def has_errors(self) -> bool:
        """Whether anything found blocks."""
        return any(found.is_error for found in self.diagnostics)

    def of_this_share(self) -> tuple[Diagnostic, ...]:
        """Return what was found in the manifests, leaving to other shards what is theirs to tell."""
        return tuple(
            found
            for found in self.diagnostics
            if self._shard is None or self._shard.holds(found.address.partition("/")[0])
        )

    def risks(self, changes: Sequence[Change], severities: Mapping[str, str]) -> tuple[Diagnostic, ...]:
        """Return what is risky about changes, knowing all that is declared."""
        return assess(changes, severities, self._clients)

    def shared_out(self, plan: Plan) -> Plan:
        """Return the plan, with the warnings of the manifests in it, as that of this shard."""
        if self._shard is None:
            return plan
        shown = (
            *(change.address.organization for change in plan.changes),
            *(one.organization for one in plan.unmanaged),
            *(found.address.partition("/")[0] for found in plan.diagnostics),
        )
        positions = {name: self._positions[name] for name in dict.fromkeys(shown) if name in self._positions}
        remarks = len(self.of_this_share())
        return replace(plan, share=Share(shard=self._shard, positions=positions, remarks=remarks))

    def _count(self, file: ManifestFile, aimed: int) -> None:
        self._file_count += file.following
        self._files_read += file.path is not None
        self._aimed_count += aimed

    def _foresee(self, file: ManifestFile, aimed: Iterable[DesiredOrganization]) -> None:
        """Note who is coming, and count those among the waiting who were not foreseen.

        Of a selection nobody is foreseen: searching for organizations that are not planned would cost
        requests.
        """
        if not self._is_selective:
            told = file.foreseen[: _MOST_FORESEEN - len(self._foreseen)]
            self._untold += told
            self._foreseen.update(told)
        for one in aimed:
            if one.reference in self._foreseen:
                self._foreseen.remove(one.reference)
            else:
                self._surprises += 1

    def _enough(self, surprised: int, foreseen: int) -> int:
        """Return how many make a batch; of a small estate, which is read at once, nobody is asked before."""
        if self._surprises:
            return surprised
        return foreseen if len(self._foreseen) >= _FORESEEN else _FORESEEN

    def _batch(self, organizations: Iterable[DesiredOrganization]) -> Batch | None:
        part = deque(organizations)
        secrets = self._secrets(part)
        foreseen, self._untold = tuple(self._untold), []
        return Batch(part, secrets, foreseen) if part and not self.has_errors else None

    def _secrets(self, part: Iterable[DesiredOrganization]) -> Mapping[SecretReference, Secret]:
        if not self._choices.compares_secrets:
            return {}
        connections = (one for organization in part for one in organization.connections)
        resolved = self._resolve(
            wanted_by(one for one in connections if self._choices.is_targeted(one.address))
        )
        self.diagnostics += resolved.diagnostics
        return resolved.secrets

    def _aimed_at(self, organizations: tuple[DesiredOrganization, ...]) -> Iterable[DesiredOrganization]:
        for organization in organizations:
            self.organizations += 1
            self._clients.add(organization)
            self.connections += len(organization.connections)
            for pattern in [one for one in self._unmatched if _may_mean(one, organization)]:
                del self._unmatched[pattern]
            if self._shard is not None and self._shard.holds(organization.reference):
                self._positions[organization.reference] = self.organizations
        targets = self._choices.targets
        mine = organizations if self._shard is None else filter(self._is_mine, organizations)
        return mine if not targets else (one for one in mine if _is_target(one, targets))

    def _is_mine(self, organization: DesiredOrganization) -> bool:
        return organization.reference in self._positions


async def _let_others_work() -> None:
    """Give two turns of the event loop: in one an answer comes, in the next who waits for it goes on."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def _is_target(organization: DesiredOrganization, targets: tuple[str, ...]) -> bool:
    return any(_may_mean(target, organization) for target in targets)


def _may_mean(pattern: str, organization: DesiredOrganization) -> bool:
    if any(one.address.matches(pattern) for one in organization.connections):
        return True
    whole = pattern.partition("/")[0]
    return organization.prune and Address(organization.reference, "").matches(f"{whole}/*")
