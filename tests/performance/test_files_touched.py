"""How many files an engineer has to know to follow a plan: those whose functions it runs."""

import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import FrameType

import pytest

import reconciler
from benchmarks.estate import environment_for, write_estate, write_project
from benchmarks.measure import service

pytestmark = pytest.mark.usefixtures("unmeasured")

PACKAGE = Path(reconciler.__file__).parent
MOST_FILES = 83
"""May only fall. Six were added with the stores of secrets and identity providers, which a plan may ask."""

_PROGRAM = """
import sys, threading
import reconciler.cli.plan
from reconciler.cli.main import main
from tests.performance.test_files_touched import running, touched
sys.setprofile(running)
threading.setprofile(running)
code = main(["plan"])
sys.setprofile(None)
print(*sorted(touched), sep="\\n", file=sys.stderr)
sys.exit(code)
"""

touched: set[str] = set()


def running(frame: FrameType, _event: str, _argument: object) -> None:
    """Note the file of a function; bodies of modules and classes, and what they run, do not count."""
    code = frame.f_code
    if code.co_flags & inspect.CO_OPTIMIZED and not code.co_name.endswith(("comp>", "genexpr>")):
        touched.add(code.co_filename)


def test_a_plan_without_changes_runs_functions_of_few_files(tmp_path: Path) -> None:
    estate = write_estate(tmp_path, 3)
    with service(estate.organizations) as api:
        write_project(estate.folder, requests_per_second=1_000.0)
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            cwd=estate.folder,
            env={**os.environ, **environment_for(api.base_url), "PYTHONPATH": str(PACKAGE.parent)},
            capture_output=True,
            text=True,
            check=True,
        )
    assert "No changes." in done.stdout
    paths = (Path(line) for line in done.stderr.splitlines())
    files = [str(path.relative_to(PACKAGE)) for path in paths if path.is_relative_to(PACKAGE)]
    assert "workflow/plan.py" in files
    assert len(files) <= MOST_FILES, "\n".join(files)
