"""The planned change of one connection, attribute by attribute."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final, assert_never

from reconciler.core.connection import COMPUTED_FIELDS, INFERRED_FIELDS, SENSITIVE_FIELDS, WRITABLE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.address import Address
    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import SourceLocation
    from reconciler.core.secret import SecretReference

    Value = str | tuple[str, ...] | Mapping[str, str]

RESOURCE_TYPE: Final = "oidc_connection"
DEFAULT_TYPE: Final = "organization_default_connection"


class Action(StrEnum):
    """What is done to a connection, in Terraform's words."""

    NO_OP = "no-op"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class ActionReason(StrEnum):
    """Why; for display only, no decision depends on it."""

    RESUMES_CREATE = "resumes_interrupted_create"
    DECLARED_ABSENT = "delete_because_declared_absent"
    NOT_DECLARED = "delete_because_not_declared"
    LEFTOVER = "delete_because_left_behind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """A connection to create; ``resumes`` is what an interrupted create left behind.

    ``same_name_ids`` are live connections of its display_name that other declarations manage.
    ``published`` are the endpoints in the issuer's own metadata, if it was fetched, by field; ``enforced``
    names the fields that were declared by it (`discovery: enforce`).
    """

    action: ClassVar = Action.CREATE
    address: Address
    organization_id: str
    declared: OidcConnection
    resumes: OidcConnection | None = None
    same_name_ids: tuple[str, ...] = ()
    published: Mapping[str, str] = field(default_factory=dict)
    enforced: tuple[str, ...] = ()
    location: SourceLocation | None = None

    @property
    def reason(self) -> ActionReason | None:
        """That it resumes an interrupted create, if so."""
        return ActionReason.RESUMES_CREATE if self.resumes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A connection whose fields named in ``changed`` differ from what is declared.

    ``before`` never holds the live secret; ``uncomparable`` names declared fields whose values the
    service does not return. There is no reason but the differences. ``published`` and ``enforced`` are as
    those of a `Create`.
    """

    action: ClassVar = Action.UPDATE
    reason: ClassVar = None
    address: Address
    organization_id: str
    declared: OidcConnection
    before: OidcConnection
    changed: tuple[str, ...]
    uncomparable: tuple[str, ...] = ()
    published: Mapping[str, str] = field(default_factory=dict)
    enforced: tuple[str, ...] = ()
    location: SourceLocation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """A connection to delete, because a manifest says so. ``before`` holds no secret."""

    action: ClassVar = Action.DELETE
    address: Address
    organization_id: str
    before: OidcConnection
    reason: ActionReason
    location: SourceLocation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultChange:
    """Another connection that becomes the default of its organization, which ``address`` names.

    ``before_id`` and ``before_name`` are the default that the plan saw, empty if there was none.
    ``connection_id`` is empty if the connection, ``connection`` by its key, is yet to be created.
    """

    action: ClassVar = Action.UPDATE
    reason: ClassVar = None
    address: Address
    organization_id: str
    connection: str
    display_name: str
    connection_id: str = ""
    before_id: str = ""
    before_name: str = ""
    location: SourceLocation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOp:
    """A connection that already is as declared."""

    action: ClassVar = Action.NO_OP
    address: Address
    organization_id: str
    connection_id: str
    uncomparable: tuple[str, ...] = ()


ConnectionChange = Create | Update | Delete
Change = ConnectionChange | DefaultChange
Decision = ConnectionChange | NoOp


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeChange:
    """One attribute of a change. A sensitive attribute has a name here, but no values.

    ``reference`` is where the secret that will be sent is read, as parsed. ``is_unknown``: the value is
    known only after apply; ``predicted`` is then the value in the issuer's metadata, if it is known.
    ``is_enforced``: the value was taken from that metadata.
    """

    name: str
    action: Action
    before: Value | None = None
    after: Value | None = None
    is_unknown: bool = False
    is_sensitive: bool = False
    reference: str = ""
    predicted: str = ""
    is_enforced: bool = False


def predictions(change: Create | Update) -> Mapping[str, str]:
    """Return what the server is expected to infer, by field, as far as the issuer's metadata is known."""
    names = (name for name in unknown_after(change) if name in change.published)
    return {name: change.published[name] for name in names}


def expected_connection(change: Create | Update) -> OidcConnection:
    """Return the connection as it will be, as far as that is known: without secret and inferred fields."""
    if isinstance(change, Create):
        return change.declared.without_secret()
    declared = {name: getattr(change.declared, name) for name in change.changed}
    inferred = dict.fromkeys(unknown_after(change))
    return replace(change.before, **(declared | inferred)).without_secret()


