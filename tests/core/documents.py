"""Documents as the JSON that is written and read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reconciler.core.document_parts import to_json_data
from reconciler.core.drift_document import drift_document
from reconciler.core.plan_serialization import plan_document

if TYPE_CHECKING:
    from reconciler.core.drift import DriftReport
    from reconciler.core.plan import Plan


def plan_data(plan: Plan, version: str = "1") -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(to_json_data(plan_document(plan, version))))
    return data


def drift_data(report: DriftReport, version: str = "1") -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(to_json_data(drift_document(report, version))))
    return data
