"""What custody speaks of: places, states of files, what happened, and the events that are kept of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from pydantic import JsonValue

from waybill.core.clock import iso, moment_of

VERSION = 1
FIRST_DAY = timedelta(days=1)


class Outcome(StrEnum):
    """How what happened ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    WARNING = "warning"


class EventType(StrEnum):
    """What happened: terms of the PREMIS event type vocabulary, and Waybill's own where it has none."""

    # http://id.loc.gov/vocabulary/preservation/eventType
    ACCESSION = "accession"
    CREATION = "creation"
    DELETION = "deletion"
    DISSEMINATION = "dissemination"
    FIXITY_CHECK = "fixity check"
    FORENSIC_FEATURE_ANALYSIS = "forensic feature analysis"
    FORMAT_IDENTIFICATION = "format identification"
    INGESTION_START = "ingestion start"
    MESSAGE_DIGEST_CALCULATION = "message digest calculation"
    METADATA_MODIFICATION = "metadata modification"
    POLICY_ASSIGNMENT = "policy assignment"
    QUARANTINE = "quarantine"
    RECOVERY = "recovery"
    REPLICATION = "replication"
    VALIDATION = "validation"
    VIRUS_CHECK = "virus check"
    # The vocabulary has no term for it.
    IDENTIFIER_ASSIGNMENT = "identifier assignment"


@dataclass(frozen=True)
class Place:
    """Where a file is."""

    bucket: str
    key: str


@dataclass(frozen=True)
class FileState:
    """A file as it was in one moment; what nobody knows is None. `sha256` in lower case, `size` in bytes."""

    place: Place
    version_id: str | None = None
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class Happening:
    """What a workflow has recorded, before anybody knows whose history it belongs to.

    Attributes
    ----------
    kind, parts
        What makes it this happening and no other, within its workflow: the id is made of them, never of the delivery.
    about
        The file in the state that it is about, or the canonical ID that it is about.
    at
        When it happened, as the record says.
    agent
        Who did it: `software`, `run`, and `person`, which is the token's subject until `recording` makes a pseudonym.
    detail
        What else is known; nothing personal, no free text, no names.
    copies
        Other files that came of it: their history goes on where this one's was.
    consignment_file
        Consignment and file, where the file has that name too.
    """

    workflow: str
    kind: str
    parts: tuple[str, ...]
    type: EventType
    at: str
    outcome: Outcome
    about: FileState | str
    agent: Mapping[str, str]
    detail: Mapping[str, JsonValue] = field(default_factory=dict)
    copies: tuple[FileState, ...] = ()
    consignment_file: tuple[str, str] | None = None


@dataclass(frozen=True)
class TrailEntry:
    """An entry of the subject access trail, of which the log gets the hash alone; `at` as far as the entry says it."""

    trail: str
    number: int
    hash: str
    at: str = ""


@dataclass(frozen=True)
class Subject:
    """What has a history: `pk` is where it is kept; `salt` hides what its commitments are about."""

    pk: str
    salt: str


@dataclass(frozen=True)
class KnownPlace:
    """A place with its subject; gone after an erasure.

    Attributes
    ----------
    since
        When the names of an earlier history of this place were erased: what happened until then is told no more.
    origins
        The subject that it was a copy of when it became known, as far as it was; others have an item of their own.
    created
        When it became known. A history's copies of its first day are found in its events alone (`is_young`).
    """

    place: Place
    subject: Subject
    since: str = ""
    origins: tuple[str, ...] = ()
    created: str = ""

    def is_young(self, recorded_at: str) -> bool:
        """Return whether the copies that an event names which was recorded then are found in the events."""
        return recorded_at <= _end_of_first_day(self.created)


@lru_cache
def _end_of_first_day(created: str) -> str:
    """Return until when a history is young, in the form of times of events, whose order as text is that of time."""
    moment = moment_of(created)
    return iso(moment + FIRST_DAY) if moment else ""


class Way(NamedTuple):
    """By what a history is found: its content, or that of its `origin`, of which it is a copy at `place`.

    `up` and `down`: whether an item has to say it of the copy, and of the origin.
    """

    subject: str
    sha256: str = ""
    origin: str = ""
    place: str = ""
    up: bool = True
    down: bool = True

    @property
    def shown(self) -> str:
        """What is said of one that is gone."""
        if self.sha256:
            return f"{self.subject} is not found by its content any more"
        return f"{self.subject} and {self.origin}, from which it was copied, are not found by each other any more"


@dataclass(frozen=True)
class StateReference:
    """A file's state as an event keeps it: `place` is a keyed hash, the commitment stands for all of it in the log."""

    place: str
    commitment: str
    version_id: str | None = None
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class Leaf:
    """What the log takes in: an event, or an entry of the subject access trail.

    Attributes
    ----------
    pk, sk
        Where its item is.
    id
        32 hexadecimal digits, made from what happened.
    sealed
        The bytes that the log holds, as text.
    mac
        A keyed hash of them, in hexadecimal.
    minute
        When it was written, to the minute: where its place in the log is looked up.
    """

    pk: str
    sk: str
    id: str
    sealed: str
    mac: str
    minute: str


@dataclass(frozen=True)
class Event:
    """A leaf about a file or an identifier, and what is kept beside the sealed bytes: its own file first."""

    leaf: Leaf
    states: tuple[StateReference, ...] = ()
