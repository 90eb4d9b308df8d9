"""Large requests: cut into chunks that one function mints, each small enough to travel in a workflow's state.

Identifiers that are linked by predecessors stay together, because chunks are minted at the same time.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from waybill.core.bodies import RepeatedNameError, strict_json
from waybill.minting.domain.requests import (
    NO_TEXT,
    Mode,
    is_text,
    parse_job_id,
    parse_mode,
    parse_request,
    refuse_unknown,
)
from waybill.minting.domain.source_ids import columns_headed_by, examine, trimmed
from waybill.minting.errors import InvalidIdentifierError, InvalidRequestError
from waybill.minting.models import Chunk

CHUNK_ENTRIES = 100
CHUNK_BYTES = 100_000
# Step Functions takes 262,144 bytes per state (developer guide, "Quotas"); the rest is for what goes along.
STATE_BYTES = 200_000
ENTRIES_LIMIT = 2_000_000


@dataclass(frozen=True, slots=True)
class RequestedIdentifier:
    """One identifier as requested, with its predecessor; with `no_string`, the JSON of what stands in place of one."""

    text: str
    predecessor: str | None = None
    no_string: bool = False


@dataclass(frozen=True)
class MintingRun:
    """The execution that a large request is minted by: its name, unique, and its ARN."""

    name: str
    execution_id: str


@dataclass(frozen=True)
class ChunkPlan:
    """What a large request comes to."""

    entries: Sequence[RequestedIdentifier]
    mode: Mode
    job_id: str | None


def plan_request(payload: Mapping[str, object]) -> ChunkPlan:
    """Return the plan of a request that holds its identifiers itself.

    Raises
    ------
    InvalidRequestError
        A rule is broken.
    """
    request = parse_request(payload, cap=None)
    entries = [RequestedIdentifier(text, request.predecessors.get(text)) for text in request.source_identifiers]
    # Each is refused by itself, where its neighbours are minted.
    entries += [RequestedIdentifier(json.dumps(each), no_string=True) for each in request.no_strings]
    return ChunkPlan(entries, request.mode, request.job_id)


_ONE_A_LINE = "give one identifier a line, or JSON Lines of sourceIdentifier and predecessor"


def plan_lines(
    payload: Mapping[str, object], lines: Iterable[str], *, as_json: bool = False, may_be_empty: bool = False
) -> ChunkPlan:
    """Return the plan of a request whose identifiers are the `lines` of an object, or the names of documents.

    A line is an identifier; with `as_json`, a JSON string or `{"sourceIdentifier", "predecessor"}`. Blank lines and a
    byte order mark before the first one are passed over (Unicode Standard, 23.8). What begins with the heading of
    several columns is a table, and refused as a whole.

    Raises
    ------
    InvalidRequestError
        A rule is broken.
    """
    job_id, mode = parse_job_id(payload), parse_mode(payload)
    distinct: dict[str, str | None] = {}
    for number, written in enumerate(lines, start=1):
        line = written.removeprefix("\ufeff") if number == 1 else written
        if trimmed(line):
            if not distinct and not as_json and (columns := columns_headed_by(trimmed(line))) > 1:
                # Each line below would become one identifier, with the separators and all, for ever.
                raise InvalidRequestError(
                    f"line {number} is the heading of a table of {columns} columns: {_ONE_A_LINE}"
                )
            text, before = _parsed(line, number) if as_json else (trimmed(line), None)
            if not is_text(text, before or ""):
                raise InvalidRequestError(f"line {number} {NO_TEXT}")
            if distinct.setdefault(text, before) != before:
                raise InvalidRequestError(f"line {number} gives another predecessor for {text}")
            if len(distinct) > ENTRIES_LIMIT:
                raise InvalidRequestError(f"a request cannot be about more than {ENTRIES_LIMIT} identifiers")
    if not distinct and not may_be_empty:
        raise InvalidRequestError("sourceIdentifiers cannot be empty")
    return ChunkPlan([RequestedIdentifier(text, before) for text, before in distinct.items()], mode, job_id)


def chunks(plan: ChunkPlan, run: MintingRun) -> Iterator[Chunk]:
    """Yield the chunks of `plan`, as the function that mints one takes them; `run` is whose they are.

    Raises
    ------
    InvalidRequestError
        Identifiers linked by predecessors do not fit one chunk.
    """
    held: list[RequestedIdentifier] = []
    size = index = 0
    for together in _linked(plan.entries):
        more = sum(_size(entry) for entry in together)
        if more > STATE_BYTES:
            raise InvalidRequestError(f"the predecessors of {together[0].text} and those linked to it are too many")
        if held and (len(held) + len(together) > CHUNK_ENTRIES or size + more > CHUNK_BYTES):
            yield _chunk(plan, run, index, held)
            held, size, index = [], 0, index + 1
        held.extend(together)
        size += more
    if held:
        yield _chunk(plan, run, index, held)


def fitting_chunks(plan: ChunkPlan, run: MintingRun) -> list[Chunk] | None:
    """Return all chunks of `plan` if they fit the state together, else None; raises as `chunks`."""
    fitting: list[Chunk] = []
    size = 0
    for chunk in chunks(plan, run):
        size += len(json.dumps(chunk))
        if size > STATE_BYTES:
            return None
        fitting.append(chunk)
    return fitting


def _chunk(plan: ChunkPlan, run: MintingRun, index: int, entries: Sequence[RequestedIdentifier]) -> Chunk:
    predecessors = {entry.text: entry.predecessor for entry in entries if entry.predecessor is not None}
    chunk: Chunk = {
        "run": run.name,
        "executionId": run.execution_id,
        "index": index,
        "mode": plan.mode.value,
        "sourceIdentifiers": [json.loads(entry.text) if entry.no_string else entry.text for entry in entries],
    }
    if predecessors:
        chunk["predecessors"] = predecessors
    if plan.job_id is not None:
        chunk["jobId"] = plan.job_id
    return chunk


def _linked(entries: Sequence[RequestedIdentifier]) -> Iterator[list[RequestedIdentifier]]:
    """Yield the entries in their order, those linked by predecessors together where the first of them stands."""
    if all(entry.predecessor is None for entry in entries):
        yield from ([entry] for entry in entries)
        return
    leader: dict[str, str] = {}

    def lead(key: str) -> str:
        while (above := leader.setdefault(key, key)) != key:
            leader[key] = leader[above]
            key = above
        return key

    keys = {entry.text: _key(entry.text) for entry in entries}
    for entry in entries:
        if entry.predecessor is not None:
            leader[lead(keys[entry.text])] = lead(_key(entry.predecessor))
    groups: dict[str, list[RequestedIdentifier]] = {}
    for entry in entries:
        groups.setdefault(lead(keys[entry.text]), []).append(entry)
    yield from groups.values()


def _key(text: str) -> str:
    try:
        return str(examine(text).source)
    except InvalidIdentifierError:
        return text


def _size(entry: RequestedIdentifier) -> int:
    return len(json.dumps([entry.text, entry.text, entry.predecessor]))


def _parsed(line: str, number: int) -> tuple[str, str | None]:
    where = f"line {number}: "
    try:
        decoded = strict_json(line)
    except RepeatedNameError as error:
        raise InvalidRequestError(where + str(error)) from None
    except (ValueError, RecursionError):
        decoded = None
    given = {"sourceIdentifier": decoded} if isinstance(decoded, str) else decoded
    if not isinstance(given, Mapping) or "sourceIdentifier" not in given:
        raise InvalidRequestError(f"line {number} is neither a JSON string nor an object with sourceIdentifier")
    refuse_unknown(given, ("sourceIdentifier", "predecessor"), where)
    text = _text(given["sourceIdentifier"], f"{where}sourceIdentifier")
    before = given.get("predecessor")
    return text, None if before is None else _text(before, f"{where}predecessor")


def _text(given: object, what: str) -> str:
    if not isinstance(given, str):
        raise InvalidRequestError(f"{what} must be a string")
    if not trimmed(given):
        raise InvalidRequestError(f"{what} cannot be empty")
    return trimmed(given)
