"""What is wrong about a request is corrected (UK GDPR Articles 5(1)(d) and 16), and what follows from it done again."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from pydantic import Field

from waybill.core.errors import ConflictError, FieldError, InvalidInputError
from waybill.subject_access.domain.audit import Action, sealed
from waybill.subject_access.domain.bodies import Body, day_of, reason_of
from waybill.subject_access.domain.claims import opened_again, without_report
from waybill.subject_access.domain.deadlines import deadline, london_day
from waybill.subject_access.domain.intake import Checks
from waybill.subject_access.domain.ports import Change, RequestStore
from waybill.subject_access.errors import WrongStateError
from waybill.subject_access.models import (
    ENDED,
    HELD,
    Part,
    PartStatus,
    Regime,
    RequestState,
    SubjectRequest,
)

if TYPE_CHECKING:
    from pydantic import JsonValue

_PERSON = ("nomis_id", "ndelius_id")
_PERIOD = ("date_from", "date_to")
# What stands on the pages of every part, in its header.
_ON_PAGES = ("subject_name", *_PERSON)
_PRINTED = (*_ON_PAGES, *_PERIOD, "sar_case_reference_number")
_OUTSIDE = {
    "nomis_id": "nomisId",
    "ndelius_id": "ndeliusId",
    "date_from": "dateFrom",
    "date_to": "dateTo",
    "subject_name": "subjectName",
    "sar_case_reference_number": "sarCaseReferenceNumber",
    "received": "receivedDate",
    "regime": "regime",
}


class Correction(Body):
    """The fields that were wrong, as they are right; and why. What is left out stays."""

    reason: str | None = Field(default=None, description="Why, in one line; needed", examples=["Misspelt"])
    nomis_id: str | None = Field(
        default=None, description="The person in prison records, as long as no service was asked", examples=["A1234AA"]
    )
    ndelius_id: str | None = Field(
        default=None, description="The person in probation records, as long as no service was asked", examples=[None]
    )
    date_from: str | None = Field(
        default=None, description="The first day that is asked about, dd/MM/yyyy", examples=["01/01/2020"]
    )
    date_to: str | None = Field(
        default=None, description="The last day that is asked about, dd/MM/yyyy", examples=["31/10/2026"]
    )
    sar_case_reference_number: str | None = Field(
        default=None, description="The reference of the case, at most 20 characters", examples=["SAR-2026-42"]
    )
    subject_name: str | None = Field(
        default=None, description="The name of the person, for the report", examples=["Jo Bloggs"]
    )
    received_date: str | None = Field(
        default=None, description="The day on which the request was received, dd/MM/yyyy", examples=["02/11/2026"]
    )
    regime: Regime | None = Field(default=None, description="Which law sets the time limit")


@dataclass(frozen=True)
class Corrections:
    """Corrects requests; each correction is one write with its audit entry."""

    store: RequestStore
    now: Callable[[], datetime]

    def correct(self, request_id: str, by: str, correction: Correction) -> SubjectRequest:
        """Correct a request. What was drawn with the old values is drawn again; with another period, asked again.

        Raises
        ------
        InvalidInputError
            A value breaks the rules for new requests or contradicts what came to pass since, nothing is to be
            corrected, or there is no reason.
        WrongStateError
            It has ended.
        ConflictError
            The id of the person is to be another one, and services were asked already: that is a new request.
        """
        reason, today = reason_of(correction.reason), london_day(self.now())
        parts = self.store.parts(request_id)

        def decide(request: SubjectRequest) -> Change:
            if request.state in ENDED or request.state is RequestState.ARCHIVED:
                raise WrongStateError(f"is {request.state.value}, and cannot be corrected any more")
            wanted = _wanted(correction, request, today)
            changed = {name: value for name, value in wanted.items() if value != getattr(request, name)}
            if not changed:
                raise InvalidInputError(FieldError("input", "must name a field that is wrong, with another value"))
            if not changed.keys().isdisjoint(_PERSON) and request.generation:
                raise ConflictError("Services were asked about this person already: for another one make a new request")
            _refuse_contradictions(replace(request, **changed), changed.keys(), today)
            again = _again(parts, changed.keys())
            salt = request.correction_salt or token_hex()
            after = replace(request, **changed, correction_salt=salt)
            if not changed.keys().isdisjoint(_PRINTED) and (request.report_key or again):
                after = _to_be_drawn(after)
            return Change(after, Action(by, "CORRECTED", _detail(request, changed, reason, salt)), again)

        return self.store.change(request_id, decide).request


def _wanted(correction: Correction, request: SubjectRequest, today: date) -> dict[str, Any]:
    """Return the values of the fields that the correction names, after the rules for new requests."""
    checks, given = Checks(today), correction.model_fields_set
    wanted: dict[str, Any] = {}
    if "nomis_id" in given or "ndelius_id" in given:
        wanted |= checks.person(correction.nomis_id, correction.ndelius_id)
    if "date_from" in given:
        wanted["date_from"] = checks.day("dateFrom", _british(correction.date_from))
    if "date_to" in given:
        wanted["date_to"] = checks.day("dateTo", _british(correction.date_to), needed=True)
    first, last = (wanted.get(name, getattr(request, name)) for name in _PERIOD)
    if isinstance(first, date) and isinstance(last, date) and first > last:
        checks.errors.append(FieldError("dateFrom", "must not be after dateTo"))
    if "sar_case_reference_number" in given:
        wanted["sar_case_reference_number"] = checks.reference(correction.sar_case_reference_number)
    if "subject_name" in given:
        wanted["subject_name"] = checks.name(correction.subject_name)
    if checks.errors:
        raise InvalidInputError(*checks.errors)
    if "received_date" in given:
        wanted["received"] = day_of("receivedDate", correction.received_date or "", today, today)
    if correction.regime is not None:
        wanted["regime"] = correction.regime
    return wanted


def _refuse_contradictions(after: SubjectRequest, changed: Collection[str], today: date) -> None:
    """Refuse a day of receipt behind what came to pass since, and one that makes an extension come too late."""
    asked = [(hold.since, f"the person was asked for {hold.reason.value}") for hold in after.holds]
    if after.extended_on:
        asked.append((after.extended_on, "the person was told of the extension"))
    first = min(asked, default=None)
    if "received" in changed and first and first[0] < after.received:
        raise InvalidInputError(
            FieldError("receivedDate", f"must not be after {first[0].isoformat()}, when {first[1]}")
        )
    if after.extended_on and not {"received", "regime"}.isdisjoint(changed):
        known = (after.received, after.regime, after.holds)
        last = deadline(*known, extended=False, bank_holidays=(), today=today).notice_by
        if after.extended_on > last:
            field = "receivedDate" if "received" in changed else "regime"
            said = f"would end the month for telling of the extension on {last.isoformat()}: take that back first"
            raise InvalidInputError(FieldError(field, said))


def _british(text: str | None) -> str | None:
    """Return a day as new requests have it; what is no ISO date is left to their rules."""
    try:
        return f"{date.fromisoformat(text.strip()):%d/%m/%Y}" if text else text
    except ValueError:
        return text


def _again(parts: Sequence[Part], changed: Collection[str]) -> list[Part]:
    """Return the parts that are to be made again, as they are by then."""
    if set(changed).isdisjoint((*_ON_PAGES, *_PERIOD)):
        return []
    return [
        Part(part.service, part.label, part.rank, part.category)
        for part in parts
        if part.render_status is not PartStatus.PENDING
    ]


def _to_be_drawn(request: SubjectRequest) -> SubjectRequest:
    """Return a request whose report, if it has one, is not right any more."""
    after = without_report(request)
    if request.state in HELD or request.state is RequestState.PENDING:
        return after
    return replace(opened_again(after), state=request.waits[-1].reason.state if request.waits else RequestState.PENDING)


def _detail(request: SubjectRequest, changed: Mapping[str, object], reason: str, salt: str) -> "dict[str, JsonValue]":
    """Return what the trail says: the names of the fields, and their values sealed."""
    fields: dict[str, JsonValue] = {
        _OUTSIDE[name]: {"old": sealed(str(getattr(request, name)), salt), "new": sealed(str(value), salt)}
        for name, value in changed.items()
    }
    return {"fields": fields, "reasonSha256": sealed(reason, salt)}
