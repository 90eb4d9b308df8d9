"""What is written to the person who asked, or to who asked for them: receipt, extension, refusal, with the report.

UK GDPR Articles 12(3), 12(4), 12A and 15(1) and (2); Data Protection Act 2018, sections 45, 53, 54 and 164A; ICO,
"Right of access" (supplementary information; explain codes; tell people how to complain).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from pydantic import Field

from waybill.core.clock import date_in_words
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.bodies import Body, reason_of
from waybill.subject_access.domain.deadlines import LegalClock, london_day
from waybill.subject_access.domain.ports import Change, RequestStore
from waybill.subject_access.errors import WrongStateError
from waybill.subject_access.models import Hold, HoldReason, PartState, PartStatus, Regime, RequestState, SubjectRequest


class LetterKind(StrEnum):
    """Which letter."""

    ACKNOWLEDGEMENT = "acknowledgement"
    EXTENSION = "extension"
    REFUSAL = "refusal"
    COVER = "cover"


type _Text = Annotated[str, Field(max_length=500)]


class LetterTexts(Body):
    """What a letter says that no request knows; all of it may be left out."""

    controller: _Text | None = Field(
        default=None, description="Who answers, as the letter is signed", examples=["Data Protection Team"]
    )
    contact: _Text | None = Field(
        default=None, description="Where to write to", examples=["data.protection@example.org"]
    )
    purposes: _Text | None = Field(
        default=None, description="What the data is used for", examples=["Managing sentences"]
    )
    recipients: _Text | None = Field(
        default=None, description="Who gets it", examples=["Courts and probation services"]
    )
    retention: _Text | None = Field(
        default=None, description="How long it is kept", examples=["Seven years after the sentence has ended"]
    )
    codes: Annotated[dict[str, _Text], Field(max_length=100)] = Field(
        default_factory=dict, description="What codes in the report mean", examples=[{"NFA": "No further action"}]
    )


@dataclass(frozen=True)
class Words:
    """A letter in words: paragraphs, then rows of names and values under headings."""

    addressee: str
    on: date
    title: str
    lines: tuple[str, ...]
    tables: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    signed: str


@dataclass(frozen=True)
class Letters:
    """Writes letters; each is recorded, and nothing else changes."""

    store: RequestStore
    clock: Callable[[], LegalClock]
    draw: Callable[[Words, Path, Path], None]
    now: Callable[[], datetime]

    def letter(self, request_id: str, by: str, kind: LetterKind, texts: LetterTexts) -> bytes:
        """Return a letter as a PDF.

        Raises
        ------
        UnknownRequestError
            There is no such request.
        WrongStateError
            What the letter says is not so: the request has ended, is not extended, not refused, or has no report.
        InvalidInputError
            A text is more than one line.
        """
        given = {name: reason_of(text, name) for name, text in texts.model_dump(exclude={"codes"}).items() if text}

        def decide(request: SubjectRequest) -> Change:
            _refuse_untrue(kind, request)
            return Change(request, Action(by, "LETTER_DRAWN", {"letter": kind.value}))

        request = self.store.change(request_id, decide).request
        words = self._words(request, kind, given, texts.codes)
        with TemporaryDirectory() as folder:
            work = Path(folder, "work")
            work.mkdir()
            self.draw(words, Path(folder, "letter.pdf"), work)
            return Path(folder, "letter.pdf").read_bytes()

    def _words(
        self, request: SubjectRequest, kind: LetterKind, given: Mapping[str, str], codes: Mapping[str, str]
    ) -> Words:
        promise = _promise(self.clock(), request)
        match kind:
            case LetterKind.ACKNOWLEDGEMENT:
                title, lines = "We have received your request", _received(request, promise)
            case LetterKind.EXTENSION:
                title, lines = "We need more time to answer your request", _extended(request, promise)
            case LetterKind.REFUSAL:
                title, lines = "We will not answer your request", _refused(request)
            case _:
                title, lines = "Our answer to your request", _answered(request, is_late=self.clock().is_late(request))
        tables = _tables(request, given, codes) if kind is LetterKind.COVER else ()
        return Words(
            request.requester_name or request.subject_name or "",
            london_day(self.now()),
            f"{title}: {request.sar_case_reference_number}",
            (*_about(request), *lines, *_rights(request, given.get("contact"))),
            tables,
            given.get("controller", "for the data controller"),
        )


def _refuse_untrue(kind: LetterKind, request: SubjectRequest) -> None:
    if kind in {LetterKind.ACKNOWLEDGEMENT, LetterKind.EXTENSION} and request.law_ended_on is not None:
        raise WrongStateError(f"is {request.state.value}: no answer is to be promised any more")
    if kind is LetterKind.EXTENSION and not request.extended:
        raise WrongStateError("is not extended: extend it first")
    if kind is LetterKind.REFUSAL and request.state is not RequestState.REFUSED:
        raise WrongStateError("is not refused: refuse it first")
    if kind is LetterKind.COVER and request.state not in {RequestState.COMPLETED, RequestState.DELIVERED}:
        raise WrongStateError("has no report that may be handed over")
    if request.state is RequestState.ARCHIVED:
        raise WrongStateError("is archived")


def _about(request: SubjectRequest) -> Sequence[str]:
    whose = f" about {request.subject_name or request.subject_id}" if request.requester_name else ""
    by_law = (
        "section 45 of the Data Protection Act 2018"
        if request.regime is Regime.LAW_ENFORCEMENT
        else "Article 15 of the UK GDPR"
    )
    received = date_in_words(request.received)
    return [f"You asked for a copy of personal data{whose}, under {by_law}. It came on {received}."]


def _promise(clock: LegalClock, request: SubjectRequest) -> str:
    """Return by when an answer comes: no letter promises a day that has passed, or one that nobody knows yet."""
    due = date_in_words(clock.deadline(request).due)
    if request.waits:
        return _waiting(request)
    if clock.is_past_due(request):
        return f"We should have answered by {due}, and are sorry that we have not. We will answer as soon as we can."
    return f"We will answer by {due}."


def _received(request: SubjectRequest, promise: str) -> Sequence[str]:
    return [promise, *_notes(request.waits)]


def _waiting(request: SubjectRequest) -> str:
    waits = [_WAITS[hold.reason] for hold in request.waits]
    paused = all(hold.reason is HoldReason.CLARIFICATION for hold in request.waits)
    begins = "The days until it comes do not count." if paused else "The time to answer begins when it comes."
    return f"Before we can answer we need {' and '.join(waits)}. {begins}"


_WAITS = {
    HoldReason.IDENTITY: "proof of who you are",
    HoldReason.FEE: "the fee that we asked for",
    HoldReason.CLARIFICATION: "to know more closely what you ask for",
}


def _notes(holds: Sequence[Hold]) -> Sequence[str]:
    return [hold.note for hold in holds if hold.note]


def _extended(request: SubjectRequest, promise: str) -> Sequence[str]:
    return [
        "Because of the complexity of your request, or the number of your requests, we need up to two further months.",
        f"The reason is: {request.extension_reason}",
        promise,
    ]


def _refused(request: SubjectRequest) -> Sequence[str]:
    told = f" on {date_in_words(request.law_ended_on)}" if request.law_ended_on else ""
    return [
        f"We decided{told} to refuse the request. The ground is: {request.refusal_ground}.",
        str(request.end_reason),
    ]


def _answered(request: SubjectRequest, *, is_late: bool) -> Sequence[str]:
    begin = date_in_words(request.date_from) if request.date_from else "the start of the record"
    period = f"With this letter comes the copy of what is held, from {begin} to {date_in_words(request.date_to)}."
    package = (
        "Files that cannot be printed, or not as a whole, come beside it, with a list of them: it says why where one "
        "does not come."
        if request.withholds
        else ""
    )
    reason = f" The reason is: {request.late_reason}" if request.late_reason else ""
    late = f"This answer is late, and we are sorry for that.{reason}" if is_late or reason else ""
    # By rules of the services as well as by people.
    taken = "Some information is left out. Each place says why, in square brackets." if request.takes_out else ""
    return [one for one in (period, package, taken, late) if one]


def _tables(
    request: SubjectRequest, given: Mapping[str, str], codes: Mapping[str, str]
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    searched = tuple((part.label, _outcome(part)) for part in request.services.values())
    more = tuple((name.capitalize(), given[name]) for name in ("purposes", "recipients", "retention") if name in given)
    gaps = tuple((request.services[name].label, gap.reason) for name, gap in request.issued_without.items())
    said = (("Where we looked", searched), ("What is missing", gaps), ("About this data", more))
    return (*(one for one in said if one[1]), *([("What codes mean", tuple(sorted(codes.items())))] if codes else []))


_OUTCOMES = {
    PartStatus.COMPLETE: "what is held is in the report",
    PartStatus.NO_DATA: "nothing is held",
    PartStatus.NOT_SUPPORTED: "holds no records under this type of number",
}


def _outcome(part: PartState) -> str:
    """Return what came of asking a service; what is left out of its part, or comes beside it, is said."""
    outcome = _OUTCOMES.get(part.status, "not answered")
    if part.status is not PartStatus.COMPLETE:
        return outcome
    files = f", but for {part.withheld_count:,} of its files, or parts of them" if part.withheld_count else ""
    left_out = "; something is left out of it" if part.taken else ""
    return outcome + files + left_out


def _rights(request: SubjectRequest, contact: str | None) -> Sequence[str]:
    where = f" at {contact}" if contact else ""
    refused = request.state is RequestState.REFUSED
    # UK GDPR Article 15(1)(e); Data Protection Act 2018, section 45(2)(e), which knows no right to object.
    object_too = "" if request.regime is Regime.LAW_ENFORCEMENT else ", or object to it"
    more = "" if refused else f"You may ask us to correct or erase data, or to restrict its use{object_too}. "
    return [
        f"{more}You may complain to us{where}; we acknowledge a complaint within 30 days. You may also complain to the "
        "Information Commissioner (ico.org.uk), and ask a court to enforce your right."
    ]
