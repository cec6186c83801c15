"""Which pull request a workflow runs for, from the document that GitHub hands to every job."""

from __future__ import annotations

import json
from typing import Any


def pull_request_of(text: str) -> int | None:
    """Return the pull request's number, or None if the event belongs to no single one.

    Known are events of pull requests, comments on them, and runs that follow one of this repository;
    of a fork's, GitHub does not tell the number (documentation, "Webhook events and payloads").
    """
    try:
        event = json.loads(text)
    except ValueError:
        return None
    if not isinstance(event, dict):
        return None
    issue = event.get("issue")
    if isinstance(issue, dict) and "pull_request" in issue:
        return _number(issue)
    run = event.get("workflow_run")
    if isinstance(run, dict):
        found = run.get("pull_requests")
        return _number(found[0]) if isinstance(found, list) and len(found) == 1 else None
    return _number(event.get("pull_request"))


def _number(document: Any) -> int | None:  # noqa: ANN401 - JSON
    number = document.get("number") if isinstance(document, dict) else None
    return number if isinstance(number, int) and number > 0 else None
