"""Minting: the canonical ID that a source has, or a new one, confirmed by the registry before anybody is told.

One read finds what exists. What is missing is written in transactions of 50 pairs; a cancelled transaction says of
every pair what was wrong with it, and the next one holds only what is still open. Conflicts and throttling are waited
out with full jitter, within a bound and within the invocation's time; what is open then is a failure of its own, and
the rest is answered.
"""

import itertools
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from waybill.core.clock import Clock, iso, now
from waybill.core.retry import Retry
from waybill.minting.domain.registry import ASSIGN_LIMIT, FIND_LIMIT, InvocationTime, Registry
from waybill.minting.errors import RegistryThrottledError, RegistryUnavailableError, TransactionRefusedError
from waybill.minting.models import (
    FailureCode,
    Method,
    Minted,
    Note,
    NotMinted,
    Outcome,
    Proposal,
    ProposalVerdict,
    Ruling,
    SourceId,
    WantedIdentifier,
)

_NO_TIME = NotMinted(FailureCode.THROTTLED, "the time of the invocation ran out")


@dataclass(frozen=True)
class Policy:
    """Bounds of one mint; times in seconds.

    `margin` is left of the invocation's time when the last call starts: its time-outs and the answer fit into it.
    `attempts` bounds how often one batch may meet conflicts, throttling and faults, `draws` the candidates per source.
    """

    attempts: int = 10
    draws: int = 8
    margin: float = 12.0
    pause: float = 0.05
    longest_pause: float = 2.0
    conflicts_before_split: int = 2


class Minter:
    """Mints identifiers in a registry; `draw` returns a random canonical ID for a source system."""

    def __init__(
        self,
        registry: Registry,
        draw: Callable[[str], str],
        time: InvocationTime,
        policy: Policy | None = None,
    ) -> None:
        self._registry = registry
        self._draw = draw
        self._time = time
        self._policy = policy or Policy()

    def mint(
        self,
        wanted: Sequence[WantedIdentifier],
        job_id: str | None = None,
        faults: Mapping[SourceId, str] | None = None,
    ) -> dict[SourceId, Outcome]:
        """Return the outcome of every wanted source; those differ from each other.

        `faults` says of sources and predecessors why they may not be minted; what the registry has of them is answered.

        Raises
        ------
        RegistryUnavailableError
            The registry cannot be reached, and nothing could be done.
        RegistryRefusedError
            The table is missing, or refuses this role.
        """
        return _Mint(self._registry, self._draw, self._time, self._policy, job_id, faults or {}).run(wanted)


@dataclass
class _Batch:
    """Proposals of one transaction. `trouble` is what it met last; `unknown`: it may have been stored."""

    proposals: list[Proposal]
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempts: int = 0
    conflicts: int = 0
    trouble: NotMinted = _NO_TIME
    unknown: bool = False


