"""Many objects in a bucket of moto's S3, without a request for each: they are what a test begins with."""

from collections.abc import Iterable

from moto.s3.models import s3_backends

_ACCOUNT, _PARTITION = "123456789012", "aws"


def fill(bucket: str, keys: Iterable[str], body: bytes = b"") -> None:
    """Write objects of these keys."""
    backend = s3_backends[_ACCOUNT][_PARTITION]
    for key in keys:
        backend.put_object(bucket, key, body)
