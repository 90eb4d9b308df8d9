"""What the ID minter's rules talk about, and the documents in which its answers travel."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NotRequired, TypedDict


@dataclass(frozen=True, slots=True)
class SourceId:
    """A record in some catalogue. `source_system` is empty for an identifier that came without one."""

    ontology_type: str
    source_system: str
    source_id: str

    def __str__(self) -> str:
        """Return it as a request may write it; parsing that gives the same identifier."""
        if not self.source_system:
            return self.source_id
        return f"{self.ontology_type}[{self.source_system}/{self.source_id}]"


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as it was written: `sha256` (hexadecimal) and `size` in bytes; a version where the bucket has them."""

    canonical_id: str
    bucket: str
    key: str
    sha256: str
    size: int
    version_id: str | None = None


class Method(StrEnum):
    """How an identifier came to its canonical ID."""

    LOOKED_UP = "looked_up"
    MINTED = "minted"
    INHERITED = "inherited"
    RACE_LOST = "race_lost"


class FailureCode(StrEnum):
    """Why an identifier failed."""

    INVALID_INPUT = "INVALID_INPUT"
    INVALID_IDENTIFIER = "INVALID_IDENTIFIER"
    NOT_FOUND = "NOT_FOUND"
    PREDECESSOR_NOT_FOUND = "PREDECESSOR_NOT_FOUND"
    CONFLICTING_PREDECESSOR = "CONFLICTING_PREDECESSOR"
    COLLISION = "COLLISION"
    CONFLICT = "CONFLICT"
    THROTTLED = "THROTTLED"
    INDEX_FAILED = "INDEX_FAILED"
    INTERNAL = "INTERNAL"


_RETRYABLE = frozenset({FailureCode.CONFLICT, FailureCode.THROTTLED, FailureCode.INDEX_FAILED, FailureCode.INTERNAL})


class Note(StrEnum):
    """What else there is to say of an identifier that has its canonical ID."""

    PREDECESSOR_IGNORED = "PREDECESSOR_IGNORED"


@dataclass(frozen=True, slots=True)
class Minted:
    """An identifier has its canonical ID, confirmed by the registry."""

    canonical_id: str
    method: Method
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class NotMinted:
    """An identifier has none, or its document is not stored; `reason` is for people."""

    code: FailureCode
    reason: str

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.code in _RETRYABLE


type Outcome = Minted | NotMinted


