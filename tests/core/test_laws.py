"""What holds of every plan, whatever is declared and whatever is live."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.change import Create, DefaultChange, Delete, Update
from reconciler.core.connection import INFERRED_FIELDS, WRITABLE_FIELDS
from reconciler.core.operation import AlreadyDone, judge
from reconciler.core.secret import Secret
from reconciler.reports import PLAN_FORMATS
from reconciler.reports.text_style import Style
from reconciler.storage.documents import parse_plan
from tests.core.documents import plan_data
from tests.core.estates import CANARIES, OLD_SECRETS, Estate, estates
from tests.core.simulation import carry_out
from tests.support.generated import examples
from tests.support.values import choices, declared, desired, plan, reference, whole

if TYPE_CHECKING:
    import random as random_module

    from reconciler.core.change import Change
    from reconciler.core.connection import OidcConnection
    from reconciler.core.planner import Choices
    from reconciler.core.state import DesiredOrganization, LiveOrganization

many = examples(100)


def planned(estate: Estate) -> Choices:
    return choices(estate.secrets)


@many
@given(estates())
def test_planning_what_is_live_changes_nothing(estate: Estate) -> None:
    secrets = {
        reference(connection.connection_id or ""): connection.client_secret
        for connection in estate.live.connections
    }
    organization_plan = plan(as_declared(estate.live), estate.live, choices(secrets))  # type: ignore[arg-type]  # live secrets are Secrets
    assert organization_plan.changes == ()
    assert not organization_plan.is_refused
    assert organization_plan.unchanged == len(estate.live.connections)


@many
@given(estates())
def test_after_apply_the_next_plan_is_empty(estate: Estate) -> None:
    first = plan(estate.desired, estate.live, choices(CANARIES))
    after = carry_out(first.changes, estate.live, CANARIES)
    second = plan(estate.desired, after, choices(CANARIES))
    assert second.changes == ()
    assert second.is_refused == first.is_refused


@many
@given(estates())
def test_a_saved_plan_applied_twice_does_nothing_the_second_time(estate: Estate) -> None:
    first = plan(estate.desired, estate.live, choices(CANARIES))
    saved = parse_plan(plan_data(whole(first)))
    after = carry_out(saved.changes, estate.live, CANARIES)
    for change in saved.changes:
        is_rotation = isinstance(change, Update) and "client_secret" in change.changed
        assert isinstance(judge(change, after, CANARIES), AlreadyDone) or is_rotation


@many
@given(estates())
def test_what_nobody_declares_is_never_touched(estate: Estate) -> None:
    organization_plan = plan(estate.desired, estate.live, planned(estate))
    unmanaged = {unmanaged.connection.connection_id for unmanaged in organization_plan.unmanaged}
    touched = [touched_id(change) for change in organization_plan.changes]
    assert unmanaged.isdisjoint(touched)
    assert len(set(touched) - {None}) == len([connection_id for connection_id in touched if connection_id])
    assert (
        estate.desired.prune
        or organization_plan.is_refused
        or accounted_for(estate) == len(estate.live.connections)
    )


@many
@given(estates())
def test_the_foreign_are_never_touched(estate: Estate) -> None:
    organization_plan = plan(estate.desired, estate.live, planned(estate))
    assert {connection.connection_id for connection in estate.live.other_connections}.isdisjoint(
        map(touched_id, organization_plan.changes)
    )


@many
@given(estates(), st.randoms(use_true_random=False))
def test_the_order_of_input_does_not_matter(estate: Estate, random: random_module.Random) -> None:
    connections, live_connections = list(estate.desired.connections), list(estate.live.connections)
    random.shuffle(connections)
    random.shuffle(live_connections)
    first = plan(estate.desired, estate.live, planned(estate))
    shuffled = plan(
        replace(estate.desired, connections=tuple(connections)),
        replace(estate.live, connections=tuple(live_connections)),
        planned(estate),
    )
    assert sorted(map(repr, first.changes)) == sorted(map(repr, shuffled.changes))
    assert set(first.diagnostics) == set(shuffled.diagnostics)
    assert set(map(repr, first.unmanaged)) == set(map(repr, shuffled.unmanaged))


@many
@given(estates())
def test_nothing_is_deleted_that_no_line_asked_for(estate: Estate) -> None:
    absent = {desired.address for desired in estate.desired.connections if desired.is_absent}
    protected = {
        desired.address for desired in estate.desired.connections if desired.lifecycle.prevent_destroy
    }
    deletes = [
        change
        for change in plan(estate.desired, estate.live, planned(estate)).changes
        if isinstance(change, Delete)
    ]
    assert all(delete.address in absent or estate.desired.prune for delete in deletes)
    assert not any(delete.address in protected for delete in deletes)


@many
@given(estates())
def test_a_refused_organization_has_no_change_at_all(estate: Estate) -> None:
    organization_plan = plan(estate.desired, estate.live, planned(estate))
    assert not (organization_plan.is_refused and organization_plan.changes)


@many
@given(estates())
def test_an_update_sends_and_changes_only_what_is_declared(estate: Estate) -> None:
    names = {
        desired.address: set(desired.connection.declared_fields) for desired in estate.desired.connections
    }
    for change in plan(estate.desired, estate.live, planned(estate)).changes:
        if isinstance(change, Update):
            ignored = next(
                desired.lifecycle.ignore_changes
                for desired in estate.desired.connections
                if desired.address == change.address
            )
            undeclared = set(change.declared.declared_fields) - names[change.address]
            assert undeclared <= set(ignored) & set(INFERRED_FIELDS)
            assert all(getattr(change.declared, name) == getattr(change.before, name) for name in undeclared)
            assert set(change.changed) <= names[change.address] - set(ignored)
            assert change.changed


@many
@given(estates())
def test_an_ignored_field_keeps_its_live_value(estate: Estate) -> None:
    """Whatever the service infers from a new issuer, and whether or not the field is declared."""
    ignored = {desired.address: desired.lifecycle.ignore_changes for desired in estate.desired.connections}
    changes = plan(estate.desired, estate.live, choices(CANARIES)).changes
    after = {one.connection_id: one for one in carry_out(changes, estate.live, CANARIES).connections}
    for change in changes:
        if isinstance(change, Update):
            connection = after[change.before.connection_id]
            names = [name for name in ignored[change.address] if name != "client_secret"]
            kept = [name for name in names if getattr(change.before, name)]
            assert [getattr(connection, name) for name in kept] == [
                getattr(change.before, name) for name in kept
            ]


@many
@given(estates())
def test_a_plan_survives_being_saved(estate: Estate) -> None:
    before = whole(plan(estate.desired, estate.live, planned(estate)), commit="abc")
    text = json.dumps(plan_data(before, "1.2.3"))
    assert parse_plan(json.loads(text)) == before


@many
@given(estates(), st.booleans())
def test_no_rendering_holds_a_secret_or_moves_the_terminal(estate: Estate, color: bool) -> None:
    organization_plan = whole(plan(estate.desired, estate.live, planned(estate)))
    assert all(
        not isinstance(connection.client_secret, Secret)
        for connection in connections_of(organization_plan.changes)
    )
    for render in PLAN_FORMATS.values():
        text = render(organization_plan, style=Style(color=color))
        assert not any(secret in text for secret in OLD_SECRETS if secret)
        assert not any(json.dumps(secret)[1:-1] in text for secret in OLD_SECRETS if secret)
        plain = re.sub("\x1b\\[[0-9;]+m", "", text) if color else text
        assert plain.replace("\n", "").isprintable()


@st.composite
def published(draw: st.DrawFn) -> dict[str, str]:
    """Some endpoints, as the metadata of an issuer may name them."""
    names = draw(st.lists(st.sampled_from(INFERRED_FIELDS), unique=True))
    return {name: f"https://idp.example.com/{draw(st.sampled_from(['a', 'b']))}/{name}" for name in names}


def with_published(
    organization: DesiredOrganization, endpoints: dict[str, str], *, enforces: bool
) -> DesiredOrganization:
    connections = (item.with_published(endpoints, enforces=enforces) for item in organization.connections)
    return replace(organization, connections=tuple(connections))


@many
@given(estates(), published())
def test_what_enforce_planned_is_empty_after_apply(estate: Estate, endpoints: dict[str, str]) -> None:
    enforced = with_published(estate.desired, endpoints, enforces=True)
    first = plan(enforced, estate.live, choices(CANARIES))
    after = carry_out(first.changes, estate.live, CANARIES)
    assert plan(enforced, after, choices(CANARIES)).changes == ()


@many
@given(estates(), published())
def test_enforce_changes_only_what_is_neither_declared_nor_ignored(
    estate: Estate, endpoints: dict[str, str]
) -> None:
    blocks = {desired.address: desired for desired in estate.desired.connections}
    enforced = with_published(estate.desired, endpoints, enforces=True)
    for change in plan(enforced, estate.live, choices(CANARIES)).changes:
        if isinstance(change, Create | Update):
            block = blocks[change.address]
            untouchable = {*block.connection.declared_fields, *block.lifecycle.ignore_changes}
            assert untouchable.isdisjoint(change.enforced)
            assert all(getattr(change.declared, name) == endpoints[name] for name in change.enforced)


@many
@given(estates(), published())
def test_a_prediction_changes_no_plan(estate: Estate, endpoints: dict[str, str]) -> None:
    without = plan(estate.desired, estate.live, planned(estate))
    predicted = plan(with_published(estate.desired, endpoints, enforces=False), estate.live, planned(estate))
    bare = [
        replace(change, published={}) if isinstance(change, Create | Update) else change
        for change in predicted.changes
    ]
    assert bare == [*without.changes]
    assert predicted.diagnostics == without.diagnostics


@many
@given(estates(), published(), st.booleans())
def test_a_plan_with_metadata_survives_being_saved(
    estate: Estate, endpoints: dict[str, str], enforces: bool
) -> None:
    organization = with_published(estate.desired, endpoints, enforces=enforces)
    before = whole(plan(organization, estate.live, planned(estate)), commit="abc")
    assert parse_plan(json.loads(json.dumps(plan_data(before, "1.2.3")))) == before


def as_declared(state: LiveOrganization) -> DesiredOrganization:
    """Return the manifest that `import` would write: every connection pinned, every field declared."""
    return desired(
        *(
            declared(
                f"c{number}",
                connection_id=connection.connection_id,
                **{name: getattr(connection, name) for name in WRITABLE_FIELDS if name != "client_secret"},
                client_secret=reference(connection.connection_id or ""),
            )
            for number, connection in enumerate(state.connections)
        )
    )


def accounted_for(estate: Estate) -> int:
    organization_plan = plan(estate.desired, estate.live, planned(estate))
    touched = [connection_id for connection_id in map(touched_id, organization_plan.changes) if connection_id]
    return len(touched) + organization_plan.unchanged + len(organization_plan.unmanaged)


def touched_id(change: Change) -> str | None:
    if isinstance(change, DefaultChange):
        return None
    before = change.resumes if isinstance(change, Create) else change.before
    return before.connection_id if before else None


def connections_of(changes: tuple[Change, ...]) -> list[OidcConnection]:
    declared_connections = [change.declared for change in changes if isinstance(change, Create | Update)]
    return declared_connections + [change.before for change in changes if isinstance(change, Update | Delete)]
