"""What states and causes are called for people who do the work."""

from typing import Final, NamedTuple


class Tag(NamedTuple):
    """A word for a state, and the colour behind it."""

    text: str
    tone: str


# What a page says after something was done; addresses name the sentence and the numbers in it, and never hold it.
_NOTICES: Final = {
    "sent-already": "You sent this form already. This is what came of it.",
    "sent-before": "You sent this form already. What came of it is not known here: look before you send it again.",
    "checks-started": "The checks have started.",
    "waived": "The file counts as accepted, with your reason.",
    "copy-started": "The copy has started.",
    "dismissed": "The failure is dismissed. It stays in the record with your reason.",
    "retried": "What failed is started again. This page says how far it is.",
    "retried-several": "What failed is started again, from {}. Each comes off this list when it has arrived.",
    "group-dismissed": "The failures of {} are dismissed. They stay in the record with your reason.",
    "names-erased": "The names of {} are erased. What was sealed still verifies.",
    "verification-started": "The comparison has started.",
    "marked-accepted": "{} accepted. {} counted apart from now on, in every scan.",
    "marked-false_positive": "{} marked as not real. {} counted apart from now on, in every scan.",
    "marked-resolved": "{} marked as resolved.",
    "marked-open": "{} open again.",
    "corrected": "Your corrections are saved.",
    "left-out": "{} left out. Start the checks again when everything else is put right.",
    "scheduled": "The schedule is made.",
    "schedule-suspended": "The schedule is suspended: no scan is made until you resume it.",
    "schedule-resumed": "The schedule goes on at the next of its times.",
    "unscheduled": "The schedule is ended. The scans that it has made stay.",
    "detector-saved": "The detector is saved. Work that begins from now on uses it.",
    "detector-deleted": "The detector is deleted. What it has found stays.",
    "template-registered": "The template is registered. It is published when the service is found to use it.",
    "service-added": "The service is added. New requests can ask it.",
    "move-proposed": "The address is proposed. It counts once somebody else agrees.",
    "moved": "The service is asked at its new address from now on.",
    "move-dropped": "The service stays where it is.",
    "suspended": "The service is suspended. Requests wait for it.",
    "resumed": "The service is asked again.",
    "backfill-started": "The backfill has started. It goes on without this page.",
    "backfill-resumed": "The backfill goes on behind its last object.",
    "backfill-cancelled": "The backfill is ended. Copies that it has started go on.",
    "scan-started": "The scan has started.",
    "scan-cancelled": "The scan is being stopped.",
    "scan-resumed": "The scan goes on.",
    "created": "The request is on the clock.",
    "hold": "The clock is stopped. The date of the law will move.",
    "release": "The clock runs again.",
    "extend": "The request is extended by two months.",
    "refuse": "The request is refused.",
    "withdraw": "The request is withdrawn.",
    "correct": "The request is corrected.",
    "render": "The report is made again within minutes.",
    "approve": "The report is approved.",
    "deliver": "The report is handed over. The clock has ended.",
    "duplicate": "This is a new request with the same details.",
    "restart": "The request is started again.",
    "issue-without": "The report will be made without this part.",
    "redacted": "Your redactions are saved.",
    "minted": "The identifiers are minted.",
    "withdrawn": "The identifier is withdrawn. It is never used again.",
    "replaced": "The identifier is replaced.",
}

