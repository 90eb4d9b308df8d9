"""Chains of messages that come back.

Lambda ends a chain that goes through a function and a queue about 16 times, unless the function's `RecursiveLoop` is
`Allow`: the function is not invoked, and the message comes again until it is in the dead-letter queue (Lambda
Developer Guide, "Use Lambda recursive loop detection to prevent infinite loops"). MiniStack counts invocations by
functions alone, by a header of what a function asks; here messages keep it.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from ministack.services import lambda_svc, sqs

_ROUNDS = "invocations_before"


def mend() -> None:
    """Note at each message how many invocations led to it, and look at that before its function is invoked."""
    asked: ContextVar[int] = ContextVar("asked", default=0)
    handle, run = sqs.handle_request, lambda_svc._run_sqs_batch

    async def handle_and_note(method: str, path: str, headers: dict[str, str], *rest: Any) -> Any:
        asked.set(lambda_svc._inbound_invoke_depth(headers))
        return await handle(method, path, headers, *rest)

    def noting(send: Any) -> Any:
        def send_and_note(data: dict[str, Any], url: str) -> Any:
            answer = send(data, url)
            sent = {one["MessageId"] for one in answer.get("Successful", [answer]) if "MessageId" in one}
            for message in sqs._get_q(data.get("QueueUrl", url))["messages"]:
                if message["id"] in sent:
                    message[_ROUNDS] = asked.get()
            return answer

        return send_and_note

    def run_unless_recursive(esm: Any, function: Any, event: Any, batch: Any, *rest: Any) -> None:
        rounds = _most(message.get(_ROUNDS, 0) for message in batch) + 1
        if lambda_svc._recursive_loop_drop(esm["FunctionName"], function, rounds) is not None:
            return
        before = lambda_svc._invoke_depth.set(rounds)
        try:
            run(esm, function, event, batch, *rest)
        finally:
            lambda_svc._invoke_depth.reset(before)

    sqs.handle_request = handle_and_note
    for action in ("SendMessage", "SendMessageBatch"):
        sqs._HANDLERS[action] = noting(sqs._HANDLERS[action])
    lambda_svc._run_sqs_batch = run_unless_recursive


def _most(numbers: Iterable[int]) -> int:
    return max(numbers, default=0)
