"""What a soak brought, as a page."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.soak.pairs import CONNECTIONS
from tests.soak.rounds import SHARE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MUST_NOT_HAPPEN: Final = {
    "two connections of one name": (
        "twins",
        "duplicate",
        "silent duplicate",
        "doubled by a run that was alone",
    ),
    "connections deleted that the deleting run had not created": ("deleted what it had not created",),
    "lost updates": ("lost update",),
    "unexpected tracebacks": ("traceback",),
    "success claimed that does not hold": ("claimed and does not hold",),
    "unmanaged connections touched": ("an unmanaged connection was touched",),
    "secrets told": ("a secret was told",),
    "processes that hung": ("a process hung",),
    "rounds that did not converge": ("not converged",),
}

_PAGE: Final = """\
# Soak

`make soak` plays rounds of random estates under random trouble and then looks at the server's raw state
and request log. A whole run has 3,900 rounds and 50 pairs of each kind. These were run last, on this code:

| begun (UTC) | runs | minutes | versions | seeds | rounds | pairs | findings |
|---|---|---|---|---|---|---|---|
{parts}

| what happened | count |
|---|---|
{happened}

| what must not happen | count |
|---|---|
{must_not}

{findings}## What a round is

A round has one to four organizations with one to four declared connections each. Every one of them is
missing, as declared, edited, half created, or to be deleted; undeclared connections exist beside them. One,
two or three runs plan and apply all of it, in half of the rounds from the same moment on, while {share:.0%}
of all requests fail with one of sixteen faults, some lists lag behind the writes, a person edits
connections in the dashboard, and runs are killed, or frozen for up to a minute, at random requests. Then
the faults end, duplicates that were reported are removed as the message says, and at most four more runs
must converge: everything declared is live, nothing else was touched, and the next plan is empty.

Most rounds run in one process in virtual time, so that deadlines and back-off have their real length but
take no time; there, killing means cancelling at a request, freezing means that an answer is seen later, and
the same seed gives the same round. The others start the real command as separate processes, and stop them
with SIGSTOP or kill them with SIGKILL; their races do not depend on the seed.

{pairs}## Terms

- **Two connections of one name**: two that are configured, of one declared name; or a run sent a create
  although it had already read a connection of that name; or a connection that is left over is named neither
  by a run nor by the next plan. The request log decides which responses had arrived when the run sent the
  create.
- **Counted apart**: two that are configured where the run that configured one of them was killed after its
  update and before the end of its wait ([why](../explanation/applying.md#concurrent-runs)). The request log
  decides: the killed run has had no reading on which its connection was the only configured one of that
  name, and the run that keeps the other one has had such a reading before, or asked in vain to delete it
  (a row of its own). Nothing else is excused; being frozen is not. Where a person edited one of the two
  while a run was still reading, they are not the same, and both have to be named.
- **Leftover**: a pending connection that nobody has configured beside a configured one of the same name,
  because the run that created it was killed, never got the answer to its create, or asked in vain to
  delete it; or because a person had edited the configured one. The next plan lists it, with the line
  that deletes it.
- **Deleted without having created it**: a delete that the run's plan does not show, of a connection that
  the run's own create request was not answered with. Each process reaches the emulator at an address of
  its own, so the request log tells who sent what.
- **Lost update**: a write over a value that somebody else had written after the plan, although a response
  to this run had shown it before the write was sent. A value that changed between the last read and the
  write is counted separately: the API has no conditional write. A plan holds no secrets, so a secret that
  was changed since does not stop a delete.
- **Traceback**: any error that is not a reported failure, or an exit code other than 0 and 1.

Where a list lags, a run reads outdated state; such rounds are judged by their end alone.
"""


_PAIRS: Final = """\
## Pairs of the real command

Two `reconciler apply --auto-approve` on {connections} missing connections, started in the same moment,
against an emulator with 20 ms of latency. In every second pair of the first kind one is frozen by SIGSTOP
for up to ten seconds; in the second kind one is killed by SIGKILL at a random moment.

| what happened | {names} |
|---|{columns}
{rows}

"""


@dataclass
class Part:
    """What one run of the soak brought: counts, findings, and the counts of each series of pairs."""

    seed: int
    begun: str
    minutes: float = 0.0
    versions: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    pairs: dict[str, Counter[str]] = field(default_factory=dict)

    def as_line(self) -> str:
        """Return it as a line of JSON."""
        return f"{json.dumps(vars(self))}\n"

    @classmethod
    def of_line(cls, line: str) -> Part:
        """Read what ``as_line`` has written."""
        values = json.loads(line)
        pairs = {name: Counter(counts) for name, counts in values.pop("pairs").items()}
        return cls(**{**values, "counts": Counter(values["counts"]), "pairs": pairs})


def render(parts: Sequence[Part]) -> str:
    """Return the page of one run, or of several that are parts of one."""
    counts = sum((part.counts for part in parts), Counter[str]())
    wrong = [finding for part in parts for finding in part.wrong]
    happened = "\n".join(f"| {name} | {count:,} |" for name, count in sorted(counts.items()))
    must_not = "\n".join(
        f"| {name} | {sum(_is(finding, kinds) for finding in wrong)} |"
        for name, kinds in _MUST_NOT_HAPPEN.items()
    )
    found = "\n".join(f"- {finding}" for finding in wrong)
    return _PAGE.format(
        parts="\n".join(_rows(parts)),
        happened=happened,
        must_not=must_not,
        findings=f"## Findings\n\n{found}\n\n" if found else "",
        share=SHARE,
        pairs=_pairs(parts),
    )


def _rows(parts: Sequence[Part]) -> Iterator[str]:
    """Yield a row for all rounds, and one for all pairs, of a day and of one version."""
    groups: dict[tuple[str, str, bool], list[Part]] = {}
    for part in parts:
        groups.setdefault((part.begun[:10], part.versions, not part.pairs), []).append(part)
    for (_, versions, _), group in sorted(groups.items()):
        pairs = sum(counts["pairs"] for part in group for counts in part.pairs.values())
        yield (
            f"| {min(part.begun for part in group)} | {len(group)} "
            f"| {sum(part.minutes for part in group):.0f} | {versions} "
            f"| {' '.join(str(part.seed) for part in group)} "
            f"| {sum(part.counts['rounds'] for part in group):,} | {pairs} "
            f"| {sum(len(part.wrong) for part in group)} |"
        )


def _pairs(parts: Sequence[Part]) -> str:
    series: dict[str, Counter[str]] = {}
    for part in parts:
        for name, counts in part.pairs.items():
            series.setdefault(name, Counter()).update(counts)
    if not series:
        return ""
    names = sorted({name for counts in series.values() for name in counts})
    rows = (f"| {name} | {' | '.join(f'{counts[name]:,}' for counts in series.values())} |" for name in names)
    return _PAIRS.format(
        connections=CONNECTIONS, names=" | ".join(series), columns="---|" * len(series), rows="\n".join(rows)
    )


def _is(finding: str, kinds: tuple[str, ...]) -> bool:
    return finding.partition(": ")[2].startswith(kinds)
