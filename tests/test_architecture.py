"""The house keeps its floors, and what should become rarer only ever does."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest
import yaml

import reconciler

ROOT = Path(__file__).parents[1]
PACKAGE = Path(reconciler.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE = 400
LONGEST_FUNCTION = 40

# These may only fall: whoever gets one down writes the lower number here.
CALLERS_OF_REVEAL = {
    "idp/credential_probe.py": 1,
    "providers/stytch/resources.py": 1,
    "providers/stytch/credentials.py": 5,
    "secrets/age.py": 1,  # the identity, for the library that decrypts
    "secrets/resolve.py": 1,
    "workflow/age_files.py": 1,  # a secret that is to be encrypted
}
PRINTS = 0
PRAGMAS = 0
TYPE_IGNORES = {"reconciler": 3, "tests": 18}
NOQAS = {"reconciler": 62, "tests": 3}
NAMES_THAT_SAY_NOTHING = ("Manager", "Helper", "Util", "process_", "handle_data")
VAGUE_VARIABLES = {"one", "found", "told", "meant", "shown"}
ROOMS_WITHOUT_A_FLOOR = {"utils", "helpers", "common", "util", "misc"}

every_module = pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))


def test_imports_go_down_only() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", done.stdout)


def test_no_imports_form_a_circle() -> None:
    """Imports for type hints count too."""
    graph = grimp.build_graph("reconciler", exclude_type_checking_imports=False)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert set(TopologicalSorter(imported).static_order()) == graph.modules


@every_module
def test_a_module_says_in_a_sentence_what_it_is_for(module: Path) -> None:
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
    assert docstring, "every module has a docstring"
    first = docstring.split("\n\n")[0]
    assert first.rstrip().endswith((".", "!")), first


@every_module
def test_no_module_is_long(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


@every_module
def test_no_function_is_long(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {node.name: lines for node in functions if (lines := length(node)) > LONGEST_FUNCTION}
    assert not long


@every_module
def test_variables_are_named_by_their_type(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    variables = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    assert not (variables | arguments) & VAGUE_VARIABLES


@every_module
def test_names_say_something(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    names = [node.name for node in ast.walk(tree) if isinstance(node, kinds)]
    assert not [name for name in names if any(part in name for part in NAMES_THAT_SAY_NOTHING)]


def test_every_room_has_a_floor() -> None:
    rooms = {path.name.removesuffix(".py") for path in PACKAGE.iterdir()}
    assert not rooms & ROOMS_WITHOUT_A_FLOOR


def test_who_reveals_a_secret() -> None:
    assert count_by_file(r"\.reveal\(\)") == CALLERS_OF_REVEAL


def test_nobody_prints() -> None:
    assert sum(calls(path, "print") for path in MODULES) <= PRINTS


def test_no_line_hides_from_coverage() -> None:
    assert count("reconciler", r"#\s*pragma: no cover") <= PRAGMAS
    assert count("tests", r"#\s*pragma: no cover") <= PRAGMAS


@pytest.mark.parametrize("where", ["reconciler", "tests"])
def test_exceptions_from_the_rules_only_become_fewer(where: str) -> None:
    assert count(where, r"#\s*type: ignore") <= TYPE_IGNORES[where]
    assert count(where, r"#\s*noqa") <= NOQAS[where]


@pytest.mark.parametrize("where", ["reconciler", "tests"])
@pytest.mark.parametrize("marker", [r"#\s*noqa\b", r"#\s*type: ignore\b"])
def test_every_exception_says_what_of_and_why(where: str, marker: str) -> None:
    bare = [
        f"{path}:{number}"
        for path in sources(where)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := re.search(marker, comment_of(line)))
        and not gives_reason(comment_of(line)[found.end() :])
    ]
    assert not bare


def test_make_ci_and_readme_speak_of_the_same_things() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for file in (".ci/run", ".github/workflows/ci.yml", "README.md", "CONTRIBUTING.md"):
        text = (ROOT / file).read_text(encoding="utf-8")
        told = set(re.findall(r"(?:^\s*(?:- run: )?|`)make ([a-z]+)", text, re.MULTILINE))
        told |= {
            target
            for line in re.findall(r"^at_once ([a-z ]+)$", text, re.MULTILINE)
            for target in line.split()
        }
        assert told, file
        assert told <= targets, file


def test_the_promised_pythons_are_the_tested_ones() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = {one.rpartition(" ")[2] for one in project["classifiers"] if "Python :: 3." in one}
    promised = {one.rpartition(":: ")[2] for one in promised}
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    assert set(jobs["test"]["strategy"]["matrix"]["python"]) == promised
    assert project["requires-python"] == f">={min(promised, key=lambda one: int(one.split('.')[1]))}"


def test_workflows_have_least_privilege_and_pinned_actions() -> None:
    for file in (ROOT / ".github/workflows").glob("*.yml"):
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {"contents": "read"}
        used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
        assert used
        assert all(one.startswith("./") or re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", one) for one in used)


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code, without the docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


def calls(path: Path, name: str) -> int:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sum(isinstance(one, ast.Name) and one.id == name for one in called)


def sources(where: str) -> list[Path]:
    return MODULES if where == "reconciler" else sorted((ROOT / "tests").rglob("*.py"))


def count(where: str, pattern: str) -> int:
    return sum(len(re.findall(pattern, path.read_text(encoding="utf-8"))) for path in sources(where))


def count_by_file(pattern: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for path in MODULES:
        if path.name != "secret.py":
            text = path.read_text(encoding="utf-8")
            found[str(path.relative_to(PACKAGE))] = len(re.findall(pattern, text))
    return {name: number for name, number in found.items() if number}


def comment_of(line: str) -> str:
    return "" if "re." in line or '"' in line.partition("#")[2] else line


def gives_reason(text: str) -> bool:
    """``: CODE - because`` and its like."""
    return bool(re.match(r"(: [A-Z0-9, ]+|\[[a-z, -]+\])\s*(-+|#| )\s*\S.{5,}", text))
