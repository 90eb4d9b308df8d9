"""StepFunctionInvokerFunction: starts a run by hand, for `POST /step-function` and for direct invocations."""

from waybill.core.api import ProxyResponse, is_api_event
from waybill.core.errors import InvalidInputError
from waybill.core.observability import instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.api import app
from waybill.replication.views import direct_reply, start_reply


@instrumented(WORKFLOW)
def lambda_handler(event: object, context: object) -> ProxyResponse:
    """Take a proxy event, or the plain payload `{sourceBucket, sourceKey, destinationBuckets}`.

    A payload that breaks its contract is answered with 400 and the fields; our own faults raise.
    """
    if is_api_event(event):
        return app.resolve(event, context)
    try:
        return direct_reply(200, start_reply(runtime.start_manually(event)).wire())
    except InvalidInputError as error:
        return direct_reply(
            400,
            {
                "message": _missing(error) or "Invalid parameters",
                "errors": [{"field": wrong.field, "message": wrong.message} for wrong in error.errors],
            },
        )


def _missing(error: InvalidInputError) -> str | None:
    required = ("sourceBucket", "sourceKey", "destinationBuckets")
    if any(wrong.field in required and wrong.message == "Field required" for wrong in error.errors):
        return f"Missing required parameters: {', '.join(required)}"
    return None
