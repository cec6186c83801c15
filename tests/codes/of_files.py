"""Codes about files: their place, size and number, and what Git knows of them."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.errors import InvalidConfiguration
from reconciler.manifests import ReadLimits, load_manifests, load_project
from tests.codes.provoking import provokes

if TYPE_CHECKING:
    from tests.support.workplace import CompletedRun, Workplace

BROKEN = "organization: [globex\n"
TODAY = datetime.now(UTC).date()


def validate(place: Workplace, *words: str) -> CompletedRun:
    return place.run("validate", "--format", "json", *words)


@provokes("file-too-large")
def a_large_manifest(place: Workplace) -> CompletedRun:
    place.write("organizations/large.yaml", "#" * (ReadLimits().max_bytes + 1))
    return validate(place)


def within(place: Workplace, **limits: int) -> InvalidConfiguration:
    """Load the manifests within limits that they exceed."""
    project = replace(load_project(None, place.root), read_limits=ReadLimits(**limits))
    with pytest.raises(InvalidConfiguration) as caught:
        load_manifests([], project, {})
    return caught.value


@provokes("too-many-files")
def many_files(place: Workplace) -> InvalidConfiguration:
    return within(place, max_files=1)


@provokes("manifests-too-large")
def large_files(place: Workplace) -> InvalidConfiguration:
    return within(place, max_total_bytes=300)


@provokes("too-many-findings")
def many_findings(place: Workplace) -> CompletedRun:
    keys = "".join(f"key{index}: x\n" for index in range(ReadLimits().max_findings + 1))
    place.write("organizations/acme.yaml", f"organization: acme\n{keys}")
    return validate(place)


@provokes("too-many-aliases")
def many_aliases(place: Workplace) -> CompletedRun:
    aliases = ", ".join(["*name"] * (ReadLimits().max_aliases + 1))
    place.write("organizations/acme.yaml", f"organization: &name acme\nconnections: [{aliases}]\n")
    return validate(place)


@provokes("no-such-path")
def a_path_that_does_not_exist(place: Workplace) -> CompletedRun:
    return validate(place, "nowhere.yaml")


@provokes("unreadable-file")
def a_link_that_leads_to_itself(place: Workplace) -> CompletedRun:
    (place.root / "organizations/loop.yaml").symlink_to("loop.yaml")
    return validate(place)


@provokes("unreadable-folder")
def a_folder_that_the_disk_does_not_give(place: Workplace) -> CompletedRun:
    place.write("organizations/sub/initech.yaml", "organization: initech")
    look = os.scandir

    def scandir(folder: Any) -> Any:
        if str(folder).endswith("sub"):
            raise OSError(5, "Input/output error", folder)
        return look(folder)

    place.replace(os, "scandir", scandir)
    return validate(place)


@provokes("linked-manifest")
def a_link_to_a_file_outside(place: Workplace) -> CompletedRun:
    outside = place.root.parent / "outside.yaml"
    outside.write_text("organization: globex\n")
    (place.root / "organizations/linked.yaml").symlink_to(outside)
    return validate(place)


@provokes("linked-project-file")
def a_project_file_that_is_a_link(place: Workplace) -> CompletedRun:
    place.write("elsewhere/real.yaml", "version: 1")
    (place.root / "reconciler.yaml").unlink()
    (place.root / "reconciler.yaml").symlink_to("elsewhere/real.yaml")
    return validate(place)


@provokes("manifest-attributes")
def a_filter_of_git(place: Workplace) -> CompletedRun:
    place.git("init", "--quiet")
    place.write(".gitattributes", "organizations/acme.yaml filter=lfs\n")
    return validate(place)


def beside_a_broken_file(place: Workplace) -> CompletedRun:
    place.write("organizations/globex.yaml", BROKEN)
    return place.run("plan", "--format", "json")


@provokes("unreadable-manifest")
def a_change_beside_a_file_of_which_git_knows_nothing(place: Workplace) -> CompletedRun:
    return beside_a_broken_file(place)


@provokes("deletes-withheld")
def a_delete_beside_a_file_that_cannot_be_read(place: Workplace) -> CompletedRun:
    place.applied()
    place.declare("acme", state="absent")
    return beside_a_broken_file(place)


@provokes("manifest-not-selected")
def a_broken_file_that_no_target_asks_for(place: Workplace) -> CompletedRun:
    place.write("organizations/globex.yaml", BROKEN)
    return place.run("plan", "--target", "acme/*", "--format", "json")


def since_the_commit(place: Workplace) -> CompletedRun:
    return place.run("plan", "--changed-since", "HEAD", "--format", "json")


@provokes("organization-not-declared")
def a_manifest_that_was_removed(place: Workplace) -> CompletedRun:
    place.git("init", "--quiet")
    place.commit()
    (place.root / "organizations/globex.yaml").unlink()
    return since_the_commit(place)


@provokes("guard-lowered")
def a_limit_that_was_raised(place: Workplace) -> CompletedRun:
    place.git("init", "--quiet")
    place.commit()
    place.write("reconciler.yaml", "limits: {max_deletes: 9, requests_per_second: 500}")
    return since_the_commit(place)


@provokes("guards-not-compared")
def a_base_whose_project_file_is_broken(place: Workplace) -> CompletedRun:
    place.git("init", "--quiet")
    place.write("reconciler.yaml", "limits: [")
    place.commit()
    place.write("reconciler.yaml", "limits: {requests_per_second: 500}")
    return since_the_commit(place)


def prune_without_history(place: Workplace, *words: str) -> CompletedRun:
    place.add_organization("initech", "one", "two", "three")
    place.write("organizations/initech.yaml", "organization: initech\nprune: true\nconnections: {}\n")
    return place.run("plan", "--format", "json", *words)


@provokes("protection-unchecked")
def a_prune_outside_a_repository(place: Workplace) -> CompletedRun:
    return prune_without_history(place)


@provokes("protection-unknown")
def a_prune_in_a_shallow_clone(place: Workplace) -> CompletedRun:
    place.git("init", "--quiet")
    place.commit()
    place.commit()
    origin = place.root.rename(place.root.parent / "origin")
    place.git("clone", "--quiet", "--depth", "1", origin.as_uri(), str(place.root), folder=origin)
    os.chdir(place.root)
    return prune_without_history(place)


def approve(place: Workplace, *lines: str) -> None:
    place.write("approvals/acme.yaml", "\n".join(["approvals:", *(f"  - {{{line}}}" for line in lines), ""]))


def approval(rule: str = "shared-client", address: str = "acme/sso", days: int = 30, more: str = "") -> str:
    return f"rule: {rule}, address: {address}, reason: CHG-1, until: {TODAY + timedelta(days=days)}{more}"


@provokes("approval-expired", "approval-not-declared", "approval-not-needed", "approval-too-long")
def approvals_that_accept_nothing(place: Workplace) -> CompletedRun:
    approve(
        place,
        approval(days=-1),
        approval(address="nobody/sso"),
        approval(rule="private-host"),
        approval(rule="punycode-host", days=400),
    )
    return place.run("plan", "--format", "json")


@provokes("invalid-address", "invalid-finding", "approval-incomplete")
def approvals_with_errors(place: Workplace) -> CompletedRun:
    approve(
        place, approval(address="acme/*"), approval(more=", finding: abc"), "reason: CHG-1, until: 2027-01-01"
    )
    return validate(place)


@provokes("duplicate-approval")
def an_approval_given_twice(place: Workplace) -> CompletedRun:
    approve(place, approval(), approval())
    return place.run("plan", "--format", "json")


@provokes("deletes-approved")
def deletes_beyond_the_limits_that_git_approves(place: Workplace) -> CompletedRun:
    place.applied()
    place.write("reconciler.yaml", "limits: {max_deletes: 1, requests_per_second: 500}")
    place.declare("acme", state="absent")
    place.declare("globex", state="absent")
    approve(place, f"deletes: 9, reason: CHG-1, until: {TODAY + timedelta(days=30)}")
    return place.run("plan", "--format", "json")


@provokes("default-conflict")
def two_defaults(place: Workplace) -> CompletedRun:
    place.write(
        "organizations/acme.yaml",
        "organization: acme\nconnections: {one: {default: true}, two: {default: true}}\n",
    )
    return validate(place)
