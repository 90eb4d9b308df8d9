"""What the routes answer. Dates are ISO 8601, moments UTC."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from waybill.core.views import View, optional
from waybill.subject_access.models import HoldReason, PartStatus, Regime, RequestState

_ID, _OTHER_ID = "0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11", "5d1f8b0c-5f0e-4c57-8f0e-0a3f5f8e7c11"
_MOMENT, _LATER, _DAY, _DUE = "2026-11-02T09:15:00Z", "2026-11-02T09:21:04Z", "2026-11-02", "2026-12-02"
_REFERENCE, _SERVICE, _SHA256 = (
    "SAR-2026-42",
    "keyworker-api",
    "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
)
_DOWNLOAD = "https://waybill-reports.s3.eu-west-2.amazonaws.com/reports/0b7e6f0a?X-Amz-Signature=0a3f"
_UPLOAD = "https://waybill-reports.s3.eu-west-2.amazonaws.com/uploads/0b7e6f0a?X-Amz-Signature=4c57"


class HoldView(View):
    """A time in which something is waited for from the person."""

    since: str = Field(description="The day on which the person was asked", examples=[_DAY])
    until: str | None = Field(
        description="The day on which it came; null while it is waited for", examples=["2026-11-09"]
    )
    reason: HoldReason = Field(description="What is waited for")
    note: str | None = optional("What was noted", examples=["Asked by letter"])


class _Law(View):
    regime: Regime = Field(description="Which law sets the time limit")
    received_date: str = Field(description="The day on which the request was received", examples=[_DAY])
    due_date: str = Field(description="The last day to answer", examples=[_DUE])
    provisional: bool = Field(
        description="Whether the month has not begun, since proof of identity or a fee is waited for: "
        "the last day is then what it would be if that came today"
    )
    target_date: str = Field(description="The day to aim at", examples=["2026-11-30"])
    extend_by: str = Field(description="The last day on which the time limit can be extended", examples=[_DUE])
    days_left: int = Field(description="How many days are left; negative when it is late", examples=[30])
    due_soon: bool = Field(description="Whether 14 days or less are left, and the person has no answer")
    overdue: bool = Field(description="Whether the last day has passed; an answer that came late stays late")
    days_late: int = Field(description="How many days it is late", ge=0, examples=[0])
    late_reason: str | None = Field(description="Why it was late", examples=["Waited for a service"])
    ended_date: str | None = Field(
        description="The day on which the clock of the law ended; null before", examples=[_DAY]
    )
    refusal_ground: str | None = Field(description="On what ground it was refused", examples=["excessive"])
    end_reason: str | None = Field(description="Why it was refused or withdrawn", examples=["The person has said so"])
    extended: bool = Field(description="Whether the time limit was extended by two months")
    extended_date: str | None = Field(description="The day on which the person was told of that", examples=[_DAY])
    extension_reason: str | None = Field(description="Why it was extended", examples=["Records of many services"])
    held_days: int = Field(description="For how many days the clock stood still", ge=0, examples=[0])
    holds: list[HoldView] = Field(description="The times in which something was waited for")


class WithheldView(View):
    """An attachment that is not in the report though nobody took it out, or not all of it."""

    number: int = Field(description="Its number", ge=0, examples=[1])
    name: str = Field(description="What the service calls it", examples=["Recording of 3 May"])
    content_type: str = Field(description="What the service says it is", examples=["video/mp4"])
    bytes: int | None = Field(description="Its size", ge=0, examples=[48213])
    reason: str = Field(description="Why", examples=["files of the type video/mp4 cannot be printed"])


class PartView(View):
    """What became of one service's part of a report."""

    service_name: str = Field(description="The service", examples=[_SERVICE])
    service_label: str = Field(description="What the report calls it", examples=["Keyworker"])
    render_status: PartStatus = Field(description="What became of its part")
    template_version: str | None = Field(
        description="The version of the template that it was drawn with", examples=["3"]
    )
    rendered_at: str | None = Field(description="When it was drawn", examples=[_LATER])
    error_code: str | None = Field(description="Why there is none, for programs", examples=["UPSTREAM_503"])
    redacted_count: int | None = optional("How much is taken out of it, once it is drawn")
    unseen_count: int | None = optional(
        "How many near misses of what is taken out it has, and attachments that were not searched for it"
    )
    withheld_count: int = Field(description="How many attachments are not in the report", ge=0, examples=[0])
    withheld_attachments: list[WithheldView] = Field(description="The first fifty of these")


