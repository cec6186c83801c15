"""``python -m reconciler``, and the installed command."""

import sys

from reconciler.cli import main

if __name__ == "__main__":
    sys.exit(main())
