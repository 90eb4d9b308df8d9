"""What S3's errors mean, whichever workflow met them."""

from typing import ClassVar

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError

from waybill.core.aws.s3_faults import (
    ObjectChangedError,
    ObjectMissingError,
    S3Fault,
    S3ReadError,
    s3_fault,
    translated,
)
from waybill.core.errors import PermanentError, RetryableError


class Unavailable(RetryableError):
    code: ClassVar[str] = "UNAVAILABLE"


class Refused(PermanentError):
    code: ClassVar[str] = "REFUSED"


def answer(code: str, status: int = 400, message: str = "") -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject"
    )


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (answer("NoSuchKey", 404), S3Fault.OBJECT_MISSING),
        (answer("404", 404), S3Fault.OBJECT_MISSING),
        (answer("NoSuchBucket", 404), S3Fault.BUCKET_MISSING),
        (answer("403", 403), S3Fault.DENIED),
        (answer("AccessDenied", 403, "not authorized to perform: kms:Decrypt"), S3Fault.KMS_DENIED),
        (answer("KMS.DisabledException"), S3Fault.KMS_DENIED),
        (answer("KMS.ThrottlingException"), S3Fault.THROTTLED),
        (answer("412", 412), S3Fault.CHANGED),
        (answer("SlowDown", 503), S3Fault.THROTTLED),
        (answer("SomethingNew", 500), S3Fault.UNAVAILABLE),
        (answer("SomethingNew", 400), S3Fault.REFUSED),
        (answer("InvalidRequest", 400, "stored using a form of Server Side Encryption"), S3Fault.SSE_C),
        (EndpointConnectionError(endpoint_url="https://s3"), S3Fault.UNAVAILABLE),
        (ParamValidationError(report="Key"), S3Fault.REFUSED),
    ],
)
def test_a_fault_has_one_meaning(error: ClientError, fault: S3Fault) -> None:
    assert s3_fault(error) == fault


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (answer("NoSuchKey", 404), ObjectMissingError),
        (answer("PreconditionFailed", 412), ObjectChangedError),
        (answer("SlowDown", 503), Unavailable),
        (EndpointConnectionError(endpoint_url="https://s3"), Unavailable),
        (answer("NoSuchBucket", 404), Refused),
        (answer("AccessDenied", 403), Refused),
    ],
)
def test_an_error_is_told_in_the_workflows_words(error: ClientError, ours: type[Exception]) -> None:
    with pytest.raises(ours, match="the register"), translated(Unavailable, Refused, "the register"):
        raise error


@pytest.mark.parametrize(
    ("fault", "ours"),
    [
        (S3Fault.OBJECT_MISSING, ObjectMissingError),
        (S3Fault.CHANGED, ObjectChangedError),
        (S3Fault.THROTTLED, Unavailable),
        (S3Fault.UNAVAILABLE, Unavailable),
        (S3Fault.DENIED, Refused),
        (S3Fault.BUCKET_MISSING, Refused),
    ],
)
def test_what_the_reader_raises_is_told_in_the_same_words(fault: S3Fault, ours: type[Exception]) -> None:
    with pytest.raises(ours, match="the register"), translated(Unavailable, Refused, "the register"):
        raise S3ReadError(fault, "SlowDown")
