"""What is adopted from live state launders nothing and reaches nobody else's: threats.md 1 and 2."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.address import Address
from reconciler.core.drift import DriftKind, Finding
from tests.support.workplace import okta

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.workplace import Workplace


@pytest.fixture
def clone(connected: Workplace) -> Workplace:
    """A repository at its base, whose project is applied."""
    connected.git("init", "--quiet", "--initial-branch", "main")
    connected.applied()
    connected.commit()
    return connected


def edit(place: Workplace, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the connections of the manifest."""
    file = place.root / "organizations/acme.yaml"
    document = json.loads(file.read_text())
    change(document["connections"])
    place.write("organizations/acme.yaml", json.dumps(document, indent=2))


def guards(place: Workplace) -> list[str]:
    document = place.run("plan", "--changed-since", "main", "--format", "json").document
    return [guard["summary"] for guard in document.get("guards", [])]


def test_a_connection_put_beside_one_that_is_left_alone_is_told(clone: Workplace) -> None:
    """Threats 1: a block that is unmanaged already hides a stranger's connection by one more id."""
    clone.emulator.add_connection("acme", **okta("stranger", issuer="https://evil.example.net"))
    stranger = clone.live("acme")[-1]["connection_id"]
    known = {"connection_id": {"live": "oidc-connection-live-1"}, "state": "unmanaged"}
    edit(clone, lambda connections: connections.update(known=known))
    clone.commit()
    assert clone.run("drift").code == 2
    edit(clone, lambda connections: connections["known"]["connection_id"].update(test=stranger))
    assert clone.run("drift").code == 0
    (summary,) = guards(clone)
    assert summary.startswith("connection_id of acme/known changes from")
    assert stranger in summary


def test_a_pin_for_another_environment_lowers_nothing(clone: Workplace) -> None:
    """Product 2.1: what is managed may get the id of one more environment without a remark."""
    own = clone.live("acme")[0]["connection_id"]
    edit(clone, lambda connections: connections["sso"].update(connection_id={"test": own}))
    clone.commit()
    live = "oidc-connection-live-1"
    edit(clone, lambda connections: connections["sso"]["connection_id"].update(live=live))
    assert guards(clone) == []


@pytest.mark.parametrize("slug", ["--update", "--all", "-h"])
def test_a_slug_that_looks_like_an_option_stays_an_operand(connected: Workplace, slug: str) -> None:
    """Threats 2: a tenant chooses the slug, and the command of the report is copied to a terminal."""
    connected.write("reconciler.yaml", "drift: {unknown_organizations: drift}\n")
    connected.applied()
    connected.add_organization(slug, "sso")
    (finding,) = connected.run("drift", "--format", "json").document["findings"]
    words = shlex.split(finding["accept"])
    assert words == ["reconciler", "import", "--", slug]
    assert connected.run(*words[1:]).code == 0
    organizations = connected.root / "organizations"
    assert len([*organizations.iterdir()]) == 2
    assert json.loads((organizations / "acme.yaml").read_text())["organization"] == "acme"


def test_an_id_that_is_a_glob_adds_itself_only() -> None:
    """Threats 3: whoever answers names a connection so that the command to adopt it adopts all others."""
    finding = Finding(address=Address("acme", "*-test-[1]?"), organization_id="o", kind=DriftKind.UNDECLARED)
    *_, pattern = shlex.split(finding.accept_command)
    assert finding.address.matches(pattern)
    assert not Address("acme", "oidc-connection-test-12").matches(pattern)


def test_a_template_never_names_the_secret_of_an_existing_manifest(connected: Workplace) -> None:
    """Threats 1: slugs are chosen so that the same words make up another customer's reference."""
    template = "env:{organization}_{connection}_CLIENT_SECRET"
    connected.add_organization("globex", "okta-sso")
    connected.add_organization("globex-okta", "sso")
    assert connected.run("import", "globex", "--secrets", template).code == 0
    assert connected.run("import", "globex-okta", "--secrets", template).code == 0
    reference = "${env:GLOBEX_OKTA_SSO_CLIENT_SECRET}"
    texts = [
        (connected.root / f"organizations/{slug}.yaml").read_text() for slug in ("globex", "globex-okta")
    ]
    assert [reference in text for text in texts] == [True, False]
    assert "client_secret is not declared" in texts[1]


@pytest.mark.parametrize("is_pinned", [True, False])
def test_a_renamed_key_does_not_shed_its_protection(clone: Workplace, *, is_pinned: bool) -> None:
    """Threats 1: under another key, a protected connection is deleted as one that nobody protected."""
    pin = {"connection_id": clone.live("acme")[0]["connection_id"]} if is_pinned else {"display_name": "sso"}
    edit(clone, lambda connections: connections["sso"].update(pin, lifecycle={"prevent_destroy": True}))
    clone.commit()
    edit(clone, lambda connections: connections.update(login=connections.pop("sso")))
    assert guards(clone) == []
    edit(clone, lambda connections: connections.update(login={**pin, "state": "absent"}))
    assert "prevent_destroy of acme/sso changes from True to False" in guards(clone)
    assert (
        clone.run("plan", "--changed-since", "main", "--format", "json").document["summary"]["destroy"] == 1
    )


def test_a_name_beside_the_id_of_another_connection_is_no_rename(clone: Workplace) -> None:
    """Threats 1: a new block that has the name of a removed one, but another id, hides no removal."""
    edit(clone, lambda connections: connections["sso"].update(display_name="sso"))
    clone.commit()
    other = {"display_name": "sso", "connection_id": "oidc-connection-test-2"}
    edit(clone, lambda connections: connections.update(login=connections.pop("sso") | other))
    summary = "acme/sso is no longer declared: it becomes unmanaged"
    run = clone.run("plan", "--changed-since", "main", "--format", "json")
    assert summary in [guard["summary"] for guard in run.document["guards"]]


def test_a_default_connection_that_is_no_longer_declared_is_told(clone: Workplace) -> None:
    """Threats 1: who moves the default connection behind Git's back is not seen without the line."""
    edit(clone, lambda connections: connections["sso"].update(default=True))
    clone.commit()
    edit(clone, lambda connections: connections["sso"].pop("default"))
    assert guards(clone) == ["default of acme is no longer declared, and not compared any more"]
    edit(
        clone,
        lambda connections: connections.update(
            login=connections.pop("sso") | {"display_name": "sso", "default": True}
        ),
    )
    assert guards(clone) == []
