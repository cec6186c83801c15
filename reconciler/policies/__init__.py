"""Risk rules: lines of a plan that decide who may log in as whom, and deserve a second look.

A rule is one pure function in a file of its own and one entry in `RULES`. What it finds is shown
as a warning, forbids to apply, or is left out, as the project file says for its id.
"""

from reconciler.policies.assess import accept_risks, assess, unknown_rules
from reconciler.policies.rules import RULES

__all__ = ["RULES", "accept_risks", "assess", "unknown_rules"]
