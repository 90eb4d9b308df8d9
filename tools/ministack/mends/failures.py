"""How a function fails; state machines retry and catch by it.

1. `errorType` is the class name of the exception that left the handler (Lambda Developer Guide, "Lambda function
   errors in Python"). MiniStack answers `Runtime.HandlerError` for every one; here the worker process reports it.
2. The process goes on after an exception, with its caches and clients ("Understanding the Lambda execution environment
   lifecycle"). MiniStack ends it.
3. A process that dies, while it starts or later, is a `Runtime.ExitError`, and a throttled invocation a
   `Lambda.TooManyRequestsException` (Step Functions Developer Guide, "Handling errors in Step Functions workflows").
   MiniStack calls them `RuntimeError`, `Runtime.HandlerError` and `Lambda.Unknown`.
4. An answer has at most 6 MB ("Lambda quotas"); a larger one is a `Function.ResponseSizeTooLarge`. MiniStack passes it
   on.
5. EventBridge invokes a rule's function asynchronously: with its retries, and with its failure destination (Amazon
   EventBridge User Guide, "Event bus targets"; Lambda Developer Guide, "How Lambda handles errors and retries with
   asynchronous invocation"). MiniStack calls it once, and drops an event that fails.
6. What a function's dead-letter queue gets is the event itself, with the error as attributes ("Adding a dead-letter
   queue"). MiniStack sends what a failure destination would get.
"""

import json
import threading
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import new_uuid
from ministack.services import eventbridge, lambda_svc, sqs

_REPORTED = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
# An answer with status "error" would end the process.
_RAISED = (
    '{"status": "ok", "raised": {"errorType": type(e).__name__, "error": str(e), "trace": traceback.format_exc()}}'
)
_DIED = frozenset({"Worker process died", "Worker returned no response"})
_DIED_AT_START = "Worker process exited immediately"
_LARGEST_ANSWER = 6_291_556


def mend() -> None:
    """Patch how functions fail, in this process and in the workers that it starts."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if _REPORTED not in script:
        raise SystemExit("this MiniStack reports errors in another way: tools/ministack/mends has to follow it")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_REPORTED, _RAISED)
    _name_errors()
    eventbridge._dispatch_to_lambda = _invoke_as_a_rule
    _keep_events_as_they_are()


def _name_errors() -> None:
    # One invocation runs in one thread from `_execute_function_warm` down to `Worker.invoke`.
    reported = threading.local()
    invoke, execute = lambda_runtime.Worker.invoke, lambda_svc._execute_function_warm
    throttle = lambda_svc._throttle_response

    def invoke_and_note(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            result = invoke(self, *args, **kwargs)
        except RuntimeError as error:
            if str(error).startswith(_DIED_AT_START):
                reported.error_type = "Runtime.ExitError"
            raise
        if "raised" in result:
            result |= {"status": "error"} | result.pop("raised")
        elif result.get("error") in _DIED:
            result["errorType"] = "Runtime.ExitError"
        reported.error_type = result.get("errorType")
        return result

    def execute_and_name(*args: Any, **kwargs: Any) -> Any:
        reported.error_type = None
        answer = execute(*args, **kwargs)
        if answer.get("error"):
            if reported.error_type:
                answer["body"]["errorType"] = reported.error_type
        elif len(json.dumps(answer.get("body"), ensure_ascii=False).encode()) > _LARGEST_ANSWER:
            told = f"Response payload size exceeded maximum allowed payload size ({_LARGEST_ANSWER} bytes)."
            return {**answer, "error": True, "body": {"errorType": _TOO_LARGE, "errorMessage": told}}
        return answer

    def throttle_by_name(*args: Any, **kwargs: Any) -> Any:
        answer = throttle(*args, **kwargs)
        answer["body"]["errorType"] = "Lambda.TooManyRequestsException"
        return answer

    lambda_runtime.Worker.invoke = invoke_and_note
    lambda_svc._execute_function_warm = execute_and_name
    lambda_svc._throttle_response = throttle_by_name


_TOO_LARGE = "Function.ResponseSizeTooLarge"


def _invoke_as_a_rule(arn: str, payload: str) -> None:
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if function and config:
        record = lambda_svc._execution_record_for_config(function, config)
        lambda_svc.invoke_async_with_retry(record, json.loads(payload))


def _keep_events_as_they_are() -> None:
    hand_over = lambda_svc._route_async_failure

    def hand_over_by_kind(target: str, name: str, event: Any, result: dict[str, Any]) -> None:
        function = lambda_svc._functions.get(name, {})
        kept = (function.get("config", {}).get("DeadLetterConfig") or {}).get("TargetArn")
        queue = sqs._queue_by_arn(target) if target == kept else None
        if queue is None:
            hand_over(target, name, event, result)
            return
        body = result.get("body")
        told = body.get("errorMessage", "") if isinstance(body, dict) else ""
        attributes = {"RequestID": new_uuid(), "ErrorCode": "200", "ErrorMessage": str(told)[:1024] or "no message"}
        message = {
            "MessageBody": json.dumps(event),
            "MessageAttributes": {
                each: {"DataType": "Number" if each == "ErrorCode" else "String", "StringValue": value}
                for each, value in attributes.items()
            },
        }
        sqs._act_send_message(message, queue["url"])

    lambda_svc._route_async_failure = hand_over_by_kind
