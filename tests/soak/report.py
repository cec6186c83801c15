"""What a soak brought, as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.soak.__main__ import Soak

_MUST_NOT_HAPPEN: Final = {
    "duplicates": ("duplicate", "silent duplicate", "doubled by a run that was alone"),
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
and request log. This is its last full run: {date}, seed {seed}, {versions}, {minutes:.0f} minutes unattended.

| what happened | count |
|---|---|
{happened}

| what must not happen | count |
|---|---|
{must_not}

{findings}## What a round is

A round has one to four organizations with one to four declared connections each. Every one of them is
missing, as declared, edited, half created, or to be deleted; undeclared connections exist beside them. One or
two simultaneous runs plan and apply all of it, while {share:.0%} of all requests fail with one of sixteen
faults, some lists lag behind the writes, a person edits connections in the dashboard, and runs are killed at
random requests. Then the faults end, duplicates that were reported are removed as the message says, and at
most four more runs must converge: everything declared is live, nothing else was touched, and the next plan is
empty.

Most rounds run in one process in virtual time, so that deadlines and back-off have their real length but take
no time; there, killing means cancelling at a request, and the same seed gives the same round. The others
start the real command as separate processes and kill them with SIGKILL; their races do not depend on the
seed.

## Terms

- **Duplicate**: a run sent a create although it had already read a connection of that name in that
  organization; or a run that was alone left two; or two exist and neither a run nor the next plan names both
  ids. The request log decides which responses had arrived when the run sent the create.
- **Concurrent create**: two connections of one declared name, because two runs created at the same moment,
  a run was killed while its create was on the way, or the list lagged longer than a run waits. The API has no
  idempotency key, so this cannot be prevented. It is always reported with both ids and what to do, by one of
  the runs (`created …, but … of the same name appeared in the meantime`) or by the next plan (`matches 2 live
  connections`), and neither connection is written to until it is resolved.
- **Lost update**: a write over a value that somebody else had written after the plan, although a response to
  this run had shown it before the write was sent. A value that changed between the last read and the write is
  counted separately: the API has no conditional write. A plan holds no secrets, so a secret that was changed
  since does not stop a delete.
- **Traceback**: any error that is not a reported failure, or an exit code other than 0 and 1.

Where a list lags, a run reads outdated state; such rounds are judged by their end alone.
"""


def render(total: Soak, *, minutes: float, date: str, versions: str) -> str:
    """Return the page."""
    happened = "\n".join(f"| {name} | {count:,} |" for name, count in sorted(total.counts.items()))
    must_not = "\n".join(
        f"| {name} | {sum(_is(one, kinds) for one in total.wrong)} |"
        for name, kinds in _MUST_NOT_HAPPEN.items()
    )
    found = "\n".join(f"- {one}" for one in total.wrong)
    return _PAGE.format(
        date=date,
        seed=total.seed,
        versions=versions,
        minutes=minutes,
        happened=happened,
        must_not=must_not,
        findings=f"## Findings\n\n{found}\n\n" if found else "",
        share=0.2,
    )


def _is(finding: str, kinds: tuple[str, ...]) -> bool:
    return finding.partition(": ")[2].startswith(kinds)
