"""GetFiles: claims the consignment, compares what was uploaded with what was registered, cuts it into groups."""

from typing import TYPE_CHECKING

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.intake import GROUPS
from waybill.consignments.domain.requests import check_sources, consignment_id_of
from waybill.consignments.domain.states import run_of
from waybill.core.observability import instrumented

if TYPE_CHECKING:
    from waybill.consignments.domain.states import FetchedFiles, GetFilesEvent


@instrumented(WORKFLOW)
def lambda_handler(event: "GetFilesEvent", context: object) -> "FetchedFiles":
    """Get the files of a consignment ready to be checked; its id is in lower case from here on."""
    check_sources(event["input"])
    consignment_id = consignment_id_of(event.get("consignmentId"))
    documents = runtime.documents(consignment_id, event["executionName"])
    fetched = runtime.fetcher().fetch(consignment_id, run_of(event), documents)
    return {
        "consignmentId": consignment_id,
        **fetched,
        "bucket": documents.bucket,
        "key": documents.key(GROUPS),
        "concurrency": runtime.concurrency(),
    }
