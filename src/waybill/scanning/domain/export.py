"""The findings of a job as lines of JSON (NDJSON) in a bucket: parts of a bounded size, and a manifest at the end."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from waybill.core.errors import NotFoundError
from waybill.scanning.domain.results import finding_documents
from waybill.scanning.domain.security_hub import security_hub_findings
from waybill.scanning.domain.triage import Triage
from waybill.scanning.models import Job

PART_FINDINGS = 20_000
_PAGE = 1000


class _Jobs(Protocol):
    def get(self, job_id: str) -> Job | None: ...
    def save_export(self, job_id: str, export: Mapping[str, Any]) -> None: ...


class _Findings(Protocol):
    def page(
        self, job_id: str, limit: int, after: str | None, wanted: Mapping[str, Any]
    ) -> tuple[list[dict[str, Any]], str | None]: ...


class Exports(Protocol):
    """Where exports are put."""

    def put(self, key: str, content: bytes, content_type: str) -> str:
        """Store an object and return its address; raises ExportUnavailableError."""
        ...


class Hub(Protocol):
    """Where people look at what all tools have found."""

    def import_findings(self, findings: Sequence[dict[str, Any]]) -> None:
        """Send findings in the format of AWS Security Hub; the same ones again replace themselves."""
        ...


@dataclass(frozen=True)
class Progress:
    """How far an export is: `part` is the next part, `after` the position that it begins behind; `uri` when done."""

    part: int = 1
    after: str | None = None
    findings: int = 0
    uri: str | None = None


@dataclass(frozen=True)
class Exporter:
    """Exports, part after part; the same part again has the same name, so a repeated export replaces it."""

    jobs: _Jobs
    findings: _Findings
    triage: Triage
    exports: Exports
    time_left: Callable[[], float]
    part_findings: int = PART_FINDINGS
    reserve: float = 60
    hub: Hub | None = None

    def export(self, job_id: str, progress: Progress) -> Progress:
        """Export from `progress` on until all is exported or time is up; return how far it is."""
        job = self.jobs.get(job_id)
        if job is None:
            raise NotFoundError(f"there is no job {job_id}")
        while True:
            documents, after = self._documents(job, progress.after)
            lines = [json.dumps(document, ensure_ascii=False).encode() + b"\n" for document in documents]
            if self.hub and documents:
                self.hub.import_findings(list(security_hub_findings(documents, job, {})))
            if lines or progress.part == 1:
                self.exports.put(
                    f"{job_id}/findings-{progress.part:06}.ndjson", b"".join(lines), "application/x-ndjson"
                )
                progress = Progress(progress.part + 1, after, progress.findings + len(lines))
            if after is None:
                return self._finish(job, progress)
            if self.time_left() < self.reserve:
                return progress

    def _documents(self, job: Job, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
        documents: list[dict[str, Any]] = []
        while len(documents) < self.part_findings:
            items, after = self.findings.page(job.job_id, min(_PAGE, self.part_findings - len(documents)), after, {})
            documents += finding_documents(job, items, self.triage)
            if after is None:
                break
        return documents, after

    def _finish(self, job: Job, progress: Progress) -> Progress:
        parts = [f"findings-{number:06}.ndjson" for number in range(1, progress.part)]
        manifest = {"job_id": job.job_id, "findings": progress.findings, "parts": parts}
        uri = self.exports.put(f"{job.job_id}/manifest.json", json.dumps(manifest).encode(), "application/json")
        self.jobs.save_export(job.job_id, {"status": "exported", "uri": uri, "findings": progress.findings})
        return Progress(progress.part, None, progress.findings, uri)
