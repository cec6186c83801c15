"""The header by which the session API expects a client to introduce itself."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from reconciler import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class SdkHeaders:
    """Makes the ``X-SDK-Client`` header, anew for each call.

    The official SDKs send it always; whether the server demands it is not documented.
    ``wall`` is the present in seconds since the epoch.
    """

    wall: Callable[[], float]
    session_id: str
    persistent_id: str
    new_id: Callable[[], UUID] = uuid4

    def __call__(self) -> dict[str, str]:
        """Return the header for one call."""
        return {"X-SDK-Client": b64encode(json.dumps(self._introduction()).encode()).decode()}

    def _introduction(self) -> dict[str, object]:
        return {
            "event_id": f"event-id-{self.new_id()}",
            "app_session_id": f"app-session-id-{self.session_id}",
            "persistent_id": f"persistent-id-{self.persistent_id}",
            "client_sent_at": datetime.fromtimestamp(self.wall(), UTC).isoformat(timespec="milliseconds"),
            "timezone": "UTC",
            "app": {"identifier": "reconciler", "version": __version__},
            "sdk": {"identifier": "reconciler", "version": __version__},
        }


def sdk_headers(wall: Callable[[], float], new_id: Callable[[], UUID] = uuid4) -> SdkHeaders:
    """Return the headers of one run."""
    return SdkHeaders(wall, session_id=str(new_id()), persistent_id=str(new_id()), new_id=new_id)
