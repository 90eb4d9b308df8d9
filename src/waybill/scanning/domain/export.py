"""The findings and objects of a job as lines of JSON (NDJSON) in a bucket: bounded parts, and a manifest at the end."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, Self

from waybill.core.errors import NotFoundError
from waybill.scanning.domain.absence import Outcomes
from waybill.scanning.domain.finding_documents import FindingDocument, StoredFinding
from waybill.scanning.domain.own_detectors import OwnDetector, descriptions
from waybill.scanning.domain.results import finding_documents
from waybill.scanning.domain.security_hub import archived, hub_of, security_hub_findings
from waybill.scanning.domain.triage import Triage
from waybill.scanning.models import Job

PART_FINDINGS = 20_000
_PAGE = 1000
_ERRORS_SHOWN = 10
_END = "end"


class _Jobs(Protocol):
    def get(self, job_id: str) -> Job | None: ...
    def save_export(self, job_id: str, export: Mapping[str, Any]) -> None: ...


class _Findings(Protocol):
    def page(
        self, job_id: str, limit: int, after: str | None, wanted: Mapping[str, str | None]
    ) -> tuple[list[StoredFinding], str | None]: ...


class _Objects(Protocol):
    def page(self, job: Job, limit: int, cursor: str | None) -> dict[str, Any]: ...


class Exports(Protocol):
    """Where exports are put."""

    def put(self, key: str, content: bytes, content_type: str) -> str:
        """Store an object and return its address; raises ExportUnavailableError."""
        ...


class HubRefusal(NamedTuple):
    """A finding that Security Hub does not take, and why."""

    id: str
    code: str
    message: str


class Hub(Protocol):
    """Where people look at what all tools have found."""

    def import_findings(self, findings: Sequence[dict[str, Any]]) -> Sequence[HubRefusal]:
        """Send findings in the format of AWS Security Hub; the same ones again replace themselves."""
        ...

    def findings(self, product: str, prefix: str, token: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        """Return some findings of a product whose ids begin with `prefix`, and the token of the next ones."""
        ...


@dataclass(frozen=True)
class HubImport:
    """What Security Hub is told with; `own` returns the stack's own detectors, those that are deleted too."""

    hub: Hub
    outcomes: Outcomes
    own: Callable[[], Sequence[OwnDetector]]


@dataclass(frozen=True)
class HubProgress:
    """What Security Hub was told: numbers of findings, and the first that it did not take.

    When it was `told` of all that there is, it is told of what is gone, behind `token`.
    """

    imported: int = 0
    archived: int = 0
    refused: int = 0
    errors: Sequence[Mapping[str, str]] = ()
    told: bool = False
    token: str | None = None

    def sent(self, documents: Sequence[Mapping[str, Any]], refused: Sequence[HubRefusal]) -> Self:
        """Return it after some more were sent."""
        gone = sum(each["RecordState"] == "ARCHIVED" for each in documents)
        shown = [{"id": each.id[:512], "code": each.code[:100], "message": each.message[:300]} for each in refused]
        return replace(
            self,
            imported=self.imported + len(documents) - gone,
            archived=self.archived + gone,
            refused=self.refused + len(refused),
            errors=(*self.errors, *shown)[:_ERRORS_SHOWN],
        )


