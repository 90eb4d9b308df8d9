"""What S3's refusals become: one request for what no retry mends, a cause that names bucket and action."""

from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from tests.fakes.runs import DESTINATIONS, KEY, SOURCE, facts
from tests.fakes.wire import Wire
from waybill.core.errors import RetryableError, WaybillError
from waybill.replication.adapters.s3 import S3Buckets
from waybill.replication.errors import (
    AccessDeniedError,
    DestinationUnsettledError,
    KmsDeniedError,
    NoSuchBucketError,
    S3RefusedError,
    S3UnavailableError,
    SourceArchivedError,
    SourceNotFoundError,
    SseCUnsupportedError,
    SupersededError,
    ThrottledError,
    UploadGoneError,
)
from waybill.replication.models import Expected, ObjectPlace

PLACE = ObjectPlace(DESTINATIONS[0], KEY)
KMS = "User is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:eu-west-1:1:key/1"
CUSTOMER_KEY = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided."
DELETE_MARKER = "The source of a copy request may not specifically refer to a delete marker by version id."

# S3's status and code, its message, and what that is to us.
PERMANENT: list[tuple[int, str, str, type[WaybillError]]] = [
    (404, "NoSuchBucket", "The specified bucket does not exist", NoSuchBucketError),
    (404, "NoSuchKey", "The specified key does not exist.", SourceNotFoundError),
    (404, "NoSuchVersion", "", SourceNotFoundError),
    (405, "MethodNotAllowed", "", SourceNotFoundError),
    (400, "InvalidRequest", DELETE_MARKER, SourceNotFoundError),
    (412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", SupersededError),
    (403, "AccessDenied", "Access Denied", AccessDeniedError),
    (403, "AllAccessDisabled", "", AccessDeniedError),
    (403, "AccountProblem", "", AccessDeniedError),
    (403, "SomethingNew", "", AccessDeniedError),
    (403, "AccessDenied", KMS, KmsDeniedError),
    (400, "KMS.DisabledException", "key is disabled", KmsDeniedError),
    (400, "KMS.NotFoundException", "", KmsDeniedError),
    (400, "KMS.KMSInvalidStateException", "", KmsDeniedError),
    (403, "InvalidObjectState", "The operation is not valid for the object's storage class", SourceArchivedError),
    (400, "InvalidRequest", CUSTOMER_KEY, SseCUnsupportedError),
    (400, "InvalidRequest", "Bucket is missing Object Lock Configuration", S3RefusedError),
    (400, "AccessControlListNotSupported", "The bucket does not allow ACLs", S3RefusedError),
]
TRANSIENT: list[tuple[int, str, type[RetryableError]]] = [
    (503, "SlowDown", ThrottledError),
    (503, "ServiceUnavailable", S3UnavailableError),
    (500, "InternalError", S3UnavailableError),
    (400, "RequestTimeout", S3UnavailableError),
    (502, "BadGateway", S3UnavailableError),
    (429, "SomethingNew", ThrottledError),
    (409, "OperationAborted", S3UnavailableError),
    (409, "ConditionalRequestConflict", S3UnavailableError),
    (400, "KMS.ThrottlingException", ThrottledError),
    (500, "KMS.KMSInternalException", S3UnavailableError),
]


@pytest.mark.parametrize(("status", "code", "message", "expected"), PERMANENT)
def test_what_no_retry_mends_is_asked_once(
    buckets: S3Buckets, wire: Wire, status: int, code: str, message: str, expected: type[WaybillError]
) -> None:
    wire.refuse("s3.CopyObject", code, message, status=status)
    with pytest.raises(expected) as raised:
        buckets.copy(facts(), PLACE)
    assert type(raised.value) is expected
    assert len(wire.of("s3.CopyObject")) == 1
    assert not isinstance(raised.value, RetryableError)
    for part in (f"{PLACE.bucket}/{KEY}", f"{SOURCE}/{KEY}", "s3:PutObject", code):
        assert part in str(raised.value)


@pytest.mark.parametrize(("status", "code", "expected"), TRANSIENT)
def test_what_may_pass_is_ours_to_retry(
    buckets: S3Buckets, wire: Wire, status: int, code: str, expected: type[WaybillError]
) -> None:
    wire.refuse("s3.CopyObject", code, status=status)
    with pytest.raises(expected, match=code) as raised:
        buckets.copy(facts(), PLACE)
    assert isinstance(raised.value, RetryableError)


def test_throttling_that_passes_goes_unnoticed(buckets: S3Buckets, s3: Any, wire: Wire) -> None:
    s3.put_object(Bucket=SOURCE, Key=KEY, Body=b"abc")
    wire.clear()
    wire.refuse("s3.CopyObject", "SlowDown", status=503, times=2)
    assert buckets.copy(facts(), PLACE).e_tag == facts().e_tag
    assert len(wire.of("s3.CopyObject")) == 3
    assert len(wire.waits) == 2


@pytest.mark.parametrize(("code", "expected"), [("InternalError", S3UnavailableError), ("SlowDown", ThrottledError)])
def test_an_error_inside_a_200_is_an_error(
    buckets: S3Buckets, wire: Wire, code: str, expected: type[WaybillError]
) -> None:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n  <Error><Code>{code}</Code><Message>m</Message></Error>'
    for operation in ("s3.CopyObject", "s3.UploadPartCopy", "s3.CompleteMultipartUpload"):
        wire.answer(operation, 200, body)
    with pytest.raises(expected):
        buckets.copy(facts(), PLACE)
    with pytest.raises(expected):
        buckets.copy_part(facts(), PLACE, "u", 1, (0, 2))
    with pytest.raises(expected):
        buckets.complete_upload(PLACE, "u", {})


def test_an_error_inside_a_200_that_passes_goes_unnoticed(buckets: S3Buckets, s3: Any, wire: Wire) -> None:
    s3.put_object(Bucket=SOURCE, Key=KEY, Body=b"abc")
    wire.answer("s3.CopyObject", 200, "<Error><Code>InternalError</Code><Message/></Error>", times=1)
    assert buckets.copy(facts(), PLACE).e_tag == facts().e_tag


@pytest.mark.parametrize("error", [ConnectTimeoutError(endpoint_url="x"), ReadTimeoutError(endpoint_url="x")])
def test_a_request_that_gets_lost_is_ours_to_retry(buckets: S3Buckets, wire: Wire, error: Exception) -> None:
    wire.cut("s3.CopyObject", error)
    with pytest.raises(S3UnavailableError, match=f"s3:PutObject on {PLACE.bucket}/{KEY}.*{type(error).__name__}"):
        buckets.copy(facts(), PLACE)


@pytest.mark.parametrize(
    ("operation", "call", "action"),
    [
        ("s3.ListParts", lambda buckets: buckets.parts(PLACE, "u"), "ListMultipartUploadParts"),
        ("s3.AbortMultipartUpload", lambda buckets: buckets.abort_upload(PLACE, "u"), "AbortMultipartUpload"),
        ("s3.UploadPartCopy", lambda buckets: buckets.copy_part(facts(), PLACE, "u", 1, (0, 2)), "PutObject"),
        ("s3.CompleteMultipartUpload", lambda buckets: buckets.complete_upload(PLACE, "u", {}), "PutObject"),
        (
            "s3.ListMultipartUploads",
            lambda buckets: buckets.open_uploads(PLACE, since="2026"),
            "ListBucketMultipartUploads",
        ),
        ("s3.HeadObject", lambda buckets: buckets.find(PLACE), "GetObject"),
        ("s3.HeadObject", lambda buckets: buckets.headers(facts()), "GetObject"),
        (
            "s3.GetObjectTagging",
            lambda buckets: buckets.create_upload(facts(tag_count=1), buckets.headers(facts()), PLACE),
            "GetObjectTagging",
        ),
    ],
)
def test_a_refusal_names_the_permission_that_is_missing(
    buckets: S3Buckets, s3: Any, wire: Wire, operation: str, call: Any, action: str
) -> None:
    s3.put_object(Bucket=SOURCE, Key=KEY, Body=b"abc")
    wire.clear()
    wire.refuse(operation, "AccessDenied", "Access Denied", status=403)
    with pytest.raises(AccessDeniedError, match=f"^s3:{action} on .*{KEY}") as raised:
        call(buckets)
    assert "Access Denied" in str(raised.value) or operation == "s3.HeadObject"
    assert len(wire.of(operation)) == 1


@pytest.mark.parametrize("operation", ["s3.ListParts", "s3.UploadPartCopy", "s3.CompleteMultipartUpload"])
def test_an_upload_that_is_gone_has_an_error_of_its_own(buckets: S3Buckets, wire: Wire, operation: str) -> None:
    wire.refuse(operation, "NoSuchUpload", "The specified multipart upload does not exist", status=404)
    calls = {
        "s3.ListParts": lambda: buckets.parts(PLACE, "u"),
        "s3.UploadPartCopy": lambda: buckets.copy_part(facts(), PLACE, "u", 1, (0, 2)),
        "s3.CompleteMultipartUpload": lambda: buckets.complete_upload(PLACE, "u", {}),
    }
    with pytest.raises(UploadGoneError):
        calls[operation]()


@pytest.mark.parametrize("code", ["NoSuchUpload", "NoSuchBucket"])
def test_an_upload_that_is_gone_needs_no_abort(buckets: S3Buckets, wire: Wire, code: str) -> None:
    wire.refuse("s3.AbortMultipartUpload", code, status=404)
    buckets.abort_upload(PLACE, "u")
    assert len(wire.of("s3.AbortMultipartUpload")) == 1


@pytest.mark.parametrize(
    ("expected", "sent"),
    [(None, {}), (Expected(None), {"if-none-match": "*"}), (Expected("0a1b-2"), {"if-match": '"0a1b-2"'})],
)
def test_a_copy_lands_on_nothing_but_what_is_expected(
    buckets: S3Buckets, s3: Any, wire: Wire, expected: Expected | None, sent: dict[str, str]
) -> None:
    """Amazon S3 API reference, CopyObject and CompleteMultipartUpload; moto looks at neither condition of a copy."""
    s3.put_object(Bucket=SOURCE, Key=KEY, Body=b"abc")
    wire.answer("s3.CompleteMultipartUpload", 200, "<R><ETag>e</ETag></R>")
    buckets.copy(facts(), PLACE, expected)
    buckets.complete_upload(PLACE, "u", {}, expected)
    for operation in ("s3.CopyObject", "s3.CompleteMultipartUpload"):
        headers = wire.of(operation)[0].headers
        assert {name: headers[name] for name in ("if-match", "if-none-match") if name in headers} == sent


# What S3 says (user guide, "Conditional write behavior": of nothing it is 404), what the source holds by then, and what
# that is to us.
REFUSED: list[tuple[int, str, bytes | None, type[WaybillError]]] = [
    (412, "PreconditionFailed", b"abc", DestinationUnsettledError),
    (404, "NoSuchKey", b"abc", DestinationUnsettledError),
    (412, "PreconditionFailed", b"changed", SupersededError),
    (404, "NoSuchKey", None, SourceNotFoundError),
]


@pytest.mark.parametrize(("status", "code", "held", "error"), REFUSED)
def test_a_destination_that_has_changed_is_told_from_a_source_that_has(
    buckets: S3Buckets, s3: Any, wire: Wire, status: int, code: str, held: bytes | None, error: type[WaybillError]
) -> None:
    if held is not None:
        s3.put_object(Bucket=SOURCE, Key=KEY, Body=held)
    for operation in ("s3.CopyObject", "s3.CompleteMultipartUpload"):
        wire.refuse(operation, code, status=status)
    with pytest.raises(error) as raised:
        buckets.copy(facts(), PLACE, Expected("e"))
    assert type(raised.value) is error
    # The parts of an upload are there, whatever has become of their source.
    with pytest.raises(DestinationUnsettledError):
        buckets.complete_upload(PLACE, "u", {}, Expected("e"))
