"""How the scanner's objects look as items of its table: plain Python on one side, attributes on the other."""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from waybill.core.aws.dynamodb import Item
from waybill.scanning.domain.detection.models import Confidence, Finding
from waybill.scanning.keys import key_hash
from waybill.scanning.models import Entry, Job, ListingRange, ObjectOutcome, ObjectStatus, Page, Status, Tally
from waybill.scanning.request_models import stored_request

_SUCCEEDED = frozenset({ObjectStatus.SCANNED, ObjectStatus.FINDINGS, ObjectStatus.PARTIAL})
_ETAG_LENGTH = 8
_OFTEN_EMPTY = frozenset({"not_read", "unread", "triaged", "rules"})


def job_attributes(job: Job) -> Item:
    """Return the attributes of a job's item, its key left out."""
    return asdict(job) | {"request": job.request.model_dump_json(), "status": job.status.value}


def job_of(item: Item) -> Job:
    """Return the job of an item."""
    known = {name: item[name] for name in Job.__dataclass_fields__ if name in item}
    own = {name: int(version) for name, version in item.get("own", {}).items()}
    return Job(**known | {"request": stored_request(item["request"]), "status": Status(item["status"]), "own": own})


def range_attributes(part: ListingRange) -> Item:
    """Return the attributes of a range's item, its key left out."""
    return asdict(part) | {"smallest": list(part.smallest)}


def range_of(item: Item) -> ListingRange:
    """Return the range of an item."""
    known = {name: item[name] for name in ListingRange.__dataclass_fields__ if name in item}
    return ListingRange(**known | {"smallest": tuple(item["smallest"])})


def page_attributes(page: Page) -> Item:
    """Return the attributes of a page's item; its objects are compressed JSON."""
    objects = json.dumps([list(entry) for entry in page.entries], separators=(",", ":"))
    return {
        "last_key": page.last_key,
        "final": page.final,
        "count": len(page.entries),
        "bytes": page.size,
        "objects": zlib.compress(objects.encode(), 6),
    }


def page_of(number: int, item: Item) -> Page:
    """Return the page of an item."""
    objects = json.loads(zlib.decompress(bytes(item["objects"])))
    return Page(number, tuple(Entry(*entry) for entry in objects), item["last_key"], item["final"])


def outcome_attributes(outcome: ObjectOutcome) -> Item:
    """Return the attributes of an object's item."""
    attributes = asdict(outcome) | {"status": outcome.status.value, "counts": dict(outcome.counts)}
    attributes["unread"] = [list(each) for each in outcome.unread]
    # Of most objects there is nothing to be said here, and every kilobyte is a unit to be paid.
    return {name: value for name, value in attributes.items() if value or name not in _OFTEN_EMPTY}


def outcome_of(item: Item) -> ObjectOutcome:
    """Return the outcome of an item."""
    known = {name: item[name] for name in ObjectOutcome.__dataclass_fields__ if name in item}
    counts = {name: int(count) for name, count in item["counts"].items()}
    known["triaged"] = {name: int(count) for name, count in item.get("triaged", {}).items()}
    known["unread"] = tuple((str(member), str(reason)) for member, reason in item.get("unread", ()))
    return ObjectOutcome(**known | {"status": ObjectStatus(item["status"]), "counts": counts})


def increments(outcome: ObjectOutcome) -> dict[str, int]:
    """Return what an outcome adds to a counter item."""
    added = {
        "succeeded": int(outcome.status in _SUCCEEDED),
        "skipped": int(outcome.status == ObjectStatus.SKIPPED),
        "failed": int(outcome.status == ObjectStatus.FAILED),
        "findings": sum(outcome.counts.values()),
        "bytes_scanned": outcome.bytes_scanned,
        "from_cache": int(outcome.from_cache),
        "truncated": int(outcome.truncated),
        f"outcome:{outcome.status.value}": 1,
        **{f"detector:{detector}": count for detector, count in outcome.counts.items()},
    }
    added |= {f"notread:{reason}": count for reason, count in outcome.not_read.items()}
    added |= {f"triaged:{state}": count for state, count in outcome.triaged.items()}
    if outcome.rules:
        added[f"rules:{outcome.rules}"] = 1
    if outcome.reason:
        added[f"reason:{outcome.reason}"] = 1
        added[f"bytes:{outcome.reason}"] = max(0, outcome.size - outcome.bytes_scanned)
    return {name: value for name, value in added.items() if value}


def increments_left_out(left_out: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """Return what objects that are skipped without an outcome of their own (number and bytes by reason) add."""
    skipped = sum(objects for objects, _ in left_out.values())
    added = {"skipped": skipped, f"outcome:{ObjectStatus.SKIPPED.value}": skipped}
    for reason, (objects, size) in left_out.items():
        added |= {f"reason:{reason}": objects, f"bytes:{reason}": size}
    return {name: value for name, value in added.items() if value}


def tally_of(counters: Iterable[Item]) -> Tally:
    """Return the sum over counter items."""
    sums: dict[str, int] = {}
    for counter in counters:
        for name, value in counter.items():
            if name not in {"pk", "sk"}:
                sums[name] = sums.get(name, 0) + int(value)

    def group(kind: str) -> dict[str, int]:
        return {name.partition(":")[2]: value for name, value in sorted(sums.items()) if name.startswith(f"{kind}:")}

    return Tally(
        **{
            name: sums.get(name, 0)
            for name in (
                "succeeded",
                "skipped",
                "failed",
                "findings",
                "bytes_scanned",
                "from_cache",
                "truncated",
                "taken",
            )
        },
        outcomes=group("outcome"),
        reasons=group("reason"),
        bytes_by_reason=group("bytes"),
        not_read=group("notread"),
        detectors=group("detector"),
        triaged=group("triaged"),
        rules=group("rules"),
    )


def findings_prefix(key: str, etag: str = "") -> str:
    """Return what the sort keys of one object's findings begin with: in one state of it, or in any."""
    return f"F#{key_hash(key)}#{etag[:_ETAG_LENGTH]}#" if etag else f"F#{key_hash(key)}#"


def finding_sort_key(key: str, etag: str, finding: Finding) -> str:
    """Return the sort key of a finding: the same finding, the same key."""
    member = f"#{key_hash(finding.member)[:16]}" if finding.member else ""
    return f"{findings_prefix(key, etag)}{finding.byte_offset:012}#{finding.detector}{member}"


def finding_attributes(key: str, etag: str, finding: Finding) -> Item:
    """Return the attributes of a finding's item."""
    return finding._asdict() | {
        "key": key,
        "etag": etag,
        "certainty": int(Confidence[finding.confidence]),
        "decoded_from": list(finding.decoded_from),
    }
