"""GetFiles: claims the consignment, compares what was uploaded with what was registered, cuts it into groups."""

from typing import Any

from waybill.consignments import WORKFLOW, runtime
from waybill.consignments.domain.intake import GROUPS
from waybill.consignments.domain.requests import check_sources, consignment_id_of
from waybill.consignments.models import ConsignmentRun
from waybill.core.observability import instrumented


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{consignmentId, executionName, executionId, executionStartTime, input}`; return where the groups are.

    `input` is that of the workflow. The answer is
    `{consignmentId, run, files, groups, bucket, key, concurrency}`: `bucket` and `key` are those of the groups, one per
    line; the id is in lower case from here on.
    """
    check_sources(event["input"])
    consignment_id = consignment_id_of(event.get("consignmentId"))
    documents = runtime.documents(consignment_id, event["executionName"])
    fetched = runtime.fetcher().fetch(consignment_id, ConsignmentRun.of(event), documents)
    place = {"bucket": documents.bucket, "key": documents.prefix + GROUPS}
    return {"consignmentId": consignment_id, **fetched, **place, "concurrency": runtime.concurrency()}
