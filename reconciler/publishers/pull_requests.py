"""Maintains one pull request for each branch of the reconciler, and keeps commits by others.

A line at the end of a commit's message is a digest of what the branch changes. Where no commit has the
right digest, somebody else has changed the branch, and it is never rebuilt.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import PublishingFailed
from reconciler.publishers.forge import Branch, BranchDifference, BranchMoved, NewCommit, PullRequest
from reconciler.publishers.sticky import has_marker, with_marker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.publishers.forge import Repository

_MAX_ATTEMPTS: Final = 5
_MAX_PULL_REQUESTS: Final = 100
"""How many pull requests of one branch are looked at, the newest first."""

_MAX_AUTHORS: Final = 3
_SEAL: Final = re.compile(r"^Reconciler-Content: ([0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a draft begins with: the files of a commit.

    ``earlier`` are the files that the branch changed before, and that have to be written again.
    ``is_edited``: the commit is the end of the branch, which others have changed.
    """

    commit: str
    earlier: Mapping[str, bytes] = field(default_factory=dict)
    is_edited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the pull request should hold; without ``files``, there is nothing to propose.

    ``subject`` identifies what is proposed: a pull request that somebody closed is not opened again with
    the same subject. ``reason`` says why there is nothing to propose, ``closing`` the same in Markdown;
    ``may_close`` is off where that is not certain.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    executables: frozenset[str] = frozenset()
    subject: str = ""
    title: str = ""
    body: str = ""
    reason: str = ""
    closing: str = ""
    may_close: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintained:
    """What was done, as one line, and the number and address of the open pull request, if there is one."""

    done: str
    number: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What there is. ``stale`` is a branch whose pull request was merged or closed."""

    base: Branch
    branch: Branch | None
    stale: Branch | None
    open: PullRequest | None
    newest: PullRequest | None
    earlier: Mapping[str, bytes]
    is_edited: bool
    authors: tuple[str, ...]


def maintain_pull_request(
    repository: Repository,
    name: str,
    line: str,
    make_draft: Callable[[Start], Draft],
    *,
    extends_edited: bool,
) -> Maintained:
    """Open, update or close the pull request of the branch ``name``, as the draft says.

    ``line`` is the hidden first line of its text. ``extends_edited``: a commit is added to a branch that
    others have changed; else it is left alone.

    Raises:
        PublishingFailed: the forge refuses, cannot be reached, or the branch changes all the time.
    """
    reason = ""
    for _ in range(_MAX_ATTEMPTS):
        try:
            return _maintain(repository, name, line, make_draft, extends_edited=extends_edited)
        except BranchMoved as error:
            reason = str(error)
    raise PublishingFailed(f"the branch {name} changes all the time: run this again ({reason})")


def _maintain(
    repository: Repository,
    name: str,
    line: str,
    make_draft: Callable[[Start], Draft],
    *,
    extends_edited: bool,
) -> Maintained:
    state = _look(repository, name)
    _check_project(state, line)
    if state.is_edited and not extends_edited:
        return _leave(state, name)
    draft = make_draft(_start(state))
    if not draft.files:
        return _finish(repository, state, draft, line)
    if _was_refused(state, draft, line):
        assert state.newest is not None
        return Maintained(
            done="not opened again: the one with the same changes was closed; to have it back, reopen it: "
            + state.newest.url
        )
    is_written = _write(repository, state, draft, name)
    return _show(repository, state, draft, name, line, is_written=is_written)


def _look(repository: Repository, name: str) -> _State:
    base = repository.default_branch()
    branch = repository.branch(name)
    if name == base.name or (branch is not None and branch.is_protected):
        raise PublishingFailed(
            f"the branch {name} is protected, and nothing is pushed to protected branches: "
            "exclude it from the rule that protects it"
        )
    known = [*islice(repository.pull_requests(name), _MAX_PULL_REQUESTS)]
    open_one = next((pull_request for pull_request in known if pull_request.is_open), None)
    stale = branch if open_one is None and branch and _is_last(branch, known) else None
    branch = None if stale else branch
    difference = repository.difference(base, branch) if branch else BranchDifference()
    earlier = _contents(repository, branch, difference) if branch else {}
    return _State(
        base=base,
        branch=branch,
        stale=stale,
        open=open_one,
        newest=known[0] if known else None,
        earlier=earlier,
        is_edited=not _is_ours(difference, earlier),
        authors=difference.authors,
    )


def _check_project(state: _State, line: str) -> None:
    """Refuse to mix what belongs to two projects in one pull request."""
    first = state.open.body.partition("\n")[0] if state.open else ""
    if state.open and first.startswith("<!-- reconciler:") and first.rstrip() != line:
        raise PublishingFailed(
            f"{state.open.url} is of another project: give each project a name of its own with `--name`"
        )


def _is_last(branch: Branch, known: Iterable[PullRequest]) -> bool:
    """Whether the newest pull request is over, and nobody has used its branch since."""
    newest = next(iter(known), None)
    return newest is not None and newest.commit == branch.commit


def _contents(repository: Repository, branch: Branch, difference: BranchDifference) -> dict[str, bytes]:
    if not difference.is_whole:
        return {}
    contents = {path: repository.read_file(path, branch.commit) for path in difference.paths}
    return {path: content for path, content in contents.items() if content is not None}


def _is_ours(difference: BranchDifference, contents: Mapping[str, bytes]) -> bool:
    """Whether the branch is as one of our commits left it."""
    if not difference.messages:
        return True
    if not difference.is_whole or len(contents) < len(difference.paths):
        return False
    seals = {seal for message in difference.messages for seal in _SEAL.findall(message)}
    return _seal(contents) in seals


def _seal(contents: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path in sorted(contents):
        digest.update(f"{path}\0{hashlib.sha256(contents[path]).hexdigest()}\n".encode())
    return digest.hexdigest()


def _start(state: _State) -> Start:
    if state.is_edited and state.branch is not None:
        return Start(commit=state.branch.commit, is_edited=True)
    return Start(commit=state.base.commit, earlier=state.earlier)


def _leave(state: _State, name: str) -> Maintained:
    url = f": {state.open.url}" if state.open else ""
    return Maintained(
        done=f"left alone: the branch {name} was edited{_by(state.authors)}; merge it, or "
        f"delete the branch to have it made again{url}",
        number=state.open.number if state.open else "",
        url=state.open.url if state.open else "",
    )


def _by(authors: Iterable[str]) -> str:
    """Return who wrote on a branch: only names that mean nothing but themselves."""
    names = [name for name in dict.fromkeys(authors) if re.fullmatch(r"[\w. \[\]-]{1,60}", name)]
    further = ", …" if len(names) > _MAX_AUTHORS else ""
    return f" (commits by {', '.join(names[:_MAX_AUTHORS])}{further})" if names else ""


def _was_refused(state: _State, draft: Draft, line: str) -> bool:
    newest = state.newest
    if newest is None or newest.is_open or newest.is_merged or not has_marker(newest.body, line):
        return False
    return newest.body.split("\n")[1:2] == [_subject_line(draft)]


def _finish(repository: Repository, state: _State, draft: Draft, line: str) -> Maintained:
    """Close what is no longer needed, where nobody else has worked on it."""
    if state.open is not None and (state.is_edited or not draft.may_close):
        url = state.open.url
        return Maintained(done=f"unchanged: {url}", number=state.open.number, url=url)
    if state.is_edited or not draft.may_close:
        return Maintained(done=_not_needed(draft))
    if state.open is not None and not has_marker(state.open.body, line):
        return Maintained(done=f"left alone: somebody else wrote its text: {state.open.url}")
    if state.open is not None:
        repository.close_pull_request(state.open, draft.closing)
    finished = state.branch or (state.stale if state.newest and state.newest.is_merged else None)
    if finished is not None:
        repository.delete_branch(finished)
    if state.open is not None:
        return Maintained(done=f"closed: {draft.reason}: {state.open.url}")
    return Maintained(done=_not_needed(draft))


def _not_needed(draft: Draft) -> str:
    return f"not needed: {draft.reason}"


def _write(repository: Repository, state: _State, draft: Draft, name: str) -> bool:
    """Write the files on the branch, and return whether there was something to write."""
    if not state.is_edited and state.branch is not None and draft.files == state.earlier:
        return False
    if state.stale is not None:
        repository.delete_branch(state.stale)
    message = draft.title if state.is_edited else f"{draft.title}\n\nReconciler-Content: {_seal(draft.files)}"
    repository.write(
        NewCommit(
            branch=name,
            start=_start(state).commit,
            replaces=state.branch.commit if state.branch else "",
            files=draft.files,
            executables=draft.executables,
            message=message,
        )
    )
    return True


def _show(
    repository: Repository, state: _State, draft: Draft, name: str, line: str, *, is_written: bool
) -> Maintained:
    """Open the pull request, or bring its text up to date."""
    body = with_marker(line, f"{_subject_line(draft)}\n{draft.body}")
    opened = state.open
    if opened is None:
        opened = repository.create_pull_request(name, state.base.name, draft.title, body)
        done = "opened"
    elif has_marker(opened.body, line) and (opened.title, opened.body) != (draft.title, body):
        repository.edit_pull_request(opened, draft.title, body)
        done = "updated"
    else:
        done = "updated" if is_written else "unchanged"
    return Maintained(done=f"{done}: {opened.url}", number=opened.number, url=opened.url)


def _subject_line(draft: Draft) -> str:
    digest = hashlib.sha256(draft.subject.encode("utf-8", "surrogatepass")).hexdigest()
    return f"<!-- changes: sha256:{digest} -->"
