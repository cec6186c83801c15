"""Applies all risk rules to a plan, with the severities of the project file."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from reconciler.core.address import Address
from reconciler.core.errors import Diagnostic, Severity, UsageError
from reconciler.policies.rules import RULES, SHARED_CLIENT, declared_clients, find_shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.change import Change
    from reconciler.core.errors import SourceLocation
    from reconciler.core.plan import Plan
    from reconciler.core.state import DesiredOrganization
    from reconciler.policies.rules import DeclaredClients, Rule

_OFF = "off"

RULE_FAILED = "rule-failed"
"""The code of a finding about a rule that raised an exception."""


def assess(
    changes: Sequence[Change], severities: Mapping[str, str], declared: Iterable[DesiredOrganization]
) -> tuple[Diagnostic, ...]:
    """Return the risks of the changes, the most severe first.

    ``severities`` maps rule ids to error, warn or off; a rule that is not named warns. ``declared``
    are all declared organizations, including those that do not change. A rule that fails is a finding
    with the code `RULE_FAILED`: the changes of that organization are not assessed.
    """
    if not changes:
        return ()
    clients = declared_clients(declared)
    risks = [
        risk
        for rule in RULES
        if severities.get(rule.id) != _OFF
        for change in changes
        for risk in _risks(rule, change, clients, severities)
    ]
    return tuple(sorted(risks, key=lambda risk: not risk.is_error))


def unknown_rules(
    severities: Mapping[str, str], locations: Mapping[str, SourceLocation]
) -> tuple[Diagnostic, ...]:
    """Return an error for each id that no rule has, with its place in the project file."""
    known = [rule.id for rule in RULES]
    return tuple(_unknown(name, known, locations.get(name)) for name in severities if name not in known)


def accept_risks(plan: Plan, acceptances: Iterable[str]) -> Plan:
    """Return the plan with ``RULE:ADDRESS`` acceptances turned from refusals into warnings.

    Raises:
        UsageError: an acceptance matches nothing in this plan.
    """
    risks = list(plan.risks)
    for acceptance in acceptances:
        matching = [index for index, risk in enumerate(risks) if _matches(acceptance, risk)]
        if not matching:
            raise UsageError(
                f"--accept-risk {acceptance} matches no risk of this plan; the form is RULE:ADDRESS"
            )
        for index in matching:
            risks[index] = replace(risks[index], severity=Severity.WARNING)
    return replace(plan, risks=tuple(risks))


def _risks(
    rule: Rule, change: Change, clients: DeclaredClients, severities: Mapping[str, str]
) -> list[Diagnostic]:
    try:
        return [_risk(rule, change, clause, severities) for clause in _clauses(rule, change, clients)]
    except Exception as error:  # noqa: BLE001 - a defect in a rule must not stop the other organizations
        return [_failure(rule, change, error)]


def _failure(rule: Rule, change: Change, error: Exception) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        RULE_FAILED,
        f"{change.address}: the rule {rule.id} failed with {type(error).__name__}",
        detail="the organization is skipped; other organizations are unaffected",
        hint="this is a bug in reconciler; please report it",
        address=str(change.address),
        location=change.location,
    )


def _clauses(rule: Rule, change: Change, clients: DeclaredClients) -> Iterable[str]:
    return find_shared(change, clients) if rule is SHARED_CLIENT else rule.find(change)


def _risk(rule: Rule, change: Change, clause: str, severities: Mapping[str, str]) -> Diagnostic:
    blocks = severities.get(rule.id) == Severity.ERROR
    accept = f"if this is intended, apply with `--accept-risk {rule.id}:{change.address}`"
    return Diagnostic(
        Severity.ERROR if blocks else Severity.WARNING,
        rule.id,
        f"{change.address}: {clause}",
        detail=rule.why,
        hint=accept if blocks else f"to block such changes, set `{rule.id}: error` under policies",
        address=str(change.address),
        location=change.location,
    )


def _unknown(name: str, known: list[str], location: SourceLocation | None) -> Diagnostic:
    close = get_close_matches(name, known, n=1)
    return Diagnostic(
        Severity.ERROR,
        "unknown-policy",
        f"there is no rule {name!r}",
        hint=f"did you mean `{close[0]}`?" if close else f"known: {', '.join(known)}",
        location=location,
    )


def _matches(acceptance: str, risk: Diagnostic) -> bool:
    rule, _, pattern = acceptance.partition(":")
    organization, _, connection = risk.address.partition("/")
    return rule == risk.code and Address(organization, connection).matches(pattern)
