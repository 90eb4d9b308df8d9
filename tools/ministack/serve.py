"""Starts MiniStack with one difference: a function's error keeps the name of its class.

On AWS `errorType` is the class name of the exception that left the handler, which state machines retry and catch by.
MiniStack 1.5.33 answers `Runtime.HandlerError` for every exception of a Python function. Its worker process is told
here to report the class, and the answer is given that name.
"""

import threading
from typing import Any

from ministack.app import main
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

_REPORTED = '"error": str(e), "trace": traceback.format_exc()'
_WITH_TYPE = f'"errorType": type(e).__name__, {_REPORTED}'


def keep_error_types() -> None:
    """Patch this process, and with it the workers that it starts."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if _REPORTED not in script:
        raise SystemExit("this MiniStack reports errors in another way: tools/ministack/serve.py has to follow it")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_REPORTED, _WITH_TYPE)

    # One invocation runs in one thread from `_execute_function_warm` down to `Worker.invoke`.
    reported = threading.local()
    invoke, execute = lambda_runtime.Worker.invoke, lambda_svc._execute_function_warm

    def invoke_and_note(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = invoke(self, *args, **kwargs)
        reported.error_type = result.get("errorType")
        return result

    def execute_and_name(*args: Any, **kwargs: Any) -> Any:
        reported.error_type = None
        answer = execute(*args, **kwargs)
        if answer.get("error") and reported.error_type:
            answer["body"]["errorType"] = reported.error_type
        return answer

    lambda_runtime.Worker.invoke = invoke_and_note
    lambda_svc._execute_function_warm = execute_and_name


if __name__ == "__main__":
    keep_error_types()
    main()
