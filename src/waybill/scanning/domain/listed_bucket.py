"""A bucket's own listing as the source of a job's objects; positions are keys."""

from dataclasses import dataclass
from typing import Protocol

from waybill.scanning.domain.ranges import even_cuts
from waybill.scanning.keys import KeyRange
from waybill.scanning.models import Entry
from waybill.scanning.request_models import ScanRequest


class _Bucket(Protocol):
    def check(self, bucket: str, prefix: str) -> None: ...
    def page(self, bucket: str, prefix: str, start_after: str, limit: int) -> tuple[list[Entry], bool]: ...


@dataclass(frozen=True)
class ListedBucket:
    """`Source` on the listing of the bucket itself."""

    bucket: _Bucket

    def check(self, request: ScanRequest) -> None:
        """Raise when the bucket cannot be listed."""
        self.bucket.check(request.bucket, request.prefix)

    def page(self, request: ScanRequest, bounds: KeyRange, limit: int) -> tuple[list[Entry], str, bool]:
        """Return up to `limit` (at most 1,000) objects in `bounds`, the last key, and whether these are the last."""
        listed, final = self.bucket.page(request.bucket, request.prefix, bounds.after, limit)
        inside = [entry for entry in listed if not bounds.ends_before(entry.key)]
        position = inside[-1].key if inside else bounds.after
        return inside, position, final or len(inside) < len(listed) or bool(bounds.upto and position >= bounds.upto)

    def cuts(self, request: ScanRequest, bounds: KeyRange, pieces: int, page_keys: int) -> list[str]:
        """Return up to `pieces - 1` keys to cut `bounds` at."""

        def page(prefix: str, after: str, limit: int) -> tuple[list[Entry], bool]:
            return self.bucket.page(request.bucket, prefix, after, limit)

        return even_cuts(bounds, request.prefix, pieces, page, page_keys)
