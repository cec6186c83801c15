"""Reads the project file: target, manifest globs, variables, limits and policies."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.core.errors import Diagnostic, InvalidConfiguration, Severity, SourceLocation
from reconciler.core.idp import IdpSettings
from reconciler.core.run_selection import Limits
from reconciler.core.state import Discovery
from reconciler.core.undeclared import DriftMode, DriftSettings
from reconciler.manifests.document import ParsedFile, parse_file
from reconciler.manifests.environments import RunEnvironment
from reconciler.manifests.field_types import has_field
from reconciler.manifests.interpolation import Interpolation
from reconciler.manifests.project_model import ProjectManifest
from reconciler.manifests.secret_document import read_secret_document
from reconciler.manifests.secrets_settings import age_settings, check_secrets_settings, secret_policy
from reconciler.manifests.source_file import display_path
from reconciler.manifests.text_patterns import INVALID_NETWORK, RULE
from reconciler.manifests.validation import validate
from reconciler.manifests.yaml_errors import report_unsafe_escapes
from reconciler.manifests.yaml_reader import ReadLimits
from reconciler.providers.stytch.declared_target import DeclaredTarget
from reconciler.secrets import AgeSettings, SecretAccess, SecretPolicy

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.manifests import yaml_reader
    from reconciler.manifests.findings import DocumentFindings
    from reconciler.manifests.project_model import DriftManifest, IdpManifest, TargetManifest
    from reconciler.secrets.store import Entries

PROJECT_FILE: Final = "reconciler.yaml"

_MISPLACED_HINT: Final = (
    "only the credentials below `target` and `secrets.age.identity` can be references: write the value "
    "itself; a base URL may come from STYTCH_BASE_URL"
)

PolicyCheck: TypeAlias = Callable[[Mapping[str, SourceLocation]], tuple[Diagnostic, ...]]

DEFAULT_ORGANIZATIONS: Final = ("organizations/**/*.yaml", "organizations/**/*.yml")
DEFAULT_APPROVALS: Final = ("approvals/*.yaml", "approvals/*.yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Defaults for every organization."""

    prune: bool = False
    discovery: Discovery = Discovery.REPORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The project file, or the defaults without one.

    ``directory`` is the working directory, ``root`` the folder of the project file: globs and
    ``file:`` secrets are relative to it. ``policies`` maps rule IDs to error, warn or off.
    ``environment`` is known once the project_id is. ``logins`` and ``secret_entries`` are what secret stores
    keep during a run, and what they have answered.
    """

    directory: Path
    root: Path
    secret_policy: SecretPolicy
    file: Path | None = None
    target: DeclaredTarget = field(default_factory=DeclaredTarget)
    organizations: tuple[str, ...] = DEFAULT_ORGANIZATIONS
    variables: Mapping[str, str] = field(default_factory=dict)
    defaults: Defaults = field(default_factory=Defaults)
    limits: Limits = field(default_factory=Limits)
    policies: Mapping[str, str] = field(default_factory=dict)
    approvals: tuple[str, ...] = DEFAULT_APPROVALS
    drift: DriftSettings = field(default_factory=DriftSettings)
    idp: IdpSettings = field(default_factory=IdpSettings)
    read_limits: ReadLimits = field(default_factory=ReadLimits)
    age: AgeSettings = field(default_factory=AgeSettings)
    secret_entries: Entries = field(default_factory=dict, repr=False, compare=False)
    environment: RunEnvironment = field(default_factory=RunEnvironment)
    logins: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    def secret_access(self, variables: Mapping[str, str]) -> SecretAccess:
        """Return how secrets are read, with these environment variables."""
        return SecretAccess(
            policy=self.secret_policy,
            environment=variables,
            age=self.age,
            read_document=read_secret_document,
            logins=self.logins,
            entries=self.secret_entries,
        )


def load_project(
    config: str | Path | None, directory: Path, check_policies: PolicyCheck = lambda _places: ()
) -> Project:
    """Read the project file: ``config``, or ``reconciler.yaml`` in ``directory`` if it exists.

    ``check_policies`` returns the errors of rule IDs that do not exist. Neither credentials nor
    environment variables are read.

    Raises:
        InvalidConfiguration: ``config`` does not exist, or the file has errors.
    """
    file = directory / (config or PROJECT_FILE)
    if config is not None and not os.path.lexists(file):
        raise InvalidConfiguration((_missing_project_file(display_path(file, directory)),))
    if not os.path.lexists(file):
        return Project(directory=directory, root=directory, secret_policy=SecretPolicy(root=directory))
    if file.is_symlink():
        raise InvalidConfiguration((_linked_project_file(display_path(file, directory)),))
    parsed = parse_file(file, display_path(file, directory), ReadLimits())
    project = _read(parsed, file, directory)
    unknown = check_policies(_policy_places(parsed))
    if project is None or unknown or parsed.findings.has_errors:
        raise InvalidConfiguration((*parsed.findings.diagnostics, *unknown))
    return project


def _policy_places(parsed: ParsedFile) -> dict[str, SourceLocation]:
    """Return the place of each rule ID below `policies`, whatever else is wrong with the file."""
    document = parsed.documents[0] if parsed.documents else None
    policies = document.value.get("policies") if document and isinstance(document.value, dict) else None
    findings = parsed.findings.document(document)
    return {
        rule: findings.location(("policies", rule))
        for rule in (policies if isinstance(policies, dict) else ())
        if re.fullmatch(RULE, rule)
    }


def _missing_project_file(path: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "no-such-path",
        f"{path}: there is no such project file",
        hint="correct --config; without it, reconciler.yaml in the working directory is read if it exists",
    )


def _linked_project_file(path: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "linked-project-file",
        f"{path} is a link; the project file has to be a real file",
        hint="replace the link by the file itself, or name the file with --config",
        location=SourceLocation(path),
    )


def _read(parsed: ParsedFile, file: Path, directory: Path) -> Project | None:
    for extra in parsed.documents[1:]:
        parsed.findings.document(extra).add(
            "several-documents",
            (),
            "the project file has more than one document",
            hint="keep one; organizations belong in files of their own",
        )
    document = parsed.documents[0] if parsed.documents else None
    values = {} if document is None else document.value
    findings = parsed.findings.document(document)
    if "\\" in parsed.source.text:
        report_unsafe_escapes(values, (), findings)
    return _project(values, findings, file, directory)


def _project(
    values: yaml_reader.Value, findings: DocumentFindings, file: Path, directory: Path
) -> Project | None:
    interpolation = Interpolation(
        variables=None,
        policy=None,
        holds_secret=_is_credential,
        has_field=partial(has_field, ProjectManifest),
        misplaced_hint=_MISPLACED_HINT,
    )
    manifest = validate(ProjectManifest, interpolation.apply(values, findings), findings)
    if manifest is None or findings.error_count:
        return None
    target = _declared_target(manifest.get("target", {}), findings)
    _check_target(target, findings)
    idp = _idp_settings(manifest.get("idp", {}), findings)
    secrets = manifest.get("secrets", {})
    check_secrets_settings(secrets, findings)
    age = age_settings(secrets)
    return Project(
        directory=directory,
        root=file.parent,
        file=file,
        target=target,
        organizations=tuple(manifest.get("organizations", DEFAULT_ORGANIZATIONS)),
        variables=manifest.get("vars", {}),
        defaults=_defaults(manifest),
        limits=Limits(**manifest.get("limits", {})),
        policies=manifest.get("policies", {}),
        approvals=tuple(manifest.get("approvals", DEFAULT_APPROVALS)),
        drift=_drift_settings(manifest.get("drift", {})),
        idp=idp,
        age=age,
        secret_policy=secret_policy(secrets, (*target.references.values(), age.identity), file.parent),
    )


def _declared_target(manifest: TargetManifest, findings: DocumentFindings) -> DeclaredTarget:
    locations = {name: findings.location(("target", name)) for name in manifest}
    return DeclaredTarget(**manifest, locations=locations)


def _check_target(target: DeclaredTarget, findings: DocumentFindings) -> None:
    """Report references that are part of a value, and credentials of two kinds at once."""
    for name, reference in target.references.items():
        if len(reference.parts) > 1:
            findings.add(
                "target-reference-not-whole",
                ("target", name),
                f"target.{name} is more than a reference",
                hint="a credential is one reference and nothing else, such as ${env:STYTCH_SECRET}",
            )
    if target.session_jwt and (target.public_token or target.session_token):
        findings.add(
            "target-ambiguous",
            ("target", "session_jwt"),
            "the target has both a session token and a session JWT"
            if target.session_token
            else "the frontend API does not accept a session JWT",
            hint="keep session_token: a JWT expires after five minutes",
            at="key",
        )
    if target.public_token and (target.project_id or target.secret):
        findings.add(
            "target-ambiguous",
            ("target", "public_token"),
            "the target has both project credentials and a public token",
            hint="keep project_id and secret, or public_token and session_token",
            at="key",
        )


def _defaults(manifest: ProjectManifest) -> Defaults:
    defaults = manifest.get("defaults", {})
    return Defaults(
        prune=defaults.get("prune", False), discovery=Discovery(defaults.get("discovery", "report"))
    )


def _drift_settings(manifest: DriftManifest) -> DriftSettings:
    return DriftSettings(
        undeclared=DriftMode(manifest.get("undeclared", "drift")),
        unknown_organizations=DriftMode(manifest.get("unknown_organizations", "report")),
    )


def _idp_settings(manifest: IdpManifest, findings: DocumentFindings) -> IdpSettings:
    """Return the settings; networks whose numbers make up none are reported."""
    networks = []
    for index, text in enumerate(manifest.get("allow_networks", [])):
        try:
            networks.append(ip_network(text))
        except ValueError:
            summary = f"`idp.allow_networks` {INVALID_NETWORK.summary}"
            path = ("idp", "allow_networks", index)
            findings.add(INVALID_NETWORK.code, path, summary, hint=INVALID_NETWORK.hint)
    defaults = IdpSettings()
    return IdpSettings(
        discovery=Discovery(manifest.get("discovery", defaults.discovery)),
        allow_hosts=tuple(manifest.get("allow_hosts", defaults.allow_hosts)),
        allow_networks=tuple(networks),
        ca_file=manifest.get("ca_file", ""),
        timeout=manifest.get("timeout", defaults.timeout),
        concurrency=manifest.get("concurrency", defaults.concurrency),
    )


def _is_credential(path: yaml_reader.Path) -> bool:
    match path:
        case ("target", name):
            return name != "base_url"
        case ("secrets", "age", "identity"):
            return True
        case _:
            return False
