"""The findings of a job, page by page and as lines of JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypedDict, cast

from waybill.core.cursors import open_cursor, seal_cursor
from waybill.core.executions import stable_json
from waybill.scanning.domain.finding_documents import FindingDocument, StoredFinding
from waybill.scanning.domain.triage import Triage
from waybill.scanning.models import Job, Tally

_SHOWN: Final = ("detector", "masked_match", "context", "byte_offset", "byte_length", "line", "column", "confidence")
_SHOWN_IF_SET: Final = ("sample", "decoded_from", "member", "cell")


class _Outcomes(Protocol):
    def tally(self, job_id: str) -> Tally: ...


class _Findings(Protocol):
    def page(
        self, job_id: str, limit: int, after: str | None, wanted: Mapping[str, str | None]
    ) -> tuple[list[StoredFinding], str | None]: ...


class FindingPage(TypedDict):
    """Some findings of a job; see `FindingList`."""

    findings: list[FindingDocument]
    total: int | None
    limit: int
    has_more: bool
    next_cursor: str | None


@dataclass(frozen=True)
class Results:
    """The findings of jobs, page by page; `secret` signs the cursors."""

    outcomes: _Outcomes
    findings: _Findings
    secret: bytes
    triage: Triage

    def page(self, job: Job, limit: int, cursor: str | None, wanted: Mapping[str, str | None]) -> FindingPage:
        """Return the findings behind a cursor.

        `total` is what was counted when the first page was asked for, the same on all that follow from it; None where
        a filter by key or confidence leaves it unknown.

        Raises
        ------
        InvalidInputError
            The cursor is not one of this job's, with these filters.
        """
        about = f"findings of {job.job_id} with {stable_json(wanted)}"
        sealed: Mapping[str, Any] = open_cursor(cursor, self.secret, about) if cursor else {"after": None}
        after, total = sealed["after"], sealed["total"] if cursor else self._total(job, wanted)
        items, position = self.findings.page(job.job_id, limit, after, wanted)
        return {
            "findings": finding_documents(job, items, self.triage),
            "total": total,
            "limit": limit,
            "has_more": position is not None,
            "next_cursor": seal_cursor({"after": position, "total": total}, self.secret, about) if position else None,
        }

    def _total(self, job: Job, wanted: Mapping[str, str | None]) -> int | None:
        if set(wanted) - {"detector"}:
            return None
        tally = self.outcomes.tally(job.job_id)
        return tally.detectors.get(str(wanted["detector"]), 0) if wanted else tally.findings


def finding_documents(job: Job, items: Sequence[StoredFinding], triage: Triage) -> list[FindingDocument]:
    """Return findings as the API shows them: masked, with what people say of their values now."""
    states = triage.states(str(item["fingerprint"]) for item in items) if items else {}
    return [_document(job, item, states[item["fingerprint"]]) for item in items]


def _document(job: Job, item: StoredFinding, state: str) -> FindingDocument:
    document = {
        "id": item["sk"].removeprefix("F#"),
        "job_id": job.job_id,
        "bucket": job.request.bucket,
        "key": item["key"],
        **{name: item[name] for name in _SHOWN},
        "fingerprint": item["fingerprint"],
        "created_at": item["created_at"],
        **{name: item[name] for name in _SHOWN_IF_SET if item.get(name)},
        "state": state,
    }
    return cast("FindingDocument", document)