class GapView(View):
    """A part that the report goes without."""

    service_name: str = Field(description="The service", examples=[_SERVICE])
    reason: str = Field(description="Why, as the report says it", examples=["The service was closed down"])
    accepted_by: str = Field(description="Who has accepted that", examples=["alice"])
    at: str = Field(description="When", examples=[_LATER])


class _Request(_Law):
    id: str = Field(description="The id of the request", examples=[_ID])
    state: RequestState = Field(description="Where it stands")
    date_from: str | None = Field(
        description="The first day that is asked about; null for all", examples=["2020-01-01"]
    )
    date_to: str = Field(description="The last day that is asked about", examples=["2026-10-31"])
    sar_case_reference_number: str = Field(description="The reference of the case", examples=[_REFERENCE])
    nomis_id: str | None = Field(description="The person in prison records", examples=["A1234AA"])
    ndelius_case_reference_id: str | None = Field(description="The person in probation records", examples=["A123456"])
    subject_name: str | None = Field(description="The name of the person", examples=["Jo Bloggs"])
    requester_name: str | None = Field(
        description="Who asks for the person, where somebody else does", examples=["Smith Solicitors"]
    )
    requester_authority: str | None = Field(
        description="What lets them ask", examples=["Form of authority signed on 1 October 2026"]
    )
    requested_by: str = Field(description="Who made the request", examples=["alice"])
    request_date_time: str = Field(description="When it was made", examples=[_MOMENT])
    claim_date_time: str | None = Field(description="When a worker took it", examples=[_MOMENT])
    claim_attempts: int = Field(description="How often a worker took it", ge=0)
    object_url: str | None = Field(
        description="Where its report is; null while there is none", examples=[f"/api/report?id={_ID}"]
    )
    last_downloaded: str | None = Field(description="When its report was downloaded last", examples=[_LATER])
    original_id: str | None = Field(description="The request that it is a copy of", examples=[_OTHER_ID])
    error_code: str | None = Field(description="Why it was given up on, for programs", examples=["ATTEMPTS_EXHAUSTED"])
    completed_date_time: str | None = Field(description="When its report was completed", examples=[_LATER])
    delivered_date_time: str | None = Field(description="When it was noted that the person has it", examples=[_LATER])
    approved_by: str | None = Field(description="Who has approved its report", examples=["bob"])
    approved_date_time: str | None = Field(description="When it was approved", examples=[_LATER])
    pages: int | None = Field(description="How many pages its report has", ge=0, examples=[42])
    report_sha256: str | None = Field(
        description="The SHA-256 of its report for staff, which approving names; null while there is none",
        examples=[_SHA256],
    )
    review: bool = Field(description="Whether somebody has to approve its report")
    redacted_by: list[str] = Field(description="Who has said what is taken out of it", examples=[["carol"]])
    issued_without: list[GapView] = Field(description="Parts that the report goes without")


class RequestView(_Request):
    """A subject access request."""

    status: Literal["Pending", "Completed", "Errored"] = Field(description="Where it stands, in three words")
    services: list[PartView] = Field(description="The parts of its report, in their order")


class ShownRequest(RequestView):
    """A subject access request, and which others there are."""

    related: list[str] = Field(
        description="Other requests about the same person or case, the newest first", examples=[[_OTHER_ID]]
    )


class AdminRequest(_Request):
    """A subject access request as the administration sees it."""

    status: Literal["Pending", "Completed", "Errored", "Overdue"] = Field(
        description="Where it stands; `Overdue`: it has been `Pending` for more than 12 hours"
    )
    services: list[str] = Field(description="The services that are asked", examples=[[_SERVICE]])
    duration_human_readable: str = Field(description="How long it has taken", examples=["0h 6m"])


