"""Minting without writing: what would become of a request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from waybill.minting.domain.registry import Registry
from waybill.minting.models import Found, Method, Minted, Outcome, Proposal, ProposalVerdict, Ruling, SourceId


@dataclass(frozen=True)
class RehearsedRegistry:
    """A registry that is read and never written: every proposal is taken for stored."""

    registry: Registry

    def find(self, sources: Sequence[SourceId], *, consistent: bool = False) -> Found:
        """Return what the registry has."""
        return self.registry.find(sources, consistent=consistent)

    def assign(
        self, proposals: Sequence[Proposal], *, token: str, at: str, job_id: str | None = None
    ) -> Sequence[ProposalVerdict]:
        """Store nothing."""
        return [ProposalVerdict(Ruling.STORED)] * len(proposals)


class RehearsedOutcome(TypedDict):
    """What would become of an identifier; `canonicalId` is one that the registry has, never a draw."""

    sourceIdentifier: str
    would: str
    canonicalId: NotRequired[str]
    note: NotRequired[str]
    code: NotRequired[str]
    reason: NotRequired[str]


def rehearsed(text: str, outcome: Outcome, new_ids: Sequence[str]) -> RehearsedOutcome:
    """Return what `outcome` of a rehearsal comes to; `new_ids` are those that it has drawn."""
    if not isinstance(outcome, Minted):
        return {"sourceIdentifier": text, "would": "refuse", "code": outcome.code.value, "reason": outcome.reason}
    if outcome.method is Method.MINTED:
        return {"sourceIdentifier": text, "would": "mint"}
    shown: RehearsedOutcome = {
        "sourceIdentifier": text,
        "would": "inherit" if outcome.method is Method.INHERITED else "keep",
    }
    if outcome.canonical_id not in new_ids:
        shown["canonicalId"] = outcome.canonical_id
    if outcome.note:
        shown["note"] = outcome.note.value
    return shown
