"""A change of one item of a workflow's table, as a stream or a scan shows it, and how its attributes are read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from waybill.core.clock import iso, moment_of
from waybill.custody.errors import UnknownRecordError

type Record = Mapping[str, object]
"""An item in plain Python; its attributes are what a workflow has written, and read with the functions here."""

NO_RECORD: Record = {}
_NUMBERS = 2**63
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


@dataclass(frozen=True)
class ItemChange:
    """An item as it was and as it is; from a scan, and for a new item, `old` is empty."""

    old: Record
    new: Record


class OtherRecords(Protocol):
    """What an item alone does not say; raises `CustodyUnavailableError`."""

    def consignment(self, consignment_id: str) -> Record | None:
        """Return the item of a consignment."""
        ...

    def scan(self, job_id: str) -> Record | None:
        """Return the item of a job of the scanner."""
        ...


@dataclass(frozen=True)
class BucketNames:
    """Where workflows keep files, as far as their records leave it out."""

    upload: str
    clean: str
    quarantine: str
    reports: str


def text(record: Record, name: str) -> str:
    """Return an attribute that has to be text, and not empty.

    Raises
    ------
    UnknownRecordError
        It is something else.
    """
    value = record.get(name)
    if not isinstance(value, str) or not value:
        raise UnknownRecordError(f"{name} is no text")
    return value


def time(record: Record, name: str) -> str:
    """Return an attribute that is a time, in the one form that events have, whose order as text is that of time.

    Raises
    ------
    UnknownRecordError
        It is something else.
    """
    moment = moment_of(record.get(name))
    if moment is None:
        raise UnknownRecordError(f"{name} is no time")
    return iso(moment)


def optional_text(record: Record, name: str) -> str | None:
    """Return an attribute that is text; None where there is none."""
    return text(record, name) if record.get(name) else None


def optional_number(record: Record, name: str) -> int | None:
    """Return an attribute that is a whole number of at least 0, and one that DynamoDB can hold; None for none."""
    value = record.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or not 0 <= value < _NUMBERS:
        raise UnknownRecordError(f"{name} is no number")
    return value


def optional_sha256(record: Record, name: str) -> str | None:
    """Return an attribute that is a SHA-256 in hexadecimal, in lower case; None where there is none."""
    value = optional_text(record, name)
    if value is not None and not _SHA256.fullmatch(value):
        raise UnknownRecordError(f"{name} is no SHA-256")
    return value.lower() if value else None


def mapping(value: object) -> Record:
    """Return an attribute that holds others; empty where there is none."""
    return value if isinstance(value, Mapping) else NO_RECORD


def sequence(value: object) -> Sequence[object]:
    """Return an attribute that is a list; empty where there is none."""
    return value if isinstance(value, list) else ()


def differs(change: ItemChange, *names: str) -> bool:
    """Return whether one of the attributes is another now."""
    return any(change.old.get(name) != change.new.get(name) for name in names)
