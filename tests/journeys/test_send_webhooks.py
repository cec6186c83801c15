"""The page on webhooks: what it says of headers, retries and statuses is what is sent."""

from __future__ import annotations

from pathlib import Path

from reconciler.publishers.webhook import RETRYABLE, Limits, sign

PAGE = Path(__file__).parents[2] / "docs/how-to/send-webhooks.md"


def test_the_page_names_headers_statuses_and_limits() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert all(f"`{name}`" in text for name in sign(b"key", "msg_1", 0, b""))
    *first, last = sorted(RETRYABLE)
    assert f"{', '.join(map(str, first))} or {last}" in text
    limits = Limits()
    assert (limits.attempts, limits.total, limits.attempt) == (5, 60, 15)
    assert "up to five times within a minute" in text
    assert "within 15 seconds" in text
