"""An existing map of identifiers, brought into the registry with the writes that minting uses: nothing is overwritten.

A line is `{"sourceIdentifier", "canonicalId", "createdAt"?, "predecessor"?}`, as an export writes it. What is there
already is passed over, so an import that was interrupted is simply started again.
"""

import itertools
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from waybill.core.bodies import RepeatedNameError, strict_json
from waybill.core.clock import Clock, iso, moment_of, now
from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.retry import Retry
from waybill.minting.domain.canonical_ids import is_canonical_id
from waybill.minting.domain.registry import ASSIGN_LIMIT, FIND_LIMIT, InvocationTime, Registry
from waybill.minting.domain.requests import refuse_unknown
from waybill.minting.domain.source_ids import examine, source_of_key
from waybill.minting.errors import (
    InvalidIdentifierError,
    InvalidRequestError,
    RegistryThrottledError,
    RegistryUnavailableError,
)
from waybill.minting.models import Assignment, Proposal, ProposalVerdict, Ruling, SourceId

_LINE_FIELDS = ("sourceIdentifier", "canonicalId", "createdAt", "predecessor", "origin")
_ATTEMPTS = 12
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_BUSY = frozenset({Ruling.CONFLICT, Ruling.THROTTLED})
# What is kept is asked for again without what has kept it from being stored.
_OPEN = _BUSY | {Ruling.KEPT}


@dataclass(frozen=True)
class Refused:
    """An assignment that contradicts the registry, or could not be written; nothing was changed."""

    source: SourceId
    canonical_id: str
    reason: str


@dataclass(frozen=True)
class Imported:
    """What became of some lines."""

    stored: int
    present: int
    refused: tuple[Refused, ...]


def parse_line(line: str, number: int) -> Proposal:
    """Return the assignment of one line.

    Raises
    ------
    InvalidInputError
        It holds none; names the line.
    """
    field = f"line {number}"
    try:
        decoded = strict_json(line.removeprefix("\ufeff") if number == 1 else line)
        canonical_id, text = decoded["canonicalId"], decoded["sourceIdentifier"]
        before, created_at = decoded.get("predecessor"), decoded.get("createdAt")
        refuse_unknown(decoded, _LINE_FIELDS)
        examined, inherited = examine(text), examine(before) if before else None
        proposal = Proposal(
            examined.source,
            canonical_id,
            inherited.source if inherited else None,
            imported=True,
            fault=examined.fault or (inherited.fault if inherited else None),
        )
    except (InvalidIdentifierError, InvalidRequestError, RepeatedNameError) as error:
        raise InvalidInputError(FieldError(field, str(error))) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidInputError(FieldError(field, "needs sourceIdentifier and canonicalId, as JSON")) from None
    if not isinstance(canonical_id, str) or not is_canonical_id(canonical_id):
        raise InvalidInputError(FieldError(field, "canonicalId is not a canonical ID"))
    return replace(proposal, created_at=_moment(created_at, field))


def _moment(given: object, field: str) -> str | None:
    """Return a time as the registry writes it: text order has to be time order."""
    if given is None:
        return None
    moment = moment_of(given)
    if moment is None:
        raise InvalidInputError(FieldError(field, "createdAt must be a time as in 2026-02-10T12:00:00Z"))
    return iso(moment)


def exported_line(assignment: Assignment) -> str:
    """Return the line of one assignment."""
    line: dict[str, str | None] = {
        "sourceIdentifier": str(assignment.source),
        "canonicalId": assignment.canonical_id,
        "createdAt": assignment.created_at,
        "origin": assignment.origin,
    }
    if assignment.predecessor:
        line["predecessor"] = str(assignment.predecessor)
    return json.dumps(line, ensure_ascii=False)


