"""The project file, and the defaults without one."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import Diagnostic, InvalidConfiguration, Severity, SourceLocation
from reconciler.core.idp import IdpSettings
from reconciler.core.run_selection import Limits
from reconciler.core.state import Discovery
from reconciler.manifests import Project, load_project
from reconciler.providers.stytch.declared_target import DeclaredTarget
from reconciler.secrets import SecretPolicy, parse_reference

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EVERYTHING = """\
version: 1
target:
  project_id: ${env:MY_PROJECT}
  secret: ${file:secrets/stytch}
  base_url: https://login.example.com
organizations: ["organizations/**/*.y{a,}ml", more/*.yaml]
vars: {tenant: acme}
defaults:
  prune: true
  discovery: enforce
limits:
  max_deletes: 5
  max_delete_percent: 12.5
  requests_per_second: 20
  concurrency: 4
policies:
  issuer-host-change: error
  other-rule: off
secrets:
  env: {allow: ["*_CLIENT_SECRET"]}
  file: {allow: [/run/secrets/*]}
idp:
  discovery: enforce
  allow_hosts: ["*.okta.com"]
  allow_networks: [10.20.0.0/16, "fd00::/8"]
  ca_file: certificates/idp.pem
  timeout: 2.5
  concurrency: 4
"""


def test_everything_is_read(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text(EVERYTHING)
    project = load_project(None, tmp_path)
    assert project.file == tmp_path / "reconciler.yaml"
    assert project.directory == project.root == tmp_path
    assert project.target == DeclaredTarget(
        project_id=parse_reference("${env:MY_PROJECT}"),
        secret=parse_reference("${file:secrets/stytch}"),
        base_url="https://login.example.com",
    )
    assert project.organizations == ("organizations/**/*.y{a,}ml", "more/*.yaml")
    assert project.variables == {"tenant": "acme"}
    assert project.defaults.prune
    assert project.defaults.discovery is Discovery.ENFORCE
    assert project.idp == IdpSettings(
        discovery=Discovery.ENFORCE,
        allow_hosts=("*.okta.com",),
        allow_networks=(ip_network("10.20.0.0/16"), ip_network("fd00::/8")),
        ca_file="certificates/idp.pem",
        timeout=2.5,
        concurrency=4,
    )
    assert project.limits == Limits(
        max_deletes=5, max_delete_percent=12.5, requests_per_second=20, concurrency=4
    )
    assert project.policies == {"issuer-host-change": "error", "other-rule": "off"}


def test_the_places_of_rules_are_checked_whatever_else_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text(EVERYTHING + "isuer: x\n")
    unknown = Diagnostic(Severity.ERROR, "unknown-policy", "there is no such rule")
    checked: list[Mapping[str, SourceLocation]] = []

    def check(places: Mapping[str, SourceLocation]) -> tuple[Diagnostic, ...]:
        checked.append(places)
        return (unknown,)

    with pytest.raises(InvalidConfiguration) as caught:
        load_project(None, tmp_path, check)
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["unknown-key", "unknown-policy"]
    assert checked[0]["other-rule"] == SourceLocation("reconciler.yaml", line=18, column=3)


def test_manifests_cannot_use_the_credentials_of_the_target(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text(EVERYTHING)
    policy = load_project(None, tmp_path).secret_policy
    assert policy.env_allow == ("*_CLIENT_SECRET",)
    assert policy.file_allow == ("/run/secrets/*",)
    assert policy.forbids("MY_PROJECT")
    assert {str(locator) for locator in policy.own_locators} == {
        "${env:MY_PROJECT}",
        "${file:secrets/stytch}",
    }


def test_without_a_project_file_everything_has_a_default(tmp_path: Path) -> None:
    assert load_project(None, tmp_path) == Project(
        directory=tmp_path, root=tmp_path, secret_policy=SecretPolicy(root=tmp_path)
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n", "version: 1\n", "target: {}\nlimits: {}\n"])
def test_an_empty_project_file_changes_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "reconciler.yaml").write_text(text)
    project = load_project(None, tmp_path)
    assert project.limits == Limits()
    assert project.target == DeclaredTarget()


def test_globs_are_relative_to_the_project_file(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra/prod.yaml").write_text("version: 1\n")
    project = load_project(tmp_path / "infra/prod.yaml", tmp_path)
    assert (project.root, project.directory) == (tmp_path / "infra", tmp_path)
    assert load_project("infra/prod.yaml", tmp_path).file == tmp_path / "infra/prod.yaml"


def test_a_given_project_file_has_to_exist(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        load_project(tmp_path / "missing.yaml", tmp_path)
    assert str(refused.value) == "missing.yaml: there is no such project file"
    (diagnostic,) = refused.value.diagnostics
    assert "--config" in diagnostic.hint
    assert diagnostic.location is None


def test_a_broken_link_is_not_ignored(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").symlink_to(tmp_path / "gone")
    with pytest.raises(InvalidConfiguration):
        load_project(None, tmp_path)


def test_all_findings_are_reported_together(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text("versio: 1\nlimits: {max_deletes: -1}\nvars: {a: 1}\n")
    with pytest.raises(InvalidConfiguration) as refused:
        load_project(None, tmp_path)
    assert [diagnostic.code for diagnostic in refused.value.diagnostics] == [
        "unknown-key",
        "out-of-bounds",
        "not-text",
    ]


@pytest.mark.parametrize(
    "written", ["HUNTER2", "12345678", "[HUNTER2, 12345678]", "{a: HUNTER2}", "0x12345678"]
)
@pytest.mark.parametrize("name", ["secret", "session_token", "session_jwt", "public_token", "base_url"])
def test_values_of_the_target_are_never_repeated(tmp_path: Path, name: str, written: str) -> None:
    (tmp_path / "reconciler.yaml").write_text(f"target:\n  {name}: {written}\n")
    with pytest.raises(InvalidConfiguration) as caught:
        load_project(None, tmp_path)
    assert "HUNTER2" not in repr(caught.value.diagnostics)
    assert "12345678" not in repr(caught.value.diagnostics)


@pytest.mark.parametrize("written", [".nan", "1e-300", "1e+06", "0x10", "1_000", "010", "1:30"])
@pytest.mark.parametrize("name", ["requests_per_second", "concurrency"])
def test_numbers_in_other_notations_are_rejected(tmp_path: Path, name: str, written: str) -> None:
    (tmp_path / "reconciler.yaml").write_text(f"limits:\n  {name}: {written}\n")
    with pytest.raises(InvalidConfiguration) as caught:
        load_project(None, tmp_path)
    (found,) = caught.value.diagnostics
    assert found.summary.endswith("number in plain decimal digits")
    assert "10" in found.hint


def test_numbers_that_make_up_no_network_are_reported_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text("idp: {allow_networks: [10.0.0.0/8, 10.1.2.3/16, '::/129']}\n")
    with pytest.raises(InvalidConfiguration) as failure:
        load_project(None, tmp_path)
    codes = [(error.code, error.location and error.location.column) for error in failure.value.diagnostics]
    assert codes == [("invalid-network", 36), ("invalid-network", 49)]


@pytest.mark.parametrize(
    ("ceiling", "effective"), [("off", "off"), ("report", "report"), ("enforce", "enforce")]
)
def test_the_project_file_limits_what_is_done_with_metadata(ceiling: str, effective: str) -> None:
    settings = IdpSettings(discovery=Discovery(ceiling))
    assert Discovery.ENFORCE.at_most(settings.discovery) is Discovery(effective)
    assert Discovery.OFF.at_most(settings.discovery) is Discovery.OFF
