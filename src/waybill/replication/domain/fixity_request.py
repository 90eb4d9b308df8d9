"""What a verification on the server is asked for."""

from typing import Annotated

from pydantic import Field

from waybill.core.wire import WireModel
from waybill.replication.models import BucketName, ShortText


class FixityRequest(WireModel, extra="forbid"):
    """Which copies to compare; without a source or destinations, those of the stack."""

    source_bucket: BucketName | None = Field(
        default=None, description="The bucket of the sources; without it, the stack's", examples=["waybill-source"]
    )
    prefix: ShortText = Field(default="", description="What their keys begin with", examples=["reports/"])
    destination_buckets: Annotated[tuple[BucketName, ...], Field(max_length=50)] | None = Field(
        default=None, description="Where the copies are; without it, all of the stack", examples=[["waybill-copy-eu"]]
    )
    deep: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Whether both are read, where otherwise what S3 keeps of them is compared"
    )
    sample: Annotated[int, Field(ge=1, le=100, strict=True)] = Field(
        default=100, description="With `deep`: of how many objects in a hundred both are read", examples=[5]
    )
