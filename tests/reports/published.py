"""Reports as they are published: an ordinary plan, a quiet one, refused ones, a hostile one, their drift."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from reconciler.core.address import Address
from reconciler.core.change import ActionReason, Create, Delete, Update
from reconciler.core.connection import OidcConnection
from reconciler.core.drift import FindingStatus, find_drift
from reconciler.core.errors import Diagnostic, Severity, Snippet, SourceLocation
from reconciler.core.outcome import ApplyResult
from reconciler.core.plan import Environment, Plan, PlanSummary, Scope, Unmanaged
from reconciler.core.results import ValidationResult
from reconciler.core.verification import (
    Exchange,
    ExpiryOrigin,
    ProviderFinding,
    SecretExpiry,
    Verification,
    VerifiedConnection,
)
from reconciler.policies.assess import assess
from reconciler.policies.estate import Estate
from tests.reports import samples
from tests.support.values import WHEN, live_connection, reference

if TYPE_CHECKING:
    from reconciler.core.change import Change
    from reconciler.core.codes import Code
    from reconciler.core.drift import DriftReport

SCOPE = Scope("https://api.stytch.com", "project-live-0c2f", Environment.LIVE)

HOSTILE = (
    "</details></td></table><script>alert(1)</script>",
    "``` \n```diff\n+ x",
    "`a`` b",
    "@octocat/team #1 GH-2 !3 ~4 user@example.com https://evil.example www.evil.example",
    "![x](https://evil.example/x.png)[y](javascript:alert(1))<img src=x onerror=alert(1)>",
    "a|b\\|c\n| --- |\n# heading\n- item",
    "\x1b[2K\u202e\u2066evil\u200b\x00\r\n::error file=x::y%0A##[error]z",
    "<!-- reconciler --> --> &#64;octocat &lt;b&gt; $x$ :tada: [^1] {{ 1 }} {% x %}",
    "\ud800 lone, ligne \u2028 separ\u00e9e, \u0639\u0631\u0628\u064a",
    " leading and trailing ",
)


def place(line: int, path: str = "organizations/acme.yaml") -> SourceLocation:
    return SourceLocation(path, line=line, column=3)


def live(name: str, **fields: Any) -> OidcConnection:
    given: dict[str, Any] = {
        "display_name": name,
        "identity_provider": "okta",
        "issuer": "https://acme.okta.com",
        "client_id": "0oa1b2c3d4",
        "authorization_url": "https://acme.okta.com/oauth2/v1/authorize",
        "token_url": "https://acme.okta.com/oauth2/v1/token",
        "userinfo_url": "https://acme.okta.com/oauth2/v1/userinfo",
        "jwks_url": "https://acme.okta.com/oauth2/v1/keys",
        "custom_scopes": ("email", "openid", "profile"),
        "attribute_mapping": {"groups": "groups"},
    }
    return live_connection(1, **(given | fields)).without_secret()


def create(organization: str = "initech", name: str = "entra", line: int = 5, **fields: Any) -> Create:
    given: dict[str, Any] = {
        "display_name": name,
        "identity_provider": "microsoft-entra",
        "issuer": "https://login.microsoftonline.com/9f1c/v2.0",
        "client_id": "7d0e5a51",
        "client_secret": reference("INITECH_CLIENT_SECRET"),
        "custom_scopes": ("email", "openid"),
    }
    return Create(
        address=Address(organization, name),
        organization_id=f"organization-live-{organization}",
        declared=OidcConnection(**(given | fields)),
        location=place(line, f"organizations/{organization}.yaml"),
    )


def update(organization: str = "acme", name: str = "okta-workforce", **fields: Any) -> Update:
    given: dict[str, Any] = fields or {
        "issuer": "https://login.acme.com",
        "client_secret": reference("ACME_OKTA_CLIENT_SECRET"),
        "custom_scopes": ("email", "groups", "openid"),
        "attribute_mapping": {"groups": "memberOf", "department": "dept"},
    }
    return Update(
        address=Address(organization, name),
        organization_id=f"organization-live-{organization}",
        declared=OidcConnection(display_name=name, **given),
        before=live(name),
        changed=tuple(given),
        location=place(6),
    )


def delete(organization: str = "acme", name: str = "old-saml-bridge") -> Delete:
    return Delete(
        address=Address(organization, name),
        organization_id=f"organization-live-{organization}",
        before=live(name),
        reason=ActionReason.DECLARED_ABSENT,
        location=place(31),
    )


def plan(*changes: Change, **more: Any) -> Plan:
    findings = (*more.get("diagnostics", ()),)
    organizations = {change.address.organization for change in changes}
    refused = {finding.address for finding in findings if finding.is_error}
    errors = {name for name in organizations for address in refused if f"{address}/".startswith(f"{name}/")}
    errors |= refused - {
        address for address in refused for name in errors if f"{address}/".startswith(f"{name}/")
    }
    summary = PlanSummary(
        add=sum(isinstance(change, Create) for change in changes),
        change=sum(isinstance(change, Update) for change in changes),
        destroy=sum(isinstance(change, Delete) for change in changes),
        unchanged=more.pop("unchanged", 0),
        unmanaged=len(more.get("unmanaged", ())),
        managed=len(changes),
        organizations=len(organizations | errors) or 1,
        refused=len(errors),
        warnings=sum(not finding.is_error for finding in findings),
    )
    settings: dict[str, Any] = {"scope": SCOPE, "created_at": WHEN, "commit": "5f2a9c1d0b7e4a66"} | more
    return Plan(changes=changes, summary=summary, **settings)


WARNING = Diagnostic(
    Severity.WARNING,
    "issuer-host-change",
    "acme/okta-workforce: the host of `issuer` changes from acme.okta.com to login.acme.com",
    detail="whoever runs that host decides who logs in to this organization",
    hint="accept it with `--accept-risk issuer-host-change:acme/okta-workforce`",
    address="acme/okta-workforce",
    location=place(8),
    snippet=Snippet(text="    issuer: https://login.acme.com", start=12, end=34),
)
REFUSAL = Diagnostic(
    Severity.ERROR,
    "organization-not-read",
    "organization globex cannot be planned: no organization has the id, slug or external id 'globex' "
    "(404, organization_not_found, request_id request-id-live-7)",
    detail="skipped; other organizations are unaffected",
    address="globex",
    location=place(1, "organizations/globex.yaml"),
)
BLOCK = Diagnostic(
    Severity.ERROR,
    "too-many-deletes",
    "the plan deletes 4 of 9 managed connections, but the limits allow 1 "
    "(max_deletes 3, max_delete_percent 20)",
    detail="if this is intended, apply with `--allow-deletes 4`",
)
UNMANAGED = (Unmanaged("acme", live("Trial of a contractor", connection_id="oidc-connection-live-77")),)

ORDINARY = plan(
    update(),
    delete(),
    create(),
    create(
        "umbrella", "keycloak", identity_provider="keycloak", issuer="https://id.umbrella.example/realms/b2b"
    ),
    risks=(WARNING,),
    unmanaged=UNMANAGED,
)
QUIET = plan(unchanged=12)
REFUSED = plan(update(client_id="0oa-new"), diagnostics=(REFUSAL,), secrets_compared=False)
BLOCKED = plan(*(delete(name=f"old-{number}") for number in range(4)), blocks=(BLOCK,))


def hostile_plan(texts: tuple[str, ...] = HOSTILE) -> Plan:
    """Return a plan in which every text from outside is one of these."""
    first, last = texts[0], texts[-1]
    scopes, mapping = tuple(sorted(set(texts))), {text: text[::-1] for text in texts}
    changes: list[Change] = []
    for number, text in enumerate(texts):
        other = texts[(number + 1) % len(texts)]
        changes += [
            create(text, other, issuer=text, custom_scopes=scopes, attribute_mapping=mapping),
            replace(
                update(text, other, issuer=text, attribute_mapping=mapping, custom_scopes=scopes),
                before=live(other, issuer=first, attribute_mapping={last: first}, custom_scopes=scopes[:1]),
            ),
            delete(text, other),
        ]
    findings = tuple(
        Diagnostic(severity, cast("Code", text), f"{text} is not {other}", detail=text, hint=text,
                   address=f"{text}/{other}", location=place(3, text),
                   snippet=Snippet(text=f"{text}{other}", start=1, end=4))
        for text, other in zip(texts, texts[::-1], strict=True) for severity in Severity
    )  # fmt: skip
    return plan(
        *changes,
        diagnostics=findings,
        risks=findings[-1:],
        blocks=findings[:1],
        unmanaged=tuple(Unmanaged(text, live(text, connection_id=text)) for text in texts),
        scope=Scope(first, last, Environment.LIVE),
        commit=first,
        created_at=last,
    )


def drift_of(plan: Plan) -> DriftReport:
    """Return what was found, of which the first change was found a week before as well."""
    changes = (*plan.changes[:1], create("hooli", "gone"))
    earlier = replace(plan, changes=changes, created_at="2026-11-14T12:00:00Z")
    return find_drift(plan, find_drift(earlier))


FINDINGS = ValidationResult(diagnostics=(REFUSAL, WARNING), files=3, organizations=3, connections=5)
SOUND = ValidationResult(files=3, organizations=3, connections=5)


def large_plan(organizations: int) -> Plan:
    """Return a plan in which every organization changes; the last of them loses a connection."""
    names = [f"customer-{number:05}" for number in range(organizations)]
    changes = [update(name, "okta", client_id="0oa-new", issuer="https://login.acme.com") for name in names]
    return plan(*changes, delete(names[-1], "the-last"), risks=(WARNING,))


def review_plan(*, scope: Scope = SCOPE, **more: Any) -> Plan:
    """Return a plan of usual size with what the risk rules find: 13 changes of 8 organizations."""
    endpoints = ("authorization_url", "token_url", "userinfo_url", "jwks_url")
    moved = {name: f"https://login.acme.com/oauth2/v1/{name[:-4]}" for name in endpoints}
    changes: tuple[Change, ...] = (
        update("acme", "okta-workforce", issuer="https://login.acme.com", **moved),
        delete("acme", "old-saml-bridge"),
        update("contoso", "entra", client_id="5a1f0c77-90c1-4b0b-8a35-d0a4c2f1e9b7"),
        create("fabrikam", "okta", issuer="https://fabrikam.okta.com", identity_provider="okta"),
        update("globex", "okta", custom_scopes=("groups", "profile")),
        update("globex", "partners", attribute_mapping={"groups": "memberOf", "department": "dept"}),
        create("initech", "entra"),
        update("initech", "okta", identity_provider="generic"),
        update("stark", "okta", issuer="https://stark-industries.okta.com"),
        update("stark", "contractors", client_secret=reference("STARK_CONTRACTORS_CLIENT_SECRET")),
        create(
            "umbrella",
            "keycloak",
            identity_provider="keycloak",
            issuer="https://id.umbrella.example/realms/b2b",
        ),
        delete("wayne", "onelogin"),
        delete("wayne", "ping"),
    )
    risks = assess(changes, {}, Estate())
    return plan(*changes, scope=scope, risks=risks, guards=(), unmanaged=UNMANAGED, **more)


TEST_SCOPE = Scope("https://test.stytch.com", "project-test-7b21", Environment.TEST)

APPLIED = ApplyResult(
    outcomes=(samples.CREATED, samples.UPDATED, samples.DELETED, samples.FAILED, samples.SKIPPED), scope=SCOPE
)


def hostile_verification(text: str) -> Verification:
    """Return a verification in which everything that comes from outside is this text."""
    hostile = ProviderFinding(
        Severity.ERROR,
        "no-usable-key",
        text,
        detail=text,
        hint=text,
        address=text,
        location=SourceLocation(text, line=1, column=1),
        fingerprint="known",
        first_seen=text,
        status=FindingStatus.EXISTING,
    )
    connection = VerifiedConnection(
        address=text,
        issuer=text,
        exchanges=(Exchange(purpose="metadata", url=text, outcome=text, redirects=(text,)),),
    )
    return Verification(
        scope=replace(SCOPE, principal=text),
        created_at=WHEN,
        commit=text,
        previous_at=text,
        connections=(connection,),
        findings=(
            hostile,
            replace(hostile, address=f"{text}2"),
            replace(hostile, code="tls-chain", status=FindingStatus.NEW),
        ),
        resolved=(hostile,),
        unchecked=(hostile,),
        expiries=(SecretExpiry(address=text, origin=ExpiryOrigin.PROBE),),
    )


def large_verification(connections: int) -> Verification:
    """Return a verification in which every login fails, each with a long reason, and every secret expires."""
    addresses = [f"customer-{number:05}/okta-workforce" for number in range(connections)]
    finding = hostile_verification("x").findings[0]
    return Verification(
        scope=SCOPE,
        created_at=WHEN,
        previous_at=WHEN,
        connections=tuple(VerifiedConnection(address=address, issuer="x") for address in addresses),
        findings=tuple(
            replace(
                finding, address=address, summary=f"{address}: {index} {'because ' * 20}", fingerprint=address
            )
            for index, address in enumerate(addresses)
        ),
        expiries=tuple(
            SecretExpiry(address=address, origin=ExpiryOrigin.MANIFEST, expires_on=date(2026, 12, 1))
            for address in addresses
        ),
    )
