"""Zones for octoDNS: a zone for each organization, a record for each connection, with the same texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.estate import ATTRIBUTES, CLIENT_SECRET, SCOPES, declared

if TYPE_CHECKING:
    from pathlib import Path

_CONFIGURATION: Final = """\
providers:
  declared:
    class: octodns.provider.yaml.YamlProvider
    directory: ./declared
    enforce_order: false
  live:
    class: octodns.provider.yaml.YamlProvider
    directory: ./live
    enforce_order: false
zones:
  '*':
    sources: [declared]
    targets: [live]
"""


def write_zones(folder: Path, zones: int, records: int) -> None:
    """Write equal zones as source and as target, and the configuration that compares them."""
    for side in ("declared", "live"):
        (folder / side).mkdir(parents=True)
        for index in range(zones):
            text = "".join(_record(index, number) for number in range(records))
            (folder / side / f"customer-{index:06d}.example.yaml").write_text(text, encoding="utf-8")
    (folder / "config.yaml").write_text(_CONFIGURATION, encoding="utf-8")


def _record(index: int, number: int) -> str:
    attributes = (f"{key}={value}" for key, value in ATTRIBUTES.items())
    texts = (*declared(index, number).values(), CLIENT_SECRET, " ".join(SCOPES), *attributes)
    values = "".join(f"    - {text}\n" for text in texts)
    return f"idp-{number}:\n  type: TXT\n  ttl: 300\n  values:\n{values}"
