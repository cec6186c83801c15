"""Codes that folders of other tests provoke: kinds of mistakes in manifests, and kinds of plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.codes.provoking import provoked_by_manifests, provoked_by_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.codes import Code

OF_MANIFESTS: Final[Mapping[Code, str]] = {
    "complex-key": "broken/key-a-list",
    "control-character": "broken/text-has-a-line-break",
    "duplicate-connection-id": "broken/connection-id-twice-in-a-file",
    "duplicate-display-name": "broken/display-name-twice",
    "duplicate-key": "broken/key-duplicate-field",
    "duplicate-organization": "broken/organization-twice-across-files",
    "duplicate-scope": "broken/scopes-twice",
    "empty-key": "broken/connection-name-is-empty",
    "empty-value": "broken/text-is-empty",
    "insecure-url": "broken/issuer-is-not-encrypted",
    "invalid-connection-id": "broken/connection-id-of-saml",
    "invalid-connection-name": "broken/connection-name-has-a-slash",
    "invalid-date": "broken/secret-expires-on-no-such-day",
    "invalid-glob": "broken/project-organizations-absolute",
    "invalid-host-glob": "broken/project-idp-host-is-a-url",
    "invalid-identity": "broken/project-identity-in-a-store",
    "invalid-network": "broken/project-idp-network-is-a-name",
    "invalid-organization": "broken/organization-has-a-slash",
    "invalid-organization-id": "broken/organization-id-of-something-else",
    "invalid-project-id": "broken/project-project-id-unknown-prefix",
    "invalid-recipient": "broken/project-recipient-is-no-public-key",
    "invalid-rule": "broken/project-policy-name",
    "invalid-scope": "broken/scopes-with-a-quote",
    "invalid-url": "broken/issuer-with-a-bad-host",
    "invalid-variable-name": "broken/project-variable-name",
    "invalid-yaml": "broken/yaml-bracket-not-closed",
    "issuer-is-metadata-url": "mistakes/issuer-well-known",
    "literal-secret": "broken/secret-literal",
    "malformed-reference": "broken/reference-not-closed",
    "merge-key": "broken/key-merge",
    "missing-blank": "mistakes/no-space-after-colon",
    "missing-default-scopes": "broken/scopes-without-the-default-ones",
    "missing-key": "broken/key-missing-organization",
    "no-break-space": "mistakes/no-break-space",
    "no-manifests": "broken/no-files",
    "no-value": "broken/text-is-null",
    "not-text": "broken/text-is-no",
    "not-utf-8": "broken/yaml-not-utf-8",
    "out-of-bounds": "broken/project-limits-out-of-bounds",
    "previous-name-is-current": "broken/previous-name-is-the-current-one",
    "recursive-alias": "broken/yaml-alias-recursive",
    "secret-not-allowed": "broken/secret-not-allowed-by-glob",
    "secret-out-of-place": "broken/secret-reference-elsewhere",
    "several-documents": "broken/project-two-documents",
    "smart-quotes": "mistakes/smart-quotes",
    "target-ambiguous": "broken/project-both-modes",
    "too-deep": "broken/yaml-too-deep",
    "too-long": "broken/text-is-too-long",
    "too-many-nodes": "broken/yaml-billion-laughs",
    "undefined-alias": "broken/yaml-alias-undefined",
    "undefined-variable": "broken/variable-undefined",
    "unknown-environment": "mistakes/unknown-environment",
    "unknown-key": "broken/key-unknown-in-connection",
    "unknown-policy": "mistakes/policy-misspelt",
    "unknown-scheme": "broken/reference-scheme-unknown",
    "unknown-value": "broken/state-misspelt",
    "unquoted-key": "broken/key-unquoted-boolean",
    "unsafe-character": "broken/text-has-a-bidi-character",
    "unsupported-tag": "broken/yaml-python-tag",
    "untrimmed": "broken/text-has-blanks-around",
    "url-placeholder": "mistakes/issuer-tenantid",
    "url-user-info": "broken/issuer-with-user-info",
    "unmanaged-not-pinned": "broken/unmanaged-without-an-id",
    "variable-out-of-place": "broken/project-variable-in-target",
    "wrong-environment": "mistakes/id-of-the-other-environment",
    "wrong-type": "broken/attribute-mapping-nested",
}
OF_PLANS: Final[Mapping[Code, str]] = {
    "already-deleted": "delete-done",
    "ambiguous-match": "ambiguous",
    "claimed-twice": "claimed-twice",
    "default-connection": "delete-default-connection",
    "default-pending": "default-connection-pending",
    "delete-external": "delete-dependants",
    "delete-jit": "delete-dependants",
    "lock-out": "delete-lock-out",
    "looks-renamed": "looks-renamed",
    "organization-not-read": "organization-not-found",
    "pin-not-live": "pin-gone",
    "prevent-destroy": "prevent-destroy",
    "secret-not-comparable": "secret-masked",
    "stays-pending": "create-minimal",
    "too-many-deletes": "delete-limit",
    "unmanaged-not-live": "state-unmanaged-not-live",
}

for code, folder in OF_MANIFESTS.items():
    provoked_by_manifests(folder, code)
for code, folder in OF_PLANS.items():
    provoked_by_plan(folder, code)
