"""Reports on their way to the people who asked for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from pydantic import JsonValue

from waybill.core.executions import stable_json
from waybill.subject_access.domain.answers import file_name
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.keys import generation_of
from waybill.subject_access.domain.ports import Change, Reports, RequestStore
from waybill.subject_access.errors import UnknownRequestError
from waybill.subject_access.models import StoredReport, SubjectRequest

_PDF, _ZIP = "application/pdf", "application/zip"
type What = Literal["staff", "subject", "package"]
_DOWNLOADED = {"staff": "REPORT_DOWNLOADED", "subject": "COPY_DOWNLOADED", "package": "PACKAGE_DOWNLOADED"}
# A function's answer has at most 6 MB, a third of which is the base64 that bytes travel in (Lambda quotas).
_MOST_BYTES = 4_000_000


@dataclass(frozen=True)
class Download:
    """An HTTP answer with a report, or with its address."""

    status: int
    content_type: str
    body: str | bytes
    headers: Mapping[str, Any] = field(default_factory=dict)


def download(  # noqa: PLR0917 (the one caller passes them all)
    store: RequestStore,
    reports: Reports,
    request_id: str,
    by: str,
    now: datetime,
    accept: str,
    what: What = "staff",
) -> Download:
    """Stamp the request as downloaded, record by whom, and return its report: exactly what was completed.

    Parameters
    ----------
    accept
        The caller's `Accept` header. API Gateway turns base64 back into bytes for who accepts `application/pdf` first;
        anybody else gets `{url, fileName, …}`, and so does the browser of who accepts only PDF, by redirection, when
        the report is too large for an answer.
    what
        The report with its internal pages, the copy for the person, or the package of that and what is not in it.

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
    answer = _answer(reports, request, accept, what)

    def decide(found: SubjectRequest) -> Change:
        if found.report != request.report:
            raise UnknownRequestError("There is no report")
        return Change(replace(found, last_downloaded=now), Action(by, _DOWNLOADED[what], _which(found, what)))

    store.change(request_id, decide)
    return answer


def _which(request: SubjectRequest, what: What) -> dict[str, JsonValue]:
    """Return which file it is, as the trail has a report when it is stored."""
    found = _file(request, what)
    return {"generation": generation_of(found.key), "bytes": found.bytes, "sha256": found.sha256}


def _file(request: SubjectRequest, what: What) -> StoredReport:
    whole = request.report
    if whole is None:
        raise UnknownRequestError("There is no report")
    found = {"staff": whole, "subject": whole.copy, "package": whole.package}[what]
    if found is None:
        raise UnknownRequestError("There is none: the report was made outside")
    return found


def _answer(reports: Reports, request: SubjectRequest, accept: str, what: What) -> Download:
    report = _file(request, what)
    name, kind = file_name(request), _ZIP if what == "package" else _PDF
    name = f"{name.removesuffix('.pdf')}.zip" if what == "package" else name
    # What goes with the report is at a key that names its SHA-256, which only what has checked it writes to.
    etag = str(request.report_etag) if what == "staff" else reports.verify(report)
    asked = accept.strip().lower().startswith(kind)
    if not asked or what == "package" or report.bytes > _MOST_BYTES:
        url = reports.download_url(report.key, etag, name, kind)
        if asked:
            return Download(303, "text/plain", "", {"Location": url})
        document = {
            "url": url,
            "expiresInSeconds": 300,
            "fileName": name,
            "contentType": kind,
            "bytes": report.bytes,
            "sha256": report.sha256,
            **({} if what == "package" else {"pages": report.pages}),
        }
        return Download(200, "application/json", stable_json(document))
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Download(200, _PDF, reports.content(report), {"Content-Disposition": disposition})
