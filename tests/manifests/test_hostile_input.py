"""Whatever a file holds: findings within bounds, never a traceback, never a secret."""

from __future__ import annotations

import os
import time
import tracemalloc
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.errors import InvalidConfiguration
from reconciler.manifests import Loaded, Project, ReadLimits, load_manifests, load_project
from reconciler.manifests.organization_model import ConnectionManifest, OrganizationManifest
from reconciler.manifests.project_model import (
    DefaultsManifest,
    LimitsManifest,
    ProjectManifest,
    TargetManifest,
)
from reconciler.manifests.yaml_reader import LOADER, YamlFile, read_yaml
from reconciler.secrets import SecretPolicy
from tests.support.generated import examples

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.core.errors import Diagnostic

CANARY = "CANARY-5f2c"

PROJECT_WORDS = [
    *TargetManifest.__annotations__,
    *LimitsManifest.__annotations__,
    *DefaultsManifest.__annotations__,
    *("env", "file", "allow"),
]

words = st.sampled_from(
    [
        *ConnectionManifest.__annotations__,
        *OrganizationManifest.__annotations__,
        *(
            "acme",
            "okta",
            "no",
            "1.0",
            "~",
            "",
            "2027-03-31",
            "${env:A_CLIENT_SECRET}",
            "${var:x}",
            "${",
            "https://a.example.com",
        ),
        *("http://x", "absent", "off", "<<", "a b", "x" * 130, "\u202e", "\x00", "\U0001f600", "é"),
    ]
)
values = st.recursive(
    words | st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=20),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(words | st.text(max_size=5), below, max_size=4)
    ),
    max_leaves=12,
)
manifests = st.fixed_dictionaries(
    {},
    optional={
        "organization": st.just("acme") | values,
        "connections": st.dictionaries(words, st.dictionaries(words, values, max_size=6), max_size=3)
        | values,
        "prune": values,
    },
)
projects = st.fixed_dictionaries(
    {},
    optional={
        name: values | st.dictionaries(words | st.sampled_from(PROJECT_WORDS), values, max_size=5)
        for name in ProjectManifest.__annotations__
    },
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("hostile")
    return Project(directory=folder, root=folder, secret_policy=SecretPolicy(root=folder))


def load(project: Project, content: bytes) -> Loaded:
    file = project.directory / "manifest.yaml"
    file.write_bytes(content)
    return load_manifests([file], project, {})


def texts_of(diagnostics: tuple[Diagnostic, ...]) -> str:
    return "\n".join(str(astuple(found)) for found in diagnostics)


@given(content=st.binary(max_size=400))
@example(content=b"&0")
@examples(200)
def test_any_bytes_give_findings_or_declare_nothing(project: Project, content: bytes) -> None:
    loaded = load(project, content)
    assert loaded.has_errors or {*b"#-.%"} & {*content}  # a comment, or an empty document
    assert not loaded.state.organizations


@given(content=st.text(alphabet="ab:- \n\t{}[]&*!|>'\"%@`#?,~$<=0.\u2028\ufeff\\", max_size=60))
@examples(200)
def test_any_punctuation_gives_findings_or_declares_nothing(project: Project, content: str) -> None:
    loaded = load(project, content.encode())
    assert loaded.has_errors or {*"#-.%"} & {*content}  # a comment, or a document that is empty
    assert not loaded.state.organizations


@given(manifest=manifests)
@examples(200)
def test_any_mapping_gives_findings_or_a_state(project: Project, manifest: dict[str, object]) -> None:
    loaded = load(project, yaml.safe_dump(manifest).encode())
    assert loaded.has_errors != bool(loaded.state.organizations)
    assert all(found.location for found in loaded.diagnostics if found.code != "no-manifests")
    assert all(found.summary and "pydantic" not in found.summary for found in loaded.diagnostics)


@pytest.mark.parametrize(
    ("content", "code", "summary"),
    [
        ("organization: acme\n'[key]': 1\n", "unknown-key", "unknown key `[key]`"),
        ("organization: acme\nconnections:\n  okta:\n    '[key]': 1\n", "unknown-key", "unknown key `[key]`"),
        ("organization: acme\nconnections:\n  '[key]': {}\n", "invalid-connection-name", "`[key]`"),
        (
            "organization: acme\nconnections:\n  okta:\n    attribute_mapping: {'[key]': 5}\n",
            "not-text",
            "`attribute_mapping.[key]`",
        ),
        (
            "organization: acme\nconnections:\n  okta:\n    attribute_mapping: {' a': b}\n",
            "untrimmed",
            "` a`",
        ),
    ],
)
def test_a_key_may_be_called_like_a_step_of_pydantic(
    project: Project, content: str, code: str, summary: str
) -> None:
    found = load(project, content.encode()).diagnostics[0]
    assert (found.code, summary in found.summary) == (code, True), found


@given(
    content=st.binary(max_size=200)
    | values.map(yaml.safe_dump).map(str.encode)
    | projects.map(yaml.safe_dump).map(str.encode)
)
@example(content=b"'[key]':")
@examples(200)
def test_any_project_file_gives_a_project_or_findings(project: Project, content: bytes) -> None:
    (project.directory / "reconciler.yaml").write_bytes(content)
    diagnostics = findings_of_project(project.directory)
    (project.directory / "reconciler.yaml").unlink()
    assert all(found.location and found.summary for found in diagnostics)


def findings_of_project(folder: Path) -> tuple[Diagnostic, ...]:
    try:
        load_project(None, folder)
    except InvalidConfiguration as error:
        return error.diagnostics
    return ()


@given(
    manifest=manifests,
    style=st.sampled_from(
        [
            "{}",
            "'{}'",
            '"{}"',
            "|\n      {}\n      {}",
            ">\n      {}",
            "[{}]",
            "&x {}",
            "!!str {}",
            "[ {}",
            "*{}",
            "!{}",
            "!!{} a",
            "@{}",
            "%{}",
            "`{}",
            "{}: a",
            "{}:",
            "&{}",
            "[*{}]",
            "\n      *{}",
            "|{}",
            '"{}',
            "a\n     {}",
        ]
    ),
    junk=st.sampled_from(
        [
            "",
            "    issuer: [",
            "    x: 'y",
            "   issuer: a",
            "\tx: y",
            "    issuer: a: b",
            "    client_secret: a",
        ]
    ),
)
@examples(200)
def test_a_literal_secret_is_never_repeated(
    project: Project, manifest: dict[str, object], style: str, junk: str
) -> None:
    secret = style.replace("{}", CANARY)
    text = f"organization: acme\nconnections:\n  okta:\n    client_secret: {secret}\n{junk}\n"
    loaded = load(project, (text + "---\n" + yaml.safe_dump(manifest)).encode())
    assert loaded.has_errors
    assert CANARY not in texts_of(loaded.diagnostics)


@given(content=st.text(alphabet="abc:- \n{}[]&*'\"#,~", max_size=60) | manifests.map(yaml.safe_dump))
@examples(200)
@example(content="[~:[")
@example(content="{\na:}:")
def test_both_parsers_read_the_same(content: str) -> None:
    """Where the text is invalid, one parser may get a little further; up to there they agree."""
    fast = read_yaml(content, ReadLimits())
    slow = read_yaml(content, ReadLimits(), yaml.SafeLoader)
    if (fast.error is None) != (slow.error is None):
        return
    for of in (_values, _flaws):
        ours, theirs = of(fast), of(slow)
        common = min(len(ours), len(theirs)) if fast.error else max(len(ours), len(theirs))
        assert ours[:common] == theirs[:common]


def test_keys_may_have_anchors_but_no_tags() -> None:
    read = read_yaml("&a key: *a\n!!str other: 1\n", ReadLimits())
    assert read.documents[0].value == {"key": "key", "other": 1}
    assert [problem.code for problem in read.problems] == ["unsupported-tag"]


@pytest.mark.parametrize("loader", [LOADER, yaml.SafeLoader])
def test_an_escape_beyond_unicode_is_an_error_to_both_parsers(loader: type[Any]) -> None:
    assert read_yaml(r'a: "\UFFFFFFFF"', ReadLimits(), loader).error is not None


def _values(read: YamlFile) -> list[object]:
    return [repr(document.value) for document in read.documents]


def _flaws(read: YamlFile) -> list[object]:
    return [(problem.code, problem.subject, problem.span.start) for problem in read.problems]


@given(manifest=manifests)
@examples(200)
def test_every_value_has_a_place(manifest: dict[str, object]) -> None:
    for document in read_yaml(yaml.safe_dump(manifest), ReadLimits()).documents:
        for path in paths_of(document.value, ()):
            assert document.has(path)


def paths_of(value: object, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for step, child in below for deeper in paths_of(child, (*path, step)))]


LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 30)
)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (LAUGHS, "too-many-nodes"),
        ("a: " + "[" * 300_000, "too-deep"),
        ("{" * 300_000, "too-deep"),
        ("- " * 300_000, "too-deep"),
        ("a: &a x\nb: [" + "*a," * 5_000 + "]\n", "too-many-aliases"),
        ("[" + "a," * 400_000 + "]", "too-many-nodes"),
        (
            "".join(f"a{n}: &a{n} [{f'*a{n - 1}' if n else 'x'}]\n" for n in range(900)) + 'b: "\\n"',
            "too-deep",
        ),
        ("a" * 2_000_000, "file-too-large"),
        ("a: " + "9" * 1_000_000, "unknown-key"),
        ("x" * 1_000_000 + ": 1", "invalid-yaml"),
        ("".join(f"a: {number}\n" for number in range(20_000)), "duplicate-key"),
        ("organization: acme\nconnections:\n" + "  a: {client_id: 1}\n" * 3_000, "duplicate-key"),
        ("\x00" * 900_000, "unsafe-character"),
        ("\u202e\n" * 200_000, "unsafe-character"),
    ],
    ids=lambda value: value if len(value) < 30 else "",
)
def test_hostile_files_are_rejected_within_time_and_memory(project: Project, content: str, code: str) -> None:
    tracemalloc.start()
    started = time.process_time()
    loaded = load(project, content.encode())
    elapsed = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert code in {found.code for found in loaded.diagnostics}
    assert elapsed < 30
    assert peak < 300 * 1024 * 1024
    assert len(loaded.diagnostics) <= 501


@pytest.mark.parametrize(
    ("content", "place"),
    [("a: " + "[" * 10_000, "1:19"), ("{" * 10_000, "1:17"), ("- " * 10_000, "1:33")],
    ids=["lists", "mappings", "blocks"],
)
def test_nesting_that_is_too_deep_is_reported_where_it_begins(
    project: Project, content: str, place: str
) -> None:
    """Whatever limit the parser itself has."""
    diagnostic = load(project, content.encode()).diagnostics[-1]
    assert (diagnostic.code, str(diagnostic.location)) == ("too-deep", f"manifest.yaml:{place}")


def test_a_folder_a_pipe_and_a_broken_link_are_findings(project: Project, tmp_path: Path) -> None:

    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "broken.yaml").symlink_to(tmp_path / "nothing")
    (tmp_path / "secret.yaml").write_text("organization: acme\n")
    loaded = load_manifests([tmp_path], project, {})
    assert sorted(found.code for found in loaded.diagnostics) == ["unreadable-file", "unreadable-file"]
