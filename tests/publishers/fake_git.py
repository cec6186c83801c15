"""The commits and branches of a fake forge: trees of whole files, and who wrote what."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Commit:
    sha: str
    files: Mapping[str, bytes]
    parents: tuple[str, ...]
    message: str
    author: str
    modes: Mapping[str, str] = field(default_factory=dict)


class FakeGit:
    """One repository with the branch main."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self.commits: dict[str, Commit] = {}
        self.trees: dict[str, dict[str, bytes]] = {}
        self.modes: dict[str, dict[str, str]] = {}
        self.branches: dict[str, str] = {}
        self.protected = {"main"}
        self.branches["main"] = self.add(files or {}, (), "begin", "dev")

    def tree(self, files: Mapping[str, bytes], modes: Mapping[str, str] | None = None) -> str:
        content = "\0".join(f"{path}:{files[path].hex()}" for path in sorted(files))
        sha = hashlib.sha1(f"tree{content}".encode()).hexdigest()
        self.trees[sha] = dict(files)
        self.modes[sha] = dict(modes or {})
        return sha

    def add(
        self,
        files: Mapping[str, bytes],
        parents: tuple[str, ...],
        message: str,
        author: str,
        *,
        modes: Mapping[str, str] | None = None,
        sha: str = "",
    ) -> str:
        text = f"{self.tree(files)}{parents}{message}{author}{len(self.commits)}"
        sha = sha or hashlib.sha1(text.encode()).hexdigest()
        self.commits[sha] = Commit(sha, dict(files), parents, message, author, dict(modes or {}))
        return sha

    def push(
        self,
        branch: str,
        files: Mapping[str, bytes],
        message: str = "by hand",
        *,
        author: str = "dev",
        sha: str = "",
    ) -> str:
        """Commit to a branch as a person does; a missing branch begins at main."""
        head = self.branches.get(branch) or self.branches["main"]
        changed = {**self.commits[head].files, **files}
        self.branches[branch] = self.add(changed, (head,), message, author, sha=sha)
        return self.branches[branch]

    def merge(self, branch: str) -> None:
        """Merge a branch into main as a squash: main gets its changes in one commit of its own."""
        main, head = self.branches["main"], self.branches[branch]
        changed = {path: self.commits[head].files[path] for path in self.changed(main, head)}
        self.push("main", changed, f"merge {branch}")

    def files(self, branch: str) -> dict[str, bytes]:
        return dict(self.commits[self.branches[branch]].files)

    def head(self, branch: str) -> Commit:
        return self.commits[self.branches[branch]]

    def ancestors(self, sha: str) -> Iterator[str]:
        """Yield a commit and all before it, the nearest first."""
        seen, waiting = set(), [sha]
        while waiting:
            current = waiting.pop(0)
            if current not in seen:
                seen.add(current)
                yield current
                waiting += self.commits[current].parents

    def is_ancestor(self, older: str, newer: str) -> bool:
        return older in self.ancestors(newer)

    def merge_base(self, base: str, head: str) -> str:
        of_base = set(self.ancestors(base))
        candidates = [sha for sha in self.ancestors(head) if sha in of_base]
        return next(
            sha
            for sha in candidates
            if not any(sha != later and self.is_ancestor(sha, later) for later in candidates)
        )

    def ahead(self, base: str, head: str) -> list[Commit]:
        of_base = set(self.ancestors(base))
        return [self.commits[sha] for sha in reversed([*self.ancestors(head)]) if sha not in of_base]

    def changed(self, base: str, head: str) -> list[str]:
        """Return the files that differ from where the two parted."""
        before, after = self.commits[self.merge_base(base, head)].files, self.commits[head].files
        return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