class _Mint:
    """One call of `Minter.mint`."""

    def __init__(
        self,
        registry: Registry,
        draw: Callable[[str], str],
        time: InvocationTime,
        policy: Policy,
        job_id: str | None,
        faults: Mapping[SourceId, str],
    ) -> None:
        self._registry, self._draw, self._time, self._policy, self._job_id = registry, draw, time, policy, job_id
        # One time for all writes: a call that is repeated with its token has to be the same in everything.
        self._at = iso(now())
        self._faults = faults
        self._outcomes: dict[SourceId, Outcome] = {}
        self._drawn: set[str] = set()
        self._draws: dict[SourceId, int] = {}

    def run(self, wanted: Sequence[WantedIdentifier]) -> dict[SourceId, Outcome]:
        sources = [each.source for each in wanted]
        found, unread = self._find(sources, consistent=False)
        self._outcomes |= {source: Minted(known, Method.LOOKED_UP) for source, known in found.items()}
        self._outcomes |= unread
        missing = {each.source: each for each in wanted if each.source not in self._outcomes}
        for source, each in list(missing.items()):
            if source in self._faults:
                self._outcomes[source] = NotMinted(FailureCode.INVALID_IDENTIFIER, self._faults[source])
                del missing[source]
            elif len(each.predecessors) > 1:
                reason = f"Conflicting predecessors for {_slashed(source)}"
                self._outcomes[source] = NotMinted(FailureCode.CONFLICTING_PREDECESSOR, reason)
                del missing[source]
        self._mint_in_order({source: each.predecessors[0] for source, each in missing.items()})
        self._note_ignored(wanted)
        return self._outcomes

    def _note_ignored(self, wanted: Sequence[WantedIdentifier]) -> None:
        """Say where a source had an ID already, and a predecessor that it was given does not have the same one."""
        linked = {
            each.source: (outcome, [before for before in each.predecessors if before])
            for each in wanted
            if isinstance(outcome := self._outcomes[each.source], Minted)
            and outcome.method in {Method.LOOKED_UP, Method.RACE_LOST}
        }
        minted = {
            source: outcome.canonical_id for source, outcome in self._outcomes.items() if isinstance(outcome, Minted)
        }
        elsewhere = {before for _, every in linked.values() for before in every if before not in self._outcomes}
        found, unread = self._find(elsewhere, consistent=False) if elsewhere else ({}, {})
        known = found | minted
        for source, (outcome, every) in linked.items():
            if any(before not in unread and known.get(before) != outcome.canonical_id for before in every):
                self._outcomes[source] = replace(outcome, note=Note.PREDECESSOR_IGNORED)

    def _find(
        self, sources: Iterable[SourceId], *, consistent: bool
    ) -> tuple[dict[SourceId, str], dict[SourceId, NotMinted]]:
        """Return what the registry has, and the failures of those that it could not be asked for."""
        found: dict[SourceId, str] = {}
        waiting, attempts, trouble = list(sources), 0, _NO_TIME
        while waiting and attempts < self._policy.attempts and self._has_time():
            asked, rest = waiting[:FIND_LIMIT], waiting[FIND_LIMIT:]
            try:
                answer = self._registry.find(asked, consistent=consistent)
            except RegistryThrottledError as error:
                trouble = NotMinted(FailureCode.THROTTLED, str(error))
            except RegistryUnavailableError as error:
                trouble = NotMinted(FailureCode.INTERNAL, str(error))
            else:
                found |= answer.canonical_ids
                waiting = [*answer.unprocessed, *rest]
                if not answer.unprocessed:
                    attempts = 0
                    continue
                trouble = NotMinted(FailureCode.THROTTLED, "DynamoDB left it unprocessed")
            attempts += 1
            self._pause(attempts)
        if waiting and trouble.code is FailureCode.INTERNAL and not found and not self._outcomes:
            raise RegistryUnavailableError(trouble.reason)
        return found, dict.fromkeys(waiting, trouble)

    def _mint_in_order(self, missing: dict[SourceId, SourceId | None]) -> None:
        """Mint predecessors before those that inherit from them."""
        elsewhere = {before for before in missing.values() if before and before not in missing}
        elsewhere -= self._outcomes.keys()
        known, unread = self._find(elsewhere, consistent=True) if elsewhere else ({}, {})
        waiting = dict(missing)
        while waiting:
            ready = [source for source, before in waiting.items() if before not in waiting]
            if not ready:
                self._outcomes |= {source: _cycle(source) for source in waiting}
                return
            proposals = []
            for source in ready:
                before = waiting.pop(source)
                planned = self._plan(source, before, known, unread)
                if isinstance(planned, NotMinted):
                    self._outcomes[source] = planned
                else:
                    proposals.append(planned)
            self._store(proposals)

    def _plan(
        self,
        source: SourceId,
        before: SourceId | None,
        known: dict[SourceId, str],
        unread: dict[SourceId, NotMinted],
    ) -> Proposal | NotMinted:
        if before is None:
            return self._candidate(source)
        outcome = self._outcomes.get(before) or unread.get(before)
        if isinstance(outcome, NotMinted) and outcome.retryable:
            return NotMinted(outcome.code, f"its predecessor {_slashed(before)}: {outcome.reason}")
        inherited = outcome.canonical_id if isinstance(outcome, Minted) else known.get(before)
        return Proposal(source, inherited, before) if inherited else self._orphan(before)

    def _orphan(self, before: SourceId) -> NotMinted:
        if before in self._faults:
            return NotMinted(FailureCode.INVALID_IDENTIFIER, f"predecessor: {self._faults[before]}")
        return NotMinted(FailureCode.PREDECESSOR_NOT_FOUND, f"Predecessor not found: {_slashed(before)}")

    def _candidate(self, source: SourceId) -> Proposal | NotMinted:
        """Return a proposal with a canonical ID that this call has not proposed yet."""
        while (draws := self._draws.get(source, 0)) < self._policy.draws:
            self._draws[source] = draws + 1
            drawn = self._draw(source.source_system)
            if drawn not in self._drawn:
                self._drawn.add(drawn)
                return Proposal(source, drawn)
        return NotMinted(FailureCode.COLLISION, f"{self._policy.draws} random IDs were all taken")

    def _store(self, proposals: Sequence[Proposal]) -> None:
        batches = deque(_Batch(list(some)) for some in itertools.batched(proposals, ASSIGN_LIMIT, strict=False))
        while batches:
            batch = batches.popleft()
            if batch.attempts and batch.attempts < self._policy.attempts:
                self._pause(batch.attempts)
            if batch.attempts >= self._policy.attempts or not self._has_time():
                self._give_up(batch)
            else:
                batches.extend(self._attempt(batch))

    def _attempt(self, batch: _Batch) -> list[_Batch]:
        """Make the call; return what is still open, as the batches to try next."""
        try:
            verdicts = self._registry.assign(batch.proposals, token=batch.token, at=self._at, job_id=self._job_id)
        except RegistryThrottledError as error:
            return [self._again(batch, NotMinted(FailureCode.THROTTLED, str(error)))]
        except RegistryUnavailableError as error:
            # Stored or not: the same token makes the repeated call the same call.
            again = self._again(batch, NotMinted(FailureCode.INTERNAL, str(error)))
            return [replace(again, token=batch.token, unknown=True)]
        except TransactionRefusedError as error:
            return self._isolated(batch, str(error))
        return self._open_after(batch, verdicts)

    def _open_after(self, batch: _Batch, verdicts: Sequence[ProposalVerdict]) -> list[_Batch]:
        still_open: list[Proposal] = []
        collided: list[Proposal] = []
        trouble: NotMinted | None = None
        for proposal, verdict in zip(batch.proposals, verdicts, strict=True):
            match verdict.ruling:
                case Ruling.KEPT:
                    still_open.append(proposal)
                case Ruling.CONFLICT:
                    still_open.append(proposal)
                    trouble = NotMinted(FailureCode.CONFLICT, "other transactions kept writing the same items")
                case Ruling.THROTTLED:
                    still_open.append(proposal)
                    trouble = trouble or NotMinted(FailureCode.THROTTLED, "DynamoDB asked to slow down")
                case Ruling.TAKEN:
                    self._redraw(proposal, still_open, collided)
                case _:
                    self._outcomes[proposal.source] = self._confirmed_outcome(proposal, verdict, batch)
        if all(verdict.ruling is Ruling.KEPT for verdict in verdicts):
            trouble = NotMinted(FailureCode.INTERNAL, "DynamoDB cancelled the transaction without a reason")
        batches = [replace(self._fresh(batch), proposals=collided)] if collided else []
        if not still_open:
            return batches
        if trouble is None:
            return [replace(self._fresh(batch), proposals=still_open), *batches]
        return [*self._split(replace(self._again(batch, trouble), proposals=still_open)), *batches]

    def _redraw(self, proposal: Proposal, still_open: list[Proposal], collided: list[Proposal]) -> None:
        again = self._candidate(proposal.source)
        if isinstance(again, NotMinted):
            self._outcomes[proposal.source] = again
        elif self._draws[proposal.source] > 2:
            collided.append(again)  # it must not cancel its neighbours any longer
        else:
            still_open.append(again)

    def _confirmed_outcome(self, proposal: Proposal, verdict: ProposalVerdict, batch: _Batch) -> Outcome:
        own = Method.INHERITED if proposal.predecessor else Method.MINTED
        if verdict.ruling is Ruling.STORED:
            return Minted(proposal.canonical_id, own)
        if verdict.ruling is Ruling.LOST and verdict.canonical_id:
            # After a call whose outcome was unknown, the winner may have been that very call.
            is_own = batch.unknown and verdict.canonical_id == proposal.canonical_id
            return Minted(verdict.canonical_id, own if is_own else Method.RACE_LOST)
        if verdict.ruling is Ruling.ORPHANED and proposal.predecessor:
            return self._orphan(proposal.predecessor)
        return NotMinted(FailureCode.INVALID_IDENTIFIER, "DynamoDB takes its item for invalid")

    def _again(self, batch: _Batch, trouble: NotMinted) -> _Batch:
        """Return the batch after something that waiting may mend."""
        conflicts = batch.conflicts + (trouble.code is FailureCode.CONFLICT)
        return replace(self._fresh(batch), attempts=batch.attempts + 1, conflicts=conflicts, trouble=trouble)

    def _fresh(self, batch: _Batch) -> _Batch:
        """Return the batch for another call: other proposals need another token."""
        return replace(batch, token=str(uuid.uuid4()))

    def _split(self, batch: _Batch) -> list[_Batch]:
        """Return the batch, in halves if one hot key may be holding back the others."""
        if batch.conflicts < self._policy.conflicts_before_split or len(batch.proposals) == 1:
            return [batch]
        middle = len(batch.proposals) // 2
        halves = (batch.proposals[:middle], batch.proposals[middle:])
        return [replace(self._fresh(batch), proposals=half) for half in halves]

    def _isolated(self, batch: _Batch, reason: str) -> list[_Batch]:
        """Halve a batch that is refused as a whole, until the one to blame is alone."""
        if len(batch.proposals) > 1:
            return self._split(replace(batch, conflicts=self._policy.conflicts_before_split))
        self._outcomes[batch.proposals[0].source] = NotMinted(FailureCode.INVALID_IDENTIFIER, reason)
        return []

    def _give_up(self, batch: _Batch) -> None:
        found: dict[SourceId, str] = {}
        if batch.unknown and self._time.remaining() > self._policy.margin / 2:
            try:
                found = dict(
                    self._registry.find([each.source for each in batch.proposals], consistent=True).canonical_ids
                )
            except (RegistryThrottledError, RegistryUnavailableError):
                found = {}
        for proposal in batch.proposals:
            stored = found.get(proposal.source)
            if stored is None:
                self._outcomes[proposal.source] = batch.trouble
            else:
                verdict = ProposalVerdict(Ruling.LOST, stored)
                self._outcomes[proposal.source] = self._confirmed_outcome(proposal, verdict, batch)

    def _has_time(self) -> bool:
        return self._time.remaining() > self._policy.margin

    def _pause(self, attempts: int) -> None:
        """Wait a random time below a limit that doubles (full jitter), never past the end of the time."""
        clock = Clock(sleep=self._time.sleep, uniform=self._time.uniform)
        retry = Retry(first_pause=2 * self._policy.pause, longest_pause=self._policy.longest_pause, clock=clock)
        spare = self._time.remaining() - self._policy.margin
        if spare > 0:
            self._time.sleep(min(retry.draw(attempts), spare))


def _cycle(source: SourceId) -> NotMinted:
    return NotMinted(FailureCode.CONFLICTING_PREDECESSOR, f"Predecessor cycle at {_slashed(source)}")


def _slashed(source: SourceId) -> str:
    return f"{source.ontology_type}/{source.source_system}/{source.source_id}"
