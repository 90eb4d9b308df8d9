"""What the scanner's table tells: `OBJ#…`, how one object of a job ended. Never what was found in it."""

from waybill.custody.domain.records.change import ItemChange, OtherRecords, mapping, optional_number, text, time
from waybill.custody.errors import UnknownRecordError
from waybill.custody.models import EventType, FileState, Happening, Outcome, Place

WORKFLOW = "scanning"
_JOB, _OBJECT = "JOB#", "OBJ#"
# SKIPPED and FAILED: nobody has looked, so nothing has happened to the file.
_LOOKED_AT = {"SCANNED": Outcome.SUCCESS, "FINDINGS": Outcome.SUCCESS, "PARTIAL": Outcome.WARNING}


def happenings(change: ItemChange, others: OtherRecords) -> list[Happening]:
    """Return what a change of the scanner's table tells."""
    new = change.new
    job_key, sort_key = text(new, "pk"), text(new, "sk")
    if change.old or not job_key.startswith(_JOB) or not sort_key.startswith(_OBJECT):
        return []
    status = text(new, "status")
    if status not in _LOOKED_AT:
        return []
    job_id = job_key.removeprefix(_JOB)
    job = others.scan(job_id)
    bucket = mapping(job).get("bucket")
    if not isinstance(bucket, str):
        raise UnknownRecordError("its job is not there")
    return [
        Happening(
            workflow=WORKFLOW,
            kind="scanned",
            parts=(job_id, sort_key),
            type=EventType.FORENSIC_FEATURE_ANALYSIS,
            at=time(new, "recorded_at"),
            outcome=_LOOKED_AT[status],
            about=FileState(Place(bucket, text(new, "key")), size=optional_number(new, "size")),
            agent={"software": "waybill.scanning", "run": job_id},
            detail={"status": status, "fromEarlierJob": bool(new.get("from_cache"))},
        )
    ]
