"""Values that the reports are shown with."""

from __future__ import annotations

from typing import Any

from reconciler.core.address import Address
from reconciler.core.change import Action, ActionReason, Create, Delete, Update
from reconciler.core.errors import Diagnostic, Severity, Snippet, SourceLocation
from reconciler.core.outcome import Applied, Failed, Skipped, Unneeded
from tests.support.values import ORGANIZATION_ID, declared, live_connection

LIVE = live_connection(1, display_name="okta", issuer="https://acme.okta.com").without_secret()
WHO: dict[str, Any] = {"address": Address("acme", "okta"), "organization_id": ORGANIZATION_ID}

CREATE = Create(**WHO, declared=declared().connection)
RESUMED = Create(**WHO, declared=declared().connection, resumes=LIVE)
UPDATE = Update(**WHO, declared=declared(client_id="new").connection, before=LIVE, changed=("client_id",))
DELETE = Delete(**WHO, before=LIVE, reason=ActionReason.DECLARED_ABSENT)

CREATED = Applied(**WHO, action=Action.CREATE, connection=LIVE, seconds=1.4)
UPDATED = Applied(**WHO, action=Action.UPDATE, connection=LIVE, seconds=12.0)
DELETED = Applied(**WHO, action=Action.DELETE, connection=LIVE)
UNNEEDED = Unneeded(**WHO, action=Action.DELETE)
FAILED = Failed(
    **WHO,
    action=Action.UPDATE,
    message="PUT of connection okta: bad \x1b[2Jthing",
    advice="correct the issuer",
    error_type="oidc_connection_issuer_url_invalid_format",
    request_id="request-id-test-7",
    status=400,
)
SKIPPED = Skipped(**WHO, action=Action.DELETE, reason="interrupted")

ERROR = Diagnostic(
    Severity.ERROR,
    "unknown-key",
    "unknown key 'isuer'",
    detail="the key is not part of a connection",
    hint="did you mean `issuer`?",
    address="acme/okta",
    location=SourceLocation("acme.yaml", line=12, column=5, byte=200),
    snippet=Snippet(text="    isuer: https://acme.okta.com", start=4, end=9),
)
WARNING = Diagnostic(Severity.WARNING, "duplicate-scope", "scope 'openid' is listed twice")
