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

One to four organizations with one to four declared connections each, every one of which is missing, as
declared, edited, left half-created, or to be deleted, and undeclared ones beside them. One run or two at
once plan and apply all of it, while {share:.0%} of all requests are struck by one of sixteen faults, some
lists lag behind the writes, a person edits connections in the dashboard, and runs die at random requests.
Then there is peace: the faults end, doubled connections that were named are removed as the message says, and
at most four more runs must bring everything that is declared to hold, with nothing else touched and an empty
plan after.

Most rounds take place in one process in virtual time, so that deadlines and back-off are real in length but
cost nothing; there, dying is being cancelled at a request, and the same seed gives the same round. The
others start the real command as processes of their own and kill them with SIGKILL; how those race does not
follow from the seed.

## What the words mean

- **Duplicate**: a create was sent although its run had been shown a connection of that name in that
  organization; or a run without a rival left two; or two are there and neither a run nor the next plan names
  both ids. Judged by the request log: which answers had arrived at the run when it sent the create.
- **Twin**: two connections of one declared name because two runs created at the same moment, or a run died
  with its create still on the way, or the list lagged further than patience reaches, so that nobody could
  have seen it. The API has no idempotency key, so this cannot be excluded; it is always said, by one of the
  runs (`created …, but … of the same name appeared meanwhile`) or by the next plan (`matches 2 live
  connections`), with both ids and what to do, and nothing more is written to either until it is settled.
- **Lost update**: a write over a value that somebody else had written after the plan, although an answer to
  this run had shown it before the write was sent. A value that nobody had been shown, because it came in the
  one request between the last look and the write, is counted separately: the API has no conditional write.
  A plan holds no secrets, so a delete is not held up by a secret that was changed since.
- **Traceback**: any error that is not a reported failure, or an exit code other than 0 and 1.

Where a list lags, what a run was shown is not what there was; such rounds are judged by their end alone.
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
