"""What logs and metrics show of drawing: how long it took and how much came of it, never what is in it."""

from waybill.core.observability import MetricUnit, count, count_by, logger
from waybill.subject_access import WORKFLOW
from waybill.subject_access.models import Part, PartStatus, StoredReport


def record_part(part: Part, seconds: float) -> None:
    """Log and count one part."""
    logger(WORKFLOW).info(
        "part rendered",
        extra={
            "upstream": part.service,
            "render_status": part.render_status.value,
            "code": part.error_code,
            "pages": part.pages,
            "seconds": round(seconds, 3),
        },
    )
    if part.render_status is PartStatus.ERRORED:
        count_by(WORKFLOW, "PartErrors", "upstream", part.service)
    count(WORKFLOW, "RenderSeconds", seconds, MetricUnit.Seconds)


def record_report(report: StoredReport, seconds: float) -> None:
    """Log and count one report."""
    logger(WORKFLOW).info(
        "report rendered", extra={"pages": report.pages, "bytes": report.bytes, "seconds": round(seconds, 3)}
    )
    count(WORKFLOW, "ReportPages", report.pages)
    count(WORKFLOW, "ReportSeconds", seconds, MetricUnit.Seconds)
