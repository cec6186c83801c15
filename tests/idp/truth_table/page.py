"""Renders the truth table as a page of the documentation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.idp.token_answers import VENDORS
from tests.idp.truth_table.defects import DEFECTS
from tests.idp.truth_table.probes import PROBES
from tests.idp.truth_table.right import RIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.idp.truth_table.rows import Findings

PAGE: Final = Path(__file__).parents[3] / "docs/test-reports/identity-providers.md"
_INTRODUCTION: Final = """\
# What verify finds at identity providers

Each row is a connection of the emulator that `reconciler verify --probe-credentials` has checked, at a
provider on loopback. The tests reproduce every row, and compare this page with the results.
"""
_DEFECTS: Final = """
## Defects

Each defect is reported with one code, and no other error or warning. `oidc-provider` is npm's certified
OpenID provider, version 9.13.3, with this defect; if it cannot have the defect, its responses are
scripted. Information beside an error follows from the same defect.
"""
_RIGHT: Final = """
## Right set-ups

None of these raises an error or a warning. The hosts are those of the vendors; a proxy on loopback answers
for them. Documents named `….json` are in `tests/policies/idp`; "generic" means that no shape of the vendor
is known, so its connections are checked as those of any provider.
"""
_PROBES: Final = """
## Probes at real providers

The answers of three providers of different authors to the probe of a client secret. The last request for
an accepted secret is the control, with a random secret: only a provider that refuses it has accepted the
real one.
"""
_VENDORS: Final = """
## Probes and the answers of vendors

Scripted answers of token endpoints, as vendors document them or users report them. Without a finding, the
secret was accepted.
"""


def page(defects: dict[str, Findings], right: dict[str, Findings]) -> str:
    """Return the page with what was found."""
    return "\n".join(_lines(defects, right)) + "\n"


def _lines(defects: dict[str, Findings], right: dict[str, Findings]) -> Iterator[str]:
    yield _INTRODUCTION.rstrip()
    yield _DEFECTS
    yield from _table(
        ("what is wrong", "reproduced with", "errors and warnings", "information"),
        (
            (row.what, row.part, *map(_codes, (defects[row.what].grave, defects[row.what].information)))
            for row in DEFECTS
        ),
    )
    yield _RIGHT
    yield from _table(
        ("set-up", "identity_provider", "shape", "source", "errors and warnings", "information"),
        (
            (
                row.what,
                row.identity_provider,
                "generic" if row.is_generic else "known",
                row.source,
                *map(_codes, (right[row.what].grave, right[row.what].information)),
            )
            for row in RIGHT
        ),
    )
    yield _PROBES
    yield from _table(
        ("provider", "secret", "answers", "found by"),
        ((row.provider, row.what, "; ".join(row.answers), _codes(row.codes)) for row in PROBES),
    )
    yield _VENDORS
    yield from _table(
        ("answer", "requests", "found by"),
        ((name, str(requests), _codes(codes)) for name, (_, codes, requests) in VENDORS.items()),
    )


def _codes(codes: Iterable[str]) -> str:
    return ", ".join(f"`{code}`" for code in codes) or "none"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
