"""Which news a finished run makes."""

from collections.abc import Mapping

from waybill.consignments.models import Consignment, Status
from waybill.consignments.ports import Reader
from waybill.consignments.telling import file_checks_failed, problems_found
from waybill.core.notifications import Notification

_NO_CAUSE = "no result came back"


def news_of(
    consignment: Consignment,
    reader: Reader,
    statuses: Mapping[str, str],
    problems: Mapping[str, int],
    incomplete: int,
    stage: str,
) -> list[Notification]:
    """Return what people are told when the results of a run are written; nothing when all is well."""
    news = []
    if incomplete:
        errors = reader.group_errors(consignment)
        news.append(file_checks_failed(consignment, incomplete, errors[0] if errors else _NO_CAUSE, stage))
    if any(value != Status.COMPLETED for value in statuses.values()):
        news.append(problems_found(consignment, statuses, problems, stage))
    return news
