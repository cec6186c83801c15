"""The next batch is made while the last one is worked on, and never more than that."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import AccessDenied, Diagnostic, Severity, UsageError
from reconciler.core.planner import Choices
from reconciler.manifests import ManifestFile
from reconciler.secrets import ResolvedSecrets
from reconciler.workflow.gather import Declared
from reconciler.workflow.parallel import ahead, consume
from tests.performance.test_memory import Census, EverythingIsAsDeclared, files, planned, streamed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence

    from reconciler.core.errors import ProviderError
    from reconciler.core.state import LiveOrganization, Organization


class Making:
    """Makes numbers, each in two steps of the event loop, and keeps count of them."""

    def __init__(self, last: int, *, fails_after: int | None = None) -> None:
        self.last = last
        self.fails_after = fails_after
        self.begun = 0

    async def numbers(self) -> AsyncIterator[int]:
        for number in range(1, self.last + 1):
            if self.fails_after is not None and number > self.fails_after:
                raise UsageError("no more")
            self.begun = number
            await asyncio.sleep(0)
            yield number


def test_all_come_in_their_order() -> None:
    async def main() -> list[int]:
        return [number async for number in ahead(Making(5).numbers())]

    assert asyncio.run(main()) == [1, 2, 3, 4, 5]


def test_one_is_made_ahead_and_no_second_one() -> None:
    making = Making(5)

    async def main() -> list[tuple[int, int]]:
        seen = []
        async for number in ahead(making.numbers()):
            for _ in range(10):
                await asyncio.sleep(0)
            seen.append((number, making.begun))
        return seen

    assert asyncio.run(main()) == [(1, 2), (2, 3), (3, 4), (4, 5), (5, 5)]


def test_an_error_comes_after_what_was_made_before_it() -> None:
    async def main() -> None:
        numbers = ahead(Making(5, fails_after=2).numbers())
        assert [await anext(numbers), await anext(numbers)] == [1, 2]
        with pytest.raises(UsageError, match="no more"):
            await anext(numbers)

    asyncio.run(main())


async def twice(numbers: AsyncIterator[int]) -> AsyncIterator[int]:
    """Numbers made one step ahead of others that are made one step ahead."""

    async def passed_on() -> AsyncGenerator[int, None]:
        async with aclosing(ahead(numbers)) as made:
            async for number in made:
                await asyncio.sleep(0)
                yield number

    async with aclosing(passed_on()) as passing, aclosing(ahead(passing)) as passed:
        async for number in passed:
            yield number


@pytest.mark.parametrize("made_ahead", [ahead, twice])
def test_nothing_goes_on_when_the_work_fails(
    made_ahead: Callable[[AsyncIterator[int]], AsyncIterator[int]],
) -> None:
    """Warnings are errors here: a task that was forgotten would complain."""
    making = Making(1000)

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        if number == 3:
            raise UsageError("cannot")

    async def main() -> int:
        with pytest.raises(UsageError, match="cannot"):
            await consume(made_ahead(making.numbers()), work, concurrency=1)
        begun = making.begun
        for _ in range(10):
            await asyncio.sleep(0)
        assert making.begun == begun
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1


def test_an_error_that_nobody_waits_for_any_more_is_no_complaint(caplog: pytest.LogCaptureFixture) -> None:
    making = Making(5, fails_after=1)

    async def main() -> None:
        async with aclosing(ahead(making.numbers())) as numbers:
            assert await anext(numbers) == 1
            for _ in range(5):
                await asyncio.sleep(0)  # meanwhile the next one fails
        gc.collect()

    asyncio.run(main())
    assert caplog.records == []


def test_the_next_ones_are_searched_for_while_the_last_are_worked_on() -> None:
    searched: list[int] = []

    class Watched(EverythingIsAsDeclared):
        async def read_organization(self, organization: Organization) -> LiveOrganization:
            searched.append(self.searches)
            for _ in range(20):  # slower than the manifests are read
                await asyncio.sleep(0)
            return await super().read_organization(organization)

    planned(2_500, ahead=1_000, reader=Watched())
    assert 900 < searched.index(2) < 1_000
    assert 1_900 < searched.index(3) < 2_000


def test_all_that_were_foreseen_are_searched_for_at_once_with_the_first_one() -> None:
    declared = Declared(files(500, ahead=1_000), Choices(secrets={}), lambda _wanted: ResolvedSecrets({}))

    assert asyncio.run(sizes(declared)) == [1, 99, *[50] * 8]


def test_a_small_estate_is_read_before_anything_is_asked() -> None:
    """What is wrong in its last file is said without any request."""
    declared = Declared(files(49, ahead=1_000), Choices(secrets={}), lambda _wanted: ResolvedSecrets({}))
    assert asyncio.run(sizes(declared)) == [49]


async def sizes(declared: Declared) -> list[int]:
    return [len(batch.organizations) async for batch in declared.batches()]


class DeniedWhileSearching(EverythingIsAsDeclared):
    """A reader whose second search does not end, and whose lists are refused from then on."""

    def __init__(self) -> None:
        super().__init__()
        self.is_left = False

    async def find_organizations(
        self, references: Sequence[str]
    ) -> Mapping[str, Organization | ProviderError]:
        found = await super().find_organizations(references)
        if self.searches > 1:
            try:
                await asyncio.sleep(60)
            finally:
                self.is_left = True
        return found

    async def read_organization(self, organization: Organization) -> LiveOrganization:
        for _ in range(20):
            await asyncio.sleep(0)
        if self.searches > 1:
            raise AccessDenied("no more")
        return await super().read_organization(organization)


def test_a_denial_ends_a_search_that_is_under_way(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is asked through a client that is closed, and the event loop has nothing to complain of."""
    reader, choices = DeniedWhileSearching(), Choices(secrets={})
    declared = Declared(files(2_500, ahead=1_000), choices, lambda _wanted: ResolvedSecrets({}))

    async def main() -> int:
        with pytest.raises(AccessDenied, match="no more"):
            await streamed(declared, reader, choices, Census())
        assert reader.is_left
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1
    assert caplog.records == []


def test_findings_are_kept_although_the_reading_is_given_up() -> None:
    """A denial may come while others have their turn; what was read up to there is still to be told."""
    flaw = Diagnostic(Severity.ERROR, "flaw", "something is wrong")

    def broken() -> Iterator[ManifestFile]:
        yield from files(9)
        yield ManifestFile("b.yaml", "b.yaml", (), (flaw,))  # with this one others get their turn

    declared = Declared(broken(), Choices(secrets={}), lambda _wanted: ResolvedSecrets({}))
    reading = anext(declared.batches()).__await__()
    next(reading)
    assert declared.diagnostics == [flaw]
    with pytest.raises(asyncio.CancelledError):
        reading.throw(asyncio.CancelledError())
