"""What people decide about text that is nearly what they took out of a report: that it stays, and why.

UK GDPR Article 15(4); Data Protection Act 2018, Schedule 2, paragraph 16(3): be able to say why information about
somebody else was disclosed. What is to go is marked as anything else is; its near miss is gone with the next drawing.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from waybill.subject_access.domain.report.models import Place


@dataclass(frozen=True)
class Stays:
    """A near miss that stays in the report, by its place in a service's answer; of all places without one.

    `answer` is the key of the answer that was looked at: another answer is to be looked at again.
    """

    service: str
    path: str
    reason: str
    by: str
    at: str
    answer: str


@dataclass(frozen=True)
class Decided:
    """All that was decided about a request, as it is kept beside the answers; `salt` keeps the SHA-256 from guesses."""

    stays: tuple[Stays, ...] = ()
    salt: str = ""

    @property
    def document(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True).encode()

    @property
    def sha256(self) -> str:
        """Of the document, hexadecimal."""
        return hashlib.sha256(self.document).hexdigest()

    @classmethod
    def of(cls, document: bytes) -> Self:
        """Return what `document` says."""
        data: Mapping[str, Any] = json.loads(document)
        return cls(tuple(Stays(**one) for one in data["stays"]), str(data["salt"]))

    def with_these(self, stays: Sequence[Stays], salt: str) -> Self:
        """Return these decisions and `stays`, which count instead of earlier ones about the same places."""
        places = {(one.service, one.path) for one in stays}
        kept = [one for one in self.stays if (one.service, one.path) not in places]
        return type(self)((*kept, *stays), salt)

    def about(self, service: str, place: Place, answer: str | None) -> Stays | None:
        """Return what was decided about a near miss in an answer."""
        said = [one for one in self.stays if one.service == service and one.answer == answer]
        own = (one for one in said if one.path == place.place)
        return next(own, next((one for one in said if not one.path), None))
