"""What happens to a file of the mix that custody's costs are told for: eight events, as its design counts them."""

from collections.abc import Iterator
from dataclasses import replace

from waybill.custody.models import EventType, FileState, Happening, Outcome, Place

PER_FILE = 8
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_VERSION = "3HL4kqtJlcpXroDTDmJ"
_CHECKS = {
    "checksum": EventType.MESSAGE_DIGEST_CALCULATION,
    "antivirus": EventType.VIRUS_CHECK,
    "fileFormat": EventType.FORMAT_IDENTIFICATION,
}
_COPIES = ("waybill-copies-eu-west-1", "waybill-copies-eu-west-2")


def happenings(number: int) -> Iterator[Happening]:
    """Yield what happens to one file: registered, checked, copied to the clean bucket, copied twice, scanned."""
    consignment, file = f"5b7c9d2e-8a41-4f00-9c3d-{number // 100:012x}", f"0f3a5b0c-1d2e-4f60-9182-{number:012x}"
    upload = FileState(Place("waybill-uploads", f"{consignment}/{file}"), None, SHA256, 48_213)
    clean = FileState(Place("waybill-clean", f"{consignment}/{file}"), _VERSION, SHA256, 48_213)
    registered = Happening(
        workflow="consignments",
        kind="registered",
        parts=(consignment, file, "registered"),
        type=EventType.INGESTION_START,
        at=f"2026-11-29T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000Z",
        outcome=Outcome.SUCCESS,
        about=upload,
        agent={"software": "waybill.consignments", "run": f"checks-{number // 100:032x}"},
        detail={"code": "COPIED", "attempts": 1, "strategy": "COPY", "verification": "CHECKSUM"},
        consignment_file=(consignment, file),
    )
    yield registered
    for kind, type_ in _CHECKS.items():
        yield replace(registered, kind=kind, parts=(consignment, file, kind), type=type_)
    yield replace(
        registered, kind="copied", parts=(consignment, file, "copied"), type=EventType.ACCESSION, copies=(clean,)
    )
    moved = replace(registered, about=clean, consignment_file=None)
    for bucket in _COPIES:
        yield replace(
            moved,
            workflow="replication",
            kind="destination",
            parts=(f"report-pdf-{number:032x}", bucket, "COPIED"),
            type=EventType.REPLICATION,
            copies=(FileState(Place(bucket, clean.place.key), _VERSION, SHA256, 48_213),),
        )
    yield replace(
        moved,
        workflow="scanning",
        kind="scanned",
        parts=(f"job-{number:08}",),
        type=EventType.FORENSIC_FEATURE_ANALYSIS,
    )
