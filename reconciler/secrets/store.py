"""The interface of secret backends, the access they are opened with, and parallel reads.

A backend is one module, named in `schemes.BACKENDS`, with a function ``open_store(access) -> Store``. A run
opens each store at most once, and reads the names of all references in one call, without their keys. An
entry or value that cannot be read is a `SecretUnavailable` in its place; an exception concerns all names.
Messages say what to do, name the place (`vault:sso`), and do not reveal whether a secret exists that access
is denied to. A store reads each name as it is written, because the allow lists have checked that spelling.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from importlib import import_module
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, TypeVar

from reconciler.core.errors import SecretUnavailable
from reconciler.core.secret import Secret
from reconciler.secrets.schemes import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from types import ModuleType

    from reconciler.core.secret import SecretReference
    from reconciler.secrets.policy import SecretPolicy

DocumentReader: TypeAlias = "Callable[[str], Mapping[str, str | None]]"
"""Returns the values of a YAML or JSON mapping, None for those that are not text; or raises ValueError."""

K = TypeVar("K")
V = TypeVar("V")

THREADS: Final = 8
SECONDS: Final = 10.0

TOTAL_SECONDS: Final = 60.0
SECONDS_AN_ITEM: Final = 0.1
"""The deadline for all calls, and what each item adds to it."""

_KINDS: Final = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}


@dataclass(frozen=True, slots=True)
class Entry:
    """The values under one name in a store, by key, and their expiry date.

    The key is "" in schemes without keys. A value that is not text is a `SecretUnavailable`. ``expires_on``
    is the unchecked text from the store; it should be YYYY-MM-DD.
    """

    values: Mapping[str, Secret | SecretUnavailable]
    expires_on: str = ""


Entries: TypeAlias = dict[str, dict[str, Entry | SecretUnavailable]]
"""The entry under each name, by scheme."""


class Store(Protocol):
    """An open store."""

    def read(self, names: Collection[str]) -> Mapping[str, Entry | SecretUnavailable]:
        """Return the entry under each name, or why it is unavailable.

        Raises:
            SecretUnavailable: nothing can be read, whatever its name.
        """


class StoreUnavailable(SecretUnavailable):
    """The store itself failed: `read_each` sends it no further requests."""


def _read_nothing(text: str) -> Mapping[str, str | None]:
    del text
    raise ValueError("no documents are read here")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeSettings:
    """The age settings of the project file: the identity of the tool, and the recipients of files."""

    identity: SecretReference | None = None
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretAccess:
    """The settings of stores. Addresses, tokens, regions and roles come only from ``environment``.

    ``seconds`` is the deadline for one answer of a store, ``read_document`` reads encrypted documents.
    ``logins`` is what stores keep during a run: some credentials are good for one login. ``entries`` is what
    the run has read already, by scheme and name.
    """

    policy: SecretPolicy
    environment: Mapping[str, str]
    age: AgeSettings = field(default_factory=AgeSettings)
    seconds: float = SECONDS
    read_document: DocumentReader = field(default=_read_nothing)
    logins: dict[str, Any] = field(default_factory=dict, repr=False)
    entries: Entries = field(default_factory=dict, repr=False, compare=False)

    def without_limits(self, outside_allow: tuple[str, ...] = ("/*",)) -> SecretAccess:
        """Return the access to the tool's own credentials, to which the limits for manifests do not apply.

        Files outside of the project have to match ``outside_allow``.
        """
        return replace(self, policy=replace(self.policy.without_limits(), outside_allow=outside_allow))


def import_library(name: str, scheme: str) -> ModuleType:
    """Return a library of an optional extra.

    Raises:
        SecretUnavailable: the extra is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError:
        extra = BACKENDS[scheme].extra
        raise SecretUnavailable(
            f"the scheme {scheme} needs an extra: pip install 'oidc-reconciler[{extra}]'"
        ) from None


def text_values(values: Mapping[str, object]) -> dict[str, Secret | SecretUnavailable]:
    """Return the values of a JSON object; values that are not text are unavailable."""
    return {key: _text_value(value) for key, value in values.items()}


def _text_value(value: object) -> Secret | SecretUnavailable:
    if isinstance(value, str):
        return Secret(value) if value else SecretUnavailable("the value is empty; store the secret there")
    kind = _KINDS.get(type(value), "null")
    return SecretUnavailable(f"the value is {kind}, and a secret is text: quote it when you store it")


def read_each(
    items: Iterable[K], read: Callable[[K], V], *, seconds: float = SECONDS, total: float | None = None
) -> dict[K, V | SecretUnavailable]:
    """Call ``read`` with each item, in at most `THREADS` threads; ``seconds`` is the deadline for each call.

    ``total`` is that for all calls, by default a minute, and more for many. What it raises as
    `SecretUnavailable` is the result for the item. After a `StoreUnavailable`, or a call that took too long,
    no call begins, and that is the result for every item that has none.
    """
    calls = {item: Future[V | SecretUnavailable]() for item in items}
    waiting = SimpleQueue[tuple[K, Future[V | SecretUnavailable]]]()
    for call in calls.items():
        waiting.put(call)
    for _ in range(min(THREADS, len(calls))):
        Thread(target=_work, args=(waiting, read), daemon=True).start()
    return _gather(calls, seconds, TOTAL_SECONDS + SECONDS_AN_ITEM * len(calls) if total is None else total)


def _work(waiting: SimpleQueue[tuple[K, Future[V | SecretUnavailable]]], read: Callable[[K], V]) -> None:
    while True:
        try:
            item, call = waiting.get_nowait()
        except Empty:
            return
        if call.set_running_or_notify_cancel():
            with _Answering(call):
                call.set_result(read(item))


@dataclass(frozen=True, slots=True)
class _Answering:
    """Passes exceptions of a call to its caller; an unavailable secret is the result of the call."""

    call: Future[Any]

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> bool:
        if isinstance(error, SecretUnavailable):
            self.call.set_result(error)
        elif error is not None:
            self.call.set_exception(error)
        return True


def _gather(
    calls: Mapping[K, Future[V | SecretUnavailable]], seconds: float, total: float
) -> dict[K, V | SecretUnavailable]:
    """Wait for the calls in the order in which they begin: each has begun when the one before it is done."""
    results: dict[K, V | SecretUnavailable] = {}
    failure: SecretUnavailable | None = None
    end = monotonic() + total
    for item, call in calls.items():
        if failure and call.cancel():
            results[item] = failure
            continue
        left = end - monotonic()
        try:
            result = call.result(timeout=0 if failure else max(min(seconds, left), 0))
        except TimeoutError:
            late = f"answer within {seconds:g}" if seconds < left else f"give all answers within {total:g}"
            result = failure or StoreUnavailable(
                f"the store did not {late} seconds: check that it can be reached and is unlocked, and try "
                "again"
            )
        if isinstance(result, StoreUnavailable):
            failure = failure or result
        results[item] = result
    return results
