"""What a new request must say: the rules of the case workers' form, enforced for every caller."""

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from pydantic import Field, StrictBool

from waybill.core.errors import ConflictError, FieldError, InvalidInputError
from waybill.core.executions import id_for, stable_json
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.bodies import Body
from waybill.subject_access.domain.deadlines import london_day
from waybill.subject_access.domain.ports import Change, RequestStore
from waybill.subject_access.errors import WrongStateError
from waybill.subject_access.models import Part, Regime, RequestState, SubjectRequest
from waybill.subject_access.service_models import Service, report_order

if TYPE_CHECKING:
    from pydantic import JsonValue

_NOMIS = re.compile(r"[A-Z][0-9]{4}[A-Z]{2}")
_NDELIUS = re.compile(r"[A-Z][0-9]{6}")
_DATE = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_LONGEST_REFERENCE = 20
_LONGEST_NAME = 200
# One transaction writes the request, its audit entry and its parts.
_MOST_SERVICES = 90
# What a copy has from its original.
_COPIED = (
    "date_from",
    "date_to",
    "sar_case_reference_number",
    "nomis_id",
    "ndelius_id",
    "received",
    "regime",
    "extended",
    "extended_on",
    "extension_reason",
    "extension_salt",
    "subject_name",
    "requester_name",
    "requester_authority",
    "review",
)


class NewRequest(Body):
    """Whom and what a new request is about; dates are dd/MM/yyyy, and exactly one identifier names the person."""

    nomis_id: str | None = Field(
        default=None,
        description="The person in prison records: a letter, four digits and two letters",
        examples=["A1234AA"],
    )
    ndelius_id: str | None = Field(
        default=None, description="The person in probation records, instead: a letter and six digits", examples=[None]
    )
    date_from: str | None = Field(
        default=None,
        description="The first day that is asked about, dd/MM/yyyy; without it, all",
        examples=["01/01/2020"],
    )
    date_to: str | None = Field(
        default=None, description="The last day that is asked about, dd/MM/yyyy; needed", examples=["31/10/2026"]
    )
    sar_case_reference_number: str | None = Field(
        default=None, description="The reference of the case, at most 20 characters; needed", examples=["SAR-2026-42"]
    )
    services: tuple[str, ...] = Field(
        default=(), description="The services to ask, by name; at least one", examples=[["keyworker-api"]]
    )
    subject_name: str | None = Field(
        default=None, description="The name of the person, for the report", examples=["Jo Bloggs"]
    )
    requester_name: str | None = Field(
        default=None, description="Who asks for the person, where somebody else does", examples=["Smith Solicitors"]
    )
    requester_authority: str | None = Field(
        default=None,
        description="What lets them ask, in one line; needed with their name",
        examples=["Form of authority signed on 1 October 2026"],
    )
    received_date: str | None = Field(
        default=None,
        description="The day on which the request was received, dd/MM/yyyy; without it, today",
        examples=["02/11/2026"],
    )
    regime: Regime = Field(default=Regime.UK_GDPR, description="Which law sets the time limit")
    review: StrictBool = Field(default=False, description="Whether somebody has to approve the report")


@dataclass(frozen=True)
class Accepted:
    """A new request that keeps the rules; `received` is None where it is the day on which it is stored."""

    nomis_id: str | None
    ndelius_id: str | None
    date_from: date | None
    date_to: date
    reference: str
    services: tuple[Service, ...]
    subject_name: str | None
    requester_name: str | None
    requester_authority: str | None
    received: date | None
    regime: Regime
    review: bool

    @property
    def fingerprint(self) -> str:
        """What tells it from any other."""
        said = [str(getattr(self, name)) for name in self.__dataclass_fields__ if name != "services"]
        said += [service.name for service in self.services]
        return hashlib.sha256(stable_json({"said": said}).encode()).hexdigest()


