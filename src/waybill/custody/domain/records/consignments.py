"""What the consignments table tells: the items `FILE#<file id>`, as registered and as the newest run has found."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import quote

from pydantic import JsonValue

from waybill.core.clock import iso, moment_of
from waybill.custody.domain.records.change import (
    BucketNames,
    ItemChange,
    OtherRecords,
    Record,
    differs,
    mapping,
    optional_number,
    optional_sha256,
    optional_text,
    sequence,
    text,
    time,
)
from waybill.custody.errors import UnknownRecordError
from waybill.custody.models import EventType, FileState, Happening, Outcome, Place

WORKFLOW = "consignments"
_FILE = "FILE#"
_SUCCESS = "Success"
# Which check a status of a file is about; the others say what its sender has told.
_CHECKS = {
    "ServerChecksum": EventType.MESSAGE_DIGEST_CALCULATION,
    "ChecksumMatch": EventType.FIXITY_CHECK,
    "Antivirus": EventType.VIRUS_CHECK,
    "FFID": EventType.FORMAT_IDENTIFICATION,
    "ClientChecks": EventType.VALIDATION,
}
_MOST_PUIDS = 8


def happenings(change: ItemChange, others: OtherRecords, buckets: BucketNames) -> list[Happening]:
    """Return what a change of the consignments table tells."""
    new = change.new
    if not text(new, "sk").startswith(_FILE):
        return []
    checked = "run" in new and differs(change, "run", "results")
    waived = _waived(change)
    if change.old and not checked and not waived:
        return []
    consignment_id, file_id = text(new, "pk"), text(new, "sk").removeprefix(_FILE)
    consignment = others.consignment(consignment_id)
    if consignment is None:
        raise UnknownRecordError("its consignment is not there")
    # As the workflow makes the keys of uploads (consignments, `upload_prefix`).
    key = f"{quote(text(consignment, 'userId'), safe='@:+=,')}/{consignment_id}/{file_id}"
    place = Place(buckets.upload, key)
    found = [] if change.old else [_registered(new, consignment, place)]
    found += _checked(new, place, buckets) if checked else []
    return found + [_waiver(new, waiver, place) for waiver in waived]


def _names(new: Record) -> tuple[str, str]:
    return text(new, "pk"), text(new, "sk").removeprefix(_FILE)


def _registered(new: Record, consignment: Record, place: Place) -> Happening:
    return Happening(
        workflow=WORKFLOW,
        kind="registered",
        parts=_names(new),
        type=EventType.INGESTION_START,
        # Files have no time of their own: that of their consignment, whose first page names the time.
        at=time(consignment, "createdAt"),
        outcome=Outcome.SUCCESS,
        about=FileState(place, None, optional_sha256(new, "sha256"), optional_number(new, "size")),
        agent={"software": "waybill.consignments", "person": text(consignment, "userId")},
        detail={"stated": "size and SHA-256 are what the sender has told"},
        consignment_file=_names(new),
    )


def _waived(change: ItemChange) -> list[Record]:
    """Return the exceptions that are new: one for each verdict that may pass all the same."""
    before = mapping(change.old.get("waivers"))
    return [mapping(one) for name, one in mapping(change.new.get("waivers")).items() if before.get(name) != one]


def _waiver(new: Record, waiver: Record, place: Place) -> Happening:
    name, at = text(waiver, "statusName"), time(waiver, "at")
    return Happening(
        workflow=WORKFLOW,
        kind="waived",
        parts=(*_names(new), name, at),
        type=EventType.POLICY_ASSIGNMENT,
        at=at,
        outcome=Outcome.SUCCESS,
        about=FileState(place, None, optional_sha256(waiver, "checksum"), None),
        agent={"software": "waybill.consignments", "person": text(waiver, "by")},
        detail={"status": name, "value": text(waiver, "value")},
        consignment_file=_names(new),
    )


def _checked(new: Record, place: Place, buckets: BucketNames) -> list[Happening]:
    results = _results(new)
    row = _CheckedRow(new, results, place)
    found: list[Happening] = []
    for verdict in map(mapping, sequence(results.get("verdicts"))):
        name = text(verdict, "statusName")
        if name in _CHECKS:
            value = text(verdict, "value")
            detail = {"value": value, "rule": optional_text(verdict, "rule"), **_seen_by(name, results)}
            outcome = Outcome.SUCCESS if value == _SUCCESS else Outcome.FAILURE
            found.append(row.happening(name, _CHECKS[name], outcome, detail))
    # First away, then there, as the workflow does it.
    removed = mapping(results.get("removed"))
    if there := _copy_place(new, removed, "place", buckets):
        gone = FileState(there, optional_text(removed, "versionId"))
        found.append(row.happening("removed", EventType.DELETION, Outcome.SUCCESS, {}, (gone,)))
    if there := _copy_place(new, results, "copiedTo", buckets):
        type_ = EventType.ACCESSION if results["copiedTo"] == "clean" else EventType.QUARANTINE
        # Rows from before `copy` do not say what was written; of a large copy S3 has no SHA-256.
        written = mapping(results.get("copy"))
        sha256 = optional_sha256(written, "sha256") or row.state.sha256
        copy = FileState(there, optional_text(written, "versionId"), sha256, row.state.size)
        found.append(row.happening("copied", type_, Outcome.SUCCESS, {}, (copy,)))
    return found


def _copy_place(new: Record, said: Record, name: str, buckets: BucketNames) -> Place | None:
    """Return where a copy is, or was; None where nothing is said of one."""
    bucket = {"clean": buckets.clean, "quarantine": buckets.quarantine}.get(optional_text(said, name) or "")
    return Place(bucket, "/".join(_names(new))) if bucket else None


class _CheckedRow:
    """A file as one run has found it."""

    def __init__(self, new: Record, results: Record, place: Place) -> None:
        self._names = _names(new)
        self._run = str(optional_number(new, "run"))
        self._at = _time(new, results)
        self.state = FileState(
            place,
            optional_text(results, "versionId"),
            optional_sha256(results, "checksum"),
            optional_number(results, "objectSize"),
        )

    def happening(
        self,
        kind: str,
        type_: EventType,
        outcome: Outcome,
        detail: Mapping[str, JsonValue],
        copies: tuple[FileState, ...] = (),
    ) -> Happening:
        return Happening(
            workflow=WORKFLOW,
            kind=kind,
            parts=(*self._names, self._run),
            type=type_,
            at=self._at,
            outcome=outcome,
            about=self.state,
            agent={"software": "waybill.consignments", "run": f"{self._names[0]} {self._run}"},
            detail=detail,
            copies=copies,
            consignment_file=self._names,
        )


def _seen_by(name: str, results: Record) -> Mapping[str, JsonValue]:
    """Return which engine and rules have judged; never what they name, which quotes files inside."""
    if name == "Antivirus":
        engine = mapping(results.get("antivirus"))
        return {each: optional_text(engine, each) for each in ("software", "softwareVersion", "databaseVersion")}
    if name == "FFID":
        format_ = mapping(results.get("fileFormat"))
        found = (mapping(match).get("puid") for match in sequence(format_.get("matches")))
        puids: list[JsonValue] = [puid for puid in found if isinstance(puid, str)]
        return {
            "software": optional_text(format_, "software"),
            "softwareVersion": optional_text(format_, "softwareVersion"),
            "puids": puids[:_MOST_PUIDS],
        }
    return {}


def _results(new: Record) -> Record:
    try:
        return mapping(json.loads(text(new, "results")))
    except (ValueError, RecursionError):
        raise UnknownRecordError("results is no JSON") from None


def _time(new: Record, results: Record) -> str:
    """Return when the run began that has checked the file; rows from before name the time of the virus check alone."""
    moment = moment_of(new.get("runStartedAt"))
    scanned = optional_number(mapping(results.get("antivirus")), "datetime")
    if moment is None and scanned is not None:
        with suppress(OverflowError, ValueError, OSError):
            moment = datetime.fromtimestamp(scanned / 1000, UTC)
    if moment is None:
        raise UnknownRecordError("it does not say when its file was checked")
    return iso(moment)
