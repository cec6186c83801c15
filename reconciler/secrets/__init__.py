"""Secret references: their grammar, the policy, and one backend per file."""

from reconciler.secrets.policy import SecretPolicy
from reconciler.secrets.references import MalformedReference, make_reference, parse_reference, parse_template
from reconciler.secrets.reserved_variables import OWN_VARIABLES
from reconciler.secrets.resolve import (
    ResolvedSecrets,
    WantedSecret,
    read_expiries,
    resolve_reference,
    resolve_secrets,
    wanted_by,
)
from reconciler.secrets.schemes import SCHEMES, STORES
from reconciler.secrets.store import AgeSettings, SecretAccess

__all__ = [
    "OWN_VARIABLES",
    "SCHEMES",
    "STORES",
    "AgeSettings",
    "MalformedReference",
    "ResolvedSecrets",
    "SecretAccess",
    "SecretPolicy",
    "WantedSecret",
    "make_reference",
    "parse_reference",
    "parse_template",
    "read_expiries",
    "resolve_reference",
    "resolve_secrets",
    "wanted_by",
]
