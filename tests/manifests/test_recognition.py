"""What is recognised without pydantic is what pydantic would accept, with the same result."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.secret import Locator, SecretReference
from reconciler.manifests import recognition, text
from reconciler.manifests.definition import LONGEST_TEXT, Endpoint, Issuer, OrganizationManifest
from reconciler.manifests.objections import adapter
from reconciler.manifests.project_definition import ProjectManifest
from reconciler.manifests.recognition import UNRECOGNISED, recogniser
from reconciler.manifests.scalars import Misread
from tests.manifests.everything import EVERYTHING

ROOT = Path(__file__).parents[2]
REFERENCE = SecretReference("${env:A}", (Locator("env", "A"),))

TEXTS = st.sampled_from(
    [
        *(
            "",
            " ",
            "a",
            "acme",
            "Acme SSO",
            "a b ",
            "a\n",
            "a\x00",
            "openid",
            "openid email",
            "a  b",
            "é",
            "x" * 129,
        ),
        *("okta", "OKTA", "off", "present", "absent", "report", "2027-03-31", "2027-02-30", "x" * 2049),
        *(
            "https://acme.okta.com",
            "https://acme.okta.com\n",
            "https://a.b/c?d=e",
            "http://127.0.0.1:1",
            "http://a.b",
        ),
        *("https://a.b:65536", "https://[::1]/x", "https://a..b", "https://é.com", "ftp://a.b"),
        *(
            "organization-live-1",
            "oidc-connection-live-1",
            "oidc-connection-",
            "project-test-1",
            "a/b",
            "../x",
            "*.yaml",
        ),
    ]
)
SCALARS = st.one_of(
    TEXTS,
    st.booleans(),
    st.integers(-2, 300),
    st.floats(-2, 300),
    st.dates(date(2026, 1, 1), date(2028, 1, 1)),
    st.sampled_from([None, REFERENCE, *Misread]),
)
ANY = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=3)
)


def records(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Mappings with some of the keys, mostly with fitting values, and sometimes with one key too many."""
    known = st.fixed_dictionaries({}, optional={name: fitting | ANY for name, fitting in fields.items()})
    extra = st.dictionaries(TEXTS, SCALARS, max_size=1)
    return st.builds(lambda more, some: {**more, **some}, st.just({}) | extra, known)


PIECES = st.sampled_from(
    [
        *("https://", "http://", "localhost", "127.0.0.1", "[::1]", "a.b", "a.bc", "a.b.", "-a", "a..b"),
        *(
            ":",
            ":1",
            ":65536",
            "/",
            "//",
            "/c",
            "?",
            "?d=/e",
            "#",
            "@",
            "%20",
            "é",
            " ",
            "\n",
            "{",
            "${env:A}",
        ),
        "/" + "x" * 2036,
    ]
)
URLS = st.sampled_from(["https://acme.okta.com", "https://acme.okta.com/a?b", "http://localhost:8080/"])
NAMES = st.sampled_from(["okta", "Acme SSO", "0oa1"])
CONNECTIONS = records(
    display_name=NAMES,
    identity_provider=st.just("okta"),
    issuer=URLS,
    client_id=NAMES,
    client_secret=st.just(REFERENCE),
    token_url=URLS,
    custom_scopes=st.sampled_from(["openid email", ["openid", "email"], []]),
    attribute_mapping=st.dictionaries(NAMES, NAMES, max_size=2),
    connection_id=st.just("oidc-connection-live-1"),
    previous_display_names=st.lists(NAMES, max_size=2),
    state=st.sampled_from(["present", "absent"]),
    discovery=st.sampled_from(["off", "report", Misread.OFF]),
    secret_expires_on=st.sampled_from(["2027-03-31", date(2027, 3, 31)]),
    lifecycle=records(prevent_destroy=st.booleans(), ignore_changes=st.just(["issuer"])),
)
ORGANIZATIONS = records(
    organization=st.just("acme"),
    organization_id=st.just("organization-live-1"),
    prune=st.booleans(),
    connections=st.dictionaries(st.sampled_from(["okta", "entra-2"]) | TEXTS, CONNECTIONS, max_size=2),
)
PROJECTS = records(
    version=st.just(1),
    target=records(
        project_id=st.sampled_from(["project-test-1", REFERENCE]), secret=st.just(REFERENCE), base_url=URLS
    ),
    organizations=st.lists(st.sampled_from(["a/*.yaml", "**/*.yml"]), max_size=2),
    vars=st.dictionaries(st.sampled_from(["tenant", "A1"]), NAMES, max_size=2),
    defaults=records(prune=st.booleans(), discovery=st.just(Misread.OFF)),
    limits=records(
        max_deletes=st.integers(-1, 5),
        max_delete_percent=st.integers(-1, 101) | st.floats(-1, 101),
        requests_per_second=st.integers(0, 5) | st.floats(0, 5),
        concurrency=st.integers(0, 257),
    ),
    policies=st.dictionaries(
        st.just("issuer-host-change"), st.sampled_from(["error", Misread.OFF]), max_size=1
    ),
    secrets=records(env=records(allow=st.lists(NAMES, max_size=2)), file=records(allow=st.just(["/run/*"]))),
)


