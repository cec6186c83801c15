"""Applies all risk rules to a plan, with the severities of the project file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.address import Address
from reconciler.core.change import DefaultChange, Delete
from reconciler.core.connection import SENSITIVE_FIELDS, WRITABLE_FIELDS
from reconciler.core.errors import Diagnostic, Severity, UsageError, did_you_mean, shell_word
from reconciler.core.idp import IDP_SEVERITIES
from reconciler.policies.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from reconciler.core.change import Change, ConnectionChange
    from reconciler.core.errors import SourceLocation
    from reconciler.core.plan import Plan
    from reconciler.policies.estate import Estate
    from reconciler.policies.rule import Clause, Rule

_OFF: Final = "off"
_SEVERITIES: Final = {"error": Severity.ERROR, "warn": Severity.WARNING}
_WORDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warn", Severity.INFO: "off"}
GUARD_LOWERED: Final = "guard-lowered"
_FINGERPRINT_LENGTH: Final = 32
"""Hexadecimal digits, so 128 bits: nobody finds two findings with the same one."""

RULE_FAILED: Final = "rule-failed"
"""The code of a finding about a rule that raised an exception."""


def assess(
    changes: Sequence[Change], severities: Mapping[str, str], estate: Estate
) -> tuple[Diagnostic, ...]:
    """Return the risks of the changes, the most severe first.

    ``severities`` maps rule ids to error, warn or off; a rule that is not named has its own default.
    ``estate`` is what all organizations declare, including those that do not change. A rule that fails
    is a finding with the code `RULE_FAILED`: the changes of that organization are not assessed.
    """
    risks = [
        risk
        for rule in RULES
        if severities.get(rule.id) != _OFF
        for change in changes
        if not isinstance(change, DefaultChange)
        for risk in _risks(rule, change, estate, severities)
    ]
    return tuple(sorted(risks, key=lambda risk: not risk.is_error))


def judge_idp_findings(
    findings: Iterable[Diagnostic], severities: Mapping[str, str], *, are_errors: bool = True
) -> tuple[Diagnostic, ...]:
    """Return the findings about identity providers with the severities of the project file, errors first.

    Outside `verify` none of them is an error (``are_errors``): a provider must not stop a plan.
    """
    judged = [
        _with_approval(replace(finding, severity=_idp_severity(finding, severities, are_errors=are_errors)))
        for finding in findings
        if severities.get(finding.code) != _OFF
    ]
    return tuple(sorted(judged, key=lambda finding: list(Severity).index(finding.severity)))


def _idp_severity(finding: Diagnostic, severities: Mapping[str, str], *, are_errors: bool) -> Severity:
    severity = _SEVERITIES.get(severities.get(finding.code, ""), finding.severity)
    return Severity.WARNING if severity is Severity.ERROR and not are_errors else severity


def _with_approval(finding: Diagnostic) -> Diagnostic:
    """Return an error with how it is accepted."""
    if not finding.is_error:
        return finding
    accept = f"if this is known, add an approval (finding {finding.fingerprint})"
    return replace(finding, hint=f"{finding.hint}; {accept}" if finding.hint else accept)


def unknown_rules(locations: Mapping[str, SourceLocation]) -> tuple[Diagnostic, ...]:
    """Return an error for each id that no rule has, with its place in the project file."""
    known = known_rules()
    return tuple(unknown_rule(name, known, place) for name, place in locations.items() if name not in known)


def known_rules() -> tuple[str, ...]:
    """Return the IDs that `policies` and approvals can name."""
    return (*(rule.id for rule in RULES), *IDP_SEVERITIES)


def default_severity(rule_id: str) -> str:
    """Return the severity of a rule that the project file does not name; of two, the graver one.

    Information counts as off: it is never a warning.
    """
    for code, severity in IDP_SEVERITIES.items():
        if code == rule_id:
            return _WORDS[severity]
    is_error = any(
        rule.id == rule_id and (rule.error_case or rule.severity is Severity.ERROR) for rule in RULES
    )
    return "error" if is_error else "warn"


def judge_again(risks: Iterable[Diagnostic], severities: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Return the risks of an earlier assessment with the severities of this project file.

    Where it says nothing, the default counts; of a rule that has two, the graver one.
    """
    defaults = {rule.id: Severity.ERROR if rule.error_case else rule.severity for rule in RULES}
    return tuple(
        _with_severity(replace(risk, severity=defaults.get(risk.code, risk.severity)), severities)
        for risk in risks
        if severities.get(risk.code) != _OFF
    )


