"""Approvals in Git: who accepts a risk, or deletes beyond the limits, why, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from reconciler.core.errors import SourceLocation


class ApprovalStatus(StrEnum):
    """What an approval does in a plan. ``not-needed``: the plan has nothing for it to approve."""

    USED = "used"
    EXPIRED = "expired"
    NOT_NEEDED = "not-needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """An approval of a rule's findings at one address, or of ``deletes`` beyond the limits.

    ``until`` is the last day on which it counts, in UTC. With a ``finding``, it approves only the
    finding of that fingerprint.
    """

    reason: str
    until: date
    location: SourceLocation
    rule: str = ""
    address: str = ""
    finding: str = ""
    deletes: int = 0

    def is_expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return today > self.until

    @property
    def subject(self) -> str:
        """What it approves, in words."""
        if self.deletes:
            return f"{self.deletes} delete{'s' * (self.deletes != 1)} beyond the limits"
        return f"{self.rule} at {self.address}"

    @property
    def evidence(self) -> str:
        """Where it is, until when it counts, and why it was given."""
        return f"approved at {self.location} until {self.until.isoformat()}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalUse:
    """An approval, and what it does in a plan."""

    approval: Approval
    status: ApprovalStatus
