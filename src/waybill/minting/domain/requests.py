"""What may be asked for: the rules of a request, in the order in which the first broken one is told."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from waybill.minting.domain.source_ids import trimmed
from waybill.minting.errors import InvalidRequestError

DEFAULT_CAP = 100
JOB_ID_LIMIT_BYTES = 256
# What a request to the workflow may have instead of identifiers.
SELECTIONS = ("identifiersUri", "window", "full")
# Who could send one to others' queues would have its canonical IDs passed on unconfirmed.
EARLIER_REFUSED = "earlier is for the workflow's own repetitions"
FIELDS = ("sourceIdentifiers", "jobId", "predecessors", "mode")
# What the workflow adds to a request that it hands to a function.
_OF_THE_WORKFLOW = ("executionId", "run", "index", "attempt")
NO_TEXT = "contains half a surrogate pair, which is not Unicode text"


class Mode(StrEnum):
    """What a success means: the identifier exists, or the document that it names is stored with its identifiers."""

    IDENTIFIERS = "identifiers"
    DOCUMENTS = "documents"


@dataclass(frozen=True)
class MintRequest:
    """A valid request: distinct identifiers, white space at their ends removed, in the order of first sight.

    `no_strings` are the entries that are no strings: each is refused by itself.
    """

    source_identifiers: tuple[str, ...]
    job_id: str | None = None
    predecessors: Mapping[str, str] = field(default_factory=dict)
    mode: Mode = Mode.IDENTIFIERS
    no_strings: tuple[object, ...] = ()


def parse_request(payload: object, cap: int | None = DEFAULT_CAP, *, internal: bool = False) -> MintRequest:
    """Return the request that `payload` (decoded JSON) makes; `cap` is the most entries it may have, None for any.

    `internal` requests come from the workflow and may carry what it adds.

    Raises
    ------
    InvalidRequestError
        A rule is broken; the message is exact.
    """
    if not isinstance(payload, Mapping):
        raise InvalidRequestError("the request must be a JSON object")
    with echoing(payload):
        refuse_unknown(payload, (*FIELDS, *SELECTIONS, "earlier", *(_OF_THE_WORKFLOW if internal else ())))
        entries, job_id = parse_entries(payload, cap), parse_job_id(payload)
        identifiers = tuple(dict.fromkeys(trimmed(entry) for entry in entries if isinstance(entry, str)))
        predecessors = _predecessors(payload.get("predecessors"), identifiers)
        no_strings = tuple(entry for entry in entries if not isinstance(entry, str))
        return MintRequest(identifiers, job_id, predecessors, parse_mode(payload), no_strings)


def refuse_unknown(payload: Mapping[str, object], known: Collection[str], where: str = "") -> None:
    """Raise `InvalidRequestError` for the fields that nobody knows: a slip must not mint what cannot be undone."""
    unknown = [ascii(str(name))[1:-1][:100] for name in payload if name not in known]
    if unknown:
        raise InvalidRequestError(f"{where}unknown field{'s' if unknown[1:] else ''} {', '.join(unknown[:10])}")


@contextmanager
def echoing(payload: Mapping[str, object]) -> Iterator[None]:
    """Let the errors of a request carry its job, whatever else is wrong with it."""
    job_id = payload.get("jobId")
    try:
        yield
    except InvalidRequestError as error:
        echoed = job_id if isinstance(job_id, str) and is_text(job_id) else None
        raise InvalidRequestError(str(error), echoed) from None


def is_text(*given: str) -> bool:
    """Return whether UTF-8 can carry all of it: JSON can write half a surrogate pair, no answer could echo it."""
    try:
        "".join(given).encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_job_id(payload: Mapping[str, object]) -> str | None:
    """Return the job of a request, None without one; raises as `parse_request`."""
    job_id = payload.get("jobId")
    if job_id is None:
        return None
    if not isinstance(job_id, str):
        raise InvalidRequestError("jobId must be a string")
    if not job_id.strip():
        raise InvalidRequestError("jobId cannot be empty")
    # It is kept in every item, and write units are counted by the kilobyte.
    if len(job_id.encode(errors="replace")) > JOB_ID_LIMIT_BYTES:
        raise InvalidRequestError(f"jobId cannot be longer than {JOB_ID_LIMIT_BYTES} bytes of UTF-8")
    if not is_text(job_id):
        raise InvalidRequestError(f"jobId {NO_TEXT}")
    return job_id


def parse_entries(payload: Mapping[str, object], cap: int | None) -> Sequence[object]:
    """Return the entries of a request, as they stand; raises as `parse_request`."""
    given = payload.get("sourceIdentifiers")
    selected = next((name for name in SELECTIONS if name in payload), None)
    if selected:
        raise InvalidRequestError(f"{selected} is for the workflow alone")
    if "sourceIdentifiers" not in payload:
        raise InvalidRequestError("sourceIdentifiers is required")
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise InvalidRequestError("sourceIdentifiers must be an array of strings")
    if not given:
        raise InvalidRequestError("sourceIdentifiers cannot be empty")
    texts = [trimmed(entry) for entry in given if isinstance(entry, str)]
    if not all(texts):
        raise InvalidRequestError("sourceIdentifiers cannot contain empty strings")
    if cap is not None and len(given) > cap:
        raise InvalidRequestError(f"sourceIdentifiers cannot contain more than {cap} items")
    if not is_text(*texts):
        raise InvalidRequestError(f"sourceIdentifiers {NO_TEXT}")
    return given


def parse_mode(payload: Mapping[str, object]) -> Mode:
    """Return the mode of a request; raises as `parse_request`."""
    mode = Mode.IDENTIFIERS if payload.get("mode") is None else payload["mode"]
    if not isinstance(mode, str) or mode not in list(Mode):
        raise InvalidRequestError(f"mode must be one of: {', '.join(Mode)}")
    return Mode(mode)


def _predecessors(given: object, identifiers: Sequence[str]) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(each, str) for each in [*given, *given.values()]):
        raise InvalidRequestError("predecessors must be an object of strings")
    named = {trimmed(source): trimmed(before) for source, before in given.items()}
    if not all(named.values()):
        raise InvalidRequestError("predecessors cannot contain empty strings")
    if not is_text(*named, *named.values()):
        raise InvalidRequestError(f"predecessors {NO_TEXT}")
    unknown = next((source for source in named if source not in set(identifiers)), None)
    if unknown is not None:
        # A wrong name here would mint a fresh identifier where one should have been inherited, for good.
        raise InvalidRequestError(f"predecessors names an identifier that is not in sourceIdentifiers: {unknown}")
    return named
