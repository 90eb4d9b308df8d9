"""An S3 object as a stream: the only reader. In bounded memory, in one state, and taken up again where it broke."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.faults import reason_of
from waybill.core.aws.s3_faults import S3Fault, S3ReadError, s3_fault
from waybill.core.retry import Retry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, GetObjectRequestTypeDef, GetObjectTaggingRequestTypeDef

__all__ = ["S3ObjectStream", "S3ReadError", "S3Reader", "Translate"]

_RETRY = Retry(tries=5, first_pause=0.1, longest_pause=2.0)
_CHUNK_BYTES = 1 << 20


type Translate = Callable[[S3ReadError], Exception]


def _as_it_is(error: S3ReadError) -> Exception:
    return error


class S3ObjectStream:
    """An object that is being read, a context; from its first byte, or from an offset.

    Attributes
    ----------
    size : int
        Bytes of the whole object, whatever the offset.
    e_tag : str
        Without quotation marks. Everything that is read is of this state.
    version_id : str or None
        None where the bucket has no versions.
    """

    def __init__(
        self,
        get: "Callable[[int, str], GetObjectOutputTypeDef]",
        offset: int,
        e_tag: str,
        retry: Retry,
        translate: Translate,
    ) -> None:
        self._get = get
        self._translate = translate
        self._course = retry.begin()
        self._position = offset
        answer = self._opened(e_tag)
        self._body = answer["Body"]
        self._quoted = answer["ETag"]
        self.e_tag = self._quoted.strip('"')
        self.size = offset + answer["ContentLength"]
        self.version_id = answer.get("VersionId")

    def read(self, count: int = _CHUNK_BYTES) -> bytes:
        """Return up to `count` bytes (at least 1 is asked for); none at the end only.

        A connection that breaks is opened again behind what has been read, after a pause, if the object is still in the
        same state.

        Raises
        ------
        S3ReadError
            It broke again and again, or the object was replaced or removed meanwhile; or what `translate` makes of it.
        """
        while self._position < self.size:
            try:
                piece = self._body.read(max(count, 1))
                reason = "a short answer"
            except (BotoCoreError, OSError) as error:
                piece, reason = b"", type(error).__name__
            if piece:
                self._position += len(piece)
                return piece
            self._resume(reason)
        return b""

    def chunks(self, count: int = _CHUNK_BYTES) -> Iterator[bytes]:
        """Yield the rest, up to `count` bytes at a time; raises as `read`."""
        return iter(lambda: self.read(count), b"")

    def lines(self, count: int = _CHUNK_BYTES) -> Iterator[bytes]:
        """Yield the lines of the rest, each without the line feed that ends it; raises as `read`."""
        begun: list[bytes] = []
        for chunk in self.chunks(count):
            first, *others = chunk.split(b"\n")
            begun.append(first)
            for other in others:
                yield b"".join(begun)
                begun = [other]
        if last := b"".join(begun):
            yield last

    def close(self) -> None:
        """Give the connection back."""
        self._body.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _resume(self, reason: str) -> None:
        self._body.close()
        if not self._course.pause():
            raise self._translate(S3ReadError(S3Fault.UNAVAILABLE, f"broke off {self._course.made} times: {reason}"))
        answer = self._opened(self._quoted)
        self._body = answer["Body"]
        if answer["ContentLength"] != self.size - self._position:
            raise self._translate(S3ReadError(S3Fault.CHANGED, "another length"))

    def _opened(self, e_tag: str) -> "GetObjectOutputTypeDef":
        with _translated(self._translate):
            return self._get(self._position, e_tag)


class S3Reader:
    """Opens objects with one GET each, and no HEAD; and reads their tags.

    `translate` makes a workflow's own error of each S3ReadError, in one place for opening, reading and resuming.
    """

    def __init__(self, client: "S3Client", *, retry: Retry = _RETRY, translate: Translate = _as_it_is) -> None:
        self._client = client
        self._retry = retry
        self._translate = translate

    def open(
        self, bucket: str, key: str, *, version_id: str | None = None, e_tag: str | None = None, offset: int = 0
    ) -> S3ObjectStream:
        """Open an object, in the version and state that are named or in that of now, from the byte `offset` on.

        Raises
        ------
        S3ReadError
            It is missing, is not in that state, or may not be read; S3 fails or asks to slow down. Or what `translate`
            makes of it.
        """

        def get(position: int, state: str) -> "GetObjectOutputTypeDef":
            request: GetObjectRequestTypeDef = {"Bucket": bucket, "Key": key}
            if version_id:
                request["VersionId"] = version_id
            if state:
                request["IfMatch"] = state
            if position:
                request["Range"] = f"bytes={position}-"
            return self._client.get_object(**request)

        quoted = f'"{e_tag.strip(chr(34))}"' if e_tag else ""
        return S3ObjectStream(get, offset, quoted, self._retry, self._translate)

    def tags(self, bucket: str, key: str, *, version_id: str | None = None) -> dict[str, str]:
        """Return the tags of an object, of the version that is named or of the newest. Raises as `open`."""
        request: GetObjectTaggingRequestTypeDef = {"Bucket": bucket, "Key": key}
        if version_id:
            request["VersionId"] = version_id
        with _translated(self._translate):
            answer = self._client.get_object_tagging(**request)
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


@contextmanager
def _translated(translate: Translate) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise translate(S3ReadError(s3_fault(error), reason_of(error))) from error
