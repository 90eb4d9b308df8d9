"""What Lambda logs of an invocation, and that this is no part of its time.

In the log format JSON, a system log level of WARN leaves out that an invocation has begun and that it has ended well;
what failed is reported (Lambda Developer Guide, "Log-level filtering", "System log level event mapping"). MiniStack
logs START, END and REPORT at every level.

An invocation lasts until its function has answered (the same, "Lambda execution environment lifecycle"). MiniStack then
waits for what the function may have printed, 50 ms where it prints nothing, and counts them to the duration. Here the
process says when it has printed everything.
"""

import queue
import time
from contextvars import ContextVar
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import cloudwatch_logs, lambda_svc

_WORDS = ("START", "END", "REPORT")
# The request of which only the function's own lines are logged.
_quiet: ContextVar[str | None] = ContextVar("quiet", default=None)
_ANSWERED = "        _real_stdout.flush()\n\nrun()\n"
# A record separator, which no line of a log has in it.
_ALL = "\x1e"
_SAYS_ALL = f"        sys.stderr.write({_ALL + chr(10)!r})\n        sys.stderr.flush()\n"
# So long a process that has died is waited for.
_WAIT_SECONDS = 0.25


def mend() -> None:
    """Log by level, and wait for nothing that is not coming."""
    _log_by_level()
    script: str = lambda_runtime._PYTHON_WORKER_SCRIPT
    if _ANSWERED not in script:
        raise SystemExit("this MiniStack answers in another way: tools/ministack/mends has to follow it")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_ANSWERED, _SAYS_ALL + _ANSWERED)
    drain = lambda_runtime.Worker._drain_stderr_bounded

    def drain_to_the_end(self: Any, *args: Any, **kwargs: Any) -> str:
        if not str(self.config.get("Runtime", "")).startswith("python"):
            return str(drain(self, *args, **kwargs))
        return "\n".join(_printed(self._stderr_queue))

    lambda_runtime.Worker._drain_stderr_bounded = drain_to_the_end


def _printed(lines: "queue.Queue[str]") -> list[str]:
    found: list[str] = []
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            line = lines.get(timeout=max(deadline - time.monotonic(), 0.001))
        except queue.Empty:
            return found
        text, end, _ = line.partition(_ALL)
        if text or not end:
            found.append(text)
        if end:
            return found


def _log_by_level() -> None:
    emit, append = lambda_svc._emit_lambda_logs, cloudwatch_logs._append_log_events

    def emit_by_level(
        func: dict[str, Any], request_id: str, log_text: str, error: bool, *args: Any, **more: Any
    ) -> None:
        logging = (func.get("config") or func).get("LoggingConfig") or {}
        leaves_out = (logging.get("LogFormat"), logging.get("SystemLogLevel")) == ("JSON", "WARN")
        token = _quiet.set(request_id if leaves_out and not error else None)
        try:
            emit(func, request_id, log_text, error, *args, **more)
        finally:
            _quiet.reset(token)

    def append_wanted(stream: dict[str, Any], events: list[dict[str, Any]]) -> Any:
        if request_id := _quiet.get():
            told = tuple(f"{word} RequestId: {request_id}" for word in _WORDS)
            events = [event for event in events if not event["message"].startswith(told)]
        return append(stream, events)

    lambda_svc._emit_lambda_logs = emit_by_level
    cloudwatch_logs._append_log_events = append_wanted
