"""The rules that compare organizations: shared clients and secrets, and organizations that are not pinned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create, Update
from reconciler.core.secret import SecretReference
from reconciler.policies.rule import Clause, Rule, writes
from reconciler.policies.trust_domain import client_key
from reconciler.policies.urls import url_after

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.change import ConnectionChange
    from reconciler.policies.estate import Estate

_NAMED: Final = 3


def _shared_client(change: ConnectionChange, estate: Estate) -> Iterator[Clause]:
    """Another organization has the client that this change writes."""
    if not isinstance(change, Create | Update) or not writes(change, "issuer", "client_id"):
        return
    client_id = change.declared.client_id or (change.before.client_id if isinstance(change, Update) else None)
    issuer = url_after(change, "issuer")
    if not issuer or not client_id:
        return
    if shared := _others(change, estate.clients.get(client_key(issuer, client_id), ())):
        yield Clause("client_id", f"issuer and client_id are those of {shared} too")


def _shared_secret(change: ConnectionChange, estate: Estate) -> Iterator[Clause]:
    """Another organization has the secret that this change writes: by reference, or by value."""
    if not isinstance(change, Create | Update) or not writes(change, "client_secret", "issuer", "token_url"):
        return
    secret = change.declared.client_secret
    if not isinstance(secret, SecretReference):
        return
    for locator in secret.locators:
        if shared := _others(change, estate.secrets.get(locator, ())):
            yield Clause("client_secret", f"client_secret refers to {locator}, as {shared} does too")
            return
    equal = next((group for group in estate.equal_secrets if secret in group), frozenset())
    users = (name for text in equal for locator in text.locators for name in estate.secrets.get(locator, ()))
    if shared := _others(change, sorted(users)):
        yield Clause("client_secret", f"client_secret has the value of that of {shared}")


def _unpinned(change: ConnectionChange, estate: Estate) -> Iterator[Clause]:
    """A secret is sent to an organization that is found by a name which can pass to another one."""
    if not isinstance(change, Create) or change.declared.client_secret is None:
        return
    reference = change.address.organization
    if change.organization_id not in estate.pins.get(reference, frozenset({change.organization_id})):
        yield Clause(
            "client_secret",
            f"a client_secret is sent to {change.organization_id}, which was found by the name {reference!r}",
        )


def _others(change: ConnectionChange, references: Iterable[str]) -> str:
    """Name up to three of the organizations, without that of the change."""
    names = [name for name in dict.fromkeys(references) if name != change.address.organization]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


SHARED_CLIENT: Final = Rule(
    id="shared-client",
    find=_shared_client,
    why="members of one customer could log in to the other's organization",
)

SECRET_REFERENCE_SHARED: Final = Rule(
    id="secret-reference-shared",
    find=_shared_secret,
    why="the secret of one customer is sent to the identity provider of another",
)

UNPINNED_ORGANIZATION: Final = Rule(
    id="unpinned-organization",
    find=_unpinned,
    why="a slug or external id can belong to another organization tomorrow; `reconciler pin` adds the "
    "organization_id",
)
