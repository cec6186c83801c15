"""HTML reports link places to the forge whose job writes them, and to nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.cli.results import source_links
from reconciler.core.errors import SourceLocation

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "5f2a9c1d0b7e4a665f2a9c1d0b7e4a665f2a9c1d"
PLACE = SourceLocation("organizations/acme.yaml", line=8)

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "acme/sso",
    "GITHUB_SHA": COMMIT,
}
GITLAB = {"CI_PROJECT_URL": "https://gitlab.example:8443/acme/group/sso", "CI_COMMIT_SHA": COMMIT}


def test_on_github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "live").mkdir()
    monkeypatch.chdir(tmp_path / "live")
    links = source_links({**GITHUB, "GITHUB_WORKSPACE": str(tmp_path)})
    assert links
    assert links.url(PLACE) == (
        f"https://github.example/acme/sso/blob/{COMMIT}/live/organizations/acme.yaml#L8"
    )
    assert links.url(SourceLocation("../shared.yaml")) == (
        f"https://github.example/acme/sso/blob/{COMMIT}/shared.yaml#L1"
    )
    assert links.url(SourceLocation("../../elsewhere.yaml")) == ""
    assert links.url(SourceLocation("/etc/passwd")) == ""


def test_on_gitlab() -> None:
    links = source_links(GITLAB)
    assert links
    assert links.url(PLACE) == (
        f"https://gitlab.example:8443/acme/group/sso/-/blob/{COMMIT}/organizations/acme.yaml#L8"
    )


@pytest.mark.parametrize(
    "environment",
    [
        {},
        GITHUB | {"GITHUB_ACTIONS": ""},
        GITHUB | {"GITHUB_SERVER_URL": "http://github.example"},
        GITHUB | {"GITHUB_SERVER_URL": "javascript:alert(1)//"},
        GITHUB | {"GITHUB_SERVER_URL": "https://user@github.example"},
        GITHUB | {"GITHUB_REPOSITORY": 'acme/sso"onclick="x'},
        GITHUB | {"GITHUB_SHA": "main"},
        GITLAB | {"CI_PROJECT_URL": "https://gitlab.example/a?b#c"},
        GITLAB | {"CI_COMMIT_SHA": ""},
    ],
)
def test_anything_else_is_no_forge(environment: dict[str, str]) -> None:
    assert source_links(environment) is None
