"""IdMinterFunction: mints the identifiers of one request; invoked directly and as the state `IdMinter`."""

from typing import TYPE_CHECKING

from waybill.core.observability import instrumented
from waybill.minting import WORKFLOW, runtime
from waybill.minting.models import MintResponse

if TYPE_CHECKING:
    from waybill.core.invocations import InvocationContext


@instrumented(WORKFLOW)
def lambda_handler(event: object, context: "InvocationContext") -> MintResponse | dict[str, str]:
    """Take `{sourceIdentifiers, jobId?, predecessors?, mode?}`; return `{successes, failures, identifiers, jobId?}`.

    With an `earlier` answer to the request, what failed there for a transient reason is tried again, and nothing else.
    `{"healthCheck": true}` reads one key of the table, looks whether there is anything to draw, mints nothing and
    returns `{"status": "ok"}`. What concerns one identifier is a value; an exception means that nothing could be done.
    """
    if event == {"healthCheck": True}:
        runtime.drawing()
        runtime.registry().check()
        return {"status": "ok"}
    return runtime.respond(event, context, runtime.request_cap(), resumes=True).document
