"""Which web pages may call the frontend API."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.emulator.connection_fields import is_loopback
from reconciler.emulator.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.emulator.context import Context

_METHODS = "GET, POST, PUT, DELETE"


def check_origin(context: Context, headers: Mapping[str, str]) -> None:
    """Refuse a browser page of an origin that is not registered; raises `ApiError` 400."""
    origin = headers.get("origin")
    if origin and not is_trusted(context, origin):
        raise ApiError("bad_domain_for_stytch_sdk")


def is_trusted(context: Context, origin: str) -> bool:
    """Loopback origins and the ones in the settings."""
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return False
    return is_loopback(host) or origin in context.settings.trusted_origins


def cross_origin_headers(context: Context, headers: Mapping[str, str]) -> dict[str, str]:
    """What lets a trusted page read the answer; the SDK sends credentials, so no wildcard will do."""
    origin = headers.get("origin")
    if not origin or not is_trusted(context, origin):
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "retry-after",
        "vary": "Origin",
    }


def preflight_headers(context: Context, headers: Mapping[str, str]) -> dict[str, str]:
    """The answer to OPTIONS: the methods of the API, and whatever headers the page wants to send."""
    allowed = cross_origin_headers(context, headers)
    if not allowed:
        return {}
    asked = headers.get("access-control-request-headers", "authorization, content-type")
    return {
        **allowed,
        "access-control-allow-methods": _METHODS,
        "access-control-allow-headers": asked,
        "access-control-max-age": "600",
    }
