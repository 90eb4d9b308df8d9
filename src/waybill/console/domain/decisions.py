"""What may be decided about a subject access request: words, fields, and when each may be taken. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from waybill.console.domain.format import day_of
from waybill.console.domain.words import ENDED, HOLDS
from waybill.core.roles import Role

_WORKERS = frozenset({Role.SAR_USER, Role.SAR_SUPPORT, Role.SAR_ADMIN})
_APPROVERS = frozenset({Role.SAR_APPROVER, Role.SAR_ADMIN})
_ADMIN = frozenset({Role.SAR_ADMIN})
_DRAWN = frozenset({"ReadyForReview", "Completed", "NeedsAttention", "Errored"})
_MADE = frozenset({"ReadyForReview", "Completed"})
_AT_WORK = frozenset({"Pending", "InProgress"})


@dataclass(frozen=True)
class Field:
    """One thing to enter; `choices` are value and text."""

    name: str
    label: str
    hint: str = ""
    needed: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    is_long: bool = False


@dataclass(frozen=True)
class Decision:
    """One decision: what it is called, what it means, what is sent to the API."""

    name: str
    button: str
    title: str
    consequence: str
    operation: str
    roles: frozenset[Role]
    fields: tuple[Field, ...] = ()
    is_final: bool = False


_ON = Field("on", "On what day", "For example 27/11/2026. Leave it empty for today")
_GROUNDS = (
    ("manifestly unfounded", "It is manifestly unfounded"),
    ("excessive", "It is excessive"),
    ("exemption", "An exemption of the law applies"),
    ("identity not shown", "The person’s identity was not shown"),
)

DECISIONS: dict[str, Decision] = {
    each.name: each
    for each in (
        Decision(
            "approve",
            "Approve exactly this report",
            "Approve this report?",
            "The report counts as ready for the person. Read it first: it is this file that counts, and no other.",
            "approveReport",
            _APPROVERS,
        ),
        Decision(
            "deliver",
            "The person has the report",
            "Has the person got the report?",
            "This ends the clock of the law.",
            "deliverReport",
            _WORKERS,
            (_ON, Field("lateReason", "Why it was late", "Where it was; the cover letter says it")),
        ),
        Decision(
            "hold",
            "Stop the clock",
            "Stop the clock?",
            "The days until what is waited for has come do not count. The new date is set when the clock runs again.",
            "holdRequest",
            _WORKERS,
            (
                Field("reason", "What is waited for", needed=True, choices=tuple(HOLDS.items())),
                Field(
                    "from",
                    "From what day",
                    "The day on which the person was asked, such as 27/11/2026. Empty for today",
                ),
                Field("note", "Note", "One line, if there is more to say"),
            ),
        ),
        Decision(
            "release",
            "Let the clock run again",
            "Let the clock run again?",
            "The date is set anew: it moves by the days that were held.",
            "releaseRequest",
            _WORKERS,
            (_ON,),
        ),
        Decision(
            "extend",
            "Extend by two months",
            "Extend by two months?",
            "The law allows it once, for complex or many requests, when the person is told why within the first month.",
            "extendRequest",
            _WORKERS,
            (Field("reason", "Why, as the person was told", needed=True), _ON),
        ),
        Decision(
            "refuse",
            "Refuse this request",
            "Refuse this request?",
            "The person gets no report. They must be told why, and that they can complain.",
            "refuseRequest",
            _WORKERS,
            (
                Field("ground", "On what ground", needed=True, choices=_GROUNDS),
                Field("reason", "Why, in one line", needed=True),
                _ON,
            ),
            is_final=True,
        ),
        Decision(
            "withdraw",
            "The person withdraws it",
            "Has the person withdrawn this request?",
            "Nothing more is done about it.",
            "withdrawRequest",
            _WORKERS,
            (Field("reason", "What was said, in one line", needed=True), _ON),
            is_final=True,
        ),
        Decision(
            "render",
            "Make the report again",
            "Make the report again?",
            "It is made from the answers that are there, without what is taken out, within minutes. Then somebody else "
            "approves it.",
            "renderRequest",
            _WORKERS,
        ),
        Decision(
            "correct",
            "Correct a detail",
            "What was wrong?",
            "Enter only what was wrong: the rest stays. Another day of receipt moves the date of the law.",
            "correctRequest",
            _WORKERS,
            (
                Field("sarCaseReferenceNumber", "Reference of the case", "At most 20 characters"),
                Field("subjectName", "Person’s name", "For the report"),
                Field("receivedDate", "Received on", "Day, month and year, such as 27/11/2026"),
                Field("dateFrom", "Asked about from", "Day, month and year"),
                Field("dateTo", "Asked about until", "Day, month and year"),
                Field("reason", "Why, in one line", needed=True),
            ),
        ),
        Decision(
            "duplicate",
            "Make a new request",
            "Make a new request with the same details?",
            "All services are asked again, and the new request has its own clock.",
            "duplicateRequest",
            frozenset({Role.SAR_SUPPORT, Role.SAR_ADMIN}),
        ),
        Decision(
            "restart",
            "Start it again",
            "Start this request again?",
            "Parts that are done are kept.",
            "restartRequest",
            _ADMIN,
        ),
        Decision(
            "issue-without",
            "Issue without this part",
            "Issue the report without a part?",
            "The report says that the part is missing, and why.",
            "issueWithoutPart",
            _ADMIN,
            (
                Field("service", "Which service", "Its name, as the list of parts has it", needed=True),
                Field("reason", "Why, as the report says it", needed=True),
            ),
        ),
    )
}


def blocked(decision: Decision, request: Mapping[str, Any], subject: str) -> str:
    """Return why a decision cannot be taken now; empty where it can, as far as the API shows it."""
    state, name = request["state"], decision.name
    held = any(hold["until"] is None for hold in request["holds"])
    if name == "approve":
        if state != "ReadyForReview":
            making = "The report is being made: it can be approved when that is done."
            return making if is_being_made(request) else "There is no report to approve now."
        if subject == request["requestedBy"]:
            return "You made this request, so somebody else has to approve."
        if subject in request["redactedBy"]:
            return "You made these redactions, so somebody else has to approve."
        return ""
    wanted = {
        "deliver": (state == "Completed", "The report is not ready to hand over."),
        "release": (held, "The clock is not stopped."),
        "render": (state in _DRAWN, "The parts are still being fetched."),
        "restart": (state in {"Errored", "NeedsAttention"}, "Nothing has failed."),
        "issue-without": (state in {"NeedsAttention", "Errored", "InProgress", "Pending"}, "No part is missing."),
        "extend": (
            not request["extended"] and state not in ENDED,
            "It was extended already." if request["extended"] else "It has ended.",
        ),
        "hold": (state not in ENDED, "It has ended."),
        "refuse": (state not in ENDED, "It has ended."),
        "withdraw": (state not in ENDED, "It has ended."),
        "correct": (state not in ENDED, "It has ended."),
    }
    allowed, why = wanted.get(name, (True, ""))
    return "" if allowed else why


def extension_note(request: Mapping[str, Any]) -> str:
    """Return until when the time can be extended."""
    return f"Extending is possible until {day_of(request['extendBy'])}."


@dataclass(frozen=True)
class Step:
    """What happens next with a request, and the decision that leads there, where it is this person's to take."""

    sentence: str
    decision: Decision | None = None


