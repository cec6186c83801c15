"""What the exit code says, and the ways out that only the command line knows."""

from enum import IntEnum


class ExitCode(IntEnum):
    """2 only ever means that there are changes, so a wrong option is 1 like every other error."""

    SUCCESS = 0
    ERROR = 1
    CHANGES = 2
    INTERRUPTED = 130


class Declined(Exception):
    """Somebody was asked, and did not approve."""


class OutputLost(Exception):
    """Standard output cannot be written to, so nobody can be told the result there."""
