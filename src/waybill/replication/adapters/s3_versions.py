"""The order of an object's versions and delete markers.

S3 lists both as one sequence, the newest first; the SDK makes two lists of it, which their times put together again, as
far as seconds go. What was written within the same second S3 is asked about.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from waybill.core.clock import iso
from waybill.replication.models import SourceVersion

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import DeleteMarkerEntryTypeDef, ListObjectVersionsOutputTypeDef, ObjectVersionTypeDef


def in_order(
    page: "ListObjectVersionsOutputTypeDef", key: str, versions_below: Callable[[str], set[str]]
) -> Iterator[SourceVersion]:
    """Yield what `page` lists of `key`, the newest first; `versions_below` asks for what is older than a marker."""
    versions = _of_key(page.get("Versions", []), key)
    markers = _of_key(page.get("DeleteMarkers", []), key, removed=True)
    while versions and markers:
        version, marker = versions[0], markers[0]
        if version.written == marker.written:
            first = markers if version.version_id in versions_below(marker.version_id) else versions
        else:
            first = markers if marker.written > version.written else versions
        yield first.pop(0)
    yield from versions or markers


def _of_key(
    found: "list[ObjectVersionTypeDef] | list[DeleteMarkerEntryTypeDef]", key: str, *, removed: bool = False
) -> list[SourceVersion]:
    return [
        SourceVersion(entry["VersionId"], iso(entry["LastModified"]), removed)
        for entry in found
        # What was written without versioning is "null": it has no id of its own, and can be overwritten.
        if entry["Key"] == key and entry["VersionId"] != "null"
    ]
