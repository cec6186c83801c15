"""How much one run may do, and how fast."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one run, with the defaults of the project file.

    ``max_delete_percent`` is a share of the managed connections, never less than one of them; the
    lower of the two delete limits counts, so a ``max_deletes`` of 0 allows none. ``requests_per_second`` and
    ``concurrency`` are for the whole project, since the service's limit is per project.
    """

    max_deletes: int = 3
    max_delete_percent: float = 20.0
    requests_per_second: float = 10.0
    concurrency: int = 8

    def deletes_allowed(self, managed: int) -> int:
        """Return how many of ``managed`` connections one run may delete."""
        share = int(managed * self.max_delete_percent / 100)
        return min(self.max_deletes, max(share, 1))

    def among(self, runs: int) -> Limits:
        """Return the pace of one of so many runs that share a project at the same time.

        The limits on deletes stay as they are: they count for each run.
        """
        return replace(
            self,
            requests_per_second=self.requests_per_second / runs,
            concurrency=max(1, self.concurrency // runs),
        )
