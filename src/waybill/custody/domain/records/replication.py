"""What the tracking table tells: the items `<bucket>#dest#<destination>`, the file at one destination."""

import base64
import binascii
from typing import TYPE_CHECKING

from waybill.custody.domain.records.change import Change, Record, differs, optional_number, optional_text, text, time
from waybill.custody.models import EventType, FileState, Happening, Outcome, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

WORKFLOW = "replication"
_DESTINATION = "#dest#"
_SUCCEEDED = {
    "COPIED": EventType.REPLICATION,
    "TAGS_COPIED": EventType.METADATA_MODIFICATION,
    "SKIPPED_IDENTICAL": EventType.FIXITY_CHECK,
}
# What is told of a verification that has failed is that: a check of fixity.
_FAILED = {"VERIFICATION_FAILED": EventType.FIXITY_CHECK}
_SHA256_BYTES = 32


def happenings(change: Change) -> list[Happening]:
    """Return what a change of the tracking table tells."""
    new = change.new
    bucket, found, destination = text(new, "sourceBucket").partition(_DESTINATION)
    if not found or not differs(change, "executionId", "status", "code", "dismissedAt"):
        return []
    match text(new, "status"):
        case "COMPLETED":
            type_ = _SUCCEEDED.get(text(new, "code"))
            return [] if type_ is None else [_result(new, bucket, destination, type_, Outcome.SUCCESS)]
        case "FAILED":
            type_ = _FAILED.get(text(new, "code"), EventType.REPLICATION)
            return [_result(new, bucket, destination, type_, Outcome.FAILURE)]
        case "DISMISSED":
            return [_dismissal(new, bucket, destination)]
    return []


def _result(new: Record, bucket: str, destination: str, type_: EventType, outcome: Outcome) -> Happening:
    code, run = text(new, "code"), text(new, "executionId")
    sha256 = _sha256(new)
    size = optional_number(new, "bytes")
    source = FileState(Place(bucket, text(new, "fileKey")), optional_text(new, "sourceVersionId"), sha256, size)
    # Records from before `destinationKey` do not say where the copy lies.
    key = optional_text(new, "destinationKey")
    version = optional_text(new, "versionId")
    copy = FileState(Place(destination, key), version, sha256, size) if key and outcome is Outcome.SUCCESS else None
    detail: Mapping[str, JsonValue] = {
        "code": code,
        "attempts": optional_number(new, "attempts"),
        "strategy": optional_text(new, "strategy"),
        "verification": optional_text(new, "verification"),
    }
    return Happening(
        workflow=WORKFLOW,
        kind="destination",
        parts=(run, destination, code),
        type=type_,
        at=time(new, "timestamp"),
        outcome=outcome,
        about=source,
        agent={"software": "waybill.replication", "run": run.rpartition(":")[2]},
        detail=detail,
        copies=(copy,) if copy else (),
    )


def _dismissal(new: Record, bucket: str, destination: str) -> Happening:
    at = time(new, "dismissedAt")
    return Happening(
        workflow=WORKFLOW,
        kind="dismissal",
        parts=(destination, at),
        type=EventType.POLICY_ASSIGNMENT,
        at=at,
        outcome=Outcome.SUCCESS,
        about=FileState(Place(bucket, text(new, "fileKey"))),
        agent={"software": "waybill.replication", "person": optional_text(new, "dismissedBy") or ""},
        detail={"status": "DISMISSED"},
    )


def _sha256(new: Record) -> str | None:
    """Return the SHA-256 that S3 keeps of the source, in hexadecimal; None where it keeps another checksum."""
    if new.get("sourceChecksumAlgorithm") != "SHA256":
        return None
    try:
        digest = base64.b64decode(text(new, "sourceChecksum"), validate=True)
    except binascii.Error:
        return None
    return digest.hex() if len(digest) == _SHA256_BYTES else None
