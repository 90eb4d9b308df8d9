"""Asking again: full jitter, the service's own wish, and an end to it all."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from waybill.core.clock import Clock
from waybill.core.retry import Retry
from waybill.subject_access.domain.upstream.errors import TransientServiceError
from waybill.subject_access.domain.upstream.models import Limits
from waybill.subject_access.domain.upstream.ports import InvocationClock

_SECONDS = re.compile(r"[0-9]{1,9}")


def retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for (RFC 9110, 10.2.3), None without a usable one."""
    if header is None:
        return None
    text = header.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


@dataclass
class Tries:
    """Repeats a call while it fails for a transient reason; `made` counts the calls of all runs together."""

    clock: InvocationClock
    limits: Limits
    deadline: float
    made: int = 0

    def run[T](self, call: Callable[[], T]) -> T:
        """Return what `call` returns, after at most `limits.tries` calls and not later than `deadline`.

        Between two of them lies a random time below a limit that doubles, or what the service asks for if that is more.

        Raises
        ------
        TransientServiceError
            The last one; also the one after which the next wait would end behind the deadline.
        ServiceError
            The first one that will not pass.
        """
        limits = self.limits
        clock = Clock(self.clock.monotonic, self.clock.sleep, self.clock.uniform)

        def counted() -> T:
            self.made += 1
            return call()

        return Retry(limits.tries, limits.first_wait, limits.longest_wait, clock=clock).call(
            counted, on=TransientServiceError, deadline=self.deadline, at_least=_wish
        )


def _wish(error: Exception) -> float:
    return (isinstance(error, TransientServiceError) and error.retry_after) or 0.0
