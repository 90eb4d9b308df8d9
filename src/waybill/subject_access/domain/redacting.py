"""What people take out of one request's report, and drawing it again: who says so is not who approves.

UK GDPR Article 15(4) and Data Protection Act 2018, Schedule 2, paragraph 16: what is about other people is disclosed
only with consent or where that is reasonable, which people decide. Nothing is drawn here: a part knows what it was
drawn with, and a report with one that is older than a decision is neither joined nor approved nor delivered.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from waybill.core.cursors import list_cursor, list_position
from waybill.core.errors import FieldError, InvalidInputError, NotFoundError
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.bodies import reason_of
from waybill.subject_access.domain.claims import opened_again, without_report
from waybill.subject_access.domain.keys import near_misses_key, redactions_key
from waybill.subject_access.domain.mark_requests import Marks, NearMark, ReasonedMark, ValueMark
from waybill.subject_access.domain.near_miss_decisions import Decided, Stays
from waybill.subject_access.domain.ports import Change, Documents, RequestStore
from waybill.subject_access.domain.redactions import MarkedAttachment, MarkedPage, MarkedValue, Redactions
from waybill.subject_access.domain.report.json_paths import steps_of, values_of
from waybill.subject_access.domain.report.models import AttachmentOutcome, Json, Number, PartSummary
from waybill.subject_access.domain.report.redaction import is_short, texts_at
from waybill.subject_access.domain.unseen import DrawnParts, about_near, not_searched, undecided
from waybill.subject_access.errors import AnswersGoneError, PagesMovedError, UnknownRequestError, WrongStateError
from waybill.subject_access.models import ENDED, Attachment, Part, PartStatus, RequestState, SubjectRequest

if TYPE_CHECKING:
    from pydantic import JsonValue

# An answer is read into the memory of the function that people ask; larger ones are marked by text.
_MOST_ANSWER_BYTES = 20_000_000
_MOST_DOCUMENT_BYTES = 4_000_000
# A page of values has at most so many bytes, and of one value so many characters are shown.
_PAGE_CHARACTERS = 1_000_000
_SHOWN = 10_000
# What is taken out of a part so often may be everywhere: people are told.
_OFTEN = 100
_DRAWN_AGAIN = frozenset(
    {RequestState.READY_FOR_REVIEW, RequestState.COMPLETED, RequestState.NEEDS_ATTENTION, RequestState.ERRORED}
)


@dataclass(frozen=True)
class Redacting:
    """Shows the parts of a request, and notes what is taken out of them; each change is one write with its entry."""

    store: RequestStore
    documents: Documents
    now: Callable[[], datetime]

    def parts(self, request_id: str, by: str) -> list[dict[str, Any]]:
        """Return the parts with what became of them, and record who looked.

        Raises
        ------
        UnknownRequestError
            There is no such request.
        """
        request = self._found(request_id)
        self.store.record(request_id, Action(by, "PARTS_VIEWED", {}))
        decided = self._drawn.decided(request)
        return [self._part(request, part, decided) for part in self.store.parts(request_id)]

    def content(self, request_id: str, service: str, by: str, limit: int, cursor: str | None) -> dict[str, Any]:
        """Return values of a service's answer with their paths, and record who looked.

        Raises
        ------
        UnknownRequestError, NotFoundError
            There is no such request, or no such part.
        AnswersGoneError
            The answer is not there, or is too large to be shown.
        """
        part = self._part_of(request_id, service)
        content = self._answer(part)
        self.store.record(request_id, Action(by, "CONTENT_VIEWED", {"service": service}))
        about = ("content", request_id, service)
        begin = _position(cursor, about)
        shown: list[dict[str, Any]] = []
        room = _PAGE_CHARACTERS
        found = islice(values_of(content), begin, None)
        for path, value in islice(found, limit):
            text = "" if value is None else str(value)
            room -= len(path) + min(len(text), _SHOWN)
            shown.append({"path": path, "value": _shown(value), "whole": len(text) <= _SHOWN})
            if room < 0:
                break
        following = begin + len(shown)
        more = next(islice(values_of(content), following, None), None) is not None
        return {
            "serviceName": service,
            "values": shown,
            "cursor": list_cursor({"at": following}, *about) if more else None,
        }

    def mark(self, request_id: str, by: str, marks: Marks) -> SubjectRequest:
        """Note what is taken out of the report; what was drawn without it is neither approved nor delivered.

        The same again changes nothing.

        Raises
        ------
        UnknownRequestError
            There is no such request.
        WrongStateError
            It has ended.
        InvalidInputError
            A mark names nothing, or has no reason; names each.
        PagesMovedError
            Pages are marked on another drawing than the one that is there, or together with values that move them.
        AnswersGoneError
            An answer is not there, or was never.
        """
        request = self._found(request_id)
        parts = {part.service: part for part in self.store.parts(request_id)}
        before = self._current(request)
        after = self._resolved(request_id, marks, parts)
        after = replace(after, pages=self._on_pages(marks, parts, request, before, after), salt=token_hex())
        if marks.near_misses:
            request = self.decide(request_id, by, marks.near_misses)
        if before.says_the_same(after):
            return request
        sha256 = after.sha256 if after else None
        if sha256:
            self.documents.save_document(redactions_key(request_id, sha256), after.document)
        detail = {
            "values": len(after.values),
            "pages": len(after.pages),
            "attachments": len(after.attachments),
            "sha256": sha256,
        }

        def decide(found: SubjectRequest) -> Change:
            if found.state in ENDED or found.state is RequestState.ARCHIVED:
                raise WrongStateError(f"is {found.state.value}: nothing is taken out of it any more")
            if found.redactions_sha256 != request.redactions_sha256:
                raise PagesMovedError("Somebody else has just changed what is taken out: look again")
            people = tuple(dict.fromkeys((*found.redacted_by, by)))
            marked = replace(found, redactions_sha256=sha256, redacted_by=people, review=True)
            return Change(marked, Action(by, "REDACTIONS_SET", detail))

        return self.store.change(request_id, decide).request

    def decide(self, request_id: str, by: str, near_misses: Sequence[NearMark]) -> SubjectRequest:
        """Note that near misses stay in the report, and why; nothing is drawn again for that.

        Raises
        ------
        UnknownRequestError
            There is no such request.
        WrongStateError
            It has ended, or somebody else decides at the same moment.
        InvalidInputError
            A place is no near miss of the part as it is drawn, or there is no reason; names each.
        """
        request, salt = self._found(request_id), token_hex()
        parts = {part.service: part for part in self.store.parts(request_id)}
        after = self._drawn.decided(request).with_these(self._staying(near_misses, parts, by), salt)
        self.documents.save_document(near_misses_key(request_id, after.sha256), after.document)
        detail: dict[str, JsonValue] = {
            "decided": len(near_misses),
            "open": sum(self._open(part, after) for part in parts.values()),
            "sha256": after.sha256,
        }

        def decide(found: SubjectRequest) -> Change:
            if found.state in ENDED or found.state is RequestState.ARCHIVED:
                raise WrongStateError(f"is {found.state.value}: nothing is decided about it any more")
            if found.near_misses_sha256 != request.near_misses_sha256:
                raise WrongStateError("has just been decided about by somebody else: look again")
            # Who says that something stays does not approve it.
            people = tuple(dict.fromkeys((*found.redacted_by, by)))
            decided = replace(found, near_misses_sha256=after.sha256, redacted_by=people)
            return Change(decided, Action(by, "NEAR_MISSES_DECIDED", detail))

        return self.store.change(request_id, decide).request

    def _staying(self, near_misses: Sequence[NearMark], parts: Mapping[str, Part], by: str) -> list[Stays]:
        errors, stays = list[FieldError](), []
        at = self.now().isoformat(timespec="seconds")
        for index, one in enumerate(near_misses):
            part = parts.get(one.service)
            summary = self._drawn.summary(part) if part else None
            if part is None or summary is None or not summary.near_misses:
                errors.append(FieldError(f"nearMisses[{index}].service", "has no near misses"))
            elif one.path is not None and all(place.place != one.path for place in summary.near):
                errors.append(FieldError(f"nearMisses[{index}].path", "is no near miss of the part as it is drawn"))
            else:
                try:
                    reason = reason_of(one.reason)
                except InvalidInputError as error:
                    errors += [FieldError(f"nearMisses[{index}].reason", each.message) for each in error.errors]
                else:
                    near = [place for place in summary.near if one.path in {None, place.place}]
                    count = summary.near_misses if one.path is None else len(near)
                    listed = tuple((place.place, place.kind) for place in near)
                    answer = part.answer_key or ""
                    stays.append(Stays(one.service, one.path or "", reason, by, at, answer, listed, count))
        if errors:
            raise InvalidInputError(*errors)
        return stays

    @property
    def _drawn(self) -> DrawnParts:
        return DrawnParts(self.store, self.documents)

    def _open(self, part: Part, decided: Decided) -> int:
        summary = self._drawn.summary(part)
        return undecided(part, summary, decided) if summary else 0

    def marks(self, request_id: str, by: str) -> Redactions:
        """Return what is taken out of a request's report, and record who looked."""
        request = self._found(request_id)
        self.store.record(request_id, Action(by, "REDACTIONS_VIEWED", {}))
        return self._current(request)

    def render(self, request_id: str, by: str) -> SubjectRequest:
        """Have the report drawn again from the answers that are there; then it is to be reviewed.

        Raises
        ------
        UnknownRequestError
            There is no such request.
        WrongStateError
            It has ended, or somebody works on it.
        AnswersGoneError
            A part was made outside, or what it was drawn from is not there.
        """
        parts, now = self.store.parts(request_id), self.now()

        def decide(request: SubjectRequest) -> Change:
            if request.state not in _DRAWN_AGAIN | {RequestState.PENDING}:
                raise WrongStateError(f"is {request.state.value}, and cannot be drawn again now")
            outside = [
                part.service for part in parts if part.render_status is PartStatus.COMPLETE and not part.answer_key
            ]
            if outside:
                raise AnswersGoneError(f"The answers of {', '.join(outside)} are not kept here: restart it, fresh")
            again = [drawn_again(part) for part in parts if part.render_status is PartStatus.COMPLETE]
            after = replace(opened_again(without_report(request)), review=True, active_since=now)
            return Change(after, Action(by, "RENDER_ASKED", {"parts": len(again)}), again)

        return self.store.change(request_id, decide).request

    def _part(self, request: SubjectRequest, part: Part, decided: Decided) -> dict[str, Any]:
        summary = self._drawn.summary(part)
        stored = self.store.attachments(request.request_id, part.service, part.generation)
        outcomes = {one.number: one for one in summary.attachments} if summary else {}
        return {
            "serviceName": part.service,
            "serviceLabel": part.label,
            "renderStatus": part.render_status.value,
            "errorCode": part.error_code,
            "pages": part.pages,
            "redacted": summary.redacted if summary else 0,
            "redactedLeft": summary.redacted_left if summary else 0,
            "nearMisses": summary.near_misses if summary else 0,
            "nearMissesOpen": undecided(part, summary, decided) if summary else 0,
            "notSearched": not_searched(part, summary, stored) if summary else 0,
            "near": _near(part, summary, decided) if summary else [],
            "warnings": _warnings(summary) if summary else [],
            "current": part.part_key is None or part.redactions_sha256 == request.redactions_sha256,
            "attachments": [_attachment(one, outcomes.get(one.number)) for one in stored],
        }

    def _found(self, request_id: str) -> SubjectRequest:
        request = self.store.request(request_id)
        if request is None:
            raise UnknownRequestError("There is no such request")
        return request

    def _part_of(self, request_id: str, service: str) -> Part:
        self._found(request_id)
        part = next((part for part in self.store.parts(request_id) if part.service == service), None)
        if part is None:
            raise NotFoundError("The request has no part of this service")
        return part

    def _answer(self, part: Part) -> Json:
        text = self.documents.document(part.answer_key, _MOST_ANSWER_BYTES) if part.answer_key else None
        if text is None:
            raise AnswersGoneError(f"The answer of {part.service} is not there, or has more than 20 MB")
        try:
            answer = json.loads(text, parse_float=Number, parse_int=Number)
        except (ValueError, RecursionError):
            raise AnswersGoneError(f"The answer of {part.service} cannot be read") from None
        return answer.get("content") if isinstance(answer, dict) else None

    def _current(self, request: SubjectRequest) -> Redactions:
        if request.redactions_sha256 is None:
            return Redactions()
        key = redactions_key(request.request_id, request.redactions_sha256)
        text = self.documents.document(key, _MOST_DOCUMENT_BYTES)
        if text is None:
            raise AnswersGoneError("What was taken out of the report is not noted any more: restart it, fresh")
        return Redactions.of(text)

    def _resolved(self, request_id: str, marks: Marks, parts: Mapping[str, Part]) -> Redactions:
        """Return the marks of values and attachments with the texts that they name."""
        errors: list[FieldError] = []
        answers: dict[str, Json] = {}
        values = []
        for index, mark in enumerate(marks.values):
            try:
                values.append(self._value(mark, parts, answers))
            except InvalidInputError as error:
                errors += [FieldError(f"values[{index}].{one.field}", one.message) for one in error.errors]
        attachments = []
        for index, one in enumerate(marks.attachments):
            part = parts.get(one.service)
            numbers = self._numbers(request_id, part) if part else frozenset[int]()
            if one.number not in numbers:
                errors.append(
                    FieldError(f"attachments[{index}].number", "is the number of no attachment of the service")
                )
            reason, exemption = _said(one)
            attachments.append(MarkedAttachment(one.service, one.number, reason, exemption))
        if errors:
            raise InvalidInputError(*errors)
        return Redactions(tuple(values), (), tuple(sorted(attachments, key=lambda one: (one.service, one.number))))

    def _numbers(self, request_id: str, part: Part) -> frozenset[int]:
        found = self.store.attachments(request_id, part.service, part.generation)
        return frozenset(one.number for one in found)

    def _value(self, mark: ValueMark, parts: Mapping[str, Part], answers: dict[str, Json]) -> MarkedValue:
        reason, exemption = _said(mark)
        service = mark.service or ""
        if (mark.path is None) == (mark.text is None):
            raise InvalidInputError(FieldError("path", "or a text is needed, and not both"))
        if (mark.path or service) and service not in parts:
            raise InvalidInputError(FieldError("service", "must be a service of this request"))
        texts: Sequence[str] = (mark.text.strip(),) if mark.text is not None else ()
        if mark.path is not None:
            texts = self._texts(mark.path, parts[service], answers)
        elif is_short(texts[0]):
            raise InvalidInputError(FieldError("text", "has fewer than three letters or digits: name it by its path"))
        return MarkedValue(
            service,
            mark.path or "",
            tuple(texts),
            reason,
            exemption,
            mark.everywhere or mark.path is None,
            mark.kind or "",
            mark.given_name,
        )

    def _texts(self, path: str, part: Part, answers: dict[str, Json]) -> Sequence[str]:
        try:
            steps_of(path)
        except ValueError as error:
            raise InvalidInputError(FieldError("path", str(error))) from None
        if part.service not in answers:
            answers[part.service] = self._answer(part)
        texts = texts_at(answers[part.service], path)
        if texts is None:
            raise InvalidInputError(FieldError("path", f"names nothing in the answer of {part.service}"))
        return texts

    def _on_pages(
        self,
        marks: Marks,
        parts: Mapping[str, Part],
        request: SubjectRequest,
        before: Redactions,
        after: Redactions,
    ) -> tuple[MarkedPage, ...]:
        errors, found = [], []
        for index, mark in enumerate(marks.pages):
            part = parts.get(mark.service)
            if part is None or not 1 <= mark.page <= (part.pages or 0):
                errors.append(FieldError(f"pages[{index}].page", "is no page of the service's part"))
                continue
            if part.redactions_sha256 != request.redactions_sha256 or before.layout(part) != after.layout(part):
                raise PagesMovedError(
                    "Values and attachments move pages: draw the report with them first, then mark pages"
                )
            reason, exemption = _said(mark)
            found.append(MarkedPage(mark.service, mark.page, reason, exemption, after.layout(part)))
        if errors:
            raise InvalidInputError(*errors)
        return tuple(sorted(found, key=lambda one: (one.service, one.page)))