# By state: what happens next, and which decision that is.
_NEXT: Mapping[str, tuple[str, str]] = {
    "Pending": (
        "Its services are asked within minutes, without you. There is nothing to do until they have answered.",
        "",
    ),
    "InProgress": ("Its services are being asked. There is nothing to do until they have answered.", ""),
    "AwaitingIdentity": ("The clock waits for proof of who the person is.", "release"),
    "OnHold": ("The clock waits for an answer. Let it run again when the answer is there.", "release"),
    "NeedsAttention": (
        "A part could not be fetched. Start it again, or issue the report without that part.",
        "restart",
    ),
    "Errored": ("No attempt has worked. See which part failed, then start it again.", "restart"),
    "ReadyForReview": (
        "See whether anything has to be taken out. Then somebody who neither made nor redacted it approves the report.",
        "approve",
    ),
    "Completed": ("Give the report to the person, then say when you did: that ends the clock.", "deliver"),
}


# Where every service has answered and the report is not made, for the first time or again.
_MAKING = (
    "All answers are there. The report is made from them within minutes, without you: look again then.",
    "",
)
_SUSPENDED = ("A service is suspended. The request goes on by itself when that service is asked again.", "")
_OUT_OF_DATE = (
    "What is taken out has changed since this report was made. Make it again: this one can neither be approved nor "
    "handed over.",
    "render",
)
# What a part is that nobody has to be asked for any more.
_ANSWERED = frozenset({"FETCHED", "COMPLETE", "NO_DATA", "NOT_SUPPORTED"})


def next_step(
    request: Mapping[str, Any], possible: Sequence[Decision], parts: Iterable[Mapping[str, Any]] = ()
) -> Step | None:
    """Return what happens next; None where a request has ended. `parts` are what the report is drawn from."""
    state = request["state"]
    if state not in _NEXT:
        return None
    sentence, wanted = _NEXT[state]
    if is_being_made(request):
        sentence, wanted = _MAKING
    elif state in _AT_WORK and any(each["renderStatus"] == "SUSPENDED" for each in _needed(request)):
        sentence, wanted = _SUSPENDED
    elif state in _MADE and not all(part["current"] for part in parts):
        sentence, wanted = _OUT_OF_DATE
    found = next((each for each in possible if each.name == wanted), None)
    return Step(sentence, found)


def is_being_made(request: Mapping[str, Any]) -> bool:
    """Return whether the report is made without anybody: all answers are there, and it is not."""
    return request["state"] in _AT_WORK and all(each["renderStatus"] in _ANSWERED for each in _needed(request))


def will_move(request: Mapping[str, Any]) -> bool:
    """Return whether the law's date moves on, since something is waited for from the person."""
    return request["state"] not in ENDED and any(hold["until"] is None for hold in request["holds"])


def _needed(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the parts that the report does not go without."""
    without = {gap["serviceName"] for gap in request["issuedWithout"]}
    return [each for each in request["services"] if each["serviceName"] not in without]
