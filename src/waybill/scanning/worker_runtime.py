"""The worker's collaborators: apart from the others', since only they need the detectors and their layer."""

import hashlib
import hmac
from functools import lru_cache
from typing import Any

from waybill.core.aws.clients import client
from waybill.scanning import runtime
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.proof import standard_engine
from waybill.scanning.domain.detection.rules import ruleset
from waybill.scanning.domain.detection.scanner import ObjectScanner
from waybill.scanning.domain.worker import Worker
from waybill.scanning.models import ScanRequest


def worker(context: Any) -> Worker:
    """Return the worker for one invocation."""
    # Made before the threads that read ahead ask for it: boto3's sessions may not be shared among threads.
    client("s3")
    return Worker(
        store=runtime.store(),
        bucket=runtime.bucket(),
        queue=runtime.queue(),
        completion=runtime.completion(),
        make_scanner=_scanner,
        cache_name=_cache_name,
        time_left=runtime.time_left(context),
    )


@lru_cache(maxsize=2)
def _engine(regions: tuple[str, ...]) -> Engine:
    return standard_engine(regions=regions)


def _scanner(request: ScanRequest) -> ObjectScanner:
    key = hmac.digest(runtime.secret(), b"fingerprints", "sha256")
    return ObjectScanner(_engine(request.regions), key, only=frozenset(request.detectors) or None)


def _cache_name(request: ScanRequest) -> str:
    """Return what a cached outcome depends on besides the object: rules, key, detectors and regions asked for."""
    key = hmac.digest(runtime.secret(), b"cache", "sha256").hex()
    parts = (ruleset(), key, *sorted(request.detectors), "", *request.regions)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
