"""How many functions run at a time.

AWS allows 1,000 by default, and keeps an event that it has no room for (Lambda Developer Guide, "Understanding Lambda
function scaling", "How Lambda handles errors and retries with asynchronous invocation"). MiniStack allows what this
machine carries, and gives an event up within seconds. Here events, batches of a queue and state machines wait for their
turn, and requests of an API have processes of their own: on AWS there would be room for them while work is done.
"""

import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.services import apigateway_v1, lambda_svc, stepfunctions

# Beside the processes that work has: enough for a page of the console, which holds a process while it asks for four
# things at once, and for the authoriser. Were they fewer, some pages together would wait for each other until they end.
_REQUESTS_AT_A_TIME = 8


class _Queue:
    """Invocations that wait for a process, at most so many seconds; then they are throttled, as AWS would.

    Used with `lock` held. A task's own time-out runs while it waits.
    """

    def __init__(self, lock: threading.Lock, seconds: float) -> None:
        self.seconds = seconds
        self.freed = threading.Condition(lock)
        self.length = 0

    def wait(self, seconds: float) -> None:
        """Return when a process is free, or the time is over."""
        self.length += 1
        try:
            self.freed.wait(seconds)
        finally:
            self.length -= 1


class _Processes:
    """The processes that the account may have, and who waits for one."""

    def __init__(self) -> None:
        self._acquire, self._release = lambda_svc._acquire_execution_slot, lambda_svc._release_execution_slot
        self._for_work = lambda_svc._ACCOUNT_CONCURRENCY_CAP
        self._requests_running = 0
        self._lock = threading.Lock()
        # What has been started is finished first: tasks of state machines come before events, which start more of
        # them. API Gateway gives up after 29 seconds.
        self.tasks, self.events = _Queue(self._lock, 45), _Queue(self._lock, 600)
        self.requests = _Queue(self._lock, 28)
        self.own: ContextVar[_Queue | None] = ContextVar("own", default=None)

    def acquire(self, function: Any, config: Any) -> Any:
        """Return a slot and None, or None and which limit is reached; wait for a turn where the caller has one."""
        queue = self.own.get()
        deadline = time.monotonic() + (queue.seconds if queue else 0)
        with self._lock:
            while True:
                slot, limit = self._try(queue, function, config)
                # Direct invocations are throttled at once: a function that waits for another must not wait for itself.
                if slot is not None or limit != "account" or queue is None:
                    return slot, limit
                if (left := deadline - time.monotonic()) <= 0:
                    return None, "account"
                queue.wait(left)

    def release(self, slot: Any) -> None:
        """Free a slot, and let the next one in."""
        with self._lock:
            self._release(slot)
            if slot is not None and self.own.get() is self.requests:
                self._requests_running -= 1
                self.requests.freed.notify()
            else:
                (self.tasks if self.tasks.length else self.events).freed.notify()

    def _try(self, queue: _Queue | None, function: Any, config: Any) -> Any:
        if queue is self.requests:
            if self._requests_running >= _REQUESTS_AT_A_TIME:
                return None, "account"
            lambda_svc._ACCOUNT_CONCURRENCY_CAP = 0  # none: requests are counted here
            slot, limit = self._acquire(function, config)
            self._requests_running += slot is not None
            return slot, limit
        if queue is self.events and self.tasks.length:
            return None, "account"
        lambda_svc._ACCOUNT_CONCURRENCY_CAP = self._for_work + self._requests_running
        return self._acquire(function, config)

    def waiting_in(self, queue: _Queue, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return `call`, whose invocations wait in `queue`."""

        def run(*args: Any, **kwargs: Any) -> Any:
            before = self.own.set(queue)  # the threads that the call starts inherit it
            try:
                return call(*args, **kwargs)
            finally:
                self.own.reset(before)

        return run

    def waiting_in_requests(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return the coroutine function `call`, whose invocations are requests."""

        async def run(*args: Any, **kwargs: Any) -> Any:
            before = self.own.set(self.requests)
            try:
                return await call(*args, **kwargs)
            finally:
                self.own.reset(before)

        return run


def mend() -> None:
    """Patch what happens when all processes are busy."""
    processes = _Processes()
    lambda_svc._acquire_execution_slot = processes.acquire
    lambda_svc._release_execution_slot = processes.release
    lambda_svc.invoke_async_with_retry = processes.waiting_in(processes.events, lambda_svc.invoke_async_with_retry)
    lambda_svc._run_sqs_batch = processes.waiting_in(processes.tasks, lambda_svc._run_sqs_batch)
    stepfunctions._call_lambda = processes.waiting_in(processes.tasks, stepfunctions._call_lambda)
    apigateway_v1._call_lambda_raw = processes.waiting_in_requests(apigateway_v1._call_lambda_raw)
    apigateway_v1._invoke_authorizer_lambda = processes.waiting_in_requests(apigateway_v1._invoke_authorizer_lambda)
