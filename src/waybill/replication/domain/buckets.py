"""What the rules of replication need of S3; `adapters/s3.py` is S3, `tests/fakes/buckets.py` a simulated one."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from waybill.replication.models import (
    CopiedPart,
    DestinationOptions,
    Expected,
    ObjectFacts,
    ObjectHeaders,
    ObjectPlace,
    SourceVersion,
)


class Buckets(Protocol):
    """S3, in every Region. All methods raise the errors of `waybill.replication.errors`."""

    def describe_source(self, bucket: str, key: str, *, version_id: str | None, e_tag: str | None) -> ObjectFacts:
        """Return the facts of the object: of that version, or only while it has that ETag, where one is given."""
        ...

    def find(self, place: ObjectPlace) -> ObjectFacts | None:
        """Return the facts of the object at `place`, or None when there is none."""
        ...

    def sends_events(self, bucket: str) -> bool:
        """Return whether writes to `bucket` raise events: it is somebody's source. False where nobody may ask."""
        ...

    def keeps_versions(self, bucket: str) -> bool:
        """Return whether versioning is on in `bucket`; False where nobody may ask."""
        ...

    def versions(self, bucket: str, key: str) -> Iterator[SourceVersion]:
        """Yield the versions and delete markers of an object as S3 orders them, the newest first.

        What was written while versioning was off has no id of its own, and is left out.
        """
        ...

    def is_hidden(self, place: ObjectPlace) -> bool:
        """Return whether a delete marker is what lies on top at `place`."""
        ...

    def copy(self, source: ObjectFacts, place: ObjectPlace, expected: Expected | None = None) -> ObjectFacts:
        """Copy in one call, pinned to `source`; return what the answer says of the copy (its size is the source's).

        Raises
        ------
        DestinationUnsettledError
            Something else than what is `expected` is there: nothing was copied.
        """
        ...

    def tags(self, place: ObjectPlace, *, version_id: str | None = None) -> dict[str, str]:
        """Return the tags of the object at `place`, or of that version of it."""
        ...

    def put_tags(self, place: ObjectPlace, tags: Mapping[str, str]) -> None:
        """Give the object at `place` these tags and no others."""
        ...

    def remove(self, place: ObjectPlace) -> None:
        """Put a delete marker on top of the object at `place`; no version of it is lost.

        Raises
        ------
        DestinationNotVersionedError
            The bucket keeps no versions.
        """
        ...

    def options(self, bucket: str) -> DestinationOptions:
        """Return what copies to the destination `bucket` get that differs from their source."""
        ...

    def headers(self, source: ObjectFacts) -> ObjectHeaders:
        """Return the metadata and content headers of `source`."""
        ...

    def create_upload(self, source: ObjectFacts, headers: ObjectHeaders, place: ObjectPlace) -> str:
        """Start a multipart upload with everything that `source` carries besides its bytes; return the upload id."""
        ...

    def copy_part(
        self, source: ObjectFacts, place: ObjectPlace, upload_id: str, number: int, span: tuple[int, int]
    ) -> None:
        """Copy the bytes `span` (both included) of `source`, pinned, as part `number`."""
        ...

    def parts(self, place: ObjectPlace, upload_id: str) -> dict[int, CopiedPart]:
        """Return the finished parts by number."""
        ...

    def complete_upload(
        self,
        place: ObjectPlace,
        upload_id: str,
        parts: Mapping[int, CopiedPart],
        expected: Expected | None = None,
    ) -> None:
        """Make the object from `parts`; of `expected` see `copy`."""
        ...

    def abort_upload(self, place: ObjectPlace, upload_id: str) -> None:
        """Give up the upload and its parts; an upload that is gone already is fine."""
        ...

    def open_uploads(self, place: ObjectPlace, *, since: str) -> list[str]:
        """Return the ids of the uploads to exactly `place` that were started at `since` (ISO 8601) or later."""
        ...
