"""Checks the keys that a provider publishes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.core.errors import count
from reconciler.core.idp import IdpFinding, quoted
from reconciler.idp.keys import KeySet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.idp.investigation import Evidence


def no_usable_key(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that no key can check a signature. Keys without use, alg and kid can."""
    keys = evidence.keys
    if isinstance(keys, KeySet) and not keys.usable:
        problems = Counter(key.problem for key in keys.keys)
        counts = ", ".join(f"{number} {problem}" for problem, number in problems.items())
        yield IdpFinding(
            code="no-usable-key",
            summary=f"no published key can verify a signature: {counts or 'the set is empty'}",
        )


def private_key_published(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that a private or symmetric key is public. Nothing of it is shown."""
    keys = evidence.keys
    secret = [key for key in keys.keys if key.is_secret] if isinstance(keys, KeySet) else []
    if secret:
        names = ", ".join(quoted(key.kid) if key.kid else "one without `kid`" for key in secret[:3])
        yield IdpFinding(
            code="private-key-published",
            summary=f"the provider publishes {count(len(secret), 'private or symmetric key')}: {names}",
            key=" ".join(sorted(key.kid for key in secret)),
        )


def key_ids_ambiguous(evidence: Evidence) -> Iterator[IdpFinding]:
    """Yield that keys of one type cannot be told apart (OpenID Connect Core, section 10.1)."""
    if not isinstance(evidence.keys, KeySet):
        return
    materials = {(key.type, key.kid, key.material) for key in evidence.keys.usable}
    alike = Counter((kind, kid) for kind, kid, _ in materials)
    for (kind, kid), number in sorted(alike.items()):
        if number > 1:
            how = f"with the `kid` {quoted(kid)}" if kid else "without `kid`"
            yield IdpFinding(
                code="key-ids-ambiguous",
                summary=f"the provider publishes {number} {kind} keys {how}",
                key=f"{kind} {kid}",
            )
