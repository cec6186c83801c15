"""`prevent_destroy` still protects after its block is removed, even with `prune`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace

HEAD = "organization: acme\nprune: true\nconnections:\n  entra: {display_name: Entra}\n"
PROTECTED = HEAD + "  okta: {display_name: Okta, lifecycle: {prevent_destroy: true}}\n"
UNPROTECTED = HEAD + "  okta: {display_name: Okta}\n"
DELETED = "Plan: 0 to add, 0 to change, 1 to destroy."
ASSUMED = 'whether "Okta" was protected cannot be determined, so it counts as `prevent_destroy: true`'
KEPT = 'the last block that declared "Okta" says `prevent_destroy: true`'


def commit(place: Workplace, text: str, name: str = "organizations/acme.yaml") -> str:
    place.write(name, text)
    return place.commit()


@pytest.fixture
def acme(place: Workplace) -> Workplace:
    """A repository, and an organization with two connections of which either may go."""
    place.add_organization("acme", "Entra", "Okta")
    place.git("init", "-q", "-b", "main")
    return place


def plan(place: Workplace) -> CompletedRun:
    run = place.run("plan", "--no-secrets")
    assert not place.emulator.request_log.writes
    return run


def test_a_removed_block_still_protects(acme: Workplace) -> None:
    first = commit(acme, PROTECTED)
    commit(acme, HEAD)
    run = plan(acme)
    assert run.code == 1
    assert KEPT in run.out
    assert f"(organizations/acme.yaml:5:3 in commit {first[:12]})" in run.out
    okta_id = acme.live("acme")[1]["connection_id"]
    assert f"declare it with `connection_id: {okta_id}` and `state: absent`" in run.out
    assert acme.run("apply", "--auto-approve").code == 1
    assert len(acme.live("acme")) == 2


def test_it_protects_however_old_the_commit(acme: Workplace) -> None:
    commit(acme, PROTECTED)
    for number in range(5):
        commit(acme, HEAD + f"# {number}\n")
    assert KEPT in plan(acme).out


def test_it_protects_before_the_removal_is_committed(acme: Workplace) -> None:
    commit(acme, PROTECTED)
    acme.write("organizations/acme.yaml", HEAD)
    assert KEPT in plan(acme).out


def test_removing_the_line_first_and_then_the_block_deletes(acme: Workplace) -> None:
    commit(acme, PROTECTED)
    commit(acme, UNPROTECTED)
    commit(acme, HEAD)
    run = plan(acme)
    assert (run.code, DELETED in run.out) == (0, True), run.output


def test_the_suggested_tombstone_works(acme: Workplace) -> None:
    commit(acme, PROTECTED)
    okta_id = acme.live("acme")[1]["connection_id"]
    commit(acme, HEAD + f"  okta: {{connection_id: {okta_id}, state: absent}}\n")
    assert DELETED in plan(acme).out


def test_restoring_the_block_works(acme: Workplace) -> None:
    commit(acme, PROTECTED)
    commit(acme, HEAD)
    commit(acme, PROTECTED)
    assert "No changes." in plan(acme).out


def test_a_connection_that_was_never_declared_is_pruned(acme: Workplace) -> None:
    commit(acme, HEAD + "  other: {display_name: Other, state: absent, lifecycle: {prevent_destroy: true}}\n")
    commit(acme, HEAD)
    assert DELETED in plan(acme).out


def test_a_block_that_moved_into_another_file_and_was_removed_there(acme: Workplace) -> None:
    commit(acme, UNPROTECTED)
    acme.write("organizations/acme.yaml", "# moved\n")
    commit(acme, PROTECTED, "organizations/eu/acme.yaml")
    acme.git("rm", "-q", "organizations/acme.yaml")
    commit(acme, HEAD, "organizations/eu/acme.yaml")
    assert "organizations/eu/acme.yaml:5:3 in commit" in plan(acme).out


def test_a_pin_has_precedence_over_a_name(acme: Workplace) -> None:
    """The block that forbade it meant another connection, whatever it was called."""
    entra_id, okta_id = (connection["connection_id"] for connection in acme.live("acme"))
    head = HEAD.replace("display_name: Entra", f"display_name: Entra, connection_id: {entra_id}")
    keep = "lifecycle: {prevent_destroy: true}"
    commit(acme, head + f"  x: {{connection_id: oidc-connection-test-1, display_name: Okta, {keep}}}\n")
    commit(acme, head)
    assert DELETED in plan(acme).out
    commit(acme, head + f"  x: {{connection_id: {okta_id}, display_name: Other, {keep}}}\n")
    commit(acme, head)
    assert KEPT in plan(acme).out


def test_the_block_is_found_by_the_organizations_other_names(acme: Workplace) -> None:
    real_id = acme.emulator.organization("acme")["organization_id"]
    commit(acme, PROTECTED.replace("organization: acme", f"organization: {real_id}"))
    commit(acme, HEAD)
    assert KEPT in plan(acme).out


def test_variables_count_as_what_they_are_today_and_unknown_ones_as_a_match(acme: Workplace) -> None:
    acme.write("reconciler.yaml", "vars: {name: Okta}\nlimits: {requests_per_second: 1000}\n")
    commit(acme, PROTECTED.replace("display_name: Okta", "display_name: '${var:name}'"))
    commit(acme, HEAD)
    assert KEPT in plan(acme).out
    acme.write("reconciler.yaml", "limits: {requests_per_second: 1000}\n")
    assert KEPT in plan(acme).out


UNREADABLE = {
    "a syntax error": PROTECTED + "  entra: [\n",
    "an alias without an anchor": UNPROTECTED
    + "  x: {client_id: *nothing, lifecycle: {prevent_destroy: true}}\n",
    "a merge key that may bring the protection": (
        "x: &keep {lifecycle: {prevent_destroy: true}}\n" + HEAD + "  okta: {<<: *keep, display_name: Okta}\n"
    ),
    "a key that is defined twice": UNPROTECTED + "  okta: {lifecycle: {prevent_destroy: true}}\n",
    "a tag": PROTECTED.replace("{prevent_destroy: true}", "!!map {prevent_destroy: true}"),
    "an invisible character": PROTECTED + "# \u202e\n",
    "the name of the organization is unknown": PROTECTED.replace("acme", "'${var:name}'") + "  other: [\n",
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_a_version_that_cannot_be_read_counts_as_protecting(acme: Workplace, text: str) -> None:
    commit(acme, UNPROTECTED)
    unreadable = commit(acme, text)
    commit(acme, HEAD)
    run = plan(acme)
    assert run.code == 1
    assert ASSUMED in run.out, run.output
    assert "(organizations/acme.yaml:" in run.out
    assert f"in commit {unreadable[:12]})" in run.out
    assert "and `state: absent`" in run.out
    assert acme.run("apply", "--auto-approve").code == 1
    assert len(acme.live("acme")) == 2


def test_a_version_that_is_not_utf_8_counts_as_protecting(acme: Workplace) -> None:
    commit(acme, PROTECTED)
    acme.write("organizations/acme.yaml", "")
    (acme.root / "organizations/acme.yaml").write_bytes(UNPROTECTED.encode() + b"# prevent_destroy \xff\n")
    acme.commit()
    commit(acme, HEAD)
    assert ASSUMED in plan(acme).out


def test_a_readable_version_after_it_decides(acme: Workplace) -> None:
    commit(acme, PROTECTED + "  entra: [\n")
    commit(acme, UNPROTECTED)
    commit(acme, HEAD)
    assert DELETED in plan(acme).out


@pytest.mark.parametrize(
    "text",
    [
        "organization: beta\nconnections:\n  okta: {client_secret: '${env:A}', "
        "lifecycle: {prevent_destroy: true}}\n  x: [\n",
        "organization: acme\nconnections:\n  okta: [\n",
    ],
    ids=["another organization", "no protection at all"],
)
def test_an_unreadable_version_that_cannot_have_protected_it_does_not(acme: Workplace, text: str) -> None:
    commit(acme, PROTECTED)
    commit(acme, UNPROTECTED)
    commit(acme, text, "organizations/other.yaml")
    acme.git("rm", "-q", "organizations/other.yaml")
    commit(acme, HEAD)
    assert DELETED in plan(acme).out


@pytest.mark.parametrize(
    ("block", "is_deleted"),
    [
        ("{display_name: Okta, lifecycle: {prevent_destroy: 'true'}}", False),
        ("{display_name: Okta, lifecycle: {prevent_destroy: '${var:keep}'}}", False),
        ("{display_name: Okta, lifecycle: [prevent_destroy]}", False),
        ("[display_name, Okta, prevent_destroy]", False),
        ("{display_name: '${var:gone}', lifecycle: {prevent_destroy: true}}", False),
        ("{connection_id: '${var:gone}', lifecycle: {prevent_destroy: true}}", False),
        ("{display_name: 'a${', lifecycle: {prevent_destroy: true}}", False),
        ("{display_name: Okta, lifecycle: {prevent_destroy: false}}", True),
        ("{display_name: Okta, lifecycle: {ignore_changes: [prevent_destroy]}}", True),
    ],
)
def test_an_ambiguous_block_counts_as_protecting(acme: Workplace, block: str, *, is_deleted: bool) -> None:
    commit(acme, HEAD + f"  okta: {block}\n")
    commit(acme, HEAD)
    run = plan(acme)
    assert (DELETED in run.out) is is_deleted, run.output


@pytest.mark.parametrize(
    ("document", "is_deleted"),
    [
        ("organization: acme\nprune: true\nconnections: [prevent_destroy]\n", False),
        ("organization_id: '${var:gone}'\nconnections: {o: {display_name: Okta, lifecycle: 1}}\n", False),
        ("organization: acme\n# prevent_destroy\n", True),
        ("organization: acme\norganization_id: organization-test-1\nconnections: [prevent_destroy]\n", True),
        ("[prevent_destroy, acme]\n", True),
    ],
)
def test_an_ambiguous_document_counts_as_protecting(
    acme: Workplace, document: str, *, is_deleted: bool
) -> None:
    commit(acme, UNPROTECTED)
    commit(acme, document)
    commit(acme, HEAD + "# prevent_destroy\n")
    run = plan(acme)
    assert (DELETED in run.out) is is_deleted, run.output


def test_what_a_merge_brought_counts_from_the_merge_on(acme: Workplace) -> None:
    """A branch on which the block was still protected is older than the change that allowed it."""
    commit(acme, PROTECTED)
    acme.git("checkout", "-q", "-b", "side")
    commit(acme, "# side\n", "organizations/other.yml")
    commit(acme, PROTECTED + "# later\n")
    acme.git("checkout", "-q", "main")
    commit(acme, UNPROTECTED)
    acme.git("merge", "-q", "-s", "ours", "side")
    commit(acme, HEAD)
    assert DELETED in plan(acme).out


def test_a_history_that_is_cut_off_refuses_to_guess(acme: Workplace) -> None:
    commit(acme, PROTECTED)
    commit(acme, HEAD)
    shallow(acme)
    run = plan(acme)
    assert run.code == 1
    assert "the Git history is shallow here" in run.out
    assert "fetch the whole history (in actions/checkout: `fetch-depth: 0`)" in run.out


def test_a_history_that_is_cut_off_later_is_enough(acme: Workplace) -> None:
    commit(acme, "# before\n", "organizations/other.yaml")
    commit(acme, UNPROTECTED)
    commit(acme, HEAD)
    shallow(acme, 2)
    assert DELETED in plan(acme).out


def test_where_there_is_no_history_it_is_said(acme: Workplace) -> None:
    acme.write("organizations/acme.yaml", HEAD)
    (acme.root / ".git").rename(acme.root / "git-aside")
    run = plan(acme)
    assert (run.code, DELETED in run.out) == (0, True), run.output
    assert "whether a removed block had `prevent_destroy: true` is not checked" in run.out


def test_without_prune_git_is_not_asked(acme: Workplace) -> None:
    commit(acme, HEAD.replace("prune: true", "prune: false"))
    acme.setenv("PATH", "")
    run = plan(acme)
    assert (run.code, "not checked" in run.out) == (0, False), run.output


def shallow(place: Workplace, depth: int = 1) -> None:
    """Make the repository forget what came before."""
    kept = place.git("rev-list", "HEAD").splitlines()[depth - 1]
    (place.root / ".git/shallow").write_text(kept + "\n")
    assert place.git("rev-parse", "--is-shallow-repository") == "true"
