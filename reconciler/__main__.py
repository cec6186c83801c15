"""``python -m reconciler``, and the installed command."""

from __future__ import annotations

import gc
import os
import sys

from reconciler import __version__

_HELP = os.path.join(os.path.dirname(__file__), "cli", "help.txt")  # noqa: PTH118, PTH120 - pathlib takes 8 ms

_MANY_OBJECTS = 200_000
"""More than imports make; the default of 700 takes a tenth of the time of a short call."""


def main() -> int:
    """Run one command and return its exit code."""
    return 0 if _was_answered_at_once(sys.argv[1:]) else _run()


def _was_answered_at_once(words: list[str]) -> bool:
    """Answer what needs no command line parser, in a third of the time; False leaves it to the parser."""
    if sys.stdout is None:
        return False
    try:
        if words == ["--version"]:
            _print(f"reconciler {__version__}\n")
        elif words == ["--help"] and "COLUMNS" not in os.environ:
            with open(_HELP, encoding="utf-8") as file:  # noqa: PTH123 - as above
                _print(file.read())
        else:
            return False
    except (OSError, UnicodeError):
        return False
    return True


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _run() -> int:
    """Run the parser, without looking for cycles where there are none: in imports, and at the end."""
    gc.set_threshold(_MANY_OBJECTS)
    from reconciler.cli import main as run  # noqa: PLC0415 - imports the parser, which takes 35 ms

    code = run()
    gc.freeze()
    return code


if __name__ == "__main__":
    sys.exit(main())
