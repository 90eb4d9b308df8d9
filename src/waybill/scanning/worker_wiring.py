"""The worker's collaborators: apart from the others', since only they need the detectors and their layer."""

import hashlib
import hmac
from functools import cache
from typing import Any

from waybill.scanning import wiring
from waybill.scanning.detection.engine import Engine, standard_engine
from waybill.scanning.detection.rules import ruleset
from waybill.scanning.detection.scanner import ObjectScanner
from waybill.scanning.models import ScanRequest
from waybill.scanning.working import Worker


def worker(context: Any) -> Worker:
    """Return the worker for one invocation."""
    return Worker(
        store=wiring.store(),
        bucket=wiring.bucket(),
        queue=wiring.queue(),
        completion=wiring.completion(),
        make_scanner=_scanner,
        cache_name=_cache_name,
        time_left=wiring.time_left(context),
    )


@cache
def _engine() -> Engine:
    return standard_engine()


def _scanner(request: ScanRequest) -> ObjectScanner:
    key = hmac.digest(wiring.secret(), b"fingerprints", "sha256")
    return ObjectScanner(_engine(), key, only=frozenset(request.detectors) or None)


def _cache_name(request: ScanRequest) -> str:
    """Return what a cached outcome depends on, besides the object: the rules, the key, and the detectors asked for."""
    parts = (ruleset(), hmac.digest(wiring.secret(), b"cache", "sha256").hex(), *sorted(request.detectors))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
