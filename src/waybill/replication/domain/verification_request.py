"""What a verification on the server is asked for."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from waybill.core.wire import WireModel, field_problem
from waybill.replication.models import BucketName, ShortText

_ALL = 100


class VerificationRequest(WireModel, extra="forbid"):
    """Which copies to compare; without a source or destinations, those of the stack."""

    source_bucket: BucketName | None = Field(
        default=None, description="The bucket of the sources; without it, the stack's", examples=["waybill-source"]
    )
    prefix: ShortText = Field(default="", description="What their keys begin with", examples=["reports/"])
    destination_buckets: Annotated[tuple[BucketName, ...], Field(max_length=50)] | None = Field(
        default=None, description="Where the copies are; without it, all of the stack", examples=[["waybill-copy-eu"]]
    )
    deep: Annotated[bool, Field(strict=True)] = Field(
        default=False,
        description="Whether both are read, where otherwise what S3 keeps of them is compared",
        examples=[True],
    )
    sample: Annotated[int, Field(ge=1, le=100, strict=True)] = Field(
        default=100, description="With `deep`: of how many objects in a hundred both are read", examples=[5]
    )

    @model_validator(mode="after")
    def _a_sample_is_of_what_is_read(self) -> Self:
        if "sample" in self.model_fields_set and self.sample < _ALL and not self.deep:
            raise field_problem("sample", "needs deep: without it nothing is read")
        return self
