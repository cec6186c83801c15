"""octoDNS's estate: as many records as there are connections, as many zones as organizations, in YAML.

A record holds the texts of the connection that it stands for; or, where it is short, one name alone.
"""

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


def write_zones(folder: Path, zones: int, records: int, *, short: bool = False) -> None:
    """Write the zones twice, alike, and the configuration that compares them."""
    record = _short_record if short else _record
    for side in ("declared", "live"):
        (folder / side).mkdir(parents=True)
        for index in range(zones):
            text = "".join(record(index, number) for number in range(records))
            (folder / side / f"customer-{index:06d}.example.yaml").write_text(text, encoding="utf-8")
    (folder / "config.yaml").write_text(_CONFIGURATION, encoding="utf-8")


def _record(index: int, number: int) -> str:
    attributes = (f"{key}={value}" for key, value in ATTRIBUTES.items())
    texts = (*declared(index, number).values(), CLIENT_SECRET, " ".join(SCOPES), *attributes)
    values = "".join(f"    - {text}\n" for text in texts)
    return f"idp-{number}:\n  type: TXT\n  ttl: 300\n  values:\n{values}"


def _short_record(index: int, number: int) -> str:
    target = f"customer-{index:06d}-{number}.identity.example.com."
    return f"idp-{number}:\n  type: CNAME\n  ttl: 300\n  value: {target}\n"