class AdminList(View):
    """Requests by state, the newest first."""

    total_count: int = Field(description="How many match the search", ge=0)
    completed_count: int = Field(description="How many of these are completed", ge=0)
    errored_count: int = Field(description="How many were given up on", ge=0, examples=[0])
    pending_count: int = Field(description="How many wait", ge=0, examples=[0])
    overdue_count: int = Field(description="How many have waited for more than 12 hours", ge=0, examples=[0])
    filter_count: int = Field(description="How many the filter shows, on all pages", ge=0)
    requests: list[AdminRequest] = Field(description="Those of this page")


class LateRequest(_Law):
    """A request that has been waiting for more than 12 hours."""

    id: str = Field(description="Its id", examples=[_ID])
    sar_case_reference_number: str = Field(description="The reference of the case", examples=[_REFERENCE])
    submitted: str = Field(description="When it was made", examples=[_MOMENT])
    last_claimed: str | None = Field(description="When a worker took it last", examples=[_MOMENT])
    claims_attempted: int = Field(description="How often a worker took it", ge=0)
    overdue_duration: str = Field(description="How long it has waited, ISO 8601", examples=["PT14H3M"])
    duration_human_readable: str = Field(description="How long it has waited, for people", examples=["14h 3m"])


class UrgentRequest(_Law):
    """A request whose last day to answer has passed or is near."""

    id: str = Field(description="Its id", examples=[_ID])
    sar_case_reference_number: str = Field(description="The reference of the case", examples=[_REFERENCE])
    state: RequestState = Field(description="Where it stands")


class OverdueList(View):
    """What support looks after: requests that wait for long, and those urgent by law."""

    overdue_threshold: str = Field(description="What waiting for long means", examples=["12 hours"])
    total: int = Field(description="How many wait for long", ge=0)
    requests: list[LateRequest] = Field(description="Those that wait for long")
    due_soon_threshold: str = Field(description="What near means", examples=["14 days"])
    by_law: list[UrgentRequest] = Field(description="Those urgent by law, the most urgent first")


class BacklogView(View):
    """How many requests wait."""

    count: int = Field(description="How many wait", ge=0)
    alert_threshold: int = Field(description="From how many on people are told", ge=0, examples=[100])
    alert_frequency: str = Field(description="How often they are told", examples=["120 minutes"])


class OverdueCount(View):
    """How many requests have waited for more than 12 hours."""

    count: int = Field(description="How many have", ge=0)
    alert_threshold: str = Field(
        description="Which are counted", examples=["status == pending && requestDateTime < (time.now - 12 hours)"]
    )
    alert_frequency: str = Field(description="How often people are told", examples=["120 minutes"])


class UrgentCount(View):
    """How many requests are urgent by law."""

    overdue: int = Field(description="Of how many the last day to answer has passed", ge=0)
    due_soon: int = Field(description="Of how many it is near", ge=0)
    due_soon_threshold: str = Field(description="What near means", examples=["14 days"])
    alert_frequency: str = Field(description="How often people are told", examples=["120 minutes"])


class SummaryView(View):
    """The counters of support: of the work, and of the law."""

    backlog: BacklogView = Field(description="How many requests wait")
    overdue_reports: OverdueCount = Field(description="How many have waited for more than 12 hours")
    by_law: UrgentCount = Field(description="How many are urgent by law")


_WAITS_FOR = "What it waits for: a worker, a person, or who asked; null where its clock has ended"


class TaskView(View):
    """A request whose clock has not ended, without what is personal."""

    id: str = Field(description="Its id", examples=[_ID])
    sar_case_reference_number: str = Field(description="The reference of the case", examples=[_REFERENCE])
    state: RequestState = Field(description="Where it stands")
    waits_for: str | None = Field(description=_WAITS_FOR, examples=["approval"])
    needs_somebody: bool = Field(description="Whether one of the staff can do something about it")
    due_date: str = Field(description="The last day to answer", examples=["2026-12-02"])
    provisional: bool = Field(description="Whether the month has not begun, since proof or a fee is waited for")
    clock_stopped: bool = Field(
        description="Whether something is waited for from the person, in any state: the last day will move"
    )
    overdue: bool = Field(description="Whether that day has passed")
    due_soon: bool = Field(description="Whether it is near")


class TaskList(View):
    """Requests whose clock has not ended, the first one due first."""

    tasks: list[TaskView] = Field(description="Those of this page")
    cursor: str | None = Field(description="Where the next page begins; null on the last one", examples=[None])


