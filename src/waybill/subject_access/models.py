"""Requests, their parts and claims. Names outside are those of the API, camelCase."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from waybill.core.wire import WireModel


class RequestState(StrEnum):
    """Where a request stands."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    AWAITING_IDENTITY = "AwaitingIdentity"
    ON_HOLD = "OnHold"
    NEEDS_ATTENTION = "NeedsAttention"
    READY_FOR_REVIEW = "ReadyForReview"
    COMPLETED = "Completed"
    DELIVERED = "Delivered"
    REFUSED = "Refused"
    WITHDRAWN = "Withdrawn"
    ERRORED = "Errored"
    ARCHIVED = "Archived"

    @property
    def status(self) -> str:
        """The status that the API knows: `Pending`, `Completed` or `Errored`; an archived request knows its own."""
        if self in REPORTED | ENDED or self is RequestState.ARCHIVED:
            return "Completed"
        return "Errored" if self in {RequestState.ERRORED, RequestState.NEEDS_ATTENTION} else "Pending"


CLAIMABLE = frozenset({RequestState.PENDING, RequestState.IN_PROGRESS})
HELD = frozenset({RequestState.AWAITING_IDENTITY, RequestState.ON_HOLD})
RESTARTABLE = frozenset({RequestState.ERRORED, RequestState.NEEDS_ATTENTION, RequestState.READY_FOR_REVIEW})
# Those that the duty to answer has ended for (UK GDPR Articles 12(3) and 12(4); Data Protection Act 2018, section 45).
ENDED = frozenset({RequestState.DELIVERED, RequestState.REFUSED, RequestState.WITHDRAWN})
# Those whose report is there.
REPORTED = frozenset({RequestState.READY_FOR_REVIEW, RequestState.COMPLETED, RequestState.DELIVERED})


class PartStatus(StrEnum):
    """What became of one service's part of a request."""

    PENDING = "PENDING"
    FETCHED = "FETCHED"
    COMPLETE = "COMPLETE"
    NO_DATA = "NO_DATA"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    ERRORED = "ERRORED"
    SUSPENDED = "SUSPENDED"


FINISHED = frozenset({PartStatus.COMPLETE, PartStatus.NO_DATA, PartStatus.NOT_SUPPORTED})


class Regime(StrEnum):
    """Which law sets the deadline."""

    UK_GDPR = "UK_GDPR"
    LAW_ENFORCEMENT = "LAW_ENFORCEMENT"


class HoldReason(StrEnum):
    """What is waited for from the person (UK GDPR Article 12A)."""

    IDENTITY = "identity"
    FEE = "fee"
    CLARIFICATION = "clarification"

    @property
    def state(self) -> RequestState:
        """The state of a request that is held for this reason."""
        return RequestState.AWAITING_IDENTITY if self is HoldReason.IDENTITY else RequestState.ON_HOLD


@dataclass(frozen=True)
class Hold:
    """Something that was asked for on the day `since` and came on the day `until`; None while it is waited for."""

    since: date
    reason: HoldReason
    until: date | None = None
    note: str | None = None


class RefusalGround(StrEnum):
    """Why a request is refused (UK GDPR Articles 12(5) and 12(6), 15(4), 23; Data Protection Act 2018, section 53)."""

    UNFOUNDED = "manifestly unfounded"
    EXCESSIVE = "excessive"
    EXEMPTION = "exemption"
    IDENTITY = "identity not shown"


@dataclass(frozen=True)
class Gap:
    """A part that a named person accepts as missing; `salt` seals the reason in the audit trail."""

    reason: str
    by: str
    at: datetime
    salt: str = ""


class Claim(WireModel):
    """Proof of a claim, carried by every write: one who has lost it is refused."""

    request_id: str
    claim_token: str
    generation: int


@dataclass(frozen=True)
class Withheld:
    """An attachment that is not in the report, though nobody took it out; or not all of it."""

    number: int
    name: str
    content_type: str
    bytes: int | None
    reason: str


