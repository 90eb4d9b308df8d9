"""The sweep: requests move on by their age, and workers are started for those that can be claimed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from waybill.core.executions import ExecutionStarter, execution_name
from waybill.core.notifications import Notification
from waybill.subject_access import WORKFLOW
from waybill.subject_access.domain.claims import MOST_ATTEMPTS, lapsed_before
from waybill.subject_access.domain.deadlines import DUE_SOON_DAYS, LegalClock
from waybill.subject_access.domain.fulfilment import Fulfilment
from waybill.subject_access.domain.lifecycle import (
    BACKLOG,
    LONG_WAIT,
    OPEN_QUEUES,
    TOLD_OF_WAITING_EVERY,
    Lifecycle,
    has_waited_long,
    waits_since,
)
from waybill.subject_access.domain.ports import Alerts, RequestLists
from waybill.subject_access.models import SubjectRequest

# A notification names so many requests.
_MOST_NAMED = 20


@dataclass(frozen=True)
class Swept:
    """What one sweep found and did; ages in seconds."""

    expired: int
    attention: int
    archived: int
    deleted: int
    started: int
    pending: int
    long_waiting: int
    oldest_pending_age: int
    past_due: int
    due_soon: int


@dataclass(frozen=True)
class RequestSweep:
    """Looks at all requests, as the schedule has it."""

    lists: RequestLists
    lifecycle: Lifecycle
    fulfilment: Fulfilment
    alerts: Alerts
    executions: ExecutionStarter
    workflow_arn: str
    most_workers: int
    now: Callable[[], datetime]
    clock: Callable[[], LegalClock]

    def run(self, tick: str) -> Swept:
        """Do everything that is due; `tick` names this sweep, so that one that is repeated starts no more workers."""
        expired = self.lifecycle.expire()
        attention = self.lifecycle.attend()
        # Before what follows, so that no request waits for a topic that fails, or for a bucket.
        waiting = self.lists.claimable(lapsed_before(self.now()), MOST_ATTEMPTS, self.most_workers)
        for number in range(len(waiting)):
            name = execution_name("poll", self.workflow_arn, tick, str(number))
            self.executions.start(self.workflow_arn, name, {})
        queued = self.lists.many(list(self.lists.queued("PENDING")))
        long_waiting = [one.request_id for one in queued if has_waited_long(one, self.now())]
        self._tell_of_attention()
        self._tell_of_waiting(len(queued), long_waiting)
        past_due, due_soon = self._by_law()
        self._tell_of_law(past_due, due_soon)
        archived, deleted = self.lifecycle.archive(), self.lifecycle.delete()
        return Swept(
            expired=len(expired),
            attention=len(attention),
            archived=len(archived),
            deleted=len(deleted),
            started=len(waiting),
            pending=len(queued),
            long_waiting=len(long_waiting),
            oldest_pending_age=int(max(map(self._age, queued), default=timedelta()).total_seconds()),
            past_due=len(past_due),
            due_soon=len(due_soon),
        )

    def _by_law(self) -> tuple[list[str], list[str]]:
        """Return the ids of the requests whose last day to answer has passed, and of those for which it is near."""
        clock, past_due, due_soon = self.clock(), list[str](), list[str]()
        for request in by_due_day(self.lists, clock):
            (past_due if clock.is_past_due(request) else due_soon).append(request.request_id)
        return past_due, due_soon

    def _tell_of_law(self, past_due: Sequence[str], due_soon: Sequence[str]) -> None:
        """Tell of requests that the law wants an answer to, again and again until there is one."""
        if past_due or due_soon:
            lines = [f"Subject access requests whose time limit has passed: {len(past_due)}"]
            lines += [f"  {one}" for one in past_due[:_MOST_NAMED]]
            lines += ["", f"Subject access requests that are due within {DUE_SOON_DAYS} days: {len(due_soon)}"]
            lines += [f"  {one}" for one in due_soon[:_MOST_NAMED]]
            subject = f"Subject access requests: {len(past_due)} past their time limit, {len(due_soon)} due soon"
            self._tell("DUE", subject, "\n".join(lines), "waybill sar overdue")

    def _tell_of_attention(self) -> None:
        """Tell of requests that need a person, each once: whoever moved one there may have died before telling."""
        for request in self.lists.many(list(self.lists.queued("ATTENTION"))):
            self.fulfilment.tell(request)

    def _tell_of_waiting(self, pending: int, long_waiting: Sequence[str]) -> None:
        """Tell of a backlog, and of requests that have waited for long, again and again while it lasts."""
        if pending > BACKLOG:
            text = f"{pending} subject access requests wait; more than {BACKLOG} are a backlog."
            self._tell("BACKLOG", f"Subject access requests: a backlog of {pending}", text)
        if long_waiting:
            hours = int(LONG_WAIT.total_seconds()) // 3600
            shown = "\n".join(f"  {one}" for one in long_waiting[:_MOST_NAMED])
            waiting = f"{len(long_waiting)} waiting for more than {hours} hours"
            self._tell("OVERDUE", f"Subject access requests: {waiting}", f"{waiting}:\n\n{shown}")

    def _tell(self, code: str, subject: str, text: str, command: str = "waybill sar list") -> None:
        news = Notification(
            workflow=WORKFLOW,
            status=code,
            about="requests",
            subject=subject,
            body=f"{text}\n\n🔎 {command}",
            notification_id=f"{code.lower()}-{self.now():%Y%m%dT%H%M%SZ}",
        )
        self.alerts.raise_once("requests", code, news, quiet=TOLD_OF_WAITING_EVERY)

    def _age(self, request: SubjectRequest) -> timedelta:
        """Return how long a request has been waiting; time on hold is no waiting."""
        return self.now() - waits_since(request)


def by_due_day(lists: RequestLists, clock: LegalClock) -> list[SubjectRequest]:
    """Return the requests whose last day to answer has passed or is near, the most urgent first."""
    waiting = [found for queue in OPEN_QUEUES for found in lists.queued(queue)]
    urgent = [one for one in lists.many(waiting) if clock.is_past_due(one) or clock.is_due_soon(one)]
    return sorted(urgent, key=lambda request: (clock.deadline(request).due, request.request_id))