@dataclass(frozen=True, slots=True)
class WantedIdentifier:
    """A source identifier to mint, with every predecessor that the request gives it; None is one without."""

    source: SourceId
    predecessors: tuple[SourceId | None, ...] = (None,)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One assignment to write: a new canonical ID, or the one of `predecessor`, which the source inherits.

    `created_at` (ISO 8601) is given for an assignment that was made elsewhere; `imported` marks it, and `fault`
    says why it may not be stored.
    """

    source: SourceId
    canonical_id: str
    predecessor: SourceId | None = None
    created_at: str | None = None
    imported: bool = False
    fault: str | None = None


class Ruling(StrEnum):
    """What became of one proposal of a transaction."""

    STORED = "stored"
    LOST = "lost"  # the source has a canonical ID already
    TAKEN = "taken"  # the canonical ID belongs to another source
    ORPHANED = "orphaned"  # the predecessor does not have that canonical ID
    CONFLICT = "conflict"  # another transaction touches the same items
    THROTTLED = "throttled"
    KEPT = "kept"  # nothing wrong with it: the transaction was cancelled because of others
    REFUSED = "refused"  # the item itself is invalid


@dataclass(frozen=True, slots=True)
class ProposalVerdict:
    """The ruling, with the canonical ID that the source has (`LOST`) or the key of the owner (`TAKEN`)."""

    ruling: Ruling
    canonical_id: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What the registry knows of the sources asked for; `unprocessed` ones have to be asked for again."""

    canonical_ids: Mapping[SourceId, str]
    unprocessed: tuple[SourceId, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """A source identifier with its canonical ID, as stored. `created_at` is ISO 8601."""

    source: SourceId
    canonical_id: str
    created_at: str
    origin: str
    predecessor: SourceId | None = None
    job_id: str | None = None

    @property
    def is_alias(self) -> bool:
        """Whether it shares the canonical ID of another source."""
        return self.predecessor is not None


class LifeStatus(StrEnum):
    """Where a canonical ID is in its life; none is ever deleted or used again."""

    RESERVED = "reserved"
    ACTIVE = "active"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """A change in the life of a canonical ID: `number` counts from 1, `at` is ISO 8601, `by` the caller's subject."""

    canonical_id: str
    number: int
    status: LifeStatus
    reason: str
    at: str
    replaced_by: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """The life of a canonical ID so far: its owner (None: reserved), why it was reserved, and what changed since."""

    canonical_id: str
    created_at: str
    owner: SourceId | None = None
    purpose: str | None = None
    events: tuple[LifeEvent, ...] = ()

    @property
    def status(self) -> LifeStatus:
        """Where it is now."""
        if self.events:
            return self.events[-1].status
        return LifeStatus.ACTIVE if self.owner else LifeStatus.RESERVED

    @property
    def replaced_by(self) -> str | None:
        """The canonical ID that stands in its place."""
        return self.events[-1].replaced_by if self.events else None

    @property
    def reason(self) -> str | None:
        """Why it was replaced or withdrawn."""
        return self.events[-1].reason if self.events else None


class FailureDocument(TypedDict):
    """One identifier of an answer that has no canonical ID; `sourceIdentifier` is empty for the whole request."""

    sourceIdentifier: str
    error: str
    code: str
    retryable: bool
    reason: NotRequired[str]


class NotedIdentifier(TypedDict):
    """The canonical ID of an identifier, with what else there is to say of it."""

    canonicalId: str
    note: str


class MintResponse(TypedDict):
    """An answer: every distinct identifier is in `successes` or in `failures`, once.

    `predecessorsIgnored` counts the notes, where there is one.
    """

    successes: list[str]
    failures: list[FailureDocument]
    identifiers: dict[str, str | NotedIdentifier]
    predecessorsIgnored: NotRequired[int]
    jobId: NotRequired[str]


class Chunk(TypedDict):
    """Identifiers of a large request that one function mints; `run` and `executionId` say whose they are."""

    run: str
    executionId: str
    index: int
    mode: str
    sourceIdentifiers: list[object]
    predecessors: NotRequired[dict[str, str]]
    jobId: NotRequired[str]


class ChunkManifest(TypedDict):
    """Where the chunks of a large request are listed, one per line."""

    bucket: str
    key: str
    chunkCount: int


class RunSummary(TypedDict):
    """The result of a run: its counts with the answer itself, or with the `reportUri` of a large one."""

    successCount: int
    failureCount: int
    jobId: NotRequired[str]
    successes: NotRequired[list[str]]
    failures: NotRequired[list[FailureDocument]]
    identifiers: NotRequired[dict[str, str | NotedIdentifier]]
    predecessorsIgnored: NotRequired[int]
    reportUri: NotRequired[str]


class RunPlan(TypedDict):
    """What the state `PlanMinting` answers; `kind` says which of the members are there."""

    kind: str
    run: NotRequired[str]
    concurrency: NotRequired[int]
    jobId: NotRequired[str]
    chunkCount: NotRequired[int]
    chunks: NotRequired[list[Chunk]]
    bucket: NotRequired[str]
    key: NotRequired[str]
    response: NotRequired[MintResponse]


class QueuedResult(TypedDict):
    """A message on the result queue."""

    sourceIdentifier: str
    canonicalId: str
    note: NotRequired[str]
    jobId: NotRequired[str]


class ExecutionOutput(TypedDict, total=False):
    """What the end of a run shows of what it came to; a large answer is in its report."""

    status: str
    successCount: int
    failureCount: int
    predecessorsIgnored: int
    jobId: str
    reportUri: str


@dataclass(frozen=True)
class MintingExecution:
    """A run of the workflow; `summary` is what it came to, of one that was described."""

    name: str
    status: str
    started: datetime
    stopped: datetime | None = None
    summary: ExecutionOutput | None = None
    cause: str | None = None