@dataclass(frozen=True)
class PartState:
    """What the request itself knows of a part: its last result, so that the whole can be judged in one read."""

    label: str
    rank: int
    category: str
    status: PartStatus
    template_version: int | None = None
    rendered_at: datetime | None = None
    error_code: str | None = None
    retry_at: int | None = None
    withheld: tuple[Withheld, ...] = ()
    withheld_count: int = 0
    taken: int | None = None
    unseen: int = 0

    @property
    def finished(self) -> bool:
        """Whether it is never asked for again."""
        return self.status in FINISHED


@dataclass(frozen=True)
class StoredReport:
    """A report that S3 holds, with the `copy` for the person, and the `package` of that and what is not in it."""

    key: str
    bytes: int
    sha256: str
    pages: int
    copy: "StoredReport | None" = None
    package: "StoredReport | None" = None

    @property
    def files(self) -> list["StoredReport"]:
        """The report and what goes with it."""
        return [one for one in (self, self.copy, self.package) if one is not None]


@dataclass(frozen=True)
class SubjectRequest:
    """A request as stored.

    `claim_expires_at` is epoch seconds: until then nobody else may claim it. `ended_token` is the claim that completed
    it, `fingerprint` tells its creation from any other up to the archive, and `version` counts the writes. Who asks
    for somebody else has a name, and an authority such as a signed form. `active_since` is when a hold was last
    ended. The law's clock ended on the day `law_ended_on`, which was noted at `law_ended_at` and may be taken back
    to `state_before`; `end_salt` and `correction_salt` seal texts in the audit trail, and `seal_salt` what the request
    says. With `review` a person looks at the report before it counts as completed. `report_etag` is S3's own mark of
    the object that was found to have `report_sha256`. What people take out of this report has `redactions_sha256`
    (`redactions`), and `redacted_by` is everybody who has said so.
    """

    request_id: str
    state: RequestState
    date_from: date | None
    date_to: date
    sar_case_reference_number: str
    nomis_id: str | None
    ndelius_id: str | None
    requested_by: str
    requested_at: datetime
    created_at: datetime
    received: date
    regime: Regime = Regime.UK_GDPR
    holds: tuple[Hold, ...] = ()
    extended: bool = False
    extended_on: date | None = None
    extension_reason: str | None = None
    extension_salt: str | None = None
    subject_name: str | None = None
    requester_name: str | None = None
    requester_authority: str | None = None
    review: bool = False
    claim_token: str | None = None
    ended_token: str | None = None
    claimed_by: str | None = None
    claimed_at: datetime | None = None
    claim_expires_at: int | None = None
    claim_attempts: int = 0
    generation: int = 0
    active_since: datetime | None = None
    services: Mapping[str, PartState] = field(default_factory=dict)
    accepted_gaps: Mapping[str, Gap] = field(default_factory=dict)
    error_code: str | None = None
    report_key: str | None = None
    report_bytes: int | None = None
    report_sha256: str | None = None
    report_etag: str | None = None
    pages: int | None = None
    subject_copy: StoredReport | None = None
    package: StoredReport | None = None
    completed_at: datetime | None = None
    ended_at: datetime | None = None
    delivered_at: datetime | None = None
    law_ended_on: date | None = None
    law_ended_at: datetime | None = None
    state_before: str | None = None
    refusal_ground: str | None = None
    end_reason: str | None = None
    end_salt: str | None = None
    correction_salt: str | None = None
    seal_salt: str = ""
    late_reason: str | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    approved_sha256: str | None = None
    redactions_sha256: str | None = None
    redacted_by: tuple[str, ...] = ()
    near_misses_sha256: str | None = None
    last_downloaded: datetime | None = None
    objects_removed: bool = False
    attention_told: bool = False
    original_id: str | None = None
    fingerprint: str = ""
    version: int = 0
    audit_count: int = 0
    audit_hash: str = ""

    @property
    def subject_id(self) -> str:
        """The one identifier of the person."""
        return self.nomis_id or self.ndelius_id or ""

    @property
    def status(self) -> str:
        """The status that the API knows; what was given up on stays so in the archive."""
        if self.state is RequestState.ARCHIVED and self.completed_at is None:
            return RequestState.ERRORED.status
        return self.state.status

    @property
    def waits(self) -> list[Hold]:
        """What is still waited for from the person."""
        return [hold for hold in self.holds if hold.until is None]

    @property
    def report(self) -> StoredReport | None:
        """The report of a request that was fulfilled; it never changes."""
        if self.state not in REPORTED or self.report_key is None:
            return None
        return StoredReport(
            self.report_key,
            self.report_bytes or 0,
            self.report_sha256 or "",
            self.pages or 0,
            self.subject_copy,
            self.package,
        )

    @property
    def withholds(self) -> bool:
        """Whether an attachment is not in the report, so that a person has to look."""
        return any(part.withheld_count for part in self.services.values())

    @property
    def has_unseen(self) -> bool:
        """Whether something may be left of what is taken out, so that a person has to look."""
        return any(part.unseen for part in self.services.values())

    @property
    def takes_out(self) -> bool:
        """Whether something is taken out of the report; of parts that nobody counted, as far as people marked it."""
        counts = [part.taken for part in self.services.values() if part.status is PartStatus.COMPLETE]
        return any(counts) or (None in counts and self.redactions_sha256 is not None)

    @property
    def issued_without(self) -> dict[str, Gap]:
        """The gaps that are accepted and still there, by service: a part may come after all."""
        return {name: gap for name, gap in self.accepted_gaps.items() if not self.services[name].finished}

    @property
    def missing(self) -> dict[str, PartState]:
        """The parts that are not finished and that nobody accepts as missing, by service."""
        return {
            name: part for name, part in self.services.items() if not part.finished and name not in self.accepted_gaps
        }


