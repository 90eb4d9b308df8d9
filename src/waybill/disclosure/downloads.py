"""Reports on their way to the people who asked for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from waybill.core.executions import stable_json
from waybill.disclosure.answers import file_name
from waybill.disclosure.audit import Action
from waybill.disclosure.errors import UnknownRequestError
from waybill.disclosure.models import RequestState, SubjectRequest
from waybill.disclosure.ports import Change, Reports, RequestStore

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
    """Stamp the request as downloaded, record by whom, and return its report.

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
    """

    def decide(request: SubjectRequest) -> Change:
        if request.state is not RequestState.COMPLETED or request.report_key is None:
            raise UnknownRequestError("There is no report")
        return Change(replace(request, last_downloaded=now), Action(by, "REPORT_DOWNLOADED", {}))

    request = store.change(request_id, decide)
    key, name = str(request.report_key), file_name(request)
    if not accept.strip().lower().startswith(_PDF):
        document = {
            "url": reports.download_url(key, name),
            "expiresInSeconds": 300,
            "fileName": name,
            "contentType": _PDF,
            "bytes": request.report_bytes,
            "sha256": request.report_sha256,
            "pages": request.pages,
        }
        return Download(200, "application/json", stable_json(document))
    if (request.report_bytes or 0) > _MOST_BYTES:
        return Download(303, "text/plain", "", {"Location": reports.download_url(key, name)})
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Download(200, _PDF, reports.content(key), {"Content-Disposition": disposition})
