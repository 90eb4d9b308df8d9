"""Asks one service for one request's part, keeps what it gives, and records what became of it.

Nothing that a service does raises: it is the part's outcome. Every step may be done again: objects have keys of the
claim's generation, so the same ones are written again, and the part's record, fenced by the claim, comes last.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import IO

from waybill.subject_access.domain.audit import WORKER, Action
from waybill.subject_access.domain.keys import answer_key
from waybill.subject_access.domain.origins import origin_of
from waybill.subject_access.domain.ports import Catalogue, RequestStore
from waybill.subject_access.domain.upstream.answers import Answer, Asking
from waybill.subject_access.domain.upstream.attachments import Attachments
from waybill.subject_access.domain.upstream.circuits import COUNTED, Breaker
from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.errors import ServiceError
from waybill.subject_access.domain.upstream.inline import inline_entries
from waybill.subject_access.domain.upstream.models import Limits, Question
from waybill.subject_access.domain.upstream.ports import Credentials, InvocationClock, Parts
from waybill.subject_access.domain.upstream.retry import Tries
from waybill.subject_access.domain.upstream.templates import UNHEALTHY, Templates
from waybill.subject_access.errors import ClaimLostError
from waybill.subject_access.models import Claim, Part, PartStatus, SubjectRequest
from waybill.subject_access.service_models import Service

_READ_BYTES = 1024 * 1024
# What is left of the invocation for recording the outcome.
_MARGIN_SECONDS = 20.0


@dataclass(frozen=True)
class Fetcher:
    """Fetches parts."""

    requests: RequestStore
    catalogue: Catalogue
    parts: Parts
    credentials: Credentials
    breaker: Breaker
    asking: Asking
    templates: Templates
    attachments: Attachments
    clock: InvocationClock
    limits: Limits

    def fetch(self, claim: Claim, rank: int, service: str) -> Part:
        """Return the part of `service` as it is after asking; one that has been fetched is not asked for again.

        Raises
        ------
        ClaimLostError
            Another worker has the request, or it is over; nothing was asked for, or nothing recorded.
        """
        request = self.requests.request(claim.request_id)
        part = self.requests.part(claim.request_id, rank, service)
        if request is None or part is None or request.claim_token != claim.claim_token:
            raise ClaimLostError("the claim is not this worker's any more")
        if part.finished or part.render_status is PartStatus.FETCHED:
            return part
        fetched = replace(self._asked(claim, request, _blank(part, claim)), generation=claim.generation)
        self.requests.save_part(claim, fetched)
        return fetched

    def _asked(self, claim: Claim, request: SubjectRequest, part: Part) -> Part:
        service = self.catalogue.service(part.service)
        if service is None or not service.enabled:
            return _errored(part, ServiceError(Code.NOT_CONFIGURED, "the service is not configured, or not enabled"))
        if service.suspended:
            return _errored(part, ServiceError(Code.SUSPENDED, "the service is suspended"), PartStatus.SUSPENDED)
        retry_at = self.breaker.retry_at(service.name)
        if retry_at is not None:
            return replace(
                _errored(
                    part, ServiceError(Code.CIRCUIT_OPEN, "the service has failed too often: it is not asked now")
                ),
                retry_at=retry_at,
            )
        one = _One(self, claim, request, service, self.clock.monotonic() + self._budget(self.limits.answer_seconds))
        try:
            return one.fetched(part)
        except ServiceError as error:
            if error.code in UNHEALTHY:
                self.templates.judge(service.name, error.code, self.clock.now())
            return replace(_errored(part, error), attempts=part.attempts + one.tries.made)

    def _budget(self, seconds: float) -> float:
        return max(0.0, min(seconds, self.clock.remaining() - _MARGIN_SECONDS))


class _One:
    """The asking of one service, within its time."""

    def __init__(self, by: Fetcher, claim: Claim, request: SubjectRequest, service: Service, deadline: float) -> None:
        self._by = by
        self._claim = claim
        self._request = request
        self._service = service
        self._deadline = deadline
        self.tries = Tries(by.clock, by.limits, deadline)

    def fetched(self, part: Part) -> Part:
        """Return the part with what the service gave; raises `ServiceError`."""
        headers = self._authorization()
        with TemporaryFile() as spool:
            answer = self._answer(headers, spool)
            asked = replace(
                part,
                render_status=answer.status,
                http_status=answer.http_status,
                attempts=part.attempts + self.tries.made,
            )
            if answer.status is not PartStatus.FETCHED:
                return asked
            return self._kept(asked, answer, spool, headers)

    def _authorization(self) -> Mapping[str, str]:
        """Return the header with the service's token; raises `ServiceError` where its address is not what it is for."""
        credential = self._by.credentials.credential(self._service.name)
        if credential is None:
            return {}
        origin = origin_of(self._service.url)
        if (credential.origin or self._bound(origin)) != origin:
            message = "the secret is for another address: it is not sent, and the service is not asked"
            raise ServiceError(Code.OTHER_ORIGIN, message)
        return {"Authorization": f"Bearer {credential.token}"}

    def _bound(self, origin: str) -> str | None:
        """Return where the service's token may go: where it went first, which is recorded."""
        catalogue, service = self._by.catalogue, self._service
        if service.credential_origin is None:
            bound = replace(service, credential_origin=origin)
            action = Action(WORKER, "CREDENTIAL_BOUND", {"service": service.name, "origin": origin})
            if catalogue.save_service(bound, action, new=False):
                return origin
            # Somebody else was faster: another worker, or whoever changed the address.
            found = catalogue.service(service.name)
            return found.credential_origin if found else None
        return service.credential_origin

    def _answer(self, headers: Mapping[str, str], spool: IO[bytes]) -> Answer:
        question, clock = _question(self._request), self._by.clock
        name, base, deadline = self._service.name, self._service.url.rstrip("/"), self._deadline
        try:
            answer = self.tries.run(lambda: self._by.asking.ask(base, question, headers, spool, deadline, clock.now()))
        except ServiceError as error:
            if error.code in COUNTED:
                self._by.breaker.failed(name)
            else:
                self._by.breaker.succeeded(name)
            raise
        self._by.breaker.succeeded(name)
        return answer

    def _kept(self, part: Part, answer: Answer, spool: IO[bytes], headers: Mapping[str, str]) -> Part:
        by, claim, name = self._by, self._claim, self._service.name
        template = None
        if self._service.template_migrated:
            # Its tries are not the part's: those count how often data was asked for.
            tries = Tries(by.clock, by.limits, self._deadline)
            template = tries.run(lambda: by.templates.fetch(self._service, headers, self._deadline, by.clock.now()))
            by.templates.judge(name, None, by.clock.now())
        key = answer_key(claim.request_id, claim.generation, name)
        by.parts.put(key, _read(spool), content_type="application/json", expected=answer.size)
        until = by.clock.monotonic() + max(0.0, by.clock.remaining() - _MARGIN_SECONDS)
        pictures = inline_entries(spool, self._by.limits.attachments) if template and template.pictures else ()
        attached = by.attachments.fetch(claim, name, (*answer.attachments, *pictures), until)
        if attached:
            by.requests.save_attachments(claim, attached)
        return replace(
            part,
            bytes=answer.size,
            answer_key=key,
            attachments=len(answer.attachments),
            template_key=template.key if template else None,
            template_version=template.version if template else None,
        )


def _blank(part: Part, claim: Claim) -> Part:
    """Return the part without what an earlier claim left of its failure; the count of calls goes on."""
    return Part(part.service, part.label, part.rank, part.category, attempts=part.attempts, generation=claim.generation)


def _errored(part: Part, error: ServiceError, status: PartStatus = PartStatus.ERRORED) -> Part:
    return replace(
        part, render_status=status, http_status=error.status, error_code=str(error.code), error_message=str(error)
    )


def _question(request: SubjectRequest) -> Question:
    return Question(request.nomis_id, request.ndelius_id, request.date_from, request.date_to)


def _read(spool: IO[bytes]) -> Iterator[bytes]:
    spool.seek(0)
    while chunk := spool.read(_READ_BYTES):
        yield chunk
