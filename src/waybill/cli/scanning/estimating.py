"""What a scan will cost, counted before it starts."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from waybill.cli.context import Cli
from waybill.core.text import count
from waybill.scanning.domain.costs import estimate
from waybill.scanning.domain.ranges import list_space
from waybill.scanning.models import Entry
from waybill.scanning.runtime import Runtime

_COUNTING_SECONDS = 10.0


def estimated(cli: Cli, deployed: Runtime, bucket: str, prefix: str) -> dict[str, Any]:
    """Count the objects for some seconds, as many ranges at a time as one machine can, and tell what a scan costs."""
    deadline, lock, found = time.monotonic() + _COUNTING_SECONDS, threading.Lock(), Counter[str]()

    def page(prefix: str, after: str, limit: int) -> tuple[list[Entry], bool]:
        if time.monotonic() > deadline:
            found["more"] = 1
            return [], True
        return deployed.bucket.page(bucket, prefix, after, limit)

    def note(entries: Sequence[Entry]) -> None:
        with lock:
            found["objects"] += len(entries)
            found["bytes"] += sum(entry.size for entry in entries)

    list_space(page, prefix=prefix, fan_out=16, each=note)
    told = {
        "objects": found["objects"],
        "bytes": found["bytes"],
        "usd": round(estimate(found["objects"], found["bytes"]), 6),
        "at_least": bool(found["more"]),
    }
    least = "at least " if told["at_least"] else ""
    there = f"{count(found['objects'], 'object')}, {count(found['bytes'], 'byte')}"
    cli.output.note(f"{least}{there}: {least}about ${told['usd']:.4f} on AWS, if nothing of it was scanned before")
    return told
