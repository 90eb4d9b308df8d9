"""What people decide about text that is nearly what they took out of a report: that it stays, and why.

UK GDPR Article 15(4); Data Protection Act 2018, Schedule 2, paragraph 16(3): be able to say why information about
somebody else was disclosed. What is to go is marked as anything else is; its near miss is gone with the next drawing.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from waybill.subject_access.domain.kept_document import KeptDocument
from waybill.subject_access.domain.report.models import Place


@dataclass(frozen=True)
class Stays:
    """A near miss that stays in the report, by its place in a service's answer; of all places without one.

    `answer` is the key of the answer that was looked at: another answer is to be looked at again. `seen` are the near
    misses that were listed then, by place and kind, and `count` how many there were: one that is there with later marks
    is to be looked at as well.
    """

    service: str
    path: str
    reason: str
    by: str
    at: str
    answer: str
    seen: tuple[tuple[str, str], ...] = ()
    count: int = 0

    def covers(self, near: Sequence[Place], count: int) -> bool:
        """Return whether all that is meant here, of the `count` near misses that begin with `near`, was there then."""
        if self.path:
            near = [one for one in near if one.place == self.path]
            count = len(near)
        return count <= self.count and seen(near) <= Counter(self.seen)


def seen(near: Sequence[Place]) -> Counter[tuple[str, str]]:
    """Return how often there is a near miss of a kind at a place."""
    return Counter((one.place, one.kind) for one in near)


@dataclass(frozen=True)
class Decided(KeptDocument):
    """All that was decided about a request, as it is kept beside the answers; `salt` keeps the SHA-256 from guesses."""

    stays: tuple[Stays, ...] = ()
    salt: str = ""

    @classmethod
    def of(cls, document: bytes) -> Self:
        """Return what `document` says."""
        data: Mapping[str, Any] = json.loads(document)
        stays = (Stays(**{**one, "seen": tuple(map(tuple, one.get("seen", ())))}) for one in data["stays"])
        return cls(tuple(stays), str(data["salt"]))

    def with_these(self, stays: Sequence[Stays], salt: str) -> Self:
        """Return these decisions and `stays`, which count instead of earlier ones about the same places."""
        places = {(one.service, one.path) for one in stays}
        kept = [one for one in self.stays if (one.service, one.path) not in places]
        return type(self)((*kept, *stays), salt)

    def about(self, service: str, answer: str, near: Sequence[Place], count: int) -> "About":
        """Return what stands of it about the near misses in a service's answer; `near` are the first of `count`."""
        said = [one for one in self.stays if one.service == service and one.answer == answer]
        standing = [one for one in said if one.covers(near, count)]
        return About(
            next((one for one in standing if not one.path), None), {one.path: one for one in standing if one.path}
        )


@dataclass(frozen=True)
class About:
    """What was decided about one service's near misses: about `whole`, and about places, each by its path."""

    whole: Stays | None
    places: Mapping[str, Stays]

    def at(self, place: Place) -> Stays | None:
        """Return what was decided about a near miss."""
        return self.places.get(place.place, self.whole)
