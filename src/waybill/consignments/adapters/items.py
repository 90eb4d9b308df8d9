"""The items of the consignments table: what their attributes are called, and what they are in our models."""

import json
import uuid

from waybill.consignments.domain.file_records import FileRow
from waybill.consignments.models import Consignment, ConsignmentType, LeftOutFile, RegisteredFile
from waybill.core.aws.dynamodb import Item

CONSIGNMENT = "CONSIGNMENT"
FILE = "FILE#"
LEFT_OUT = "NOTSENT#"
_PROGRESS = "PROGRESS#"
# Consignments as lists, of an owner and of all: each entry is a place in the order of their registration.
_LIST = "LIST#"
_ALL = "LIST"
_LEFT_OUT_NAMES = uuid.UUID("51a3b6a0-9c2e-5d0f-8a39-0f2b64a7c1de")


def key(consignment_id: str, sort_key: str) -> Item:
    """Return the key of an item."""
    return {"pk": consignment_id, "sk": sort_key}


def progress_prefix(run: int) -> str:
    """Return what the keys of the progress of a run begin with."""
    return f"{_PROGRESS}{run:06}#"


def identity(consignment: Consignment) -> tuple[str, ...]:
    """Return what a repeated registration may not change."""
    return consignment.user_id, consignment.type, consignment.reference, consignment.transferring_body


def item_of(consignment: Consignment) -> Item:
    """Return a new consignment as an item."""
    return {
        "pk": consignment.consignment_id,
        "sk": CONSIGNMENT,
        "type": consignment.type,
        "reference": consignment.reference,
        "transferringBody": consignment.transferring_body,
        "userId": consignment.user_id,
        "announced": consignment.announced,
        "status": consignment.status,
        "createdAt": consignment.created_at,
        "run": 0,
        "rehearsal": consignment.rehearsal,
        "inside": consignment.inside,
        "statuses": {},
    }


def consignment_of(item: Item) -> Consignment:
    """Return the consignment of an item."""
    return Consignment(
        consignment_id=item["pk"],
        type=ConsignmentType(item["type"]),
        reference=item["reference"],
        transferring_body=item["transferringBody"],
        user_id=item["userId"],
        announced=item["announced"],
        status=item["status"],
        created_at=item["createdAt"],
        run=item["run"],
        execution_arn=item.get("executionArn"),
        execution_name=item.get("executionName"),
        run_started_at=str(item["runOrder"]).partition("#")[0] if "runOrder" in item else None,
        statuses=item["statuses"],
        file_count=item.get("fileCount"),
        started_arn=item.get("startedArn"),
        rehearsal=item.get("rehearsal", False),
        inside=item.get("inside", False),
        failure=item.get("failure"),
        differences=item.get("differences"),
        correcting=item.get("correcting", False),
        carried=item.get("carried", 0),
        corrected=item.get("corrected", 0),
    )


def list_key(owner: str | None) -> str:
    """Return the hash key of the list of an owner's consignments, or of everybody's."""
    return _ALL if owner is None else f"{_LIST}{owner}"


def list_items(consignment: Consignment) -> list[Item]:
    """Return the entries of a consignment in the lists."""
    place = f"{consignment.created_at}#{consignment.consignment_id}"
    return [{"pk": list_key(owner), "sk": place} for owner in (consignment.user_id, None)]


def listed_id(entry: Item) -> str:
    """Return the id of the consignment that an entry of a list stands for."""
    return str(entry["sk"]).rpartition("#")[2]


def left_out_item(consignment_id: str, left: LeftOutFile) -> Item:
    """Return what was not sent, as an item; again, it is the same one."""
    # One that was registered goes by its id: its path may be another file's later, which may be left out in its turn.
    name = left.file_id or uuid.uuid5(_LEFT_OUT_NAMES, left.path)
    told = {"path": left.path, "kind": left.kind, "reason": left.reason}
    later = {} if left.file_id is None else {"fileId": left.file_id}
    return {**key(consignment_id, f"{LEFT_OUT}{name}"), **told, **later}


def registered_item(consignment_id: str, file: RegisteredFile) -> Item:
    """Return a file as it is registered, as an item."""
    return {
        **key(consignment_id, f"{FILE}{file.file_id}"),
        "path": file.path,
        "size": file.size,
        "sha256": file.sha256,
        **({"lastModified": file.last_modified} if file.last_modified else {}),
    }


def registered_of(item: Item) -> RegisteredFile:
    """Return a file as it is registered."""
    file_id = item["sk"].removeprefix(FILE)
    return RegisteredFile(file_id, item["path"], item["size"], item["sha256"], copied=item.get("copied"))


def row_of(item: Item) -> FileRow:
    """Return a file with what was found of it."""
    return {
        "fileId": item["sk"].removeprefix(FILE),
        "path": item["path"],
        "size": item["size"],
        "sha256": item["sha256"],
        "lastModified": item.get("lastModified"),
        "waivers": [item["waivers"][name] for name in sorted(item.get("waivers", {}))],
        "statuses": item.get("statuses", {}),
        "results": json.loads(item["results"]) if "results" in item else {},
        "run": item.get("run"),
        "copied": item.get("copied"),
    }
