"""Markdown of each subject, of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.drift_report import drift_report
from reconciler.reports.markdown import render_markdown, render_news
from reconciler.reports.plan_report import plan_report
from reconciler.reports.validation import validation_report
from reconciler.reports.verify_report import verify_report

if TYPE_CHECKING:
    from reconciler.core.drift import DriftReport
    from reconciler.core.plan import Plan
    from reconciler.core.results import ValidationResult
    from reconciler.core.verification import Verification


def plan_markdown(plan: Plan, **options: int) -> str:
    return render_markdown(plan_report(plan), **options)


def drift_markdown(report: DriftReport, **options: int) -> str:
    return render_markdown(drift_report(report), **options)


def drift_news(report: DriftReport) -> str:
    return render_news(drift_report(report))


def validation_markdown(result: ValidationResult) -> str:
    return render_markdown(validation_report(result))


def verification_markdown(result: Verification) -> str:
    return render_markdown(verify_report(result))


def verification_news(result: Verification) -> str:
    return render_news(verify_report(result))