def attribute_changes(change: Change) -> tuple[AttributeChange, ...]:
    """Return every attribute that has a value before or after, in display order."""
    match change:
        case Create():
            changes = [_created(change, name) for name in _DISPLAY_ORDER]
        case Update():
            changes = [_updated(change, name) for name in _DISPLAY_ORDER]
        case Delete():
            changes = [_deleted(change, name) for name in _DISPLAY_ORDER]
        case DefaultChange():
            changes = list(_default_attributes(change))
        case _:
            assert_never(change)
    return tuple(attribute for attribute in changes if attribute is not None)


def is_unchanged(change: Change, attribute: AttributeChange) -> bool:
    """Tell whether an attribute stays as it is, can be compared, and has a value that could be declared.

    The live secret is not known here, so it counts only if it is declared.
    """
    name = attribute.name
    if attribute.action is not Action.NO_OP or name not in WRITABLE_FIELDS:
        return False
    if isinstance(change, Update) and name in change.uncomparable:
        return False
    if attribute.is_sensitive:
        return isinstance(change, Update) and getattr(change.declared, name) is not None
    return bool(attribute.before)


_DISPLAY_ORDER: Final = (
    "connection_id",
    *(name for name in WRITABLE_FIELDS if name not in SENSITIVE_FIELDS),
    *(name for name in WRITABLE_FIELDS if name in SENSITIVE_FIELDS),
    *(name for name in COMPUTED_FIELDS if name != "connection_id"),
)


def _created(change: Create, name: str) -> AttributeChange | None:
    if name in COMPUTED_FIELDS:
        known = getattr(change.resumes, name, None) if name != "status" else None
        return AttributeChange(name=name, action=Action.CREATE, after=known, is_unknown=known is None)
    value = getattr(change.declared, name)
    if name in SENSITIVE_FIELDS:
        return _secret(name, Action.CREATE, value) if value else None
    if value is None:
        return _unknown(change, name) if name in unknown_after(change) else None
    is_enforced = name in change.enforced
    return AttributeChange(name=name, action=Action.CREATE, after=value, is_enforced=is_enforced)


def _updated(change: Update, name: str) -> AttributeChange | None:
    before = getattr(change.before, name)
    if name in SENSITIVE_FIELDS:
        if name in change.changed:
            return _secret(name, Action.UPDATE, getattr(change.declared, name))
        return AttributeChange(name=name, action=Action.NO_OP, is_sensitive=True)
    if name in change.changed:
        return AttributeChange(
            name=name,
            action=Action.UPDATE,
            before=before,
            after=getattr(change.declared, name),
            is_enforced=name in change.enforced,
        )
    if name in unknown_after(change):
        return _unknown(change, name, before)
    if not before and getattr(change.declared, name) is None:
        return None
    return AttributeChange(name=name, action=Action.NO_OP, before=before, after=before)


def _unknown(change: Create | Update, name: str, before: Value | None = None) -> AttributeChange:
    predicted = change.published.get(name, "")
    return AttributeChange(
        name=name, action=change.action, before=before, is_unknown=True, predicted=predicted
    )


def _secret(name: str, action: Action, declared: SecretReference | None) -> AttributeChange:
    reference = declared.parsed if declared else ""
    return AttributeChange(name=name, action=action, is_sensitive=True, reference=reference)


def _deleted(change: Delete, name: str) -> AttributeChange | None:
    if name in SENSITIVE_FIELDS:
        return AttributeChange(name=name, action=Action.DELETE, is_sensitive=True)
    before = getattr(change.before, name)
    return AttributeChange(name=name, action=Action.DELETE, before=before) if before else None


def _default_attributes(change: DefaultChange) -> Iterator[AttributeChange]:
    for name, before, after in (
        ("connection_id", change.before_id, change.connection_id),
        ("display_name", change.before_name, change.display_name),
    ):
        yield AttributeChange(
            name=name, action=Action.UPDATE, before=before or None, after=after or None, is_unknown=not after
        )


def unknown_after(change: Create | Update) -> tuple[str, ...]:
    """Name the undeclared fields that the server infers, because the issuer is new or changes."""
    if change.declared.issuer is None or (isinstance(change, Update) and "issuer" not in change.changed):
        return ()
    return tuple(name for name in INFERRED_FIELDS if getattr(change.declared, name) is None)
