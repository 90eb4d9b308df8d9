"""What logs and metrics show of a fetched part: its outcome, never what is in it."""

from waybill.core.observability import MetricUnit, count, count_by, logger
from waybill.subject_access import WORKFLOW
from waybill.subject_access.models import Part, PartStatus


def told(part: Part) -> None:
    """Log and count the outcome of one part."""
    logger(WORKFLOW).info(
        "part fetched",
        extra={
            "upstream": part.service,
            "render_status": part.render_status.value,
            "http_status": part.http_status,
            "code": part.error_code,
            "attempts": part.attempts,
            "attachments": part.attachments,
        },
    )
    if part.render_status is PartStatus.ERRORED:
        count_by(WORKFLOW, "PartErrors", "upstream", part.service)
    elif part.bytes is not None:
        count(WORKFLOW, "AnswerBytes", part.bytes, MetricUnit.Bytes)
