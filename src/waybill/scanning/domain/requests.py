"""The workflow's input, from the API or from somebody who starts the workflow directly."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import ValidationError

from waybill.core.clock import iso, now
from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.wire import field_errors
from waybill.scanning.models import Job, Status, is_job_id
from waybill.scanning.request_models import ScanRequest


class _Bucket(Protocol):
    def check(self, bucket: str, prefix: str) -> None: ...


class _Jobs(Protocol):
    def get(self, job_id: str) -> Job | None: ...
    def create(self, job: Job) -> Job: ...


def ensure_job(jobs: _Jobs, bucket: _Bucket, state: Mapping[str, object]) -> Job:
    """Return the job that a state of the workflow is about, making it where the workflow was started directly.

    Raises
    ------
    InvalidInputError
        Names every field that is missing or wrong.
    BucketNotFoundError, BucketDeniedError
        The bucket of a new job cannot be listed.
    """
    job_id = state.get("job_id")
    if not is_job_id(job_id):
        raise InvalidInputError(FieldError("job_id", "must be 1 to 60 letters, digits, hyphens or underscores"))
    job = jobs.get(job_id)
    if job is not None:
        return job
    try:
        request = ScanRequest.model_validate({name: state.get(name) for name in ("bucket", "prefix")})
    except ValidationError as error:
        raise InvalidInputError(*field_errors(error)) from None
    bucket.check(request.bucket, request.prefix)
    created = iso(now())
    return jobs.create(Job(job_id, request, Status.LISTING, created, created))


def range_number(state: Mapping[str, object]) -> int:
    """Return the range that a state of the workflow is about; the only one has number 0.

    Raises
    ------
    InvalidInputError
        `range` is not a number.
    """
    number = state.get("range", 0)
    if type(number) is not int or number < 0:
        raise InvalidInputError(FieldError("range", "must be a whole number, 0 or more"))
    return number
