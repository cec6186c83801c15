"""Proposes the live values of a drift report as a pull request that declares them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.core.connection import OidcConnection
from reconciler.core.drift import DEFAULT_ATTRIBUTE, DriftKind
from reconciler.core.errors import Diagnostic, count
from reconciler.manifests.editing import SetField
from reconciler.manifests.export import why_value_undeclarable
from reconciler.policies import RULES, assess, declared_estate, judge_again
from reconciler.policies.approvals import approve_risks
from reconciler.publishers.pull_requests import Draft, maintain_pull_request
from reconciler.reports.pull_request_report import (
    AdoptedValue,
    Adoption,
    adoption_note,
    adoption_report,
    left_finding,
)
from reconciler.workflow.base_risks import declared_edit, with_words
from reconciler.workflow.judgement import gather_approvals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from reconciler.core.change import Change
    from reconciler.core.drift import DriftReport, Finding
    from reconciler.core.state import DesiredOrganization
    from reconciler.publishers.forge import Repository
    from reconciler.publishers.pull_requests import Maintained, Start
    from reconciler.workflow.pull_requests import RepositoryManifests, Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedDrift:
    """What was done, and what the drift issue says about it."""

    maintained: Maintained
    note: str


def adopt_drift(
    repository: Repository, manifests: RepositoryManifests, report: DriftReport, topic: Topic, today: date
) -> AdoptedDrift:
    """Open, update or close the pull request that declares live values.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    drafts = _AdoptionDraft(manifests, report, topic, today)
    maintained = maintain_pull_request(
        repository,
        topic.branch("drift"),
        topic.marker("drift-pull-request"),
        drafts.make,
        extends_edited=False,
    )
    return AdoptedDrift(maintained=maintained, note=drafts.note(maintained, repository.noun))


class _AdoptionDraft:
    def __init__(
        self, manifests: RepositoryManifests, report: DriftReport, topic: Topic, today: date
    ) -> None:
        self._manifests = manifests
        self._report = report
        self._topic = topic
        self._approvals = gather_approvals(manifests.project, today).approvals
        self._adoption = Adoption()

    def note(self, maintained: Maintained, noun: str) -> str:
        """Return what the drift issue says."""
        return adoption_note(self._adoption, noun, maintained.done, maintained.number, maintained.url)

    def make(self, start: Start) -> Draft:
        """Return the draft: the live values without those of connections with severe findings."""
        findings = [*_adoptable(self._report)]
        addresses = {str(finding.address) for finding in findings}
        edits = self._edits(start, findings)
        risks = self._judge(edits)
        severe = [
            risk for risk in (*risks, *self._live_risks()) if risk.is_error and risk.address in addresses
        ]
        blocked = {risk.address for risk in severe}
        if blocked:
            edits = self._edits(
                start, [finding for finding in findings if str(finding.address) not in blocked]
            )
        self._adoption = Adoption(
            values=tuple(edits.values),
            risks=tuple(risk for risk in risks if risk.address not in blocked),
            blocked=tuple(severe),
            left=(*edits.left, *self._left()),
        )
        return self._draft(edits.files)

    def _edits(self, start: Start, findings: Iterable[Finding]) -> _Edits:
        edits = _Edits(self._manifests, start)
        edits.make(findings)
        return edits

    def _draft(self, files: Mapping[str, bytes]) -> Draft:
        adoption, report = self._adoption, self._report
        values = (f"{value.address}\0{value.attribute}\0{value.live!r}" for value in adoption.values)
        return Draft(
            files=files,
            executables=self._manifests.executables(files),
            subject="\n".join(sorted(values)),
            title=f"Adopt {count(len(adoption.values), 'live value')} in {self._topic.short_name}",
            body=self._topic.text(adoption_report(self._topic.scope, self._topic.name, adoption)),
            reason=_reason(adoption, report),
            closing=f"Closed: {_reason(adoption, report)}.",
            may_close=report.is_complete and not report.unchecked,
        )

    def _judge(self, edits: _Edits) -> tuple[Diagnostic, ...]:
        """Return the findings of the risk rules about the adopted values, as approvals allow them."""
        declared = [
            edits.edited.get(organization.reference, organization)
            for organization in self._manifests.loaded.state.organizations
        ]
        risks = assess(edits.changes(), self._manifests.project.policies, declared_estate(declared, {}))
        return tuple(with_words(risk, "already live") for risk in approve_risks(risks, self._approvals))

    def _live_risks(self) -> tuple[Diagnostic, ...]:
        """Return the risks of live values that the report has, with the severities of this project file."""
        risks = [
            Diagnostic(
                rule.severity,
                rule.id,
                f"{finding.address}: already live: {finding.summary}",
                detail=rule.why,
                address=str(finding.address),
            )
            for finding in self._report.findings
            for rule in RULES
            if finding.kind is DriftKind.RISK and finding.rule == rule.id
        ]
        return judge_again(risks, self._manifests.project.policies)

    def _left(self) -> Iterator[str]:
        yield from filter(None, map(left_finding, self._report.findings))
        for difference in self._report.ignored:
            names = ", ".join(difference.attributes)
            yield f"{names} of {difference.address}: `ignore_changes` names it"