def check(definition: type, value: Any) -> None:
    recognised = recogniser(definition)(value)
    if recognised is UNRECOGNISED:
        return
    validated = adapter(definition).validate_python(value)
    assert recognised == validated
    assert typed(recognised) == typed(validated)


def typed(value: Any) -> Any:
    """The types at every place: 1 is no 1.0, and no True."""
    if isinstance(value, dict):
        return {key: typed(below) for key, below in value.items()}
    return [typed(below) for below in value] if isinstance(value, list) else type(value)


@given(ORGANIZATIONS | ANY)
def test_pydantic_accepts_what_is_recognised_of_an_organization(value: Any) -> None:
    check(OrganizationManifest, value)


@given(PROJECTS | ANY)
def test_pydantic_accepts_what_is_recognised_of_a_project(value: Any) -> None:
    check(ProjectManifest, value)


def test_no_constraint_is_passed_over() -> None:
    class Definition(TypedDict, total=False):
        name: Annotated[str, "at most three letters"]

    with pytest.raises(TypeError, match="three letters"):
        recogniser(Definition)


@pytest.mark.parametrize("text", ["\ud800", "a\udfff"])
def test_half_a_character_is_not_recognised(text: str) -> None:
    assert recogniser(OrganizationManifest)(
        {"organization": "acme", "connections": {"okta": {"client_id": text}}}
    ) is (UNRECOGNISED)


OTHERWISE = """\
  entra:
    custom_scopes: openid profile email
    secret_expires_on: '2027-03-31'
"""
PROJECT = """\
version: 1
target:
  project_id: ${env:STYTCH_PROJECT_ID}
  secret: ${env:STYTCH_SECRET}
  base_url: https://login.example.com
organizations: [organizations/**/*.yaml]
vars: {tenant: acme}
defaults: {prune: false, discovery: off}
limits: {max_deletes: 3, max_delete_percent: 20, requests_per_second: 10, concurrency: 8}
policies: {issuer-host-change: error, secret-kept: off}
secrets: {env: {allow: ["*_SECRET"]}, file: {allow: [/run/secrets/*]}}
"""


def test_every_key_is_recognised_without_pydantic(tmp_path: Path) -> None:
    (tmp_path / "organizations").mkdir()
    (tmp_path / "organizations" / "acme.yaml").write_text(EVERYTHING + OTHERWISE, encoding="utf-8")
    (tmp_path / "reconciler.yaml").write_text(PROJECT, encoding="utf-8")
    assert set(OrganizationManifest.__annotations__) <= words(EVERYTHING)
    assert set(ProjectManifest.__annotations__) <= words(PROJECT)
    assert "pydantic" not in loaded(tmp_path)


@pytest.mark.parametrize(
    "project", sorted(path.parent for path in ROOT.glob("examples/*/reconciler.yaml")), ids=str
)
def test_the_examples_are_recognised_without_pydantic(project: Path) -> None:
    assert "pydantic" not in loaded(project)


def words(text: str) -> set[str]:
    return {word.strip("{,: ") for line in text.splitlines() for word in line.split() if word.endswith(":")}


def loaded(folder: Path) -> set[str]:
    """The modules that loading a project's manifests imports; there is nothing to object to."""
    program = (
        "import sys; from pathlib import Path\n"
        "from reconciler.manifests import load_manifests, load_project\n"
        "found = load_manifests((), load_project(None, Path.cwd()), {})\n"
        "assert not found.has_errors, found.diagnostics\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@given(texts=st.lists(st.lists(PIECES, max_size=5).map("".join), max_size=30))
@example(texts=["https://a.b?d=/e"])
@example(texts=["https://a.b/", "https://a.b/" + "x" * 2036, "https://a.b/" + "x" * 2037])
def test_urls_are_the_same_whatever_was_recognised_before(texts: list[str]) -> None:
    patterns = {text.ENDPOINT: recogniser(Endpoint), text.ISSUER: recogniser(Issuer)}
    for one in [*texts, *texts]:
        for pattern, recognise in patterns.items():
            fits = re.fullmatch(pattern, one) is not None and len(one) <= LONGEST_TEXT
            assert recognise(one) is (one if fits else UNRECOGNISED)


def test_no_more_than_some_origins_are_remembered() -> None:
    recognise = recogniser(Issuer)
    for index in range(3 * recognition._MOST_ORIGINS):
        assert recognise(f"https://host-{index}/") is not UNRECOGNISED
        assert len(recognition._ORIGINS) <= recognition._MOST_ORIGINS
