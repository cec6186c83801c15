"""``python -m reconciler``, and the installed command."""

from __future__ import annotations

import sys

from reconciler.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
