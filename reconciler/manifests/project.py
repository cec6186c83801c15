"""The project file: where the manifests are, which project they are for, and how much one run may do."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.core.errors import InvalidConfiguration, SourceLocation
from reconciler.core.limits import Limits
from reconciler.core.state import Discovery
from reconciler.manifests.escapes import check_escapes
from reconciler.manifests.interpolation import Interpolation
from reconciler.manifests.limits import ReadLimits
from reconciler.manifests.reading import ReadFile, display_path, read_file
from reconciler.manifests.target import Target
from reconciler.manifests.validation import validate
from reconciler.secrets import OWN_VARIABLES, SecretPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.manifests import events
    from reconciler.manifests.findings import DocumentFindings
    from reconciler.manifests.project_definition import ProjectManifest, SecretsManifest, TargetManifest

PROJECT_FILE: Final = "reconciler.yaml"

DEFAULT_ORGANIZATIONS: Final = ("organizations/**/*.yaml", "organizations/**/*.yml")


class Defaults(NamedTuple):
    """What holds for every organization that does not say otherwise."""

    prune: bool = False
    discovery: Discovery = Discovery.REPORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The project file, or what holds without one.

    ``directory`` is the working directory, ``root`` the folder of the project file: globs and
    ``file:`` secrets start there. ``policies`` maps rule ids to error, warn or off; whether there
    are such rules is for others to check, at ``policy_locations``.
    """

    directory: Path
    root: Path
    secret_policy: SecretPolicy
    file: Path | None = None
    target: Target = field(default_factory=Target)
    organizations: tuple[str, ...] = DEFAULT_ORGANIZATIONS
    variables: Mapping[str, str] = field(default_factory=dict)
    defaults: Defaults = field(default_factory=Defaults)
    limits: Limits = field(default_factory=Limits)
    policies: Mapping[str, str] = field(default_factory=dict)
    policy_locations: Mapping[str, SourceLocation] = field(default_factory=dict)
    read_limits: ReadLimits = field(default_factory=ReadLimits)


def load_project(config: str | Path | None, directory: Path) -> Project:
    """Read the project file: ``config``, or ``reconciler.yaml`` in ``directory`` if there is one.

    Neither credentials nor environment variables are read.

    Raises:
        InvalidConfiguration: ``config`` does not exist, or the file has findings.
    """
    file = directory / (config or PROJECT_FILE)
    if config is None and not os.path.lexists(file):
        return Project(directory=directory, root=directory, secret_policy=SecretPolicy(root=directory))
    read = read_file(file, display_path(file, directory), ReadLimits())
    index, value = _only_document(read)
    report = read.findings.document(index)
    if "\\" in read.source.text:
        check_escapes(value, (), report)
    project = _read(value, report, file, directory)
    if project is None or read.findings.has_errors:
        raise InvalidConfiguration(read.findings.diagnostics)
    return project


def _only_document(read: ReadFile) -> tuple[int, events.Value]:
    if not read.documents:
        return 0, {}
    for index, _document in read.documents[1:]:
        read.findings.document(index).add(
            "several-documents",
            (),
            "the project file holds more than one document",
            hint="keep one; organizations go to files of their own",
        )
    index, document = read.documents[0]
    return index, document.value


def _read(value: events.Value, report: DocumentFindings, file: Path, directory: Path) -> Project | None:
    from reconciler.manifests.project_definition import ProjectManifest

    rules = Interpolation(
        variables=None,
        policy=None,
        holds_secret=_is_target,
    )
    manifest = validate(ProjectManifest, rules.apply(value, report), report)
    if manifest is None or report.error_count:
        return None
    target = _target(manifest.get("target", {}))
    _check_target(target, report)
    policies = manifest.get("policies", {})
    return Project(
        directory=directory,
        root=file.parent,
        file=file,
        target=target,
        organizations=tuple(manifest.get("organizations", DEFAULT_ORGANIZATIONS)),
        variables=manifest.get("vars", {}),
        defaults=_defaults(manifest),
        limits=Limits(**manifest.get("limits", {})),
        policies=policies,
        policy_locations={rule: report.location(("policies", rule)) for rule in policies},
        secret_policy=_policy(manifest.get("secrets", {}), target, file.parent),
    )


def _target(manifest: TargetManifest) -> Target:
    return Target(**manifest)


def _check_target(target: Target, report: DocumentFindings) -> None:
    """Report two ways to log in at once."""
    if target.session_jwt and (target.public_token or target.session_token):
        report.add(
            "target-ambiguous",
            ("target", "session_jwt"),
            "the target has both a session token and a session JWT"
            if target.session_token
            else "the session API knows no session JWT",
            hint="keep session_token: it outlives the five minutes of a JWT",
            at="key",
        )
    if target.public_token and (target.project_id or target.secret):
        report.add(
            "target-ambiguous",
            ("target", "public_token"),
            "the target has both a project's credentials and a public token",
            hint="keep project_id and secret, or public_token and session_token",
            at="key",
        )


def _defaults(manifest: ProjectManifest) -> Defaults:
    defaults = manifest.get("defaults", {})
    return Defaults(
        prune=defaults.get("prune", False),
        discovery=Discovery(defaults.get("discovery", "report")),
    )


def _policy(manifest: SecretsManifest, target: Target, root: Path) -> SecretPolicy:
    own = [locator for reference in target.references for locator in reference.locators]
    return SecretPolicy(
        root=root,
        env_allow=tuple(manifest.get("env", {}).get("allow", ("*",))),
        file_allow=tuple(manifest.get("file", {}).get("allow", ())),
        forbidden_env=OWN_VARIABLES | {one.path for one in own if one.scheme == "env"},
        forbidden_files=frozenset(Path(one.path) for one in own if one.scheme == "file"),
    )


def _is_target(path: events.Path) -> bool:
    match path:
        case ("target", _):
            return True
        case _:
            return False