@dataclass(frozen=True)
class Progress:
    """How far an export is: `part` is the next part, `after` the position that it begins behind.

    When all is `found`, objects follow from `object_cursor` on; `objects` is None where their list is not kept now.
    With a `uri` everything lies there, and `after` is how much of it Security Hub was told of; then it is `done`.
    """

    part: int = 1
    after: str | None = None
    findings: int = 0
    found: bool = False
    object_part: int = 1
    object_cursor: str | None = None
    objects: int | None = 0
    uri: str | None = None
    done: bool = False
    hub: HubProgress = HubProgress()

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Return the progress that a message tells of."""
        return cls(**{**document, "hub": HubProgress(**document.get("hub", {}))})


@dataclass(frozen=True)
class Exporter:
    """Exports, part after part; the same part again has the same name, so a repeated export replaces it."""

    jobs: _Jobs
    findings: _Findings
    objects: _Objects
    triage: Triage
    exports: Exports
    time_left: Callable[[], float]
    part_findings: int = PART_FINDINGS
    reserve: float = 60
    hub_import: HubImport | None = None

    def export(self, job_id: str, progress: Progress) -> Progress:
        """Export from `progress` on until all is exported or time is up; return how far it is.

        Security Hub is told when everything lies in the bucket: what it refuses keeps nobody from that.
        """
        job = self.jobs.get(job_id)
        if job is None:
            raise NotFoundError(f"there is no job {job_id}")
        while progress.uri is None:
            progress = self._export_objects(job, progress) if progress.found else self._export_findings(job, progress)
            is_last = progress.found and (progress.objects is None or progress.object_cursor == _END)
            if is_last:
                progress = self._finish(job, progress)
            elif self.time_left() < self.reserve:
                return progress
        if self.hub_import is None:
            return replace(progress, done=True)
        if progress.hub.told:
            progress = self._archive(job, progress, self.hub_import)
        else:
            progress = self._tell(job, progress, self.hub_import)
            if progress.hub.told and self.time_left() >= self.reserve:
                progress = self._archive(job, progress, self.hub_import)
        self.jobs.save_export(job.job_id, _exported(progress))
        return progress

    def _export_findings(self, job: Job, progress: Progress) -> Progress:
        documents, after = self._documents(job, progress.after)
        if documents or progress.part == 1:
            self._put(f"{job.job_id}/findings-{progress.part:06}.ndjson", documents)
            progress = replace(progress, part=progress.part + 1)
        return replace(progress, after=after, findings=progress.findings + len(documents), found=after is None)

    def _export_objects(self, job: Job, progress: Progress) -> Progress:
        documents, cursor = list[dict[str, Any]](), progress.object_cursor
        while len(documents) < self.part_findings and cursor != _END:
            try:
                page = self.objects.page(job, min(_PAGE, self.part_findings - len(documents)), cursor)
            except NotFoundError:
                return replace(progress, objects=None)
            documents += page["objects"]
            cursor = page["cursor"] or _END
        if documents:
            self._put(f"{job.job_id}/objects-{progress.object_part:06}.ndjson", documents)
            progress = replace(progress, object_part=progress.object_part + 1)
        return replace(progress, object_cursor=cursor, objects=(progress.objects or 0) + len(documents))

    def _put(self, key: str, documents: Sequence[Mapping[str, object]]) -> None:
        lines = [json.dumps(document, ensure_ascii=False).encode() + b"\n" for document in documents]
        self.exports.put(key, b"".join(lines), "application/x-ndjson")

    def _documents(self, job: Job, after: str | None) -> tuple[list[FindingDocument], str | None]:
        documents: list[FindingDocument] = []
        while len(documents) < self.part_findings:
            items, after = self.findings.page(job.job_id, min(_PAGE, self.part_findings - len(documents)), after, {})
            documents += finding_documents(job, items, self.triage)
            if after is None:
                break
        return documents, after

    def _finish(self, job: Job, progress: Progress) -> Progress:
        parts = [f"findings-{number:06}.ndjson" for number in range(1, progress.part)]
        manifest = {"job_id": job.job_id, "findings": progress.findings, "parts": parts}
        if progress.objects is not None:
            listed = [f"objects-{number:06}.ndjson" for number in range(1, progress.object_part)]
            manifest |= {"objects": progress.objects, "object_parts": listed}
        uri = self.exports.put(f"{job.job_id}/manifest.json", json.dumps(manifest).encode(), "application/json")
        progress = replace(progress, after=None, uri=uri)
        self.jobs.save_export(job.job_id, _exported(progress))
        return progress

    def _tell(self, job: Job, progress: Progress, hub_import: HubImport) -> Progress:
        """Tell Security Hub of objects whole: what is told of one again would replace what was told of it before."""
        own, waiting, after = hub_import.own(), list[FindingDocument](), progress.after
        known, names = descriptions(own), frozenset(each.id for each in own)
        while True:
            items, further = self.findings.page(job.job_id, _PAGE, after, {})
            waiting += finding_documents(job, items, self.triage)
            after = further
            last = waiting[-1]["key"] if waiting and further is not None else None
            whole = [document for document in waiting if document["key"] != last]
            waiting = waiting[len(whole) :]
            if whole:
                seen = hub_import.outcomes.get(job.job_id, sorted({str(document["key"]) for document in whole}))
                documents = list(security_hub_findings(whole, job, known, names, seen))
                sent = progress.hub.sent(documents, hub_import.hub.import_findings(documents))
                progress = replace(progress, after=f"F#{whole[-1]['id']}", hub=sent)
            if further is None:
                return replace(progress, hub=replace(progress.hub, told=True))
            if whole and self.time_left() < self.reserve:
                return progress

    def _archive(self, job: Job, progress: Progress, hub_import: HubImport) -> Progress:
        """Tell Security Hub of what earlier jobs have told it and this one has seen to be gone."""
        shipped = descriptions(())
        product, prefix = hub_of(job)
        while True:
            found, token = hub_import.hub.findings(product, prefix, progress.hub.token)
            gone = archived(found, job, hub_import.outcomes, shipped)
            sent = progress.hub.sent(gone, hub_import.hub.import_findings(gone) if gone else ())
            progress = replace(progress, hub=replace(sent, token=token), done=token is None)
            if progress.done or self.time_left() < self.reserve:
                return progress


def _exported(progress: Progress) -> dict[str, Any]:
    """Return what a job says of its export."""
    exported: dict[str, Any] = {"status": "exported", "uri": progress.uri, "findings": progress.findings}
    exported["objects"] = progress.objects
    if progress.hub == HubProgress():
        return exported
    hub = progress.hub
    told = {"imported": hub.imported, "archived": hub.archived, "refused": hub.refused, "errors": list(hub.errors)}
    return exported | {"security_hub": {"status": "told" if progress.done else "telling", **told}}
