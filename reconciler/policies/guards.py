"""Finds guards that a change lowers: settings of the project file and of manifests that protect connections.

Each guard is one line of a table: where it is, its default, and what lowers it. The values are as YAML
has them, so that past versions, which need not be valid today, can be compared too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.plan import SIGN_IN_FIELDS
from reconciler.core.run_selection import Limits
from reconciler.core.secret import DEFAULT_ENV_ALLOW
from reconciler.policies.assess import GUARD_LOWERED, default_severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.core.approval import Approval
    from reconciler.core.errors import SourceLocation

    Path = tuple[str, ...]
    Lowered = Callable[[Any, Any], str]
    """Returns how a guard is lowered, in words after its name; nothing if it is not."""

_ANY: Final = "*"
_UNMANAGED: Final = "unmanaged"
_BLOCKS: Final = ("connections",)
_NOT_COMPARED: Final = "is no longer declared, and not compared any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One YAML document: its values, and where the key of a path is, or of its nearest ancestor."""

    values: Mapping[str, Any]
    locate: Callable[[Path], SourceLocation]

    def get(self, path: Path) -> object:
        """Return the value at a path, or None."""
        value: Any = self.values
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    def keys(self, path: Path) -> list[str]:
        """Return the keys of the mapping at a path; none if there is no mapping."""
        value = self.get(path)
        return list(value) if isinstance(value, dict) else []


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard. ``*`` in its path stands for every key; ``default`` may depend on the last key."""

    path: Path
    default: Any
    lowered: Lowered


def _from_to(before: object, now: object) -> str:
    return f"changes from {_text(before)} to {_text(now)}"


def _below(*order: str) -> Lowered:
    """Return what tells that a word comes earlier in the order than it did."""

    def lowered(before: object, now: object) -> str:
        words = [_word(before), _word(now)]
        ranks = [order.index(word) for word in words if word in order]
        is_lower = len(ranks) == len(words) and ranks[1] < ranks[0]
        return _from_to(*words) if is_lower else ""

    return lowered


def _raised(before: object, now: object) -> str:
    is_raised = isinstance(before, int | float) and isinstance(now, int | float) and now > before
    return _from_to(before, now) if is_raised else ""


def _becomes(value: object) -> Lowered:
    return lambda before, now: _from_to(before, now) if now == value != before else ""


def _changed(before: object, now: object) -> str:
    """Tell that a value differs; it may be a misplaced credential, so it is not shown."""
    return "changes" if before != now else ""


def _added(before: object, now: object) -> str:
    """Tell which globs or fields are listed that were not allowed before."""
    old, new = _list(before), _list(now)
    added = [item for item in new if not any(_covers(glob, item) for glob in old)]
    return f"adds {', '.join(map(_text, added))}" if added else ""


def _narrowing_removed(before: object, now: object) -> str:
    """Tell what is listed anew, or that there is no list any more, so that only the environment limits."""
    return _from_to(before, now) if now is None is not before else _added(before, now)


def _files_added(before: object, now: object) -> str:
    """Tell which globs of files are new; there a star matches no slash, so none is known to cover another."""
    added = [glob for glob in _list(now) if glob not in _list(before)]
    return f"adds {', '.join(map(_text, added))}" if added else ""


def _pin_removed(before: object, now: object) -> str:
    """Tell that a run would find another id in the pin than it did, or none."""
    old, new = _by_environment(before), _by_environment(now)
    is_kept = all(_chosen(old, key) in {None, _chosen(new, key)} for key in (*old, *new))
    return "" if is_kept else _from_to(before, now)


def _pin_added(before: object, now: object) -> str:
    """Tell that a pin names ids that it did not name, beside those that it keeps."""
    old, new = _by_environment(before).values(), _by_environment(now).values()
    is_added = not set(map(_text, new)) <= set(map(_text, old)) and not _pin_removed(before, now)
    return f"{_from_to(before, now)}: what it adds is left alone, too" if is_added else ""


_DISCOVERY: Final = _below("off", "report", "enforce")
_DRIFT: Final = _below("ignore", "report", "drift")

_PROJECT_GUARDS: Final = (
    Guard(("policies", _ANY), default_severity, _below("off", "warn", "error")),
    Guard(("limits", "max_deletes"), Limits().max_deletes, _raised),
    Guard(("limits", "max_delete_percent"), Limits().max_delete_percent, _raised),
    Guard(("limits", "requests_per_second"), Limits().requests_per_second, _raised),
    Guard(("limits", "concurrency"), Limits().concurrency, _raised),
    Guard(("secrets", "env", "allow"), DEFAULT_ENV_ALLOW, _added),
    Guard(("secrets", "file", "allow"), None, _narrowing_removed),
    Guard(("secrets", _ANY, "allow"), [], _added),
    Guard(("secrets", "age", "identity"), None, _changed),
    Guard(("secrets", "age", "recipients"), [], _added),
    Guard(("approvals",), ["approvals/*.yaml", "approvals/*.yml"], _files_added),
    Guard(("drift", "undeclared"), "drift", _DRIFT),
    Guard(("drift", "unknown_organizations"), "report", _DRIFT),
    Guard(("idp", "discovery"), "report", _DISCOVERY),
    Guard(("idp", "allow_hosts"), ["*"], _added),
    Guard(("idp", "allow_networks"), [], _added),
    Guard(("idp", "ca_file"), None, _changed),
    Guard(("target", _ANY), None, _changed),
    Guard(("defaults", "prune"), False, _becomes(value=True)),
    Guard(("defaults", "discovery"), "report", _DISCOVERY),
)

_ORGANIZATION_GUARDS: Final = (
    Guard(("prune",), False, _becomes(value=True)),
    Guard(("organization_id",), None, _pin_removed),
)

_CONNECTION_GUARDS: Final = (
    Guard(("lifecycle", "prevent_destroy"), False, _becomes(value=False)),
    Guard(("lifecycle", "ignore_changes"), [], _added),
    Guard(("discovery",), "report", _DISCOVERY),
    Guard(("state",), "present", _becomes(_UNMANAGED)),
    Guard(("connection_id",), None, _pin_removed),
)


def lowered_project_guards(before: Declaration, now: Declaration) -> Iterator[Diagnostic]:
    """Yield a warning for each guard of the project file that is lowered."""
    for guard, path in _paths(_PROJECT_GUARDS, before, now):
        if how := guard.lowered(*_values(guard, path, before, now)):
            yield _warning(".".join(path), how, now.locate(path))


def lowered_manifest_guards(
    before: Iterable[Declaration], now: Iterable[Declaration]
) -> Iterator[Diagnostic]:
    """Yield a warning for each guard of an organization or a connection that is lowered."""
    past = {name: document for document in before if (name := _name(document))}
    present = {name: document for document in now if (name := _name(document))}
    for name, document in present.items():
        yield from _organization(name, past.get(name, _NOTHING), document)
    for name, document in past.items():
        if name not in present:
            how = "is no longer declared: its connections become unmanaged"
            yield _warning(name, how, document.locate(()), name)


def added_approvals(before: Iterable[Approval], now: Iterable[Approval]) -> Iterator[Diagnostic]:
    """Yield a warning for each approval that was not there."""
    past = {_entry(approval) for approval in before}
    for approval in now:
        if _entry(approval) not in past:
            detail = f"until {approval.until.isoformat()}: {approval.reason}"
            yield _warning("approvals", f"adds {approval.subject} {detail}", approval.location)


def _organization(name: str, before: Declaration, now: Declaration) -> Iterator[Diagnostic]:
    for guard in _ORGANIZATION_GUARDS:
        if how := guard.lowered(*_values(guard, guard.path, before, now)):
            yield _warning(f"{guard.path[-1]} of {name}", how, now.locate(guard.path), name)
    if _declares_default(before) and not _declares_default(now):
        yield _warning(f"default of {name}", _NOT_COMPARED, now.locate(_BLOCKS), name)
    for key in dict.fromkeys((*before.keys(_BLOCKS), *now.keys(_BLOCKS))):
        address, path = f"{name}/{key}", (*_BLOCKS, key)
        if key in now.keys(_BLOCKS):
            yield from _connection(address, path, before, now)
        elif new_key := _new_key(key, before, now):
            yield from _connection(address, path, before, _renamed(now, new_key, key))
        elif now.get(("prune",)) is True:
            yield from _guards_of_connection(address, path, before, now)
        else:
            how = "is no longer declared: it becomes unmanaged"
            yield _warning(address, how, now.locate(_BLOCKS), address)


def _declares_default(declaration: Declaration) -> bool:
    return any(declaration.get((*_BLOCKS, key, "default")) is True for key in declaration.keys(_BLOCKS))


def _new_key(key: str, before: Declaration, now: Declaration) -> str:
    """Return the key that the block of a connection has now; nothing if it is gone."""
    ids, name = _ids(before, key), _display_name(before, key)
    for new_key in now.keys(_BLOCKS):
        new_ids = _ids(now, new_key)
        is_same = bool(ids & new_ids) if new_ids else _display_name(now, new_key) == name
        if new_key not in before.keys(_BLOCKS) and is_same:
            return new_key
    return ""


def _ids(declaration: Declaration, key: str) -> set[str]:
    pin = declaration.get((*_BLOCKS, key, "connection_id"))
    return {_text(identifier) for identifier in _by_environment(pin).values()}


def _display_name(declaration: Declaration, key: str) -> object:
    return declaration.get((*_BLOCKS, key, "display_name")) or key


def _renamed(declaration: Declaration, key: str, new_key: str) -> Declaration:
    """Return a declaration of one block under another key."""
    return Declaration(
        values={"connections": {new_key: declaration.get((*_BLOCKS, key))}},
        locate=lambda path: declaration.locate((*_BLOCKS, key, *path[2:])),
    )


def _guards_of_connection(
    address: str, block: Path, before: Declaration, now: Declaration
) -> Iterator[Diagnostic]:
    """Yield what is lowered; of a block that is gone, too: it may have got another name."""
    for guard in _CONNECTION_GUARDS:
        path = (*block, *guard.path)
        if how := guard.lowered(*_values(guard, path, before, now)):
            yield _warning(f"{guard.path[-1]} of {address}", how, now.locate(path), address)


def _connection(address: str, block: Path, before: Declaration, now: Declaration) -> Iterator[Diagnostic]:
    yield from _guards_of_connection(address, block, before, now)
    pin, state = (*block, "connection_id"), (*block, "state")
    if before.get(state) == now.get(state) == _UNMANAGED and (
        how := _pin_added(before.get(pin), now.get(pin))
    ):
        yield _warning(f"connection_id of {address}", how, now.locate(pin), address)
    for name in SIGN_IN_FIELDS:
        path = (*block, name)
        if before.get(path) is not None and now.get(path) is None and now.get((*block, "state")) != "absent":
            yield _warning(f"{name} of {address}", _NOT_COMPARED, now.locate(path), address)


def _paths(guards: Sequence[Guard], before: Declaration, now: Declaration) -> Iterator[tuple[Guard, Path]]:
    """Yield each guard with each path that it stands for; the first guard of a path counts."""
    seen: set[Path] = set()
    for guard in guards:
        for path in _expand(guard.path, before, now):
            if path not in seen:
                seen.add(path)
                yield guard, path


def _expand(path: Path, before: Declaration, now: Declaration) -> list[Path]:
    if _ANY not in path:
        return [path]
    start, rest = path[: path.index(_ANY)], path[path.index(_ANY) + 1 :]
    return [(*start, key, *rest) for key in dict.fromkeys((*before.keys(start), *now.keys(start)))]


def _values(guard: Guard, path: Path, before: Declaration, now: Declaration) -> tuple[Any, Any]:
    default = guard.default(path[-1]) if callable(guard.default) else guard.default
    old, new = before.get(path), now.get(path)
    return default if old is None else old, default if new is None else new


def _name(document: Declaration) -> str:
    name = document.get(("organization",))
    return name if isinstance(name, str) else ""


def _entry(approval: Approval) -> object:
    return (
        approval.rule, approval.address, approval.finding, approval.deletes, approval.until, approval.reason
    )  # fmt: skip


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _covers(glob: object, item: object) -> bool:
    """Whether everything that a glob matches was matched by an earlier one, as far as that is certain."""
    if glob == item:
        return True
    is_simple = isinstance(glob, str) and isinstance(item, str) and not {"?", "["}.intersection(glob)
    return is_simple and fnmatchcase(str(item), str(glob))


def _by_environment(value: object) -> Mapping[str, object]:
    """Return a pin as a map from test, live or a project_id; one id belongs to what its prefix names."""
    if isinstance(value, dict):
        return value
    return {_environment(value): value} if isinstance(value, str) else {}


def _environment(name: str) -> str:
    """Return test or live, as the prefix of an id or a project_id says."""
    return next((word for word in ("test", "live") if f"-{word}-" in name), "")


def _chosen(ids: Mapping[str, object], key: str) -> object:
    """Return the id for a project_id, or for test or live."""
    return ids.get(key, ids.get(_environment(key)))


def _word(value: object) -> str:
    """Return a word as it is written; YAML takes a bare ``off`` for a boolean."""
    return value if isinstance(value, str) else str(getattr(value, "value", value))


def _text(value: object) -> str:
    return _word(value) if not isinstance(value, dict | list) else json.dumps(value, default=str)


def _warning(name: str, how: str, location: SourceLocation, address: str = "") -> Diagnostic:
    return Diagnostic(
        Severity.WARNING,
        GUARD_LOWERED,
        f"{name} {how}",
        hint="check that this is intended; this finding cannot be switched off, and never blocks",
        address=address,
        location=location,
    )


def _nowhere(_path: Path) -> SourceLocation:
    raise AssertionError("findings are at the present place")


_NOTHING: Final = Declaration(values={}, locate=_nowhere)
