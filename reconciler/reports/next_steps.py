"""The next steps of a report: merging, approvals and pins to paste, and running again."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from reconciler.reports.escaping import escape_terminal, yaml_value
from reconciler.reports.report import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.errors import Diagnostic
    from reconciler.core.outcome import ApplyResult, MissingPin
    from reconciler.core.plan import Plan
    from reconciler.core.results import FailedRun

_EXCESS: Final = re.compile(r"`deletes: (\d+)`")
_PROPOSED_TIME: Final = timedelta(days=30)


def merge_steps(plan: Plan, environment: str) -> Iterator[Step]:
    """Yield what merging the pull request does; ``environment`` is the one whose reviewers are asked."""
    if plan.refusals:
        yield Step(text="Merging applies nothing while this plan is blocked.")
    elif plan.has_errors or not plan.is_complete:
        applies = "applies the other changes, and fails" if plan.has_changes else "applies nothing"
        yield Step(text=f"Correct what is refused, and push again: merging now {applies}.")
    elif plan.has_changes:
        yield Step(text=f"Merge to apply{_asked(environment)}.")


def merged_steps(plan: Plan, environment: str) -> Iterator[Step]:
    """Yield what happens to the plan of a commit that is merged."""
    has_errors = plan.has_errors or not plan.is_complete
    if plan.refusals:
        yield Step(text="Nothing is applied while this plan is blocked.")
    elif plan.has_changes:
        changes = "The other changes are" if has_errors else "This is"
        yield Step(text=f"{changes} applied next{_asked(environment)}.")
    if has_errors and not plan.refusals:
        yield Step(text="Correct what is refused in another pull request.")


def not_applied_steps() -> Iterator[Step]:
    """Yield what to do if the job that applies a plan wrote no result."""
    yield Step(
        text="This was not applied: the job that applies it was refused, or ended before it began. "
        "Run the apply workflow again: it makes a new plan."
    )


def failed_steps(failed: FailedRun, *, is_merged: bool) -> Iterator[Step]:
    """Yield what to do about a run that has no plan."""
    if not failed.has_errors:
        return
    if failed.is_lost:
        workflow = "apply" if is_merged else "plan"
        yield Step(text=f"See why the job failed, and run the {workflow} workflow again.")
    elif is_merged and not failed.is_validation:
        yield Step(text="Nothing is applied. Correct the errors in another pull request.")
    else:
        yield Step(text="Correct the errors, and push again.")


def _asked(environment: str) -> str:
    return f"; a reviewer of `{environment}` will be asked" if environment else ""


def approval_steps(plan: Plan) -> Iterator[Step]:
    """Yield what blocks the plan as approvals to paste; other blocks have no approval."""
    until = _until(plan.created_at)
    risks = [risk for risk in plan.risks if risk.is_error]
    excess = [number for block in plan.blocks if (number := _EXCESS.search(block.detail))]
    items = (
        *(_risk_approval(risk, until) for risk in risks),
        *(_delete_approval(n[1], until) for n in excess),
    )
    if items:
        options = " and ".join(
            text for text, given in (("`accept-risk`", risks), ("`allow-deletes`", excess)) if given
        )
        yield Step(
            text="Blocked. To allow it, add this to a file in `approvals/`, and have it reviewed; "
            f"or run the apply workflow with {options}.",
            header=("approvals:",),
            items=items,
            noun="approval",
        )


def _risk_approval(risk: Diagnostic, until: str) -> tuple[str, ...]:
    return (
        f"  - rule: {yaml_value(risk.code)}",
        f"    address: {yaml_value(risk.address)}",
        f"    finding: {yaml_value(risk.fingerprint)}",
        *_reason(until),
    )


def _delete_approval(number: str, until: str) -> tuple[str, ...]:
    return (f"  - deletes: {number}", *_reason(until))


def _reason(until: str) -> tuple[str, str]:
    return "    reason: TODO, why and by which ticket", f"    until: {until}"


def _until(created_at: str) -> str:
    """Return the last day of an approval that is proposed."""
    try:
        return (date.fromisoformat(created_at[:10]) + _PROPOSED_TIME).isoformat()
    except (ValueError, OverflowError):
        return "YYYY-MM-DD"


def again_steps(result: ApplyResult) -> Iterator[Step]:
    """Yield that an incomplete apply can be repeated."""
    if result.failed or result.skipped or result.interrupted:
        yield Step(
            text="Correct what failed, and run the apply workflow again: it makes a new plan, and what was "
            "applied is not applied twice."
        )


def pin_steps(pins: Iterable[MissingPin]) -> Iterator[Step]:
    """Yield the pins to be written, as the lines of each manifest."""
    items: dict[tuple[str, str], list[str]] = {}
    for pin in pins:
        organization, _, connection = pin.address.partition("/")
        if pin.is_organization:
            organization = pin.address
        lines = items.setdefault(
            (pin.location.path, organization),
            [f"# {escape_terminal(pin.location.path)}", f"organization: {yaml_value(organization)}"],
        )
        if pin.is_organization:
            lines.append(f"organization_id: {_pin_value(pin)}")
            continue
        if "connections:" not in lines:
            lines.append("connections:")
        lines += [f"  {yaml_value(connection)}:", f"    connection_id: {_pin_value(pin)}"]
    if items:
        yield Step(
            text="Pin what was created: `reconciler pin` adds these lines to the manifests.",
            items=tuple(map(tuple, items.values())),
            noun="organization",
        )


def _pin_value(pin: MissingPin) -> str:
    """Return the ID, or, beside IDs of other environments, a map by environment."""
    if not pin.other_ids:
        return yaml_value(pin.id)
    ids = {"live" if "-live-" in identity else "test": identity for identity in (*pin.other_ids, pin.id)}
    return f"{{{', '.join(f'{name}: {yaml_value(identity)}' for name, identity in sorted(ids.items()))}}}"
