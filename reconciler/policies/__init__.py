"""Risk rules: warn about, or block, changes that decide who can sign in, and as whom.

A rule is one pure function and one entry in `RULES`. The project file decides by its id whether a
finding is a warning, blocks the plan, or is left out.
"""

from reconciler.policies.approvals import (
    Approvals,
    check_approvals,
    find_live_risks,
    live_approvals,
    undeclared_addresses,
)
from reconciler.policies.assess import (
    RULE_FAILED,
    accept_risks,
    assess,
    judge_again,
    judge_idp_findings,
    known_rules,
    unknown_rules,
)
from reconciler.policies.estate import declared_estate
from reconciler.policies.live_endpoints import confirm_endpoints, judge_live_connection
from reconciler.policies.rules import RULES

__all__ = [
    "RULES",
    "RULE_FAILED",
    "Approvals",
    "accept_risks",
    "assess",
    "check_approvals",
    "confirm_endpoints",
    "declared_estate",
    "find_live_risks",
    "judge_again",
    "judge_idp_findings",
    "judge_live_connection",
    "known_rules",
    "live_approvals",
    "undeclared_addresses",
    "unknown_rules",
]
