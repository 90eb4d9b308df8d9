"""Taking requests: the oldest first, each by one worker alone.

Workers that look at the same moment see the same list. Who loses the oldest does not try the next one, as all the other
losers do, but any of a growing number of the oldest, and looks again after a few losses.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.claims import MOST_ATTEMPTS, claimed, lapsed_before, may_be_claimed
from waybill.subject_access.domain.ports import Change, RequestLists, RequestStore
from waybill.subject_access.models import SubjectRequest

_LOOKS = 12
_TRIES_PER_LOOK = 3
_LISTED = 200
# Two workers at a time stay near the oldest; a hundred are spread over all that is listed.
_GROWTH = 16


@dataclass(frozen=True)
class Claimer:
    """Claims requests; `draw` returns a whole number from 0 up to below the one it is given, at random."""

    store: RequestStore
    lists: RequestLists
    now: Callable[[], datetime]
    draw: Callable[[int], int]

    def claim_oldest(self, by: str) -> SubjectRequest | None:
        """Return the oldest request that could be claimed, now the caller's; None when there is none left."""
        for look in range(_LOOKS):
            waiting = self.lists.claimable(lapsed_before(self.now()), MOST_ATTEMPTS, _LISTED)
            if not waiting:
                return None
            for place in self._places(look, len(waiting)):
                taken = self.claim(waiting[place], by)
                if taken:
                    return taken
        return None

    def claim(self, request_id: str, by: str) -> SubjectRequest | None:
        """Return the request, now the caller's; None when somebody else has it, or it is not to be claimed.

        Raises
        ------
        UnknownRequestError
            There is no such request.
        """
        token = str(uuid.uuid4())

        def decide(request: SubjectRequest) -> Change | None:
            if request.claim_token == token or not may_be_claimed(request, self.now()):
                # With this token, an earlier attempt was written though its answer was lost.
                return None
            taken = claimed(request, token, by, self.now())
            detail = {"generation": taken.generation, "attempt": taken.claim_attempts}
            return Change(taken, Action(by, "CLAIMED", detail))

        after = self.store.change(request_id, decide).request
        return after if after.claim_token == token else None

    def _places(self, look: int, count: int) -> Iterator[int]:
        for lost in range(look * _TRIES_PER_LOOK, (look + 1) * _TRIES_PER_LOOK):
            yield self.draw(min(count, _GROWTH**lost)) if lost else 0
