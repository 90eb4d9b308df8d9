"""Links from a canonical id to a file: nothing in the workflows' records ties the two, so a person says it.

The history of the file goes on in that of the identifier: a trace by the identifier shows the file's events from then
on, and one of the file the identifier.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from waybill.core.clock import iso
from waybill.core.errors import NotFoundError
from waybill.custody.domain.identity import IDENTIFIER, place_hash
from waybill.custody.domain.recording import PLACES, Recorder
from waybill.custody.domain.sealed_form import Keys
from waybill.custody.models import Event, EventType, FileState, Happening, KnownPlace, Outcome, Place, Subject

WORKFLOW = "custody"


class LinkedLedger(Protocol):
    """The table as a link needs it; raises `CustodyUnavailableError`."""

    def places(self, hashes: Iterable[str]) -> Mapping[str, KnownPlace]:
        """Return those of the places that are known, by their hashes."""
        ...

    def events_of(self, subject: str, after: str, limit: int) -> list[Event]:
        """Return events of a subject behind the sort key `after`, oldest first."""
        ...

    def link(self, origin: Subject, copy: Subject, copy_place: str) -> None:
        """Keep that the history of `copy` goes on where that of `origin` was."""
        ...

    def add_reason(self, subject: str, digest: str, reason: str, salt: str) -> None:
        """Keep why somebody has said something; the log has `digest`, which `reason` and `salt` open."""
        ...


@dataclass(frozen=True)
class Linker:
    """Links identifiers with files."""

    ledger: LinkedLedger
    recorder: Recorder
    keys: Keys
    now: Callable[[], datetime]

    def link(self, place: Place, canonical_id: str, *, by: str, reason: str) -> None:
        """Note that `canonical_id` names the file at `place`; the same again notes it again.

        Raises
        ------
        NotFoundError
            Nothing is recorded of the file, or of the identifier.
        """
        hash_ = place_hash(place, self.keys.key(PLACES))
        known = self.ledger.places([hash_]).get(hash_)
        if known is None:
            raise NotFoundError(f"Nothing is recorded of {place.key} in bucket {place.bucket}")
        identifier = Subject(IDENTIFIER + canonical_id, "")
        if not self.ledger.events_of(identifier.pk, "", 1):
            raise NotFoundError(f"Nothing is recorded of the identifier {canonical_id}")
        salt = secrets.token_hex(16)
        digest = hashlib.sha256(f"{salt}{reason}".encode()).hexdigest()
        self.ledger.add_reason(known.subject.pk, digest, reason, salt)
        at = iso(self.now())
        linked = Happening(
            workflow=WORKFLOW,
            kind="linked",
            parts=(canonical_id, hash_, at),
            type=EventType.METADATA_MODIFICATION,
            at=at,
            outcome=Outcome.SUCCESS,
            about=FileState(place),
            agent={"software": "waybill.custody", "person": by},
            # Free text may name people: the log has a salted digest of it.
            detail={"canonicalId": canonical_id, "evidence": "a person has said so", "reasonSha256": digest},
        )
        self.recorder.record([linked], [], f"link-{hash_}")
        # Last: a trace by the identifier finds the file once it is said why.
        self.ledger.link(identifier, known.subject, hash_)
