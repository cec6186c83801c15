"""The sentences about a connection that is not what it was to become."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.connection import INFERRED_FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.connection import OidcConnection


def did_not_converge(
    declared: OidcConnection, live: OidcConnection, remaining: Sequence[str], in_spite_of: str
) -> str:
    """Say which fields the service does not take as they are declared."""
    return f"did not converge: {_differences(declared, live, remaining)}, {in_spite_of}"


def refused(what: str, words: str) -> str:
    """Say what the service will not do, and in which words it said so."""
    return f"did not converge: the service refuses {what}: {words}"


def changed_meanwhile(declared: OidcConnection, live: OidcConnection, foreign: Sequence[str]) -> str:
    """Say which fields are not as declared although this run did not leave them so."""
    return (
        f"did not converge: {_differences(declared, live, foreign)}, which is not what this run left behind; "
        "somebody else is writing, or the list lags: nothing more was sent, plan again"
    )


def still_pending(connection: OidcConnection) -> str:
    """Say why nobody can log in yet."""
    empty = [
        name
        for name in connection.declared_fields
        if not getattr(connection, name) and name not in {"custom_scopes", "attribute_mapping"}
    ]
    reason = f": {', '.join(empty)} is empty" if empty else ""
    return f"{connection.connection_id} is still pending{reason}; nobody can log in through it"


def mixed_identity(declared: OidcConnection, before: OidcConnection, live: OidcConnection) -> str:
    """Say which URLs have stayed although the issuer is a new one, or nothing if none has.

    What the service does with them where discovery fails, or finds no such URL, is not documented.
    """
    if before.issuer in {live.issuer, ""}:
        return ""
    kept = [
        name
        for name in INFERRED_FIELDS
        if getattr(declared, name) is None and getattr(live, name) == getattr(before, name) != ""
    ]
    if not kept:
        return ""
    return f"the issuer is a new one, but it has not changed {', '.join(kept)}: check them, or declare them"


def _differences(declared: OidcConnection, live: OidcConnection, names: Sequence[str]) -> str:
    return "; ".join(_difference(declared, live, name) for name in names)


def _difference(declared: OidcConnection, live: OidcConnection, name: str) -> str:
    if name == "client_secret":
        return "client_secret is not what was sent"
    return f"{name} is {_shown(getattr(live, name))}, declared {_shown(getattr(declared, name))}"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return f'"{" ".join(value)}"'
    return f'"{value}"' if isinstance(value, str) else str(value)
