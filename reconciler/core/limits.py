"""Limits of one run: how much it may delete, and how fast it may call the API."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one run, with the defaults of the project file.

    ``max_delete_percent`` is a percentage of the managed connections, but at least one connection. The
    lower of the two delete limits applies, so ``max_deletes: 0`` forbids all deletes.
    ``requests_per_second`` and ``concurrency`` are for the whole project, like the API's own limit.
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
        """Return the limits of one of several runs that share the project's request rate.

        The limits on deletes stay as they are: they apply to each run.
        """
        return replace(
            self,
            requests_per_second=self.requests_per_second / runs,
            concurrency=max(1, self.concurrency // runs),
        )
