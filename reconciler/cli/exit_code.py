"""What the exit code says; nothing else is ever returned."""

from enum import IntEnum


class ExitCode(IntEnum):
    """2 only ever means that there are changes, so a wrong option is 1 like every other error."""

    SUCCESS = 0
    ERROR = 1
    CHANGES = 2
    INTERRUPTED = 130
