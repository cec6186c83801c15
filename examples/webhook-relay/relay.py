#!/usr/bin/env python3
"""Verifies webhooks of the reconciler, and passes them on to Slack, Teams or PagerDuty.

Needs `pip install standardwebhooks`, and these variables: WEBHOOK_SECRET, the key that signs; and any of
SLACK_URL (an incoming webhook), TEAMS_URL (a workflow) and PAGERDUTY_ROUTING_KEY (an integration with the
Events API v2). Put a server with TLS in front of it.
"""

from __future__ import annotations

import json
import os
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

MAX_BYTES = 64 * 1024
MAX_ADDRESSES = 2_000
"""Characters: Slack takes 3,000 in a block, with the link."""
PAGERDUTY_URL = os.environ.get("PAGERDUTY_URL", "https://events.pagerduty.com/v2/enqueue")


def slack(event: dict[str, Any]) -> dict[str, Any]:
    """Return a message for an incoming webhook; plain text, so that names cannot mention anybody."""
    text = {"type": "plain_text", "text": f"{describe(event)}\n{link(event)}"}
    return {"text": event["data"]["text"], "blocks": [{"type": "section", "text": text}]}


def teams(event: dict[str, Any]) -> dict[str, Any]:
    """Return an Adaptive Card, as the workflow template for webhooks expects it."""
    lines = [{"type": "TextRun", "text": describe(event)}]
    card = {
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "RichTextBlock", "inlines": lines}],
        "actions": [{"type": "Action.OpenUrl", "title": "Run", "url": link(event)}] if link(event) else [],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def pagerduty(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event that opens an alert while there is drift or an error, and resolves it afterwards."""
    data = event["data"]
    action = "trigger" if data["errored"] or data.get("drifted") else "resolve"
    return {
        "routing_key": os.environ["PAGERDUTY_ROUTING_KEY"],
        "event_action": action,
        "dedup_key": f"{event['type']} {data['project']} {data['name']}",
        "payload": {
            "summary": data["text"],
            "source": data["host"] or "reconciler",
            "severity": "error" if data["errored"] else "warning",
            "custom_details": data["counts"],
        },
    }


def describe(event: dict[str, Any]) -> str:
    """Return the sentence of an event, with the addresses of new findings of drift."""
    data = event["data"]
    new = data.get("new", [])
    lines = "\n".join(dict.fromkeys(finding["address"] for finding in new))
    if len(lines) > MAX_ADDRESSES:
        lines = lines[:MAX_ADDRESSES].rpartition("\n")[0] + "\n…"
    elif data["counts"].get("new", 0) > len(new):
        lines += "\n…"
    return f"{data['text']}\n{lines}".strip()


def link(event: dict[str, Any]) -> str:
    """Return the link to the pull request, or to the run."""
    links = event["data"]["links"]
    return links["pull_request"] or links["run"] or ""


class Relay(BaseHTTPRequestHandler):
    """Accepts one kind of request: a signed webhook."""

    timeout = 30

    def do_POST(self) -> None:
        """Verify the webhook, and pass it on; 502 makes the sender try again."""
        body = self.rfile.read(min(int(self.headers.get("content-length", 0)), MAX_BYTES))
        try:
            event = Webhook(os.environ["WEBHOOK_SECRET"]).verify(body, dict(self.headers))
        except WebhookVerificationError:
            self.send_error(401)
            return
        try:
            for url, document in targets(event):
                post(url, document)
        except OSError:
            self.send_error(502)
            return
        self.send_response(204)
        self.end_headers()


def targets(event: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the address and the document for each service that is set up."""
    environment = os.environ
    services = [(environment.get("SLACK_URL"), slack), (environment.get("TEAMS_URL"), teams)]
    services += [(PAGERDUTY_URL if environment.get("PAGERDUTY_ROUTING_KEY") else None, pagerduty)]
    return [(url, convert(event)) for url, convert in services if url]


def post(url: str, document: dict[str, Any]) -> None:
    """Send a document, and fail unless it is accepted."""
    content = json.dumps(document).encode()
    request = urllib.request.Request(url, content, {"content-type": "application/json"})  # noqa: S310 - own setting
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - own setting
        pass


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Relay).serve_forever()