def drawn_again(part: Part) -> Part:
    """Return a part as it is to be drawn again from its answer; asked for again where that was never here."""
    if part.answer_key is None:
        return Part(part.service, part.label, part.rank, part.category)
    return replace(
        part,
        render_status=PartStatus.FETCHED,
        part_key=None,
        sha256=None,
        pages=None,
        rendered_at=None,
        rules_sha256=None,
        redactions_sha256=None,
    )


def _near(part: Part, summary: PartSummary, decided: Decided) -> list[dict[str, Any]]:
    about = about_near(part, summary, decided)
    said = [(place, about.at(place)) for place in summary.near]
    return [
        {
            "path": place.place,
            "kind": place.kind,
            "stays": {"reason": one.reason, "by": one.by, "at": one.at} if one else None,
        }
        for place, one in said
    ]


def _warnings(summary: PartSummary) -> list[str]:
    """Say what is taken out so often that it is perhaps not what somebody meant."""
    return [
        f"{mark} is taken out in {count:,} places of this part"
        for mark, count in summary.taken.items()
        if count >= _OFTEN
    ]


def _attachment(one: Attachment, outcome: AttachmentOutcome | None) -> dict[str, Any]:
    withheld = outcome.problem if outcome else None
    shown = outcome is not None and not outcome.redacted and withheld is None
    return {
        "number": one.number,
        "name": one.name,
        "fileName": one.filename,
        "contentType": one.content_type,
        "bytes": one.stored_bytes,
        "firstPage": outcome.page if outcome else None,
        "pages": outcome.pages if outcome else None,
        "shown": shown,
        "redacted": outcome is not None and outcome.redacted,
        "searched": outcome is not None and outcome.searched,
        "withheld": withheld,
    }


def _said(mark: ReasonedMark) -> tuple[str, str]:
    return reason_of(mark.reason), reason_of(mark.exemption, "exemption") if mark.exemption is not None else ""


def _shown(value: Json) -> Json:
    if isinstance(value, Number | str):
        return str(value)[:_SHOWN]
    return value if value is None or isinstance(value, bool) else json.dumps(value)


def _position(cursor: str | None, about: tuple[object, ...]) -> int:
    if cursor is None:
        return 0
    found = list_position(cursor, *about).get("at")
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise InvalidInputError(FieldError("cursor", "is not a cursor of this list"))
    return found
