"""NoteUploadsFunction: notes what is uploaded into the buckets that are scanned as objects come; an event each."""

from collections.abc import Mapping

from waybill.core.observability import count, instrumented
from waybill.scanning import WORKFLOW
from waybill.scanning.runtime import deployed


@instrumented(WORKFLOW)
def lambda_handler(event: Mapping[str, object], context: object) -> dict[str, bool]:
    """Take an EventBridge event of S3; return `{noted}`: false for what was noted before, or is not asked for."""
    noted = deployed().upload_notes.note(event)
    count(WORKFLOW, "UploadsNoted", int(noted))
    return {"noted": noted}
