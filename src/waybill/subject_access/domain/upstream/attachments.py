"""Fetches the files beside an answer."""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from waybill.subject_access.domain.keys import attachment_key
from waybill.subject_access.domain.upstream.answers import accept, declared_length, refuse_encoding
from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.errors import ServiceError, TransientServiceError
from waybill.subject_access.domain.upstream.models import AttachmentEntry, Limits
from waybill.subject_access.domain.upstream.ports import InvocationClock, Parts, Reply, SizeMismatchError, Stored, Web
from waybill.subject_access.domain.upstream.retry import Tries
from waybill.subject_access.models import Attachment, Claim

_BEAT_SECONDS = 60.0


@dataclass(frozen=True)
class Attachments:
    """Fetches attachments, several at a time; each goes to S3 as it comes."""

    web: Web
    parts: Parts
    clock: InvocationClock
    limits: Limits
    beat: Callable[[Claim], None]

    def fetch(self, claim: Claim, service: str, listed: tuple[AttachmentEntry, ...], by: float) -> list[Attachment]:
        """Return the attachments, stored, in the order of `listed`; the claim is kept alive meanwhile.

        Raises
        ------
        ServiceError
            One of them cannot be had, or not by the time `by`; no more are begun then.
        ClaimLostError
            Another worker has the request.
        """
        with ThreadPoolExecutor(self.limits.parallel_attachments) as threads:
            running = [threads.submit(self._attachment, claim, service, entry, by) for entry in listed]
            try:
                self._await(claim, running)
            finally:
                for each in running:
                    each.cancel()
        return [each.result() for each in running]

    def _await(self, claim: Claim, running: list[Future[Attachment]]) -> None:
        waiting: set[Future[Attachment]] = set(running)
        while waiting:
            done, waiting = wait(waiting, _BEAT_SECONDS, FIRST_EXCEPTION)
            for each in done:
                each.result()
            if waiting:
                self.beat(claim)

    def _attachment(self, claim: Claim, service: str, entry: AttachmentEntry, by: float) -> Attachment:
        key = attachment_key(claim.request_id, claim.generation, service, entry.number)
        try:
            stored = Tries(self.clock, self.limits, by).run(lambda: self._stored(entry, key, by))
        except ServiceError as error:
            message = f"attachment {entry.number}: {error}"
            raise ServiceError(_CODES.get(error.code, error.code), message, error.status) from None
        return Attachment(
            service=service,
            number=entry.number,
            name=entry.name,
            content_type=entry.content_type,
            filename=entry.filename,
            expected_bytes=entry.filesize,
            stored_bytes=stored.size,
            key=key,
            inline=entry.inline,
        )

    def _stored(self, entry: AttachmentEntry, key: str, by: float) -> Stored:
        with self.web.get(entry.url, parameters={}, headers=entry.headers, deadline=by) as reply:
            accept(reply, self.clock.now())
            refuse_encoding(reply)
            expected = self._expected(reply, entry)
            try:
                return self.parts.put(key, _whole(reply), content_type=entry.content_type, expected=expected)
            except SizeMismatchError as error:
                message = f"has {error.actual} bytes or more, {expected} were announced"
                raise TransientServiceError(Code.ATTACHMENT_SIZE, message, 200) from None

    def _expected(self, reply: Reply, entry: AttachmentEntry) -> int:
        declared = declared_length(reply)
        expected = entry.filesize if declared is None else declared
        if expected is None:
            raise ServiceError(Code.ATTACHMENT_WITHOUT_LENGTH, "has neither Content-Length nor filesize", 200)
        if expected > self.limits.attachment_bytes:
            raise ServiceError(Code.ATTACHMENT_TOO_LARGE, f"is larger than {self.limits.attachment_bytes} bytes", 200)
        return expected


# How an attachment's own failure is called; the other codes mean the same for it as for an answer.
_CODES = {
    Code.ADDRESS_REFUSED: Code.ATTACHMENT_ADDRESS,
    Code.REFUSED_BY_SERVICE: Code.ATTACHMENT_FAILED,
    Code.UNEXPECTED_STATUS: Code.ATTACHMENT_FAILED,
    Code.WRONG_TYPE: Code.ATTACHMENT_FAILED,
}


def _whole(reply: Reply) -> Iterator[bytes]:
    """Yield the body; where it ends before the announced length, that is what is wrong with it."""
    try:
        yield from reply.chunks
    except TransientServiceError as error:
        if error.code is not Code.BROKE_OFF:
            raise
        raise TransientServiceError(Code.ATTACHMENT_SIZE, "ended before its announced length", 200) from None
