"""Reports on their way to the people who asked for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import JsonValue

from waybill.core.executions import stable_json
from waybill.subject_access.domain.answers import file_name
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.keys import generation_of
from waybill.subject_access.domain.ports import Change, Reports, RequestStore
from waybill.subject_access.errors import UnknownRequestError
from waybill.subject_access.models import SubjectRequest

_PDF = "application/pdf"
# A function's answer has at most 6 MB, a third of which is the base64 that bytes travel in (Lambda quotas).
_MOST_BYTES = 4_000_000


@dataclass(frozen=True)
class Download:
    """An HTTP answer with a report, or with its address."""

    status: int
    content_type: str
    body: str | bytes
    headers: Mapping[str, Any] = field(default_factory=dict)


def download(store: RequestStore, reports: Reports, request_id: str, by: str, now: datetime, accept: str) -> Download:
    """Stamp the request as downloaded, record by whom, and return its report: exactly what was completed.

    Parameters
    ----------
    accept
        The caller's `Accept` header. API Gateway turns base64 back into bytes for who accepts `application/pdf` first;
        anybody else gets `{url, fileName, …}`, and so does the browser of who accepts only PDF, by redirection, when
        the report is too large for an answer.

    Raises
    ------
    UnknownRequestError
        There is no such request, or it has no report.
    ReportDamagedError
        What is stored is not what was completed.
    """
    request = store.request(request_id)
    if request is None:
        raise UnknownRequestError("There is no report")
    # The address or the bytes first: what turns out to be damaged was downloaded by nobody.
    answer = _answer(reports, request, accept)

    def decide(found: SubjectRequest) -> Change:
        if found.report != request.report:
            raise UnknownRequestError("There is no report")
        return Change(replace(found, last_downloaded=now), Action(by, "REPORT_DOWNLOADED", _which(found)))

    store.change(request_id, decide)
    return answer


def _which(request: SubjectRequest) -> dict[str, JsonValue]:
    """Return which report it is, as the trail has it when it is stored."""
    report = request.report
    if report is None:
        return {}
    return {"generation": generation_of(report.key), "bytes": report.bytes, "sha256": report.sha256}


def _answer(reports: Reports, request: SubjectRequest, accept: str) -> Download:
    report, name = request.report, file_name(request)
    if report is None:
        raise UnknownRequestError("There is no report")
    if not accept.strip().lower().startswith(_PDF):
        document = {
            "url": reports.download_url(report.key, str(request.report_etag), name),
            "expiresInSeconds": 300,
            "fileName": name,
            "contentType": _PDF,
            "bytes": report.bytes,
            "sha256": report.sha256,
            "pages": report.pages,
        }
        return Download(200, "application/json", stable_json(document))
    if report.bytes > _MOST_BYTES:
        url = reports.download_url(report.key, str(request.report_etag), name)
        return Download(303, "text/plain", "", {"Location": url})
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Download(200, _PDF, reports.content(report), {"Content-Disposition": disposition})
