"""Names the concrete adapters: which files, which secrets, which API, which clock."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.errors import InvalidConfiguration
from reconciler.manifests import load_project
from reconciler.secrets import resolve_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.core.plan import Scope
    from reconciler.core.secret import Secret, SecretReference
    from reconciler.manifests import Project
    from reconciler.providers.stytch.target import Target
    from reconciler.secrets import ResolvedSecrets, WantedSecret


def project_of(config: str | None) -> Project:
    """Read the project file that the call names, or that stands in the working directory.

    Raises:
        InvalidConfiguration: it has findings.
    """
    project = load_project(Path(config) if config else None, Path.cwd())
    if project.policies:
        _check_rules(project)
    return project


def target_of(project: Project) -> Target:
    """Return whom to call and as whom, with the credentials read.

    Raises:
        ReconcilerError: a credential is missing or unfit.
    """
    from reconciler.manifests.credentials import BackendTarget, resolve_target
    from reconciler.providers.stytch.target import ProjectTarget, SessionTarget

    found = resolve_target(project, os.environ)
    if isinstance(found, BackendTarget):
        return ProjectTarget(
            project_id=found.project_id,
            secret=found.secret,
            session_token=found.session_token,
            session_jwt=found.session_jwt,
            base_url=found.base_url,
        )
    return SessionTarget(
        public_token=found.public_token, session_token=found.session_token, base_url=found.base_url
    )


def scope_of(target: Target) -> Scope:
    """Return what a plan made through this target is for."""
    from reconciler.core.plan import Environment, Scope
    from reconciler.providers.stytch.target import ProjectTarget

    principal = target.project_id if isinstance(target, ProjectTarget) else target.public_token
    environment = Environment.LIVE if "-live-" in principal else Environment.TEST
    return Scope(target.address, principal, environment)


def resolver_of(project: Project) -> Callable[[Iterable[WantedSecret]], ResolvedSecrets]:
    """Return what resolves references by the project's rules."""

    def resolve(wanted: Iterable[WantedSecret]) -> ResolvedSecrets:
        return resolve_secrets(wanted, policy=project.secret_policy, environment=os.environ)

    return resolve


def secrets_of(project: Project, wanted: Iterable[WantedSecret]) -> Mapping[SecretReference, Secret]:
    """Resolve references.

    Raises:
        InvalidConfiguration: at least one cannot be resolved; all that cannot are named.
    """
    resolved = resolver_of(project)(wanted)
    if resolved.diagnostics:
        raise InvalidConfiguration(resolved.diagnostics)
    return resolved.secrets


def now() -> datetime:
    """Return the time, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def _check_rules(project: Project) -> None:
    from reconciler.policies import unknown_rules

    if unknown := unknown_rules(project.policies, project.policy_locations):
        raise InvalidConfiguration(unknown)
