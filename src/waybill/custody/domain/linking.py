"""Links from a canonical ID to a file: nothing in the workflows' records ties the two, so a person says it.

A link that was wrong is taken back by another entry, and nothing is removed.

The history of the file goes on in that of the identifier: a trace by the identifier shows the file's events from then
on, and one of the file the identifier.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from waybill.core.clock import iso
from waybill.core.errors import NotFoundError
from waybill.custody.domain.identity import IDENTIFIER, place_hash
from waybill.custody.domain.ledger import Histories, KnownPlaces
from waybill.custody.domain.recording import PLACES, EventRecorder
from waybill.custody.domain.sealed_form import Keys
from waybill.custody.domain.tracing import Links
from waybill.custody.models import EventType, FileState, Happening, KnownPlace, Outcome, Place, Subject, Way

WORKFLOW = "custody"
EVIDENCE = {"linked": "a person has said so", "unlinked": "a person has taken it back"}
_MOST_LINKS = 1_000


class LinkedLedger(KnownPlaces, Histories, Protocol):
    """The table as a link needs it; raises `CustodyUnavailableError`."""

    def link(self, way: Way) -> None:
        """Keep that a history goes on where that of its origin was."""
        ...

    def end_link(self, origin: Subject, copy: Subject, copy_place: str, *, ended: bool) -> None:
        """Note whether a link that is kept counts no more, or does again."""
        ...

    def links(self, subject: str, limit: int) -> Links:
        """Return where a history goes on, by links that count."""
        ...

    def add_reason(self, subject: str, digest: str, reason: str, salt: str) -> None:
        """Keep why somebody has said something; the log has `digest`, which `reason` and `salt` open."""
        ...


@dataclass(frozen=True)
class Linker:
    """Links identifiers with files."""

    ledger: LinkedLedger
    recorder: EventRecorder
    keys: Keys
    now: Callable[[], datetime]

    def link(self, place: Place, canonical_id: str, *, by: str, reason: str) -> None:
        """Note that `canonical_id` names the file at `place`; the same again notes it again.

        Raises
        ------
        NotFoundError
            Nothing is recorded of the file, or of the identifier.
        """
        hash_, known = self._known(place)
        identifier = Subject(IDENTIFIER + canonical_id, "")
        if not self.ledger.events_of(identifier.pk, "", 1):
            raise NotFoundError(f"Nothing is recorded of the identifier {canonical_id}")
        self._tell("linked", known, canonical_id, by=by, reason=reason)
        # Last: a trace by the identifier finds the file once it is said why.
        self.ledger.link(Way(known.subject.pk, origin=identifier.pk, place=hash_))
        self.ledger.end_link(identifier, known.subject, hash_, ended=False)

    def unlink(self, place: Place, canonical_id: str, *, by: str, reason: str) -> None:
        """Note that `canonical_id` does not name the file at `place`: what was said before stays, and counts no more.

        Raises
        ------
        NotFoundError
            Nobody has linked the two, or it was taken back already.
        """
        hash_, known = self._known(place)
        identifier = Subject(IDENTIFIER + canonical_id, "")
        if identifier.pk not in self.ledger.links(known.subject.pk, _MOST_LINKS).origins:
            raise NotFoundError(f"{canonical_id} is not linked with {place.key} in bucket {place.bucket}")
        self._tell("unlinked", known, canonical_id, by=by, reason=reason)
        self.ledger.end_link(identifier, known.subject, hash_, ended=True)

    def _known(self, place: Place) -> tuple[str, KnownPlace]:
        hash_ = place_hash(place, self.keys.key(PLACES))
        known = self.ledger.places([hash_]).get(hash_)
        if known is None:
            raise NotFoundError(f"Nothing is recorded of {place.key} in bucket {place.bucket}")
        return hash_, known

    def _tell(self, kind: str, known: KnownPlace, canonical_id: str, *, by: str, reason: str) -> None:
        salt = secrets.token_hex(16)
        digest = hashlib.sha256(f"{salt}{reason}".encode()).hexdigest()
        self.ledger.add_reason(known.subject.pk, digest, reason, salt)
        at, hash_ = iso(self.now()), place_hash(known.place, self.keys.key(PLACES))
        told = Happening(
            workflow=WORKFLOW,
            kind=kind,
            parts=(canonical_id, hash_, at),
            type=EventType.METADATA_MODIFICATION,
            at=at,
            outcome=Outcome.SUCCESS,
            about=FileState(known.place),
            agent={"software": "waybill.custody", "person": by},
            # Free text may name people: the log has a salted digest of it.
            detail={"canonicalId": canonical_id, "evidence": EVIDENCE[kind], "reasonSha256": digest},
        )
        self.recorder.record([told], [], f"link-{hash_}")