class OpenRequests(View):
    """How many requests there are whose clock has not ended."""

    open: int = Field(description="How many in all", ge=0, examples=[3])
    by_state: dict[str, int] = Field(description="How many in each state", examples=[{"Pending": 2, "Completed": 1}])
    waits_for: dict[str, int] = Field(description="How many wait for what", examples=[{"worker": 2, "delivery": 1}])
    overdue: int = Field(description="Of how many the last day to answer has passed", ge=0)
    due_soon: int = Field(description="Of how many it is near", ge=0)


class PartProgress(View):
    """How far one service's part is."""

    service_name: str = Field(description="The service", examples=[_SERVICE])
    render_status: PartStatus = Field(description="What became of its part")


class RequestProgress(View):
    """How far a request is, without what is personal."""

    id: str = Field(description="Its id", examples=[_ID])
    state: RequestState = Field(description="Where it stands")
    waits_for: str | None = Field(description=_WAITS_FOR, examples=["worker"])
    due_date: str = Field(description="The last day to answer", examples=["2026-12-02"])
    overdue: bool = Field(description="Whether that day has passed")
    due_soon: bool = Field(description="Whether it is near")
    pages: int | None = Field(description="How many pages its report has", ge=0, examples=[42])
    services: list[PartProgress] = Field(description="The parts of its report, in their order")


class DuplicateView(View):
    """A copy of a request."""

    id: str = Field(description="The id of the copy", examples=[_OTHER_ID])
    original_id: str = Field(description="The request that it is a copy of", examples=[_ID])
    sar_case_reference_number: str = Field(description="The reference of the case", examples=[_REFERENCE])


class ClaimedPart(View):
    """A part that the holder of a claim makes."""

    service: str = Field(description="The service", examples=[_SERVICE])
    rank: int = Field(description="Its place in the report", ge=0)
    render_status: PartStatus = Field(description="What became of it so far")


class ClaimView(View):
    """A claim on a request, which every later write needs."""

    claimed: Literal[True] = Field(description="Always true: a claim that fails is a problem")
    request_id: str = Field(description="The request", examples=[_ID])
    claim_token: str = Field(description="Proof of the claim, for its holder alone", examples=["6f3d6c393a0e5c559c0a"])
    generation: int = Field(description="Which claim on the request this is", ge=0)
    services: list[ClaimedPart] = Field(description="The parts that are still to be made")
    claim_expires_at: int | None = Field(
        description="Until when it holds, in seconds since 1970", examples=[1793611200]
    )
    upload_url: str = Field(description="Where the report can be put, for some minutes", examples=[_UPLOAD])


class HeartbeatView(View):
    """A claim that goes on."""

    id: str = Field(description="The request", examples=[_ID])
    claim_expires_at: int | None = Field(
        description="Until when it holds, in seconds since 1970", examples=[1793611200]
    )
    upload_url: str = Field(description="Where the report can be put, for some minutes", examples=[_UPLOAD])


class SavedPart(View):
    """A part whose outcome is written."""

    id: str = Field(description="The request", examples=[_ID])
    service_name: str = Field(description="The service", examples=[_SERVICE])
    render_status: PartStatus = Field(description="What became of its part")


class PackageLink(View):
    """Where the package of a report can be downloaded, for five minutes."""

    url: str = Field(description="A signed address", examples=[_DOWNLOAD])
    expires_in_seconds: int = Field(description="For how long it is good", ge=1, examples=[300])
    file_name: str = Field(
        description="A name to save it under",
        examples=["subject-access-request-report-2026-11-02-SAR-2026-42-A1234AA.zip"],
    )
    content_type: Literal["application/zip"] = Field(description="Always `application/zip`")
    bytes: int = Field(description="Its size", ge=0, examples=[482130])
    sha256: str = Field(description="The SHA-256 of the package that was completed", examples=[_SHA256])