def unknown_rule(name: str, known: Collection[str], location: SourceLocation) -> Diagnostic:
    """Return the error that no rule has this ID."""
    hint = did_you_mean(name, known, f"known: {', '.join(known)}")
    if name == GUARD_LOWERED:
        hint = "remove it: this finding is always a warning, and never blocks"
    return Diagnostic(
        Severity.ERROR, "unknown-policy", f"there is no rule {name!r}", hint=hint, location=location
    )


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
                f"--accept-risk {shell_word(acceptance)} matches no risk of this plan; the form is "
                "RULE:ADDRESS"
            )
        for index in matching:
            risks[index] = replace(risks[index], severity=Severity.WARNING)
    return replace(plan, risks=tuple(risks))


def _risks(
    rule: Rule, change: ConnectionChange, estate: Estate, severities: Mapping[str, str]
) -> list[Diagnostic]:
    try:
        return [_risk(rule, change, clause, severities) for clause in rule.find(change, estate)]
    except Exception as error:  # noqa: BLE001 - a defect in a rule must not stop the other organizations
        return [_failure(rule, change, error)]


def _failure(rule: Rule, change: ConnectionChange, error: Exception) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        RULE_FAILED,
        f"{change.address}: the rule {rule.id} failed with {type(error).__name__}",
        detail="the organization is skipped; other organizations are unaffected",
        hint="this is a bug in reconciler; please report it",
        address=str(change.address),
        location=change.location,
    )


def _risk(rule: Rule, change: ConnectionChange, clause: Clause, severities: Mapping[str, str]) -> Diagnostic:
    risk = Diagnostic(
        rule.severity_of(change),
        rule.id,
        f"{change.address}: {clause.text}",
        detail=rule.why,
        address=str(change.address),
        location=change.location,
        fingerprint=_fingerprint(rule, change, clause),
    )
    return _with_severity(risk, severities)


def _with_severity(risk: Diagnostic, severities: Mapping[str, str]) -> Diagnostic:
    """Return a risk as the project file says, else as it is: it warns, or blocks until it is accepted."""
    if _SEVERITIES.get(severities.get(risk.code, ""), risk.severity) is Severity.ERROR:
        word = shell_word(f"{risk.code}:{risk.address}")
        accept = f"apply with `--accept-risk {word}`, or add an approval"
        hint = f"if this is intended, {accept} (finding {risk.fingerprint})"
        return replace(risk, severity=Severity.ERROR, hint=hint)
    hint = f"to block such changes, set `{risk.code}: error` under policies"
    return replace(risk, severity=Severity.WARNING, hint=hint)


def _fingerprint(rule: Rule, change: ConnectionChange, clause: Clause) -> str:
    """Return a digest of a finding and of what is declared without the secret: other values, other digest."""
    declared = None if isinstance(change, Delete) else change.declared
    names = [name for name in WRITABLE_FIELDS if name not in SENSITIVE_FIELDS]
    values = {name: getattr(declared, name, None) for name in names}
    identity = [rule.id, str(change.address), clause.text, values]
    text = json.dumps(identity, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_FINGERPRINT_LENGTH]


def _matches(acceptance: str, risk: Diagnostic) -> bool:
    rule, _, pattern = acceptance.partition(":")
    organization, _, connection = risk.address.partition("/")
    return rule == risk.code and Address(organization, connection).matches(pattern)