@dataclass(frozen=True)
class Importer:
    """Writes assignments that were made elsewhere."""

    registry: Registry
    time: InvocationTime

    def load(self, proposals: Iterable[Proposal]) -> Iterator[Imported]:
        """Store proposals, and yield what became of each hundred of them.

        Sources that inherit have to come after their predecessors; an export sorts them so with `in_order`.
        """
        for some in itertools.batched(proposals, FIND_LIMIT, strict=False):
            yield self._load(some)

    def _load(self, proposals: Sequence[Proposal]) -> Imported:
        stored = present = 0
        refused: list[Refused] = []
        waiting: list[Proposal] = []
        known = self._known({each.source for each in proposals})
        for proposal in proposals:
            there = known.get(proposal.source)
            if there == proposal.canonical_id:
                present += 1
            elif there is not None:
                refused.append(Refused(proposal.source, proposal.canonical_id, f"the source has {there}"))
            elif proposal.fault:
                refused.append(Refused(proposal.source, proposal.canonical_id, proposal.fault))
            elif proposal.predecessor == proposal.source:
                refused.append(Refused(proposal.source, proposal.canonical_id, "it is named as its own predecessor"))
            else:
                known[proposal.source] = proposal.canonical_id
                waiting.append(proposal)
        for batch in _separable(waiting):
            for proposal, verdict_on in self._store(batch):
                match verdict_on.ruling:
                    case Ruling.STORED:
                        stored += 1
                    case Ruling.LOST if verdict_on.canonical_id == proposal.canonical_id:
                        stored += 1
                    case _:
                        refused.append(Refused(proposal.source, proposal.canonical_id, _reason(verdict_on)))
        return Imported(stored, present, tuple(refused))

    def _known(self, sources: Iterable[SourceId]) -> dict[SourceId, str]:
        found: dict[SourceId, str] = {}
        waiting, course = list(sources), self._retry.begin()
        while waiting:
            asked = waiting
            answer = self._repeated(lambda: self.registry.find(asked, consistent=True))  # noqa: B023 - called at once
            found |= answer.canonical_ids
            waiting = list(answer.unprocessed)
            if len(waiting) < len(asked):
                course.progress()
            if waiting and not course.pause():
                raise RegistryThrottledError(f"DynamoDB left {len(waiting)} sources unprocessed")
        return found

    def _store(self, batch: Sequence[Proposal]) -> Iterator[tuple[Proposal, ProposalVerdict]]:
        waiting, course = list(batch), self._retry.begin()
        while waiting:
            token, asked, at = str(uuid.uuid4()), waiting, iso(now())
            verdicts = self._repeated(lambda: self.registry.assign(asked, token=token, at=at))  # noqa: B023 - called at once
            told = list(zip(asked, verdicts, strict=True))
            yield from (each for each in told if each[1].ruling not in _OPEN)
            still_open = [each for each in told if each[1].ruling in _OPEN]
            waiting = [proposal for proposal, _ in still_open]
            busy = waiting == asked or any(verdict.ruling in _BUSY for verdict in verdicts)
            if waiting and busy and not course.pause():
                yield from still_open
                return

    def _repeated[T](self, call: Callable[[], T]) -> T:
        return self._retry.call(call, on=(RegistryThrottledError, RegistryUnavailableError))

    @property
    def _retry(self) -> Retry:
        clock = Clock(sleep=self.time.sleep, uniform=self.time.uniform)
        return Retry(_ATTEMPTS, _FIRST_PAUSE, _LONGEST_PAUSE, clock=clock)


def _separable(proposals: Sequence[Proposal]) -> Iterator[list[Proposal]]:
    """Yield batches in which no item is touched twice: no ID twice, no predecessor beside its alias."""
    batch: list[Proposal] = []
    ids: set[str] = set()
    sources: set[SourceId] = set()
    before: set[SourceId] = set()
    for proposal in proposals:
        clash = proposal.predecessor in sources if proposal.predecessor else proposal.canonical_id in ids
        if batch and (clash or proposal.source in before or len(batch) == ASSIGN_LIMIT):
            yield batch
            batch, ids, sources, before = [], set(), set(), set()
        batch.append(proposal)
        sources.add(proposal.source)
        if proposal.predecessor:
            before.add(proposal.predecessor)
        else:
            ids.add(proposal.canonical_id)
    if batch:
        yield batch


def _reason(verdict: ProposalVerdict) -> str:
    match verdict.ruling:
        case Ruling.LOST:
            return f"the source has {verdict.canonical_id}"
        case Ruling.TAKEN:
            return f"the canonical ID belongs to {source_of_key(verdict.owner) if verdict.owner else 'another source'}"
        case Ruling.ORPHANED:
            return "its predecessor does not have that canonical ID"
        case Ruling.REFUSED:
            return "DynamoDB takes its item for invalid"
    return "DynamoDB was too busy; start the import again"