class ReportLink(View):
    """Where a report can be downloaded, for five minutes."""

    url: str = Field(
        description="A signed address",
        examples=[_DOWNLOAD],
    )
    expires_in_seconds: int = Field(description="For how long it is good", ge=1, examples=[300])
    file_name: str = Field(
        description="A name to save it under",
        examples=["subject-access-request-report-2026-11-02-SAR-2026-42-A1234AA.pdf"],
    )
    content_type: Literal["application/pdf"] = Field(description="Always `application/pdf`")
    bytes: int = Field(description="Its size", ge=0, examples=[482130])
    sha256: str = Field(description="The SHA-256 of the report that was completed", examples=[_SHA256])
    pages: int = Field(description="How many pages it has", ge=0, examples=[42])


type _Said = Annotated[JsonValue, Field(description="A word, a number or a list of them")]


class AuditEntryView(View):
    """Something that was done."""

    number: int = Field(description="Its place in the trail", ge=1)
    at: str = Field(description="When it was done", examples=[_MOMENT])
    actor: str = Field(description="Who did it", examples=["alice"])
    action: str = Field(description="What was done, for programs", examples=["REQUEST_VIEWED"])
    detail: dict[str, _Said] = Field(description="What else there is to say of it", examples=[{}])


class BreakView(View):
    """Where a trail was changed."""

    number: int = Field(description="The first entry that does not hold", ge=0)
    problem: str = Field(description="What is wrong with it", examples=["the entry was changed"])


class AuditTrailView(View):
    """What was done about a request, or on a day about none."""

    id: str = Field(description="The request, or the day", examples=[_ID])
    intact: bool = Field(
        description="Whether the entries, and the request, are what each of them seals, as far as the table shows it",
        examples=[True],
    )
    not_shown: list[str] = Field(
        description="What the table alone cannot show: `waybill sar audit` and `waybill custody verify` ask the log",
        examples=[["whether a trail was removed as a whole"]],
    )
    broken: BreakView | None = Field(
        alias="break", description="Where it was changed; null where it was not", examples=[None]
    )
    entries: list[AuditEntryView] = Field(description="What was done, the oldest first")


class RedactionView(View):
    """A value that a service's part does not show."""

    path: str = Field(description="Where it is in the service's answer", examples=["notes[].author"])
    reason: str = Field(description="Why, as the report says it", examples=["Third party"])
    everywhere: bool = Field(description="Whether the same value is hidden wherever it occurs")
    kind: Literal["name", "identifier", "text"] | None = optional("What kind of value it is")
    given_name: bool | None = optional("Whether a person's given name goes alone as well")


class ServiceView(View):
    """A service of the catalogue."""

    id: str = Field(description="Its name", examples=[_SERVICE])
    name: str = Field(description="Its name", examples=[_SERVICE])
    label: str = Field(description="What the report calls it", examples=["Keyworker"])
    url: str = Field(description="Where it is asked", examples=["https://keyworker.example.org"])
    enabled: bool = Field(description="Whether new requests may name it", examples=[True])
    category: Literal["PRISON", "PROBATION"] = Field(description="Whose records it has")
    template_migrated: bool = Field(description="Whether its part is drawn with a registered template")
    suspended: bool = Field(description="Whether it is not asked for now")
    suspended_at: str | None = Field(description="Since when", examples=[_MOMENT])
    proposed_url: str | None = Field(
        description="The address that it is to be asked at once a second person agrees", examples=[None]
    )
    proposed_by: str | None = Field(description="Who has proposed it", examples=[None])
    proposed_at: str | None = Field(description="When it was proposed", examples=[None])
    redactions: list[RedactionView] = Field(description="What its part does not show", examples=[[]])


class TemplateView(View):
    """A version of the template of a service."""

    service_id: str = Field(description="The service", examples=[_SERVICE])
    version: int = Field(description="Its number", ge=1)
    file_hash: str = Field(description="The SHA-256 of its text", examples=[_SHA256])
    status: Literal["PENDING", "PUBLISHED"] = Field(description="Whether the service is found to use it")
    created_at: str = Field(description="When it was registered", examples=[_MOMENT])
    published_at: str | None = Field(description="When the service was found to use it", examples=[_LATER])


class ValidTemplate(View):
    """A text that can be used as a template."""

    valid: Literal[True] = Field(description="Always true: one that cannot be used is a problem")
    file_hash: str = Field(description="The SHA-256 of the text", examples=[_SHA256])
    checked_at: str = Field(description="When it was checked", examples=[_MOMENT])
