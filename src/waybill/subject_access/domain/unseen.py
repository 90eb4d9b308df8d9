"""What nobody has seen of a report that is to be approved: near misses, and attachments that nothing looks into.

UK GDPR Article 15(4); ICO, "How to disclose information safely": a person looks at what no program could. It matters
only where something is taken out; a report with nothing to look for has nothing unseen.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from waybill.subject_access.domain.keys import near_misses_key
from waybill.subject_access.domain.near_miss_decisions import About, Decided
from waybill.subject_access.domain.ports import Documents, RequestStore
from waybill.subject_access.domain.report.models import AttachmentOutcome, PartSummary
from waybill.subject_access.errors import ReportDamagedError
from waybill.subject_access.models import Attachment, Part, SubjectRequest
from waybill.subject_access.service_models import rules_digest

_MOST_BYTES = 20_000_000


@dataclass(frozen=True)
class Unseen:
    """How much nobody has decided about (`near_misses`), and how many attachments were not searched."""

    near_misses: int = 0
    not_searched: int = 0

    def __str__(self) -> str:
        near = f"{_counted(self.near_misses, 'near miss', 'near misses')} nobody has decided about"
        files = f"{_counted(self.not_searched, 'attachment', 'attachments')} not searched for what is taken out"
        return " and ".join(text for text, count in ((near, self.near_misses), (files, self.not_searched)) if count)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


@dataclass(frozen=True)
class DrawnParts:
    """Reads what is noted beside the parts of a request."""

    store: RequestStore
    documents: Documents

    def summary(self, part: Part) -> PartSummary | None:
        """Return what a part was drawn as; None where it was not drawn here, or that is not noted any more."""
        key = part.part_key.removesuffix(".pdf") + ".json" if part.part_key else None
        text = self.documents.document(key, _MOST_BYTES) if key else None
        return PartSummary.from_json(json.loads(text)) if text else None

    def decided(self, request: SubjectRequest) -> Decided:
        """Return what people have decided about the near misses of a request."""
        sha256 = request.near_misses_sha256
        key = near_misses_key(request.request_id, sha256) if sha256 else None
        text = self.documents.document(key, _MOST_BYTES) if key else None
        return Decided.of(text) if text else Decided()

    def unseen(self, request: SubjectRequest) -> Unseen:
        """Return what nobody has seen of all parts.

        Raises
        ------
        ReportDamagedError
            Something is taken out of a part, and what else it holds is not noted any more.
        """
        decided = self.decided(request)
        near, files, request_id = 0, 0, request.request_id
        for part in self.store.parts(request_id):
            if not is_searched(part):
                continue
            summary = self.summary(part)
            if summary is None:
                raise ReportDamagedError(f"what {part.service} was drawn as is not noted any more; draw it again")
            near += undecided(part, summary, decided)
            files += not_searched(part, summary, self.store.attachments(request_id, part.service, part.generation))
        return Unseen(near, files)


def is_searched(part: Part) -> bool:
    """Return whether there was something to look for when a part was drawn: a service's rule, or people's marks."""
    ruled = part.rules_sha256 not in (None, rules_digest(()))
    return part.part_key is not None and (ruled or part.redactions_sha256 is not None)


def undecided(part: Part, summary: PartSummary, decided: Decided) -> int:
    """Return of how many near misses nobody has said that they stay; those that are not listed are named together."""
    about = about_near(part, summary, decided)
    if about.whole:
        return 0
    return summary.near_misses - sum(about.at(one) is not None for one in summary.near)


def about_near(part: Part, summary: PartSummary, decided: Decided) -> About:
    """Return what stands of the decisions about a part as it is drawn."""
    return decided.about(part.service, part.answer_key or "", summary.near, summary.near_misses)


def not_searched(part: Part, summary: PartSummary, attachments: Sequence[Attachment]) -> int:
    """Return how many attachments of a part go to the person without all of them having been searched."""
    there = {one.number for one in attachments if one.key is not None}
    return sum(one.number in there and _goes_unsearched(one) for one in summary.attachments) if is_searched(part) else 0


def _goes_unsearched(one: AttachmentOutcome) -> bool:
    # What is shown in part is handed over as it came, unless something was taken out of what is shown.
    return not (one.redacted or one.swept) and (one.problem is not None or not one.searched)