CONSIGNMENT: Final = {
    "Registered": Tag("Being sent", "blue"),
    "InProgress": Tag("Being checked", "blue"),
    "Completed": Tag("Accepted", "green"),
    "CompletedWithIssues": Tag("Needs somebody", "yellow"),
    "Failed": Tag("Checks failed", "red"),
}
REPLICATION: Final = {
    "IN_PROGRESS": Tag("Copying", "blue"),
    "COMPLETED": Tag("Copied", "green"),
    "FAILED": Tag("Failed", "red"),
    "SUPERSEDED": Tag("Superseded", "grey"),
    "DISMISSED": Tag("Dismissed", "grey"),
}
REQUEST: Final = {
    "Pending": Tag("Waiting to start", "blue"),
    "InProgress": Tag("Being put together", "blue"),
    "AwaitingIdentity": Tag("Waiting for identity", "yellow"),
    "OnHold": Tag("On hold", "yellow"),
    "NeedsAttention": Tag("Needs attention", "red"),
    "ReadyForReview": Tag("Ready for review", "yellow"),
    "Completed": Tag("Ready to hand over", "green"),
    "Delivered": Tag("Handed over", "grey"),
    "Refused": Tag("Refused", "grey"),
    "Withdrawn": Tag("Withdrawn", "grey"),
    "Errored": Tag("Failed", "red"),
    "Archived": Tag("Archived", "grey"),
}
# What a request waits for, as the API's tasks name it.
WAITS_FOR: Final = {
    "worker": "its services",
    "proof of identity": "proof of identity",
    "answer": "an answer",
    "identity": "proof of identity",
    "fee": "a fee",
    "clarification": "an explanation",
    "decision": "a decision of ours",
    "approval": "somebody to approve it",
    "delivery": "somebody to hand it over",
    "restart": "somebody to start it again",
}
ENDED: Final = frozenset({"Delivered", "Refused", "Withdrawn", "Archived"})
BACKFILL: Final = {
    "RUNNING": Tag("Running", "blue"),
    "STOPPED": Tag("Stopped", "yellow"),
    "STARTED": Tag("Started, nobody waited", "yellow"),
    "COMPLETED": Tag("Ended", "green"),
    "COMPLETED_WITH_ERRORS": Tag("Ended, with failures", "red"),
    "CANCELLED": Tag("Ended early", "grey"),
}
TEMPLATE: Final = {"PENDING": Tag("Not found in use yet", "yellow"), "PUBLISHED": Tag("Published", "green")}
PART: Final = {
    "PENDING": Tag("Waiting", "blue"),
    "FETCHED": Tag("Fetched", "blue"),
    "COMPLETE": Tag("Done", "green"),
    "NO_DATA": Tag("No data held", "grey"),
    "NOT_SUPPORTED": Tag("Not held there", "grey"),
    "ERRORED": Tag("Failed", "red"),
    "SUSPENDED": Tag("Suspended", "yellow"),
}
TRIAGE: Final = {
    "open": Tag("Open", "yellow"),
    "accepted": Tag("Accepted", "grey"),
    "false_positive": Tag("Not real", "grey"),
    "resolved": Tag("Resolved", "green"),
}
CONFIDENCE: Final = {"HIGH": Tag("High", "red"), "MEDIUM": Tag("Medium", "yellow"), "LOW": Tag("Low", "grey")}
JOB: Final = {
    "listing": Tag("Listing", "blue"),
    "processing": Tag("Scanning", "blue"),
    "completed": Tag("Complete", "green"),
    "completed_with_errors": Tag("Complete, with gaps", "yellow"),
    "failed": Tag("Failed", "red"),
    "cancelled": Tag("Stopped", "grey"),
}
JOB_RUNS: Final = frozenset({"listing", "processing"})
OBJECT: Final = {
    "SCANNED": Tag("Looked at, nothing found", "green"),
    "FINDINGS": Tag("Findings", "yellow"),
    "PARTIAL": Tag("Partly looked at", "yellow"),
    "SKIPPED": Tag("Left out", "grey"),
    "FAILED": Tag("Failed", "red"),
    "PENDING": Tag("Waiting", "blue"),
}
IDENTIFIER: Final = {
    "reserved": Tag("Reserved", "blue"),
    "active": Tag("In use", "green"),
    "replaced": Tag("Replaced", "yellow"),
    "withdrawn": Tag("Withdrawn", "grey"),
}
OUTCOME: Final = {
    "success": Tag("as it should", "green"),
    "failure": Tag("failed", "red"),
    "warning": Tag("with a warning", "yellow"),
}
# PREMIS's terms (Library of Congress, "Event Type" vocabulary) as sentences.
EVENT: Final = {
    "accession": "Taken in",
    "creation": "Made",
    "deletion": "Deleted",
    "dissemination": "Given out in a report",
    "fixity check": "Its content was compared",
    "forensic feature analysis": "Looked at for sensitive data",
    "format identification": "Its format was identified",
    "ingestion start": "Its checks began",
    "message digest calculation": "Its checksum was computed",
    "metadata modification": "Its record was changed",
    "policy assignment": "A decision was recorded",
    "quarantine": "Locked away",
    "recovery": "Brought back from an archive",
    "replication": "Copied",
    "validation": "Checked",
    "virus check": "Checked for malware",
    "identifier assignment": "Given an identifier",
}
_DIGITS: Final = 7
# What the cause of a failed copy asks of an operator.
COPY_ADVICE: Final = {
    "ACCESS_DENIED": "A permission is missing. Put it right, then copy again.",
    "COPY_UNFINISHED": "The copy was cut off. Copy again.",
    "KMS_DENIED": "A key may not be used. Put its policy right, then copy again.",
    "NO_SUCH_BUCKET": "The bucket is not there. Make it, or take it out of the destinations.",
    "SOURCE_ARCHIVED": "The file is in an archive class. Restore it, then copy again.",
    "SOURCE_NOT_FOUND": "The file is gone from its source. Dismiss the failure if that is meant.",
    "SOURCE_REFUSED": "The source does not give the file out. Put that right, then copy again.",
    "SSE_C_UNSUPPORTED": "The file has a key of its sender’s own, which nobody here has.",
    "THROTTLED": "AWS was asked too much at once. Copy again.",
    "VERIFICATION_FAILED": "The copy is not the same as its source. Copy again, and tell your support.",
}
HOLDS: Final = {
    "identity": "We wait for proof of identity",
    "fee": "We wait for a fee",
    "clarification": "We wait for an explanation",
}
REDACTION_REASONS: Final = (
    "about somebody else",
    "name of staff",
    "risk of serious harm",
    "legal privilege",
)


_COUNTED: Final = {
    "retried-several": ("source", "sources"),
    "group-dismissed": ("file", "files"),
    "names-erased": ("place", "places"),
    "marked-accepted": ("finding is", "findings are"),
    "marked-false_positive": ("finding is", "findings are"),
    "marked-resolved": ("finding is", "findings are"),
    "marked-open": ("finding is", "findings are"),
    "left-out": ("file is", "files are"),
}


def notice_of(name: str) -> str:
    """Return the sentence that an address names, such as `scan-started` or `retried.37`; empty where there is none."""
    known, _, number = name.partition(".")
    sentence = _NOTICES.get(known, "")
    if known not in _COUNTED:
        return sentence if not number else ""
    if not (number.isascii() and number.isdigit() and len(number) < _DIGITS):
        return ""
    one, many = _COUNTED[known]
    is_one = int(number) == 1
    return sentence.format(f"{int(number):,} {one if is_one else many}", "It is" if is_one else "They are")


def tag(words: dict[str, Tag], value: str) -> Tag:
    """Return the word for a state; the state itself where nobody has given it one."""
    return words.get(value, Tag(value.replace("_", " ").capitalize(), "grey"))
