"""S3 under a bound of so many looks at objects in a second."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, override

from waybill.replication.adapters.s3 import S3Buckets
from waybill.replication.domain.throttle import Throttle
from waybill.replication.models import DestinationOptions, ObjectFacts, ObjectPlace

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class PacedBuckets(S3Buckets):
    """S3, where each look at an object waits for its turn."""

    def __init__(
        self,
        client_of: Callable[[str | None], "S3Client"],
        regions: dict[str, str],
        options: Mapping[str, DestinationOptions],
        requests: Throttle,
    ) -> None:
        super().__init__(client_of, regions, options)
        self._requests = requests

    @override
    def find(self, place: ObjectPlace) -> ObjectFacts | None:
        self._requests.take(1)
        return super().find(place)

    @override
    def tags(self, place: ObjectPlace, *, version_id: str | None = None) -> dict[str, str]:
        self._requests.take(1)
        return super().tags(place, version_id=version_id)
