"""A registry in memory that keeps DynamoDB's promises, and breaks calls on demand."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from waybill.minting.domain.minter import Minter, Policy
from waybill.minting.domain.registry import ASSIGN_LIMIT, FIND_LIMIT, InvocationTime
from waybill.minting.domain.source_ids import key_of, parse_source_id
from waybill.minting.models import Found, Minted, Outcome, Proposal, ProposalVerdict, Ruling, SourceId, WantedIdentifier

type Fault = Callable[[Callable[[], Sequence[ProposalVerdict]], Sequence[Proposal]], Sequence[ProposalVerdict]]


@dataclass
class MemoryRegistry:
    """`Registry` on two dicts. `find_faults` and `assign_faults` happen to the next calls, one each; None: no fault."""

    forward: dict[SourceId, str] = field(default_factory=dict)
    reverse: dict[str, SourceId] = field(default_factory=dict)
    find_faults: list[Exception | int | None] = field(default_factory=list)
    assign_faults: list[Fault | Exception | None] = field(default_factory=list)
    finds: list[tuple[list[SourceId], bool]] = field(default_factory=list)
    assigns: list[list[Proposal]] = field(default_factory=list)
    tokens: dict[str, list[str | Proposal]] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return len(self.finds) + len(self.assigns)

    def find(self, sources: Sequence[SourceId], *, consistent: bool = False) -> Found:
        assert 0 < len(sources) <= FIND_LIMIT
        assert len(set(sources)) == len(sources)
        self.finds.append((list(sources), consistent))
        fault = self.find_faults.pop(0) if self.find_faults else None
        if isinstance(fault, Exception):
            raise fault
        read, left = (sources[:fault], sources[fault:]) if isinstance(fault, int) else (sources, [])
        return Found({source: self.forward[source] for source in read if source in self.forward}, tuple(left))

    def assign(
        self, proposals: Sequence[Proposal], *, token: str, at: str, job_id: str | None = None
    ) -> Sequence[ProposalVerdict]:
        assert 0 < len(proposals) <= ASSIGN_LIMIT
        call = [at, *proposals]
        assert self.tokens.setdefault(token, call) == call, "a token stands for one call"
        ids = [each.canonical_id for each in proposals if each.predecessor is None]
        sources = {each.source for each in proposals}
        assert len(set(ids)) == len(ids)
        assert len(sources) == len(proposals)
        assert not [each for each in proposals if each.predecessor in sources]
        self.assigns.append(list(proposals))
        fault = self.assign_faults.pop(0) if self.assign_faults else None
        if isinstance(fault, Exception):
            raise fault
        return fault(lambda: self.store(proposals), proposals) if fault else self.store(proposals)

    def store(self, proposals: Sequence[Proposal]) -> Sequence[ProposalVerdict]:
        """All of them or none."""
        verdicts = [self._verdict(each) for each in proposals]
        if any(verdict.ruling is not Ruling.KEPT for verdict in verdicts):
            return verdicts
        for each in proposals:
            self.forward[each.source] = each.canonical_id
            if each.predecessor is None:
                self.reverse[each.canonical_id] = each.source
        return [ProposalVerdict(Ruling.STORED)] * len(proposals)

    def _verdict(self, proposal: Proposal) -> ProposalVerdict:
        if proposal.source in self.forward:
            return ProposalVerdict(Ruling.LOST, canonical_id=self.forward[proposal.source])
        if proposal.predecessor is not None:
            same = self.forward.get(proposal.predecessor) == proposal.canonical_id
            return ProposalVerdict(Ruling.KEPT if same else Ruling.ORPHANED)
        if proposal.canonical_id in self.reverse:
            return ProposalVerdict(Ruling.TAKEN, owner=key_of(self.reverse[proposal.canonical_id]))
        return ProposalVerdict(Ruling.KEPT)

    def sound(self) -> bool:
        """Whether every canonical ID has the owner that has it."""
        owned = all(self.forward.get(owner) == canonical_id for canonical_id, owner in self.reverse.items())
        return owned and set(self.forward.values()) == set(self.reverse)


@dataclass
class Clock:
    """Seconds of an invocation; only sleeping and `cost` per look take any."""

    left: float = 100.0
    slept: list[float] = field(default_factory=list)

    def time(self) -> InvocationTime:
        return InvocationTime(lambda: self.left, self._sleep, lambda low, high: high)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.left -= seconds


def counting() -> Callable[[str], str]:
    """Canonical IDs in order: aaaaaaaa, aaaaaaab, …."""
    numbers = _numbers()
    return lambda _system: next(numbers)


def _numbers() -> Iterator[str]:
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    for number in range(31**4):
        digits = [alphabet[number // 31**place % 31] for place in (3, 2, 1, 0)]
        yield "aaaa" + "".join(digits)


def sources(count: int, prefix: str = "s") -> list[SourceId]:
    """Different sources."""
    return [parse_source_id(f"{prefix}-{number}") for number in range(count)]


def mint(
    registry: MemoryRegistry,
    wanted: Sequence[SourceId | WantedIdentifier],
    *,
    draw: Callable[[str], str] | None = None,
    clock: Clock | None = None,
    policy: Policy | None = None,
) -> dict[SourceId, Outcome]:
    """Mint in `registry`."""
    minter = Minter(registry, draw or counting(), (clock or Clock()).time(), policy)
    return minter.mint([each if isinstance(each, WantedIdentifier) else WantedIdentifier(each) for each in wanted])


def ids_of(outcomes: dict[SourceId, Outcome]) -> dict[SourceId, str]:
    """The canonical IDs of those that have one."""
    return {source: outcome.canonical_id for source, outcome in outcomes.items() if isinstance(outcome, Minted)}
