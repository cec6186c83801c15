"""Reads `secrets` in the project file: what manifests may use, the age identity, and its recipients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.secret import DEFAULT_ENV_ALLOW
from reconciler.secrets import STORES, AgeSettings, SecretPolicy
from reconciler.secrets.allow_lists import flaw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from reconciler.core.secret import SecretReference
    from reconciler.manifests.findings import DocumentFindings
    from reconciler.manifests.project_model import SecretsManifest

_IDENTITY_SCHEMES: Final = ("env", "file")


def age_settings(manifest: SecretsManifest) -> AgeSettings:
    """Return the identity of the tool and the recipients of its files."""
    age = manifest.get("age", {})
    return AgeSettings(identity=age.get("identity"), recipients=tuple(age.get("recipients", ())))


def secret_policy(
    manifest: SecretsManifest, own: Iterable[SecretReference | None], root: Path
) -> SecretPolicy:
    """Return which secrets manifests may use: never the tool's ``own``."""
    globs = _allow_lists(manifest)
    return SecretPolicy(
        root=root,
        env_allow=globs.get("env", DEFAULT_ENV_ALLOW),
        file_allow=globs.get("file"),
        store_allow={scheme: globs[scheme] for scheme in STORES if scheme in globs},
        own=tuple(reference for reference in own if reference),
    )


def check_secrets_settings(manifest: SecretsManifest, findings: DocumentFindings) -> None:
    """Report globs that would match the secrets of other organizations, and an unusable identity."""
    for scheme, index, reason in _flawed_globs(manifest):
        findings.add(
            "invalid-glob",
            ("secrets", scheme, "allow", index),
            f"`secrets.{scheme}.allow`: {reason}",
            hint="write for example "
            + ("{organization}__*_CLIENT_SECRET" if scheme == "env" else "sso/{organization}/*"),
        )
    identity = manifest.get("age", {}).get("identity")
    if identity and not (len(identity.parts) == 1 and identity.locators[0].scheme in _IDENTITY_SCHEMES):
        findings.add(
            "invalid-identity",
            ("secrets", "age", "identity"),
            "`secrets.age.identity` is not one variable or file",
            hint="write ${env:NAME} or ${file:PATH}, and nothing else",
        )


def _allow_lists(manifest: SecretsManifest) -> Mapping[str, tuple[str, ...]]:
    settings = {str(scheme): section for scheme, section in manifest.items() if isinstance(section, dict)}
    return {scheme: tuple(section["allow"]) for scheme, section in settings.items() if "allow" in section}


def _flawed_globs(manifest: SecretsManifest) -> Iterator[tuple[str, int, str]]:
    for scheme, globs in _allow_lists(manifest).items():
        for index, glob in enumerate(globs):
            if scheme != "file" and (reason := flaw(glob, scheme)):
                yield scheme, index, reason
