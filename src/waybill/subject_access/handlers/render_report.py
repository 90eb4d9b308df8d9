"""RenderReport: joins the parts into one PDF with covers, contents, page numbers and bookmarks."""

import time
from typing import Any

from waybill.core.observability import instrumented
from waybill.subject_access import WORKFLOW, report_runtime
from waybill.subject_access.adapters.report_metrics import report_told
from waybill.subject_access.models import Claim


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a claim; return it with the report's `reportKey`, `bytes`, `sha256` and `pages`."""
    started = time.monotonic()
    stored = report_runtime.rendering().report(Claim.parse(event))
    report_told(stored, time.monotonic() - started)
    return {**event, "reportKey": stored.key, "bytes": stored.bytes, "sha256": stored.sha256, "pages": stored.pages}
