"""Chooses the adapters of a run: project file, credentials, secrets and clock."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.plan import Environment, Scope
from reconciler.manifests import load_project
from reconciler.manifests.environments import RunEnvironment, environment_of
from reconciler.manifests.source_file import display_path
from reconciler.policies import unknown_rules
from reconciler.providers.stytch.credentials import ProjectTarget, find_principal, resolve_target
from reconciler.providers.stytch.declared_target import check_declared_target
from reconciler.secrets import resolve_reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.secret import Secret, SecretReference
    from reconciler.manifests import Project
    from reconciler.providers.stytch.credentials import Target


def project_of(config: str | None) -> Project:
    """Read the project file: ``--config``, or reconciler.yaml in the working directory.

    The environment of the run is known if the project_id or public token is.

    Raises:
        InvalidConfiguration: it has errors.
    """
    project = load_project(Path(config) if config else None, Path.cwd(), unknown_rules)
    return replace(
        project,
        secret_policy=project.secret_policy.with_allowed_files(os.environ),
        environment=RunEnvironment(find_principal(project.target, os.environ, _read_own(project))),
    )


def check_target(project: Project) -> None:
    """Make sure that the environment allows the declared target, before any secret is read.

    Raises:
        InvalidConfiguration: it does not allow the host or a reference.
    """
    check_declared_target(project.target, os.environ)


def target_of(project: Project) -> Target:
    """Return the API to call, with the credentials for it.

    Raises:
        ReconcilerError: a credential is missing or invalid.
    """
    file = display_path(project.file, project.directory) if project.file else ""
    return resolve_target(project.target, os.environ, _read_own(project), file=file)


def scope_of(target: Target) -> Scope:
    """Return the scope of a plan that is made with this target."""
    principal = target.project_id if isinstance(target, ProjectTarget) else target.public_token
    return Scope(target.address, principal, Environment(environment_of(principal)))


def _read_own(project: Project) -> Callable[[SecretReference], Secret]:
    """Return what reads the tool's own credentials, which the limits for manifests do not concern."""
    return partial(resolve_reference, access=project.secret_access(os.environ).without_limits())


def now() -> datetime:
    """Return the time, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