@dataclass(frozen=True)
class Part:
    """What one service gave, and how far it is; sizes in bytes.

    `generation` is the claim that fetched it; before `retry_at` (epoch seconds) there is no use in asking again.
    `rules_sha256` tells the rules of redaction that it was drawn with, `redactions_sha256` the request's own. `taken`
    counts what is taken out of it (None where nobody counted), `unseen` its near misses and the attachments that were
    not searched.
    """

    service: str
    label: str
    rank: int
    category: str
    render_status: PartStatus = PartStatus.PENDING
    http_status: int | None = None
    attempts: int = 0
    error_code: str | None = None
    error_message: str | None = None
    bytes: int | None = None
    pages: int | None = None
    template_version: int | None = None
    template_key: str | None = None
    answer_key: str | None = None
    part_key: str | None = None
    sha256: str | None = None
    generation: int = 0
    rendered_at: datetime | None = None
    attachments: int = 0
    retry_at: int | None = None
    rules_sha256: str | None = None
    redactions_sha256: str | None = None
    withheld: tuple[Withheld, ...] = ()
    withheld_count: int = 0
    taken: int | None = None
    unseen: int = 0

    @property
    def finished(self) -> bool:
        """Whether it is never asked for again."""
        return self.render_status in FINISHED

    @property
    def state(self) -> PartState:
        """What the request itself keeps of it."""
        return PartState(
            self.label,
            self.rank,
            self.category,
            self.render_status,
            self.template_version,
            self.rendered_at,
            self.error_code,
            self.retry_at,
            self.withheld,
            self.withheld_count,
            self.taken,
            self.unseen,
        )


@dataclass(frozen=True)
class Attachment:
    """One file beside a service's answer; `outcome` says what became of it on the page.

    `inline` is set for a picture that stands in the answer itself (`domain.inline_pictures`).
    """

    service: str
    number: int
    name: str
    content_type: str
    filename: str
    expected_bytes: int | None = None
    stored_bytes: int | None = None
    key: str | None = None
    outcome: str = "STORED"
    inline: str | None = None
