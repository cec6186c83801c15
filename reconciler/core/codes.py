"""Lists the codes of diagnostics.

The type checker refuses a diagnostic with another code; ``reconciler explain`` describes each.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

# fmt: off
Code: TypeAlias = Literal[
    # the command and its surroundings
    "access-denied", "bug", "cancelled", "concurrent-change", "connection-not-found",
    "did-not-converge", "interrupted", "malformed-answer", "missing-shards", "not-found",
    "organization-not-found", "organization-refused", "output-not-written", "pin-mismatch",
    "plan-refused", "provider-error", "publishing-failed", "report-refused", "request-rejected",
    "timed-out", "unavailable", "unknown-outcome", "unknown-publication", "usage", "write-refused",
    # finding and reading files
    "file-too-large", "invalid-glob", "linked-manifest", "linked-project-file", "manifest-attributes",
    "manifests-not-found", "no-manifests", "no-such-path", "not-utf-8", "organization-not-declared",
    "too-many-findings", "unreadable-file", "unreadable-folder",
    # YAML
    "complex-key", "duplicate-key", "invalid-yaml", "merge-key", "recursive-alias", "several-documents",
    "too-deep", "too-many-aliases", "too-many-nodes", "undefined-alias", "unquoted-key",
    "unsafe-character", "unsupported-tag",
    # keys and values
    "control-character", "duplicate-connection-id", "duplicate-display-name", "duplicate-organization",
    "duplicate-scope", "empty-key", "empty-value", "insecure-url", "invalid-address",
    "invalid-connection-id", "invalid-connection-name", "invalid-date", "invalid-finding",
    "invalid-organization", "invalid-organization-id", "invalid-project-id", "invalid-public-token",
    "invalid-rule", "invalid-scope", "invalid-url", "invalid-variable-name", "literal-secret",
    "missing-default-scopes", "missing-key", "no-value", "not-text", "out-of-bounds",
    "previous-name-is-current", "too-long", "unknown-key", "unknown-policy", "unknown-value",
    "untrimmed", "wrong-type",
    # references and the target
    "malformed-reference", "secret-not-allowed", "secret-out-of-place", "secret-unavailable",
    "target-ambiguous", "target-host-conflict", "target-host-not-allowed", "target-malformed",
    "target-missing", "target-reference-not-allowed", "target-reference-not-whole",
    "target-unavailable", "undefined-variable", "unknown-scheme", "variable-out-of-place",
    # planning
    "ambiguous-match", "claimed-twice", "default-connection", "delete-external", "delete-jit",
    "lock-out", "looks-renamed", "organization-not-read", "pin-not-live", "prevent-destroy",
    "protection-unchecked", "protection-unknown", "secret-expires", "secret-not-comparable",
    "stays-pending", "tombstone-done", "too-many-deletes",
    # approvals
    "approval-expired", "approval-incomplete", "approval-not-declared", "approval-not-needed",
    "approval-too-long", "duplicate-approval",
    # import and pin
    "not-imported", "not-pinned",
    # risk rules
    "attribute-mapping-change", "authorization-url-host-change", "endpoint-off-site", "ip-literal-host",
    "issuer-host-change", "jwks-url-host-change", "multi-tenant-issuer", "private-host",
    "provider-issuer-mismatch", "punycode-host", "scopes-dropped", "secret-kept", "shared-client",
    "token-url-host-change", "url-user-info", "userinfo-url-host-change",
]
# fmt: on

CODES: Final[tuple[Code, ...]] = get_args(Code)
