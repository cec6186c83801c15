"""A plugin for pytest that writes what `make proofs` has run, as a page: `-p tests.proofs.report`.

A test may record a row of its module's table: ``record_property("row", {"what is wrong": …, "result": …})``.
Modules that do so get a section; all others are counted.
"""

from __future__ import annotations

import ast
import platform
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pytest

ROOT: Final = Path(__file__).parents[2]
INTRODUCTION: Final = """\
# Proofs

`make proofs` runs the full tables, and all examples of generated tests. Both take too long for the test
suite, which runs the core cases, and a quarter of the examples. This page is the last result, on Python
{python}.

| module | proves | tests | failed | seconds |
|---|---|---|---|---|
"""


@dataclass
class Module:
    """What the tests of a module have shown. ``seconds`` is the sum over all its tests."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    rows: dict[str, Mapping[str, str]] = field(default_factory=dict)


class Proofs:
    """Collects reports of tests, and writes the page."""

    def __init__(self, page: Path) -> None:
        self.page = page
        self.modules: defaultdict[str, Module] = defaultdict(Module)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        path, _, name = report.nodeid.partition("::")
        path = path[path.index("tests/") :]  # pytest may take a folder above the project for its root
        module = self.modules[path]
        module.seconds += report.duration
        if report.outcome != "passed":
            module.failed.append(name)
        elif report.when == "call":
            module.passed += 1
        if report.when == "call":
            for key, row in report.user_properties:
                if key == "row" and isinstance(row, dict):
                    module.rows[name] = row

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not hasattr(session.config, "workerinput"):
            self.page.write_text("\n".join(render(self.modules)) + "\n", encoding="utf-8")


def render(modules: Mapping[str, Module]) -> Iterator[str]:
    """Yield the lines of the page."""
    yield INTRODUCTION.format(python=platform.python_version()).rstrip()
    if not modules:
        yield "| no run yet | | | | |"
    for path, module in sorted(modules.items()):
        total = module.passed + len(module.failed)
        yield f"| `{path}` | {purpose(path)} | {total} | {len(module.failed)} | {module.seconds:.0f} |"
    for path, module in sorted(modules.items()):
        if module.rows:
            yield from section(path, module)
    for name in sorted(f"`{path}::{name}`" for path, module in modules.items() for name in module.failed):
        yield f"\nFailed: {name}"


def section(path: str, module: Module) -> Iterator[str]:
    rows = [row for _, row in sorted(module.rows.items())]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    yield f"\n## {purpose(path)}\n"
    yield f"| {' | '.join(map(cell, columns))} |"
    yield f"|{'---|' * len(columns)}"
    yield from (f"| {' | '.join(cell(row.get(name, '')) for name in columns)} |" for row in rows)


def cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def purpose(path: str) -> str:
    """Return the first sentence of a module's docstring."""
    docstring = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.split("\n\n")[0].split()).removesuffix(".")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--proofs-page", metavar="FILE", type=Path, help="write the results of this run to FILE")


def pytest_configure(config: pytest.Config) -> None:
    if page := config.getoption("proofs_page"):
        config.pluginmanager.register(Proofs(page))