@dataclass
class Checks:
    """The rules, each of which adds what it finds wrong."""

    today: date
    errors: list[FieldError] = field(default_factory=list)

    def identifier(self, name: str, value: str | None, form: re.Pattern[str], wanted: str) -> str | None:
        """Return an identifier in capitals, None for none; `wanted` says what has the `form`."""
        text = (value or "").strip()
        # Outside of ASCII other letters have capitals among A to Z too, such as the long s.
        if text.isascii():
            text = text.upper()
        if not text:
            return None
        if not form.fullmatch(text):
            self.errors.append(FieldError(name, f"must be {wanted}"))
        return text

    def day(self, name: str, value: str | None, *, needed: bool = False) -> date | None:
        """Return a day that is not in the future."""
        text = (value or "").strip()
        if not text:
            if needed:
                self.errors.append(FieldError(name, "is needed"))
            return None
        found = _DATE.fullmatch(text)
        try:
            day = date(int(found[3]), int(found[2]), int(found[1])) if found else None
        except ValueError:
            day = None
        if day is None:
            self.errors.append(FieldError(name, "must be a date, dd/MM/yyyy"))
        elif day > self.today:
            self.errors.append(FieldError(name, "must not be in the future"))
        return day

    def line(self, name: str, value: str | None, longest: int, *, needed: bool) -> str:
        """Return a line of at most `longest` characters that can be printed."""
        text = (value or "").strip()
        if needed and not text:
            self.errors.append(FieldError(name, "is needed"))
        elif len(text) > longest:
            self.errors.append(FieldError(name, f"must have at most {longest} characters"))
        elif text and not text.isprintable():
            self.errors.append(FieldError(name, "must have printable characters only"))
        return text

    def person(self, nomis_id: str | None, ndelius_id: str | None) -> dict[str, str | None]:
        """Return the one identifier of the person."""
        nomis = self.identifier("nomisId", nomis_id, _NOMIS, "a letter, four digits and two letters")
        ndelius = self.identifier("ndeliusId", ndelius_id, _NDELIUS, "a letter and six digits")
        if nomis is None and ndelius is None:
            self.errors.append(FieldError("nomisId", "is needed, or ndeliusId"))
        if nomis is not None and ndelius is not None:
            self.errors.append(FieldError("ndeliusId", "must not be given with nomisId"))
        return {"nomis_id": nomis, "ndelius_id": ndelius}

    def reference(self, text: str | None) -> str:
        """Return the case reference."""
        return self.line("sarCaseReferenceNumber", text, _LONGEST_REFERENCE, needed=True)

    def name(self, text: str | None) -> str | None:
        """Return the name of the person, if it is known."""
        return self.line("subjectName", text, _LONGEST_NAME, needed=False) or None

    def requester(self, name: str | None, authority: str | None) -> tuple[str | None, str | None]:
        """Return who asks for the person, and what lets them: what is about somebody is not told to anybody."""
        who = self.line("requesterName", name, _LONGEST_NAME, needed=authority is not None)
        what = self.line("requesterAuthority", authority, _LONGEST_NAME, needed=name is not None)
        return who or None, what or None

    def chosen(self, names: Sequence[str], known: Mapping[str, Service]) -> tuple[Service, ...]:
        """Return the services of these names, in the order of the report."""
        if not names:
            self.errors.append(FieldError("services", "must name at least one service"))
        if len(names) > _MOST_SERVICES:
            self.errors.append(FieldError("services", f"must name at most {_MOST_SERVICES} services"))
        found = {}
        for index, name in enumerate(names):
            service = known.get(name.strip())
            if service is None or not service.enabled:
                self.errors.append(FieldError(f"services[{index}]", "is not a service that can be asked"))
            else:
                found[service.name] = service
        ordered = sorted(found.values(), key=lambda one: report_order(one.name, one.label, one.category))
        return tuple(ordered)


