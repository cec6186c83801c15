"""The JSON Schemas say the same as the code."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.core.errors import InvalidConfiguration
from reconciler.manifests import ReadLimits, load_manifests, load_project
from reconciler.manifests.json_schema import SCHEMA_NAMES, schema_text
from reconciler.manifests.yaml_reader import YamlScalarKind, read_yaml

ROOT = Path(__file__).parents[2]
BROKEN = Path(__file__).parent / "broken"

SEEN_BY_NO_SCHEMA = {
    "control-character",  # only by its escape; some editors' patterns disagree on these
    "unsafe-character",
    "default-conflict",
    "duplicate-key",
    "duplicate-organization",
    "duplicate-connection-id",
    "duplicate-display-name",
    "duplicate-scope",
    "missing-default-scopes",
    "previous-name-is-current",
    "no-manifests",
    "secret-out-of-place",
    "secret-not-allowed",
    "unknown-scheme",
    "undefined-variable",
    "malformed-reference",
    "variable-out-of-place",
    "target-ambiguous",
    "invalid-yaml",
    "unsupported-tag",
    "undefined-alias",
    "recursive-alias",
    "merge-key",
    "complex-key",
    "unquoted-key",
    "too-deep",
    "too-many-nodes",
    "not-utf-8",
    "several-documents",
    "invalid-date",  # a schema's "format" is a remark, not a rule
    "invalid-url",  # likewise, where a variable made it
}


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_the_file_in_the_repository_is_up_to_date(name: str) -> None:
    assert (ROOT / f"schemas/{name}.schema.json").read_text() == schema_text(name)


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_every_key_of_a_schema_is_described(name: str) -> None:
    schema = json.loads(schema_text(name))
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    for mapping in [schema, *schema["$defs"].values()]:
        assert mapping["additionalProperties"] is False
        assert mapping["title"]
        assert all("$ref" in field or field["description"] for field in mapping["properties"].values())


def test_examples_fit() -> None:
    for name in SCHEMA_NAMES:
        schema = json.loads(schema_text(name))
        for mapping in [schema, *schema["$defs"].values()]:
            for key, field in mapping["properties"].items():
                validator = Draft202012Validator({**field, "$defs": schema["$defs"]})
                for example in field.get("examples", ()):
                    assert validator.is_valid(example), (key, example)


READ_AS_TEXT_BY_EDITORS = {"text-is-date", "text-is-off"}
CLOSE_TO_A_VALID_GLOB = {"project-allow-list-matches-other-names"}


def cases() -> list[Any]:
    return [
        pytest.param(case, id=case.name)
        for case in sorted(BROKEN.iterdir())
        if case.name not in READ_AS_TEXT_BY_EDITORS | CLOSE_TO_A_VALID_GLOB
        and not {finding["code"] for finding in json.loads((case / "expected.json").read_text())}
        & SEEN_BY_NO_SCHEMA
    ]


def test_most_broken_cases_are_covered_by_a_schema() -> None:
    assert len(cases()) >= 80


@pytest.mark.parametrize("case", cases())
def test_broken_manifests_do_not_validate(case: Path) -> None:
    project = case / "reconciler.yaml"
    files = [("project", project)] if project.exists() else []
    files += [("organization", file) for file in sorted(case.rglob("organizations/*.yaml"))]
    assert not all(is_valid(name, file) for name, file in files)


@pytest.mark.parametrize(
    "connection",
    [
        "{}",
        "{issuer: 'https://${var:t}.okta.com', custom_scopes: openid email}",
        "{state: absent, discovery: off, secret_expires_on: 2027-01-01}",
        "{identity_provider: '${var:idp}', custom_scopes: [openid]}",
        "{client_secret: 'a${file:b}', attribute_mapping: {a: '${var:b}'}}",
        "{display_name: 'a $${b}', connection_id: 'oidc-connection-test-${var:t}'}",
    ],
)
def test_valid_manifests_validate(tmp_path: Path, connection: str) -> None:
    (tmp_path / "a.yaml").write_text(f"organization: ${{var:name}}\nconnections: {{okta: {connection}}}\n")
    variables = {"name": "acme", "t": "a", "idp": "okta", "b": "c"}
    loaded = load_manifests(["a.yaml"], load_project(None, tmp_path), variables)
    assert not loaded.has_errors, loaded.diagnostics
    assert is_valid("organization", tmp_path / "a.yaml")


PROJECT = """\
version: 1
target: {project_id: '${env:STYTCH_PROJECT_ID}', secret: '${env:STYTCH_SECRET}', base_url: 'http://localhost:1'}
organizations: [organizations/**/*.yaml]
vars: {tenant: acme}
defaults: {prune: false, discovery: off}
limits: {max_deletes: 3, max_delete_percent: 20, requests_per_second: 10.5, concurrency: 8}
policies: {issuer-host-change: off, other: warn}
secrets: {env: {allow: ["*_CLIENT_SECRET"]}, file: {allow: [/run/secrets/*]}}
"""


def test_a_valid_project_file_validates(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text(PROJECT)
    try:
        load_project(None, tmp_path)
    except InvalidConfiguration as error:
        pytest.fail(str(error))
    assert is_valid("project", tmp_path / "reconciler.yaml")


def is_valid(name: str, file: Path) -> bool:
    validator = Draft202012Validator(json.loads(schema_text(name)))
    documents = read_yaml(file.read_text(), ReadLimits()).documents
    return all(validator.is_valid(_as_editors_read(document.value)) for document in documents)


def _as_editors_read(value: Any) -> Any:
    """Return what a YAML 1.2 reader, which editors have, makes of a value."""
    match value:
        case dict():
            return {key: _as_editors_read(below) for key, below in value.items()}
        case list():
            return [_as_editors_read(below) for below in value]
        case YamlScalarKind.OFF:
            return "off"
        case date():
            return value.isoformat()
        case YamlScalarKind():
            return 0
        case _:
            return value
