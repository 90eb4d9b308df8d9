"""ExportFindingsFunction: writes the findings of a job to the bucket of exports, as lines of JSON."""

import json
from dataclasses import asdict

from waybill.core.invocations import BatchAnswer, InvocationContext, SqsEvent, again
from waybill.core.observability import count, instrumented
from waybill.scanning import WORKFLOW
from waybill.scanning.domain.export import Progress
from waybill.scanning.runtime import deployed


@instrumented(WORKFLOW)
def lambda_handler(event: SqsEvent, context: InvocationContext) -> BatchAnswer:
    """Take SQS messages, `ScanCompleted` events or `{job_id, progress}`; return no failures: a fault repeats all."""
    for record in event["Records"]:
        body = json.loads(record["body"])
        wanted = body.get("detail", body)
        progress = deployed().exporter(context).export(wanted["job_id"], Progress.of(wanted.get("progress") or {}))
        if not progress.done:
            deployed().export_queue.send(wanted["job_id"], asdict(progress))
        else:
            count(WORKFLOW, "FindingsExported", progress.findings)
            count(WORKFLOW, "SecurityHubFindingsRefused", progress.hub.refused)
    return again(())
