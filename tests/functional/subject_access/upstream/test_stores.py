"""The adapters to S3, DynamoDB and Secrets Manager, on moto."""

import hashlib
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from tests.functional.subject_access.upstream.conftest import BUCKET, PREFIX, TABLE, SubjectAccess
from waybill.subject_access.adapters.health_table import HealthTable
from waybill.subject_access.adapters.parts import S3Parts
from waybill.subject_access.adapters.secrets import ServiceSecrets
from waybill.subject_access.domain.upstream.errors import CredentialsUnavailableError, ServiceError
from waybill.subject_access.domain.upstream.ports import Circuit, Credential, SizeMismatchError, Stored
from waybill.subject_access.domain.upstream.token_endpoint import Grant
from waybill.subject_access.errors import StorageRefusedError, StorageUnavailableError

_MIB = 1024**2
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


def _bytes(size: int) -> Iterator[bytes]:
    while size > 0:
        yield b"abcdefgh" * min(8192, -(-size // 8)) if size >= 65536 else b"z" * size
        size -= 65536


@pytest.fixture
def parts(subject_access: SubjectAccess) -> S3Parts:
    return S3Parts(subject_access.s3, BUCKET)


@pytest.mark.parametrize("size", [0, 1, 65536, 8 * _MIB - 1, 8 * _MIB, 8 * _MIB + 1, 20 * _MIB])
def test_stores_what_comes(subject_access: SubjectAccess, parts: S3Parts, size: int) -> None:
    body = b"".join(_bytes(size))
    stored = parts.put("work/x", _bytes(size), content_type="text/plain", expected=size)
    assert stored == Stored(size, hashlib.sha256(body).hexdigest())
    assert subject_access.object("work/x") == body


@pytest.mark.parametrize(("size", "expected"), [(0, 1), (10, 9), (10, 11), (20 * _MIB, 20 * _MIB + 1), (20 * _MIB, 1)])
def test_stores_nothing_of_another_size(
    subject_access: SubjectAccess, parts: S3Parts, size: int, expected: int
) -> None:
    with pytest.raises(SizeMismatchError):
        parts.put("work/x", _bytes(size), content_type="text/plain", expected=expected)
    assert subject_access.stored_keys() == []
    assert "Uploads" not in subject_access.s3.list_multipart_uploads(Bucket=BUCKET)


def test_leaves_no_upload_behind_where_the_source_breaks_off(subject_access: SubjectAccess, parts: S3Parts) -> None:
    def broken() -> Iterator[bytes]:
        yield from _bytes(20 * _MIB)
        raise ServiceError.__new__(ServiceError)

    with pytest.raises(ServiceError):
        parts.put("work/x", broken(), content_type="text/plain")
    assert subject_access.stored_keys() == []
    assert "Uploads" not in subject_access.s3.list_multipart_uploads(Bucket=BUCKET)


def test_keeps_a_few_parts_in_memory_at_most() -> None:
    class Sink:
        """Takes everything and keeps nothing."""

        def create_multipart_upload(self, **_: object) -> dict[str, str]:
            return {"UploadId": "u"}

        def upload_part(self, **_: object) -> dict[str, str]:
            return {"ETag": "e"}

        def complete_multipart_upload(self, **_: object) -> None:
            return None

    tracemalloc.start()
    try:
        S3Parts(Sink(), BUCKET).put("work/x", _bytes(200 * _MIB), content_type="text/plain")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 36 * _MIB


def test_faults_of_s3_are_ours(subject_access: SubjectAccess) -> None:
    with pytest.raises(StorageRefusedError):
        S3Parts(subject_access.s3, "no-such-bucket-here").put("x", iter((b"x",)), content_type="text/plain")

    class Down:
        def put_object(self, **_: object) -> None:
            raise ConnectTimeoutError(endpoint_url="https://s3.example")

    with pytest.raises(StorageUnavailableError):
        S3Parts(Down(), BUCKET).put("x", iter((b"x",)), content_type="text/plain")


@pytest.fixture
def health(subject_access: SubjectAccess) -> HealthTable:
    return HealthTable(boto3.client("dynamodb", "eu-west-1"), TABLE)


def test_a_circuit_moves_only_from_where_it_was_seen(health: HealthTable) -> None:
    unknown = health.circuit("a")
    assert unknown == Circuit()
    opened = Circuit(3, 1_000, 1_050)
    assert health.move("a", unknown, opened)
    assert not health.move("a", unknown, Circuit(9))
    seen = health.circuit("a")
    assert seen == Circuit(3, 1_000, 1_050, version=1)
    assert health.move("a", seen, Circuit())
    assert not health.move("a", seen, opened)
    assert health.circuit("a") == Circuit(version=2)
    assert health.circuit("b") == Circuit()


def test_people_are_told_once_until_the_template_is_well_again(health: HealthTable) -> None:
    assert health.unhealthy("a", "template_3001", AT)
    assert health.unhealthy("a", "template_3001", AT)  # whoever was to tell may have died
    health.told("a", AT)
    assert not health.unhealthy("a", "template_3001", AT)
    assert not health.unhealthy("a", "template_3002", AT)
    health.healthy("a", AT)
    health.healthy("a", AT)
    assert health.unhealthy("a", "template_3001", AT)


class Secrets:
    """Secrets Manager that counts."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def get_secret_value(self, *, SecretId: str) -> object:  # noqa: N803
        self.asked.append(SecretId)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"SecretString": answer}


def _secrets(secrets: Secrets, monotonic: Callable[[], float] = time.monotonic) -> ServiceSecrets:
    def never(_: object) -> Grant:
        raise AssertionError("no token is exchanged for one")

    return ServiceSecrets(secrets, PREFIX, never, monotonic)


def _refusal(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetSecretValue")


@pytest.mark.parametrize("text", ["abc.def-g", ' {"token": " abc.def-g "} ', "abc.def-g\n"])
def test_a_secret_is_a_token_or_holds_one(text: str) -> None:
    secrets = Secrets(text)
    assert _secrets(secrets).credential("keyworker-api") == Credential("abc.def-g", None)
    assert secrets.asked == ["waybill/sar/keyworker-api"]


def test_a_token_is_read_again_after_five_minutes() -> None:
    now = [0.0]
    secrets = Secrets("first", "second")
    tokens = _secrets(secrets, lambda: now[0])
    first = Credential("first", None)
    assert [tokens.credential("a"), tokens.credential("a")] == [first, first]
    now[0] = 301.0
    assert tokens.credential("a") == Credential("second", None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "two words",
        '{"token": 1}',
        '{"tokenUrl": "https://a.example", "clientId": "x"}',
        '{"other": "x"}',
        "{broken",
        "a\r\nb",
        "é",
    ],
)
def test_a_secret_without_a_token_is_named_and_not_shown(text: str) -> None:
    with pytest.raises(ServiceError) as raised:
        _secrets(Secrets(text)).credential("a")
    assert not text.strip() or text not in str(raised.value)


def test_a_service_may_have_no_secret() -> None:
    assert _secrets(Secrets(_refusal("ResourceNotFoundException"))).credential("a") is None


def test_faults_of_secrets_manager() -> None:
    with pytest.raises(ServiceError):
        _secrets(Secrets(_refusal("AccessDeniedException"))).credential("a")
    for passing in (_refusal("ThrottlingException"), _refusal("InternalServiceError", 500)):
        with pytest.raises(CredentialsUnavailableError):
            _secrets(Secrets(passing)).credential("a")
