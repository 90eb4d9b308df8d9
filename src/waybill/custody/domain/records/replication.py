"""What the tracking table tells of a file at one destination.

`<bucket>#dest#<destination>` is what the newest run has done there, `<bucket>#put-back#<destination>` what an overtaken
one has done last to put right what had landed late, `<bucket>#version#<destination>#<version>` what became of one
version there, `<bucket>#check#<destination>` what the newest verification has found there.
"""

import base64
import binascii
from dataclasses import replace
from typing import TYPE_CHECKING

from waybill.custody.domain.records.change import (
    ItemChange,
    Record,
    differs,
    optional_number,
    optional_sha256,
    optional_text,
    text,
    time,
)
from waybill.custody.models import EventType, FileState, Happening, Outcome, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

WORKFLOW = "replication"
_DESTINATION, _PUT_BACK, _VERSION, _CHECK = "#dest#", "#put-back#", "#version#", "#check#"
_SUCCEEDED = {
    "COPIED": EventType.REPLICATION,
    "TAGS_COPIED": EventType.METADATA_MODIFICATION,
    "REMOVED": EventType.DELETION,
    "SKIPPED_IDENTICAL": EventType.FIXITY_CHECK,
    "PUT_BACK": EventType.REPLICATION,
    "REMOVED_AGAIN": EventType.DELETION,
}
# These move the whole file.
_MOVING = {"COPIED", "PUT_BACK"}
# What is told of a verification that has failed is that: a check of fixity.
_FAILED = {"VERIFICATION_FAILED": EventType.FIXITY_CHECK}
# What a check came to, in the words of its record.
_CHECKED = {"SUCCESS": Outcome.SUCCESS, "FAILURE": Outcome.FAILURE}
_SHA256_BYTES = 32


def happenings(change: ItemChange) -> list[Happening]:
    """Return what a change of the tracking table tells."""
    new = change.new
    for kind, told in ((_CHECK, _check), (_PUT_BACK, _put_back), (_VERSION, _version)):
        bucket, found, destination = text(new, "sourceBucket").partition(kind)
        if found:
            return told(change, bucket, destination)
    bucket, found, destination = text(new, "sourceBucket").partition(_DESTINATION)
    if not found or not differs(change, "executionId", "status", "code", "dismissedAt"):
        return []
    match text(new, "status"):
        case "COMPLETED" if "versions" in new:
            # Each of them has told of itself.
            return []
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
    size = _size(new, code)
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


def _put_back(change: ItemChange, bucket: str, destination: str) -> list[Happening]:
    """Return what has put right a late copy; a run may do so more than once, and then at another time."""
    new = change.new
    type_ = _SUCCEEDED.get(text(new, "code"))
    if type_ is None or not differs(change, "executionId", "code", "timestamp"):
        return []
    made = _result(new, bucket, destination, type_, Outcome.SUCCESS)
    return [replace(made, kind="put back", parts=(*made.parts, made.at))]


def _version(change: ItemChange, bucket: str, _: str) -> list[Happening]:
    """Return what became of one version; a run that dies behind its copy tells of it again, in the same words."""
    new = change.new
    if not differs(change, "executionId", "code"):
        return []
    destination, succeeded = text(new, "destinationBucket"), text(new, "status") == "COMPLETED"
    type_ = _SUCCEEDED.get(text(new, "code"), EventType.REPLICATION)
    made = _result(new, bucket, destination, type_, Outcome.SUCCESS if succeeded else Outcome.FAILURE)
    return [replace(made, kind="version", parts=(*made.parts, text(new, "sourceVersionId")))]


def _check(change: ItemChange, bucket: str, destination: str) -> list[Happening]:
    """Return what a verification has found; one that proved nothing has no status, and is no check."""
    new = change.new
    outcome = _CHECKED.get(str(new.get("status")))
    if outcome is None or not differs(change, "verificationId", "at"):
        return []
    key, at, verification = text(new, "fileKey"), time(new, "at"), text(new, "verificationId")
    sha256, size = optional_sha256(new, "sha256"), optional_number(new, "size")
    result = text(new, "result")
    # Of a copy that differs, digest and size may be those of the one or of the other.
    alike = outcome is Outcome.SUCCESS
    known = (sha256, size) if alike else (None, None)
    source = FileState(Place(bucket, key), optional_text(new, "sourceVersionId"), *known)
    there = Place(destination, optional_text(new, "destinationKey") or key)
    copy = FileState(there, optional_text(new, "versionId"), *known)
    detail = {name: optional_text(new, name) for name in ("way", "proof", "difference")}
    return [
        Happening(
            workflow=WORKFLOW,
            kind="check",
            parts=(verification, bucket, destination, at),
            type=EventType.FIXITY_CHECK,
            at=at,
            outcome=outcome,
            about=source,
            agent={"software": "waybill.replication", "run": verification},
            detail={"result": result, **detail},
            copies=(copy,),
        )
    ]


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


def _size(new: Record, code: str) -> int | None:
    """Return the size of the file; None where it was removed, or a record from before `sourceSize` moved nothing.

    `bytes` is how many were moved: none, where the copy was there already.
    """
    moved = optional_number(new, "bytes")
    if code in _MOVING:
        return moved
    return None if _SUCCEEDED.get(code) is EventType.DELETION else optional_number(new, "sourceSize")


def _sha256(new: Record) -> str | None:
    """Return the SHA-256 that S3 keeps of the source, in hexadecimal; None where it keeps another checksum."""
    if new.get("sourceChecksumAlgorithm") != "SHA256":
        return None
    try:
        digest = base64.b64decode(text(new, "sourceChecksum"), validate=True)
    except binascii.Error:
        return None
    return digest.hex() if len(digest) == _SHA256_BYTES else None
