"""uvicorn's protocol, which also tells the application about its connection, so that it can be broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.emulator.delivery import TRANSPORT

if TYPE_CHECKING:
    import asyncio


class BreakableProtocol(H11Protocol):
    """Puts the transport into each request's `scope["state"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Called by the event loop."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}
