"""The emulator's store: JSON objects in SQLite, their ids, and reads that lag behind writes."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from reconciler.emulator.errors import JsonObject

View = TypeVar("View")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS projects (
    project_id TEXT PRIMARY KEY, public_token TEXT NOT NULL UNIQUE, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS organizations (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, organization_id TEXT NOT NULL UNIQUE,
    project_id TEXT NOT NULL, slug TEXT NOT NULL, external_id TEXT, document TEXT NOT NULL,
    UNIQUE (project_id, slug), UNIQUE (project_id, external_id));
CREATE TABLE IF NOT EXISTS connections (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, connection_id TEXT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS connections_of_organization ON connections (organization_id);
CREATE TABLE IF NOT EXISTS members (
    member_id TEXT PRIMARY KEY, organization_id TEXT NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS members_of_organization ON members (organization_id);
CREATE TABLE IF NOT EXISTS sessions (
    session_token TEXT PRIMARY KEY, session_jwt TEXT UNIQUE, member_id TEXT NOT NULL, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tenants (name TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS discovery (issuer TEXT PRIMARY KEY, document TEXT NOT NULL);
"""

# table: (its key, its other columns taken from the document)
_TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "projects": ("project_id", ("public_token",)),
    "organizations": ("organization_id", ("project_id", "slug", "external_id")),
    "connections": ("connection_id", ("organization_id",)),
    "members": ("member_id", ("organization_id",)),
    "sessions": ("session_token", ("session_jwt", "member_id")),
    "tenants": ("name", ()),
    "discovery": ("issuer", ()),
}
# columns whose field in the document has another name
_FIELDS = {"slug": "organization_slug", "external_id": "organization_external_id"}


class StateError(ValueError):
    """A state file that cannot be used."""


class State:
    """The store, usable from any thread; a write outside `transaction` is its own transaction.

    Raises:
        StateError: `path` cannot be opened, or is not a state file.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        try:
            self._database = sqlite3.connect(
                path or ":memory:", isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise StateError(f"cannot open state '{path}': {error}") from error
        try:
            if path is not None:
                self._database.execute("PRAGMA journal_mode = WAL")
                self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self._database.close()
            raise StateError(f"cannot use state '{path}': {error}") from error

    def close(self) -> None:
        """Close the database; a state file keeps its contents."""
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all writes of the block or none; nested blocks join it, other threads wait."""
        with self._lock:
            if self._database.in_transaction:
                yield
                return
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def put(self, table: str, document: JsonObject) -> None:
        """Insert `document`, or replace the one with its key and keep its place in the order of creation."""
        key, columns = _TABLES[table]
        names = (key, *columns)
        values = [document.get(_FIELDS.get(name, name)) or None for name in names]
        assignments = ", ".join(f"{name} = excluded.{name}" for name in (*columns, "document"))
        marks = ", ".join("?" * (len(names) + 1))
        with self.transaction():
            self._database.execute(
                f"INSERT INTO {table} ({', '.join(names)}, document) VALUES ({marks}) "  # noqa: S608 -- names from _TABLES
                f"ON CONFLICT ({key}) DO UPDATE SET {assignments}",
                (*values, json.dumps(document)),
            )

    def get(self, table: str, key: str) -> JsonObject | None:
        """The document with this key."""
        return next(self.where(table, _TABLES[table][0], key), None)

    def where(self, table: str, column: str, *values: str) -> Iterator[JsonObject]:
        """Documents whose `column` equals one of `values`, in order of creation."""
        marks = ", ".join("?" * len(values))
        statement = f"SELECT document FROM {table} WHERE {column} IN ({marks}) ORDER BY rowid"  # noqa: S608 -- names from _TABLES
        return self._select(statement, values)

    def all(self, table: str) -> Iterator[JsonObject]:
        """Every document of a table, in order of creation."""
        return self._select(f"SELECT document FROM {table} ORDER BY rowid")  # noqa: S608 -- names from _TABLES

    def delete(self, table: str, key: str) -> None:
        """Remove the document with this key, if there is one."""
        with self.transaction():
            self._database.execute(f"DELETE FROM {table} WHERE {_TABLES[table][0]} = ?", (key,))  # noqa: S608 -- names from _TABLES

    def age(self) -> int:
        """Number of organizations and connections ever created; it only grows."""
        return int(self.rows("SELECT coalesce(sum(seq), 0) FROM sqlite_sequence")[0][0])

    def rows(self, statement: str, parameters: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of any other SELECT."""
        with self._lock:
            return self._database.execute(statement, tuple(parameters)).fetchall()

    def _select(self, statement: str, parameters: Iterable[object] = ()) -> Iterator[JsonObject]:
        return (json.loads(row[0]) for row in self.rows(statement, parameters))


class Identifiers:
    """Creates ids such as `oidc-connection-test-<uuid>`; the same `seed` gives the same sequence."""

    def __init__(self, seed: int | str | None = None) -> None:
        self._random = None if seed is None else random.Random(seed)  # noqa: S311 -- repeatable on purpose

    def new(self, kind: str, environment: str) -> str:
        """A new id of `kind`, for example `organization`, in `environment` (`test` or `live`)."""
        bits = None if self._random is None else self._random.getrandbits(128)
        number = uuid.uuid4() if bits is None else uuid.UUID(int=bits, version=4)
        return f"{kind}-{environment}-{number}"


@dataclass(slots=True)
class ReadLag:
    """For each key, the view before the last write and how many more reads return it."""

    _stale: dict[str, tuple[object, int]] = field(default_factory=dict)

    def remember(self, key: str, view: object, reads: int) -> None:
        """Return `view` from the next `reads` reads of `key`, or the older view that is still returned."""
        if reads > 0:
            oldest, _ = self._stale.get(key, (view, 0))
            self._stale[key] = oldest, reads

    def read(self, key: str, current: Callable[[], View]) -> View:
        """The stale view if there is one, otherwise the result of `current`."""
        if key not in self._stale:
            return current()
        view, reads_left = self._stale.pop(key)
        if reads_left > 1:
            self._stale[key] = view, reads_left - 1
        return cast("View", view)
