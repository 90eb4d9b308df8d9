"""Starts MiniStack 1.5.33 with what it does otherwise than AWS, and Waybill relies on.

How a Python function fails; state machines retry and catch by it:

1. `errorType` is the class name of the exception that left the handler. MiniStack answers `Runtime.HandlerError` for
   every one; here the worker process reports the class.
2. The process goes on after an exception, with its caches and clients. MiniStack ends it; here it goes on.
3. A process that dies is a `Runtime.ExitError`, and a throttled invocation a `Lambda.TooManyRequestsException`.
   MiniStack calls them `Runtime.HandlerError` and `Lambda.Unknown`.

Tags of objects:

4. HeadObject tells how many there are. MiniStack leaves it to GetObject.
5. CreateMultipartUpload takes them. MiniStack forgets them.

Large requests:

6. A Distributed Map takes its concurrency from `MaxConcurrencyPath`, in JSONPath the only way to one from a parameter.
   MiniStack does not read it.
7. The permission for SendMessageBatch is `sqs:SendMessage`. MiniStack asks for one that does not exist.
"""

import re
import threading
from typing import Any
from urllib.parse import parse_qsl

from ministack.app import main
from ministack.core import iam_actions, lambda_runtime
from ministack.services import lambda_svc, s3, stepfunctions

_REPORTED = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
# An answer with status "error" would end the process.
_RAISED = (
    '{"status": "ok", "raised": {"errorType": type(e).__name__, "error": str(e), "trace": traceback.format_exc()}}'
)
_DIED = frozenset({"Worker process died", "Worker returned no response"})
_UPLOAD_ID = re.compile(rb"<UploadId>([^<]+)</UploadId>")


def fail_as_on_aws() -> None:
    """Patch how functions fail, in this process and in the workers that it starts."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if _REPORTED not in script:
        raise SystemExit("this MiniStack reports errors in another way: tools/ministack/serve.py has to follow it")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_REPORTED, _RAISED)

    # One invocation runs in one thread from `_execute_function_warm` down to `Worker.invoke`.
    reported = threading.local()
    invoke, execute = lambda_runtime.Worker.invoke, lambda_svc._execute_function_warm
    throttle = lambda_svc._throttle_response

    def invoke_and_note(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = invoke(self, *args, **kwargs)
        if "raised" in result:
            result |= {"status": "error"} | result.pop("raised")
        elif result.get("error") in _DIED:
            result["errorType"] = "Runtime.ExitError"
        reported.error_type = result.get("errorType")
        return result

    def execute_and_name(*args: Any, **kwargs: Any) -> Any:
        reported.error_type = None
        answer = execute(*args, **kwargs)
        if answer.get("error") and reported.error_type:
            answer["body"]["errorType"] = reported.error_type
        return answer

    def throttle_by_name(*args: Any, **kwargs: Any) -> Any:
        answer = throttle(*args, **kwargs)
        answer["body"]["errorType"] = "Lambda.TooManyRequestsException"
        return answer

    lambda_runtime.Worker.invoke = invoke_and_note
    lambda_svc._execute_function_warm = execute_and_name
    lambda_svc._throttle_response = throttle_by_name


def keep_tags_as_on_aws() -> None:
    """Patch what HeadObject and multipart uploads do about tags."""
    head, create, complete = s3._head_object, s3._create_multipart_upload, s3._complete_multipart_upload

    def head_and_count(bucket: str, key: str, *args: Any, **kwargs: Any) -> Any:
        status, headers, body = head(bucket, key, *args, **kwargs)
        if status == 200:
            headers = headers | s3._object_tagging_count_header(bucket, key, headers.get("x-amz-version-id"))
        return status, headers, body

    def create_with_tags(bucket: str, key: str, headers: dict[str, str]) -> Any:
        answer = create(bucket, key, headers)
        if created := _UPLOAD_ID.search(answer[2] or b""):
            s3._multipart_uploads[created[1].decode()]["tagging"] = headers.get("x-amz-tagging")
        return answer

    def complete_with_tags(bucket: str, key: str, body: bytes, query: Any, headers: Any = None) -> Any:
        upload = s3._multipart_uploads.get(s3._qp(query, "uploadId"))
        answer = complete(bucket, key, body, query, headers)
        if answer[0] == 200 and upload and upload.get("tagging"):
            version = s3._ensure_bucket(bucket)["objects"][key].get("version_id")
            s3._object_tags[bucket, key, version] = dict(parse_qsl(upload["tagging"], keep_blank_values=True))
        return answer

    s3._head_object = head_and_count
    s3._create_multipart_upload = create_with_tags
    s3._complete_multipart_upload = complete_with_tags


def take_large_requests_as_on_aws() -> None:
    """Patch the concurrency of Distributed Maps and the permission for batches of messages."""
    run, action_of = stepfunctions._run_distributed_map, iam_actions._action_from_target

    def run_bounded(state: Any, raw_input: Any, effective: Any, *others: Any) -> Any:
        path = state.get("MaxConcurrencyPath")
        if path:
            state = {**state, "MaxConcurrency": stepfunctions._resolve_path_or_ctx(path, effective, others[-1])}
        return run(state, raw_input, effective, *others)

    def action_or_its_batch(headers: dict[str, str]) -> str | None:
        action = action_of(headers)
        return "SendMessage" if action == "SendMessageBatch" else action

    stepfunctions._run_distributed_map = run_bounded
    iam_actions._action_from_target = action_or_its_batch


if __name__ == "__main__":
    fail_as_on_aws()
    keep_tags_as_on_aws()
    take_large_requests_as_on_aws()
    main()
