"""What happens to a file of the mix that custody's costs are told for: eight events, as its design counts them."""

from collections.abc import Iterator

from waybill.custody.models import EventType, FileState, Happening, Outcome, Place

PER_FILE = 8
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_VERSION = "3HL4kqtJlcpXroDTDmJ"
_COPIES = ("waybill-copies-eu-west-1", "waybill-copies-eu-west-2")


def happenings(number: int) -> Iterator[Happening]:
    """Yield what happens to one file: registered, checked, copied to the clean bucket, copied twice, scanned."""
    consignment, file = f"5b7c9d2e-8a41-4f00-9c3d-{number // 100:012x}", f"0f3a5b0c-1d2e-4f60-9182-{number:012x}"
    upload = FileState(Place("waybill-uploads", f"{consignment}/{file}"), None, SHA256, 48_213)
    clean = FileState(Place("waybill-clean", f"{consignment}/{file}"), _VERSION, SHA256, 48_213)
    run = f"checks-{number // 100:032x}"
    checks = (
        ("registered", EventType.INGESTION_START),
        ("checksum", EventType.MESSAGE_DIGEST_CALCULATION),
        ("antivirus", EventType.VIRUS_CHECK),
        ("fileFormat", EventType.FORMAT_IDENTIFICATION),
    )
    for kind, type_ in checks:
        yield _told("consignments", kind, (consignment, file, kind), type_, number, upload, run, (), consignment, file)
    copied = ("consignments", "copied", (consignment, file, "copied"), EventType.ACCESSION, number, upload, run)
    yield _told(*copied, (clean,), consignment, file)
    for bucket in _COPIES:
        copy = FileState(Place(bucket, clean.place.key), _VERSION, SHA256, 48_213)
        run = f"report-pdf-{number:032x}"
        yield _told(
            "replication", "destination", (run, bucket, "COPIED"), EventType.REPLICATION, number, clean, run, (copy,)
        )
    job = ("scanning", "scanned", (f"job-{number:08}",), EventType.FORENSIC_FEATURE_ANALYSIS, number, clean)
    yield _told(*job, f"scan-{number // 100:032x}")


def _told(
    workflow: str,
    kind: str,
    parts: tuple[str, ...],
    type_: EventType,
    number: int,
    about: FileState,
    run: str,
    copies: tuple[FileState, ...] = (),
    consignment: str = "",
    file: str = "",
) -> Happening:
    return Happening(
        workflow=workflow,
        kind=kind,
        parts=parts,
        type=type_,
        at=f"2026-11-29T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000Z",
        outcome=Outcome.SUCCESS,
        about=about,
        agent={"software": f"waybill.{workflow}", "run": run},
        detail={"code": "COPIED", "attempts": 1, "strategy": "COPY", "verification": "CHECKSUM"},
        copies=copies,
        consignment_file=(consignment, file) if consignment else None,
    )
