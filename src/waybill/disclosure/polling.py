"""The poll: requests move on by their age, and workers are started for those that can be claimed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from waybill.core.executions import ExecutionStarter, execution_name
from waybill.disclosure.claims import MOST_ATTEMPTS, lapsed_before
from waybill.disclosure.fulfilling import Fulfilment
from waybill.disclosure.lifecycle import OVERDUE_AFTER, Lifecycle, waits_since
from waybill.disclosure.ports import RequestLists


@dataclass(frozen=True)
class Polled:
    """What one poll found and did; ages in seconds."""

    expired: int
    attention: int
    archived: int
    deleted: int
    started: int
    pending: int
    overdue: int
    oldest_pending_age: int


@dataclass(frozen=True)
class Poll:
    """Looks at all requests, as the schedule has it."""

    lists: RequestLists
    lifecycle: Lifecycle
    fulfilment: Fulfilment
    executions: ExecutionStarter
    workflow_arn: str
    most_workers: int
    now: Callable[[], datetime]

    def run(self, tick: str) -> Polled:
        """Do everything that is due; `tick` names this poll, so that one that is repeated starts no more workers."""
        expired = self.lifecycle.expire()
        attention = self.lifecycle.attend()
        # Before what follows, so that no request waits for a topic that fails, or for a bucket.
        waiting = self.lists.claimable(lapsed_before(self.now()), MOST_ATTEMPTS, self.most_workers)
        for number in range(len(waiting)):
            name = execution_name("poll", self.workflow_arn, tick, str(number))
            self.executions.start(self.workflow_arn, name, {})
        self._tell_of_attention()
        archived, deleted = self.lifecycle.archive(), self.lifecycle.delete()
        ages = self._ages()
        return Polled(
            expired=len(expired),
            attention=len(attention),
            archived=len(archived),
            deleted=len(deleted),
            started=len(waiting),
            pending=len(ages),
            overdue=sum(age > OVERDUE_AFTER for age in ages),
            oldest_pending_age=int(max(ages, default=timedelta()).total_seconds()),
        )

    def _tell_of_attention(self) -> None:
        """Tell of requests that need a person, each once: whoever moved one there may have died before telling."""
        for request in self.lists.many(list(self.lists.standing("ATTENTION"))):
            self.fulfilment.tell(request)

    def _ages(self) -> list[timedelta]:
        """Return how long each request has been waiting; time on hold is no waiting."""
        now = self.now()
        return [now - waits_since(request) for request in self.lists.many(list(self.lists.standing("PENDING")))]
