"""Checks the pages against the program: manifests, generated parts and links."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
import yaml

from reconciler.cli.commands import VERBS
from reconciler.reports.json_schemas import DOCUMENTS
from tests.docs.generators import generate
from tests.docs.pages import PAGES, ROOT, anchors, blocks, generated, generated_names, links, name_of, prose

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.workplace import Workplace

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


@every_page
def test_generated_parts_are_up_to_date(page: Path, matches_golden: Callable[[str, Path], None]) -> None:
    matches_golden(generated(page, generate), page)


def test_every_command_and_every_key_is_documented() -> None:
    names = {name for page in PAGES for name in generated_names(page)}
    assert {f"help {verb}" for verb in VERBS} <= names
    assert {
        "keys organization",
        "keys organization ConnectionManifest",
        "keys organization LifecycleManifest",
    } <= names
    assert {"keys project", "keys project TargetManifest", "keys project LimitsManifest"} <= names


def test_every_json_document_is_on_the_page() -> None:
    names = generated_names(ROOT / "docs/reference/json-documents.md")
    assert {f"fields {name}" for name in DOCUMENTS} | {"parts"} == set(names)


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name != "test-reports"], ids=name_of)
def test_lines_have_at_most_120_columns(page: Path) -> None:
    assert not [line for line in prose(page) if len(line.rstrip()) > 120]


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / unquote(path)) if path else page
        assert target.exists(), f"{name_of(page)}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{name_of(page)}: {link}"


def test_the_index_lists_every_page_of_the_documentation() -> None:
    index = ROOT / "docs/index.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in links(index) if "://" not in link}
    missing = set(ROOT.glob("docs/**/*.md")) - listed - {index}
    assert not missing, sorted(map(name_of, missing))


@every_page
def test_manifests_and_project_files_are_valid(page: Path, bare: Workplace) -> None:
    variables: dict[str, str] = {"tenant": "acme"}
    secrets: dict[str, object] = {}
    for block in blocks(page, "yaml"):
        document = next(iter(yaml.safe_load_all(block.text)))
        variables |= document.get("vars", {})
        secrets |= document.get("secrets", {})
        if "jobs" in document or block.text.startswith("# emulator.yaml"):
            continue  # a workflow, see below, or what the page gives to the emulator
        shutil.rmtree(bare.root)
        bare.root.mkdir()
        is_project = not document.keys() & {"organization", "connections"}
        bare.declare("acme", client_secret="${env:ACME_CLIENT_SECRET}")
        name = "reconciler.yaml" if is_project else "organizations/acme.yaml"
        bare.write("approvals/acme.yaml" if document.keys() == {"approvals"} else name, block.text)
        if re.search("var:|vault:|aws-sm:|keyring:", block.text) and not is_project:
            bare.write("reconciler.yaml", json.dumps({"vars": variables, "secrets": secrets}))
        ended = bare.run(
            "-C", str(bare.root), "validate", *([] if is_project else ["organizations/acme.yaml"])
        )
        assert ended.code == 0, f"{name_of(page)}:{block.line}: {ended.output}"


def test_workflows_match_the_schema_of_github(tmp_path: Path) -> None:
    workflows = [
        block.text for page in PAGES for block in blocks(page, "yaml") if "\njobs:" in f"\n{block.text}"
    ]
    assert workflows
    for number, text in enumerate(workflows):
        trigger = "" if "\non:" in f"\n{text}" else "on: push\n"
        (tmp_path / f"{number}.yml").write_text(trigger + text, encoding="utf-8")
    files = map(str, tmp_path.iterdir())
    words = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *files]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@every_page
def test_python_examples_run(page: Path) -> None:
    for block in blocks(page, "python"):
        exec(compile(block.text, f"{name_of(page)}:{block.line}", "exec"), {})
