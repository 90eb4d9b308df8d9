"""What a request to the workflow is about: identifiers in it, an object that lists them, or documents upstream.

Documents are chosen by the time at which they were last written, or all of them; that has to be said in so many words,
since a mistyped request must not process everything again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from waybill.core.clock import moment_of
from waybill.minting.domain.requests import (
    EARLIER_REFUSED,
    FIELDS,
    NO_TEXT,
    SELECTIONS,
    Mode,
    is_text,
    parse_mode,
    refuse_unknown,
)
from waybill.minting.errors import InvalidRequestError

DEFAULT_WINDOW = timedelta(minutes=15)


@dataclass(frozen=True)
class Listed:
    """The request holds its identifiers itself."""


@dataclass(frozen=True)
class Named:
    """An object lists them: `s3://bucket/key`."""

    uri: str


@dataclass(frozen=True)
class Written:
    """The documents upstream that were last written from `start` on and before `end`; None is no bound."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Return whether a document that was last written at `moment` belongs to it."""
        return (self.start is None or self.start <= moment) and (self.end is None or moment < self.end)


type Selection = Listed | Named | Written


def parse_selection(payload: Mapping[str, object]) -> Selection:
    """Return what `payload` is about.

    Raises
    ------
    InvalidRequestError
        A rule is broken: more than one of `sourceIdentifiers`, `identifiersUri`, `window` and `full`, or a wrong one.
    """
    refuse_unknown(payload, (*FIELDS, *SELECTIONS, "earlier"))
    if "earlier" in payload:
        raise InvalidRequestError(EARLIER_REFUSED)
    given = [name for name in ("sourceIdentifiers", *SELECTIONS) if name in payload]
    if len(given) > 1:
        raise InvalidRequestError(f"{given[1]} cannot go with {given[0]}")
    if "predecessors" in payload and given != ["sourceIdentifiers"] and given:
        raise InvalidRequestError(f"{given[0]} cannot go with predecessors")
    if "identifiersUri" in payload:
        if not isinstance(payload["identifiersUri"], str):
            raise InvalidRequestError("identifiersUri must be a string")
        if not is_text(payload["identifiersUri"]):
            raise InvalidRequestError(f"identifiersUri {NO_TEXT}")
        return Named(payload["identifiersUri"])
    if not set(given) & {"window", "full"}:
        return Listed()
    if parse_mode(payload) is not Mode.DOCUMENTS:
        raise InvalidRequestError(f"{given[0]} is for the mode documents")
    if "window" in payload:
        return _window(payload["window"])
    if payload["full"] is not True:
        raise InvalidRequestError("full must be true")
    return Written()


def _window(given: object) -> Written:
    if not isinstance(given, Mapping) or not set(given) <= {"startTime", "endTime"}:
        raise InvalidRequestError("window must be an object of startTime and endTime")
    if "endTime" not in given:
        raise InvalidRequestError("window needs endTime")
    end = _moment(given["endTime"], "endTime")
    start = _moment(given["startTime"], "startTime") if "startTime" in given else _before(end)
    if start and start > end:
        raise InvalidRequestError("startTime must not be after endTime")
    return Written(start, end)


def _before(end: datetime) -> datetime | None:
    try:
        return end - DEFAULT_WINDOW
    except OverflowError:  # no earlier time can be written
        return None


def _moment(given: object, name: str) -> datetime:
    moment = moment_of(given)
    if moment is None:
        raise InvalidRequestError(f"{name} must be a time as in 2026-02-10T12:00:00Z")
    return moment
