"""RenderReport: joins the parts into one PDF with covers, contents, page numbers and bookmarks."""

import time
from collections.abc import Mapping

from waybill.core.observability import instrumented
from waybill.subject_access import WORKFLOW, runtime
from waybill.subject_access.adapters.report_metrics import record_report
from waybill.subject_access.domain.handovers import RenderedReport
from waybill.subject_access.models import Claim


@instrumented(WORKFLOW)
def lambda_handler(event: Mapping[str, object], context: object) -> dict[str, object]:
    """Take a claim; return it with what `RenderedReport` says of the report."""
    started = time.monotonic()
    stored = runtime.rendering().report(Claim.parse(event))
    record_report(stored, time.monotonic() - started)
    return {**event, **RenderedReport.of(stored).wire()}