class _Edits:
    """The edits of all manifests at one start: new contents, values, and what is left."""

    def __init__(self, manifests: RepositoryManifests, start: Start) -> None:
        self._manifests = manifests
        self._start = start
        self.files: dict[str, bytes] = {}
        self.values: list[AdoptedValue] = []
        self.left: list[str] = []
        self.before: dict[str, DesiredOrganization] = {}
        self.edited: dict[str, DesiredOrganization] = {}

    def make(self, findings: Iterable[Finding]) -> None:
        """Edit the manifests that declare the findings' connections."""
        by_path: dict[str, list[Finding]] = defaultdict(list)
        for finding in findings:
            path = self._manifests.path_of(finding.address.organization)
            if path is None:
                self.left.append(f"{finding.address} is in no valid manifest")
            else:
                by_path[path].append(finding)
        for path, own in by_path.items():
            content = self._manifests.read(path, self._start)
            if content is None:
                self.left.append(f"{path} is no longer there")
            else:
                self._edit(path, content, own)

    def changes(self) -> list[Change]:
        """Return what the edits declare anew, as changes from what was declared before."""
        changes: list[Change | None] = []
        for reference, organization in self.edited.items():
            past = {desired.address: desired.connection for desired in self.before[reference].connections}
            changes += [
                declared_edit(desired, past[desired.address], organization)
                for desired in organization.connections
            ]
        return [change for change in changes if change is not None]

    def _edit(self, path: str, content: bytes, findings: Iterable[Finding]) -> None:
        editor = self._manifests.editor
        before = {organization.reference: organization for organization in editor.declared(content, path)}
        choices = (
            (finding, self._choose(finding, before.get(finding.address.organization))) for finding in findings
        )
        chosen = [(finding, edit) for finding, edit in choices if edit is not None]
        after, refused = editor.edited(content, path, [edit for _, edit in chosen])
        for finding, edit in chosen:
            refusal = next((refusal for refusal in refused if refusal.edit == edit), None)
            if refusal is not None:
                self._leave(finding, refusal.reason)
            else:
                self.values.append(_adopted(finding, path))
        if after != content:
            self.files[path] = after
            self.before |= before
            self.edited |= {manifest.reference: manifest for manifest in editor.declared(after, path)}

    def _choose(self, finding: Finding, organization: DesiredOrganization | None) -> SetField | None:
        """Return the edit of a finding, or None if the manifest is no longer as the report saw it."""
        connections = organization.connections if organization else ()
        desired = next((desired for desired in connections if desired.address == finding.address), None)
        if organization is None or desired is None or not desired.is_present:
            self._leave(finding, "it is no longer declared")
            return None
        current, live = getattr(desired.connection, finding.attribute), finding.live
        if current == live:
            return None
        if current != finding.declared:
            self._leave(finding, "it has changed in Git since the report")
            return None
        fields: dict[str, Any] = {finding.attribute: live}
        reason = (
            why_value_undeclarable(finding.attribute, OidcConnection(**fields)) if live else "it is empty"
        )
        if reason or live is None:
            self._leave(finding, reason or "it is empty")
            return None
        return SetField(organization.location, finding.address.connection, finding.attribute, live)

    def _leave(self, finding: Finding, reason: str) -> None:
        self.left.append(f"{finding.attribute} of {finding.address}: {reason}")


def _adoptable(report: DriftReport) -> Iterator[Finding]:
    """Yield the values to adopt; what this run could not check is still as the report before saw it.

    A URL that is not its identity provider's is never adopted.
    """
    findings = (*report.findings, *report.unchecked)
    foreign = {
        (finding.address, finding.attribute)
        for finding in findings
        if finding.kind is DriftKind.FOREIGN_ENDPOINT
    }
    for finding in findings:
        is_value = finding.kind is DriftKind.CHANGED and finding.attribute != DEFAULT_ATTRIBUTE
        if is_value and not finding.is_sensitive and (finding.address, finding.attribute) not in foreign:
            yield finding


def _adopted(finding: Finding, path: str) -> AdoptedValue:
    return AdoptedValue(
        address=str(finding.address),
        attribute=finding.attribute,
        declared=finding.declared,
        live=finding.live,
        path=path,
    )


def _reason(adoption: Adoption, report: DriftReport) -> str:
    """Return why there is nothing to adopt."""
    if adoption.blocked:
        return "what differs has findings of severity error, and is never adopted without an approval"
    return "no live value can be adopted" if report.has_drift else "there is no drift"