def accept(new: NewRequest, known: Mapping[str, Service], today: date) -> Accepted:
    """Return what `new` asks for.

    Raises
    ------
    InvalidInputError
        It breaks the rules; names every field that does.
    """
    checks = Checks(today)
    person = checks.person(new.nomis_id, new.ndelius_id)
    first, last = checks.day("dateFrom", new.date_from), checks.day("dateTo", new.date_to, needed=True)
    if first and last and first > last:
        checks.errors.append(FieldError("dateFrom", "must not be after dateTo"))
    reference = checks.reference(new.sar_case_reference_number)
    name = checks.name(new.subject_name)
    requester, authority = checks.requester(new.requester_name, new.requester_authority)
    received = checks.day("receivedDate", new.received_date)
    services = checks.chosen(new.services, known)
    if checks.errors or last is None:
        raise InvalidInputError(*checks.errors)
    return Accepted(
        **person,
        date_from=first,
        date_to=last,
        reference=reference,
        services=services,
        subject_name=name,
        requester_name=requester,
        requester_authority=authority,
        received=received,
        regime=new.regime,
        review=new.review,
    )


def create(
    accepted: Accepted, by: str, now: datetime, store: RequestStore, idempotency_key: str | None
) -> SubjectRequest:
    """Store the request; with an idempotency key once per caller and key.

    Raises
    ------
    ConflictError
        The key was used for another request.
    """
    request_id = id_for(by, idempotency_key) if idempotency_key else str(uuid.uuid4())
    request = SubjectRequest(
        request_id=request_id,
        state=RequestState.PENDING,
        date_from=accepted.date_from,
        date_to=accepted.date_to,
        sar_case_reference_number=accepted.reference,
        nomis_id=accepted.nomis_id,
        ndelius_id=accepted.ndelius_id,
        requested_by=by,
        requested_at=now,
        created_at=now,
        received=accepted.received or london_day(now),
        regime=accepted.regime,
        subject_name=accepted.subject_name,
        requester_name=accepted.requester_name,
        requester_authority=accepted.requester_authority,
        review=accepted.review,
        fingerprint=accepted.fingerprint,
    )
    parts = [_part(service, rank) for rank, service in enumerate(accepted.services)]
    stored = store.create(request, parts, Action(by, "CREATED", {"services": len(parts)}))
    if stored.state is not RequestState.ARCHIVED and stored.fingerprint != accepted.fingerprint:
        raise ConflictError("This Idempotency-Key was used for another request")
    return stored


def duplicate(
    request_id: str, by: str, now: datetime, store: RequestStore, idempotency_key: str | None = None
) -> SubjectRequest:
    """Store a new `Pending` copy of a request, owned by the caller, with every part to be asked for again.

    With an idempotency key, once per caller, request and key.

    Raises
    ------
    UnknownRequestError
        There is no such request.
    WrongStateError
        It is archived: what it asked for is not kept.
    """
    copy_id = id_for(by, f"{request_id}#{idempotency_key}") if idempotency_key else str(uuid.uuid4())

    def decide(original: SubjectRequest) -> tuple[Change, Action]:
        if original.state is RequestState.ARCHIVED:
            raise WrongStateError("The request is archived")
        parts = [Part(name, state.label, state.rank, state.category) for name, state in original.services.items()]
        detail: dict[str, JsonValue] = {"original": original.request_id, "services": len(parts)}
        change = Change(_copy(original, copy_id, by, now), Action(by, "CREATED", detail), parts)
        return change, Action(by, "DUPLICATED", {"copy": copy_id})

    return store.duplicate(request_id, copy_id, decide)


def _copy(original: SubjectRequest, copy_id: str, by: str, now: datetime) -> SubjectRequest:
    # The copy has the clock of its original: what that one waits for, its copy waits for as well.
    return SubjectRequest(
        request_id=copy_id,
        state=original.waits[-1].reason.state if original.waits else RequestState.PENDING,
        requested_by=by,
        requested_at=now,
        created_at=now,
        holds=original.holds,
        original_id=original.request_id,
        **{name: getattr(original, name) for name in _COPIED},
    )


def _part(service: Service, rank: int) -> Part:
    return Part(service.name, service.label, rank, service.category)
