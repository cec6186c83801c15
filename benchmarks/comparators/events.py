"""libyaml's bare event stream over all manifests of the working directory."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml


def main() -> None:
    """Print the number of events."""
    events = 0
    for file in sorted(Path("organizations").rglob("*.yaml")):
        for _event in yaml.parse(file.read_bytes(), Loader=yaml.CSafeLoader):
            events += 1
    sys.stdout.write(f"{events}\n")


if __name__ == "__main__":
    main()
