"""What a broken connection looks like in-process."""

from __future__ import annotations


class ConnectionLostError(ConnectionError):
    """The in-process stand-in for a reset or truncated connection; over loopback it is a real one."""
