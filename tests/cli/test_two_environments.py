"""Test and live from one tree: ids by environment in every command, and ids of the wrong environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.emulator.connections import connections_of
from tests.support.workplace import NO_CHANGES

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

TEST, LIVE, OTHER = "project-test-1", "project-live-1", "project-test-2"
MANIFEST = "organizations/acme.yaml"


@pytest.fixture
def tree(bare: Workplace, running: RunningEmulator) -> Workplace:
    """One manifest, a project file for each environment, and the organization in each of three projects."""
    bare.use(running)
    for project in (TEST, LIVE, OTHER):
        word = project.split("-")[1]
        running.emulator.seed(
            {
                "projects": [
                    {
                        "project_id": project,
                        "secret": f"secret-{word}-{project[-1]}",
                        "public_token": f"public-token-{word}-{project[-1]}",
                    }
                ],
                "organizations": [
                    {
                        "project_id": project,
                        "organization_slug": "acme",
                        "members": [
                            {"roles": ["stytch_admin"], "sessions": [{"session_token": f"session-{project}"}]}
                        ],
                    }
                ],
            }
        )
        config = (
            f"version: 1\ntarget: {{project_id: {project}, secret: '${{env:STYTCH_{word.upper()}_SECRET}}'}}"
        )
        bare.write(f"{project}.yaml", config)
        bare.setenv(f"STYTCH_{word.upper()}_SECRET", f"secret-{word}-1")
    bare.delenv("STYTCH_PROJECT_ID")
    bare.delenv("STYTCH_SECRET")
    bare.setenv("RECONCILER_ALLOWED_TARGET_REFERENCES", "env:STYTCH_*")
    bare.setenv("ACME_CLIENT_SECRET", "hidden-value")
    bare.emulator.set_discovery("https://acme.example.com", {})
    declare(bare)
    return bare


def declare(tree: Workplace, *, organization_id: str = "", connection_id: str = "") -> None:
    pin = f"organization_id: {organization_id}\n" if organization_id else ""
    id_line = f"    connection_id: {connection_id}\n" if connection_id else ""
    urls = "".join(
        f"    {name}: https://acme.example.com/{name}\n"
        for name in ("authorization_url", "token_url", "userinfo_url", "jwks_url")
    )
    tree.write(
        MANIFEST,
        f"organization: acme\n{pin}connections:\n  sso:\n{id_line}    issuer: https://acme.example.com\n"
        f"    client_id: x\n    client_secret: ${{env:ACME_CLIENT_SECRET}}\n{urls}",
    )


def manifest(tree: Workplace) -> str:
    return (tree.root / MANIFEST).read_text(encoding="utf-8")


def create(tree: Workplace, project: str) -> str:
    """Create the connection in a project, and return its id."""
    run = tree.run("--config", f"{project}.yaml", "apply", "--auto-approve", "--format", "json")
    assert run.code == 0, run.output
    (outcome,) = run.document["outcomes"]
    return str(outcome["connection_id"])


def organization_id(tree: Workplace, project: str) -> str:
    listed = tree.run("--config", f"{project}.yaml", "output", "acme/sso", "organization_id")
    assert listed.code == 0, listed.output
    return listed.out.strip()


def live_connections(tree: Workplace, project: str) -> tuple[dict[str, Any], ...]:
    """The connections of the organization in a project, as they are."""
    context = tree.emulator.context
    (organization,) = (
        organization["organization_id"]
        for organization in context.state.all("organizations")
        if organization["project_id"] == project
    )
    return connections_of(context, organization)


def test_one_tree_serves_two_environments_from_the_first_create_to_an_empty_plan(tree: Workplace) -> None:
    """Product 2.1: create and pin in test, promote to live, pin there: a map, and no changes in both."""
    test_id = create(tree, TEST)
    assert tree.run("--config", f"{TEST}.yaml", "pin").code == 0
    assert f"    connection_id: {test_id}\n" in manifest(tree)

    refused = tree.run("--config", f"{LIVE}.yaml", "plan")
    assert refused.code == 1
    assert refused.output.count("[wrong-environment]") == 2

    mapped = tree.run("--config", f"{LIVE}.yaml", "pin")
    assert mapped.code == 0, mapped.output
    assert "Now by environment: 1 pin." in mapped.out
    assert f"    connection_id:\n      test: {test_id}\n" in manifest(tree)

    live_id = create(tree, LIVE)
    assert tree.run("--config", f"{LIVE}.yaml", "pin").code == 0
    assert f"    connection_id:\n      test: {test_id}\n      live: {live_id}\n" in manifest(tree)
    for project in (TEST, LIVE):
        plan = tree.run("--config", f"{project}.yaml", "plan")
        assert plan.code == 0
        assert NO_CHANGES in plan.out
        assert plan.out.startswith(f"Project {project} ({project.split('-')[1]}) at ")
        assert tree.run("--config", f"{project}.yaml", "drift").code == 0
        assert tree.run("--config", f"{project}.yaml", "pin", "--check").code == 0


def test_the_entry_of_the_project_takes_precedence(tree: Workplace) -> None:
    """Product 2.1: a project_id wins over test and live."""
    first = create(tree, TEST)
    tree.setenv("STYTCH_TEST_SECRET", "secret-test-2")
    second = create(tree, OTHER)
    ids = f"{{test: {first}, {OTHER}: {second}}}"
    organizations = f"{{test: organization-test-0, {OTHER}: {organization_id(tree, OTHER)}}}"
    declare(tree, connection_id=ids, organization_id=organizations)
    plan = tree.run("--config", f"{OTHER}.yaml", "plan")
    assert plan.code == 0, plan.output
    assert NO_CHANGES in plan.out


def test_an_environment_that_the_map_lacks_is_unpinned(tree: Workplace) -> None:
    """Product 2.1: the connection is matched by its name, `pin --check` names what is missing."""
    live_id = create(tree, LIVE)
    declare(
        tree, connection_id="{test: oidc-connection-test-0}", organization_id="{test: organization-test-0}"
    )
    plan = tree.run("--config", f"{LIVE}.yaml", "plan")
    assert plan.code == 0, plan.output
    assert NO_CHANGES in plan.out
    checked = tree.run("--config", f"{LIVE}.yaml", "pin", "--check", "--format", "json")
    assert checked.code == 1
    assert [pin["id"] for pin in checked.document["pins"]] == [organization_id(tree, LIVE), live_id]


def test_a_pin_of_the_environment_that_is_not_live_is_missing_and_an_error(tree: Workplace) -> None:
    """Product 4.1 holds for the chosen entry: an error in a plan, missing in drift."""
    declare(tree, connection_id="{test: oidc-connection-test-0, live: oidc-connection-live-0}")
    assert tree.run("--config", f"{LIVE}.yaml", "plan", "--format", "json").codes == ["pin-not-live"]
    drift = tree.run("--config", f"{LIVE}.yaml", "drift", "--format", "json")
    assert drift.code == 2
    assert drift.document["findings"][0]["connection_id"] == "oidc-connection-live-0"


@pytest.mark.parametrize("command", ["plan", "apply --auto-approve", "drift", "validate", "list"])
def test_an_id_of_the_wrong_environment_is_refused_with_its_place(tree: Workplace, command: str) -> None:
    """Issue: one clear finding at file, line and column, what to do, exit 1, and nothing written."""
    declare(tree, connection_id="oidc-connection-test-0")
    before = manifest(tree)
    tree.emulator.request_log.clear()
    run = tree.run("--config", f"{LIVE}.yaml", *command.split())
    assert run.code == 1
    assert "`connection_id` is the ID of a connection in test, but this run is for live" in run.output
    assert f"on {MANIFEST}:4:20" in run.output
    assert "`connection_id: {test: oidc-connection-test-0}`" in run.output
    assert manifest(tree) == before
    assert not [entry for entry in tree.emulator.request_log if entry.method not in {"GET", "POST"}]
    assert not live_connections(tree, LIVE)


def test_only_the_document_with_the_wrong_id_is_refused(tree: Workplace) -> None:
    """Product 4.3: one bad thing stops only itself."""
    tree.emulator.seed({"organizations": [{"project_id": LIVE, "organization_slug": "globex"}]})
    tree.declare("globex")
    tree.setenv("GLOBEX_CLIENT_SECRET", "hidden-globex")
    declare(tree, connection_id="oidc-connection-test-0")
    plan = tree.run("--config", f"{LIVE}.yaml", "plan", "--format", "json").document
    assert [change["address"] for change in plan["resource_changes"]] == ["globex/sso"]
    assert plan["complete"] is False


def test_without_a_project_validate_accepts_the_ids_of_either_environment(tree: Workplace) -> None:
    """Offline, the environment of the run may be unknown; keys and ids still have to agree."""
    declare(tree, connection_id="oidc-connection-test-0", organization_id="organization-live-0")
    assert tree.run("validate").code == 0
    declare(tree, connection_id="{live: oidc-connection-test-0}")
    assert tree.run("validate", "--format", "json").codes == ["wrong-environment"]


def test_a_saved_plan_of_one_environment_is_refused_in_the_other(tree: Workplace) -> None:
    """Product 5: a plan is for one project, however the manifests name its connections."""
    saved = tree.run("--config", f"{TEST}.yaml", "plan", "--out", "plan.json")
    assert saved.code == 0, saved.output
    run = tree.run("--config", f"{LIVE}.yaml", "apply", "plan.json", "--auto-approve")
    assert run.code == 1
    assert "project-test-1" in run.output
    assert not live_connections(tree, LIVE)


def test_a_saved_plan_applies_with_the_ids_of_its_environment(tree: Workplace) -> None:
    """The plan holds the chosen ids, and its digests of the inputs those of files with maps."""
    test_id, live_id = create(tree, TEST), create(tree, LIVE)
    declare(tree, connection_id=f"{{test: {test_id}, live: {live_id}}}")
    text = manifest(tree).replace("client_id: x", "client_id: y")
    tree.write(MANIFEST, text)
    assert tree.run("--config", f"{LIVE}.yaml", "plan", "--out", "plan.json").code == 0
    saved = json.loads((tree.root / "plan.json").read_text())
    assert saved["resource_changes"][0]["change"]["before"]["connection_id"] == live_id
    assert tree.run("--config", f"{LIVE}.yaml", "apply", "plan.json", "--auto-approve").code == 0
    (live,) = live_connections(tree, LIVE)
    (test,) = live_connections(tree, TEST)
    assert (live["client_id"], test["client_id"]) == ("y", "x")


def test_output_and_list_know_the_connection_of_the_environment(tree: Workplace) -> None:
    """`output` and `list` show what the environment of the run holds."""
    ids = {project: create(tree, project) for project in (TEST, LIVE)}
    declare(tree, connection_id=f"{{test: {ids[TEST]}, live: {ids[LIVE]}}}")
    for project, expected in ids.items():
        assert tree.run("--config", f"{project}.yaml", "output", "acme/sso", "connection_id").out == (
            f"{expected}\n"
        )
        (item,) = tree.run("--config", f"{project}.yaml", "list", "--format", "json").document["connections"]
        assert (item["connection_id"], item["management"]) == (expected, "managed")


def test_a_session_uses_the_entries_of_test_and_live(tree: Workplace) -> None:
    """A session knows no project_id: its public token says whether it is test or live."""
    ids = {project: create(tree, project) for project in (TEST, LIVE)}
    declare(tree, connection_id=f"{{test: {ids[TEST]}, live: {ids[LIVE]}, {OTHER}: oidc-connection-test-0}}")
    tree.setenv("STYTCH_PUBLIC_TOKEN", "public-token-live-1")
    tree.setenv("STYTCH_SESSION_TOKEN", f"session-{LIVE}")
    assert NO_CHANGES in tree.run("plan").out
    declare(tree, connection_id=ids[TEST])
    assert "[wrong-environment]" in tree.run("plan").output


def test_import_keeps_a_manifest_with_ids_by_environment(tree: Workplace) -> None:
    """An organization that a manifest declares in another environment too gets no second one."""
    for project in (TEST, LIVE):
        create(tree, project)
    for project in (TEST, LIVE):
        assert tree.run("--config", f"{project}.yaml", "pin").code == 0
    before = manifest(tree)
    for project in (TEST, LIVE):
        run = tree.run("--config", f"{project}.yaml", "import", "--all", "--format", "json")
        assert run.code == 0, run.output
        assert [file["status"] for file in run.document["organizations"]] == ["kept"]
    assert manifest(tree) == before


def test_import_adds_a_connection_with_a_map_where_the_file_has_one(tree: Workplace) -> None:
    """The other environment must not meet a single id of this one."""
    create(tree, LIVE)
    declare(
        tree, organization_id="{test: organization-test-0}", connection_id="{test: oidc-connection-test-0}"
    )
    declared = manifest(tree)
    head, _, _ = declared.partition("connections:")
    tree.write(MANIFEST, f"{head}connections: {{}}\n")
    added = tree.run("--config", f"{LIVE}.yaml", "import", "--add", "--secrets", "none")
    assert added.code == 0, added.output
    (live,) = live_connections(tree, LIVE)
    assert f"    connection_id:\n      live: {live['connection_id']}\n" in manifest(tree)
    assert NO_CHANGES in tree.run("--config", f"{LIVE}.yaml", "plan").out
    assert "wrong-environment" not in tree.run("--config", f"{TEST}.yaml", "validate").output


@pytest.mark.parametrize(
    ("before", "now", "is_lowered"),
    [
        ("{test: oidc-connection-test-1}", "{test: oidc-connection-test-2}", True),
        ("{test: oidc-connection-test-1}", "{live: oidc-connection-live-1}", True),
        ("oidc-connection-test-1", "{test: oidc-connection-test-1, live: oidc-connection-live-1}", False),
        ("{test: oidc-connection-test-1}", "{project-test-1: oidc-connection-test-1}", True),
        (
            "{test: oidc-connection-test-1}",
            "{test: oidc-connection-test-1, project-test-1: oidc-connection-test-2}",
            True,
        ),
        ("{test: oidc-connection-test-1, live: oidc-connection-live-1}", "oidc-connection-test-1", True),
    ],
)
def test_a_pin_that_any_run_would_lose_is_a_lowered_guard(
    tree: Workplace, before: str, now: str, *, is_lowered: bool
) -> None:
    """Product 4.4: pins are guards; a new entry may not hide that another id is chosen."""
    tree.git("init", "--quiet")
    declare(tree, connection_id=before)
    base = tree.commit()
    declare(tree, connection_id=now)
    codes = tree.run("validate", "--changed-since", base, "--format", "json").codes
    assert ("guard-lowered" in codes) is is_lowered
