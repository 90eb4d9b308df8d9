"""HTTP requests, answered; and recorded where they were refused."""

from waybill.core.api import Api, Event, ProxyResponse
from waybill.core.clock import now
from waybill.core.errors import RetryableError
from waybill.core.observability import logger
from waybill.subject_access import WORKFLOW, runtime
from waybill.subject_access.domain.refusals import record_refusal


def serve(app: Api, event: Event, context: object) -> ProxyResponse:
    """Return the proxy response of `app`; a refusal that cannot be recorded now stays a refusal, and is logged."""
    answer = app.resolve(event, context)
    try:
        record_refusal(runtime.store(), event, answer, now())
    except RetryableError as error:
        logger(WORKFLOW).error("refusal not recorded", extra={"code": error.code, "status": answer["statusCode"]})
    return answer
