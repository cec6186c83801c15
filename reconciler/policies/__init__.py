"""Risk rules: warn about, or block, changes that decide who can sign in, and as whom.

A rule is one pure function and one entry in `RULES`. The project file decides by its id whether a
finding is a warning, blocks the plan, or is left out.
"""

from reconciler.policies.assess import RULE_FAILED, accept_risks, assess, unknown_rules
from reconciler.policies.rules import RULES

__all__ = ["RULES", "RULE_FAILED", "accept_risks", "assess", "unknown_rules"]
