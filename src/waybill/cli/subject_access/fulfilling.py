"""A worker for one request, and how far it is."""

from waybill.cli.context import Cli
from waybill.cli.subject_access.runtime import Deployed
from waybill.cli.watch import watch
from waybill.subject_access.models import REPORTED, RequestState, SubjectRequest

_OVER = REPORTED | {RequestState.ERRORED, RequestState.NEEDS_ATTENTION, RequestState.ARCHIVED}


def fulfilled(cli: Cli, deployed: Deployed, request_id: str) -> SubjectRequest:
    """Start a worker for one request; return the request when it has ended, or when the worker has given up."""
    execution = deployed.start_worker(request_id)

    def look() -> tuple[bool, SubjectRequest]:
        # The execution first: the request of one that has ended is final.
        return deployed.is_running(execution), deployed.found(request_id)

    with cli.output.progress("asking services") as bar:
        finished = 0
        for running, request in watch(look):
            done = sum(part.finished for part in request.services.values())
            bar.expect(len(request.services))
            bar.advance(done - finished)
            finished = done
            if request.state in _OVER or not running:
                break
    return request
