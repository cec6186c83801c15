"""Reading in parallel: bounded threads, a deadline for each call, and no more calls to a store that fails."""

from __future__ import annotations

import threading
import time

import pytest

from reconciler.core.errors import SecretUnavailable
from reconciler.secrets.store import THREADS, StoreUnavailable, import_library, read_each


def test_every_item_gets_its_result_in_order() -> None:
    results = read_each(range(100), lambda number: number * 2)
    assert list(results.items()) == [(number, number * 2) for number in range(100)]
    assert read_each([], lambda number: number) == {}


def test_no_more_than_a_few_calls_run_at_once() -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def read(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1
        return number

    read_each(range(50), read)
    assert 1 < most <= THREADS


def test_what_cannot_be_read_does_not_concern_the_others() -> None:
    def read(number: int) -> int:
        if number % 2:
            raise SecretUnavailable(f"no {number}")
        return number

    results = read_each(range(10), read)
    assert [isinstance(result, SecretUnavailable) for result in results.values()] == [False, True] * 5


def test_after_a_failure_of_the_store_nothing_more_is_asked() -> None:
    asked = []

    def read(number: int) -> int:
        asked.append(number)
        time.sleep(0.005)
        raise StoreUnavailable("sealed")

    results = read_each(range(1000), read)
    assert len(asked) < 100
    assert {str(result) for result in results.values()} == {"sealed"}


def test_a_call_that_hangs_is_given_up_with_all_that_wait_for_it() -> None:
    released = threading.Event()
    began = time.monotonic()
    results = read_each(range(1000), lambda _number: released.wait(30), seconds=0.05)
    assert time.monotonic() - began < 5
    released.set()
    assert {str(result) for result in results.values()} == {
        "the store did not answer within 0.05 seconds: check that it can be reached and is unlocked, and "
        "try again"
    }


def test_each_call_has_the_whole_deadline() -> None:
    results = read_each(range(THREADS * 3), lambda _number: threading.Event().wait(0.2), seconds=0.55)
    assert not [result for result in results.values() if isinstance(result, SecretUnavailable)]


def test_all_calls_together_have_a_deadline_too() -> None:
    """Each answer is in time, and the run would last for minutes all the same."""
    began = time.monotonic()
    results = read_each(range(1000), lambda _number: threading.Event().wait(0.2), total=0.5)
    assert time.monotonic() - began < 5
    texts = {str(result) for result in results.values()} - {"False"}
    assert texts == {
        "the store did not give all answers within 0.5 seconds: check that it can be reached and is "
        "unlocked, and try again"
    }
    assert False in results.values()


def test_a_defect_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        read_each([0], lambda number: 1 // number)


def test_a_missing_library_names_the_extra() -> None:
    with pytest.raises(
        SecretUnavailable, match=r"aws-sm needs an extra: pip install 'oidc-reconciler\[aws\]'"
    ):
        import_library("no_such_library", "aws-sm")
