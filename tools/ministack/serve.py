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

How many functions run at a time:

6. AWS allows 1,000 by default, and keeps an event that it has no room for. MiniStack allows what this machine carries,
   and gives an event up within seconds. Here events, batches of a queue and state machines wait for their turn.

How fast a function starts:

7. MiniStack unpacks code and layers for every process, which takes seconds where many start at once. Here they are
   unpacked for the first one, and what Python compiles of them is kept for the others.

Large requests:

8. A Distributed Map takes its concurrency from `MaxConcurrencyPath`, in JSONPath the only way to one from a parameter.
   MiniStack does not read it.
9. The permission for SendMessageBatch is `sqs:SendMessage`. MiniStack asks for one that does not exist.

Files through the API:

10. A template writes a binary media type with `~1` for its slash, as CloudFormation asks for. MiniStack compares it as
    it stands, so that no upload and no download would be bytes.

Permissions:

11. The `*` of a policy's resource stands for any character. MiniStack's leaves out line ends, so that nothing could
    read an object with one in its key.
"""

import hashlib
import os
import re
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

from ministack.app import main
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services import apigateway_v1, lambda_svc, s3, stepfunctions

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


def queue_for_a_process() -> None:
    """Patch what happens when all the processes that the account may have are busy.

    Direct invocations are throttled at once as before: a function that waits for another one must not wait for itself.
    """
    acquire, release = lambda_svc._acquire_execution_slot, lambda_svc._release_execution_slot
    lock = threading.Lock()
    # What has been started is finished first: tasks of state machines come before events, which start more of them.
    tasks, events = _Queue(lock, 45), _Queue(lock, 600)
    own: ContextVar[_Queue | None] = ContextVar("own", default=None)

    def acquire_in_turn(func: Any, config: Any) -> Any:
        queue = own.get()
        if queue is None:
            return acquire(func, config)
        deadline = time.monotonic() + queue.seconds
        with lock:
            while True:
                if queue is tasks or not tasks.length:
                    slot, limit = acquire(func, config)
                    if slot is not None or limit != "account":
                        return slot, limit
                if (left := deadline - time.monotonic()) <= 0:
                    return None, "account"
                queue.wait(left)

    def release_and_tell(slot: Any) -> None:
        release(slot)
        with lock:
            (tasks if tasks.length else events).freed.notify()

    def waiting_in(queue: _Queue, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            before = own.set(queue)  # the threads that the call starts inherit it
            try:
                return call(*args, **kwargs)
            finally:
                own.reset(before)

        return run

    lambda_svc._acquire_execution_slot = acquire_in_turn
    lambda_svc._release_execution_slot = release_and_tell
    lambda_svc.invoke_async_with_retry = waiting_in(events, lambda_svc.invoke_async_with_retry)
    lambda_svc._run_sqs_batch = waiting_in(tasks, lambda_svc._run_sqs_batch)
    stepfunctions._call_lambda = waiting_in(tasks, stepfunctions._call_lambda)


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


class UnpackedOnce(zipfile.ZipFile):
    """An archive that is unpacked for its first process; the others get a link to the same files."""

    # ZipFile has a `_lock` of its own, for each archive that is open.
    _one_unpacks = threading.Lock()

    def namelist(self) -> list[str]:
        """Return the members, which MiniStack checks before it unpacks them; none when that was done before."""
        return [] if self._unpacked.exists() else super().namelist()

    def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
        """Make the empty folder `path` a link to the unpacked files."""
        with self._one_unpacks:
            if not self._unpacked.exists():
                new = self._unpacked.with_suffix(".new")
                super().extractall(new)
                new.rename(self._unpacked)
        os.rmdir(path)
        os.symlink(self._unpacked, path)

    @property
    def _unpacked(self) -> Path:
        digest = hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()
        folder = Path(tempfile.gettempdir(), "unpacked")
        folder.mkdir(exist_ok=True)
        return folder / digest


def unpack_once() -> None:
    """Patch how the code and the layers of a function get to its processes."""
    # MiniStack catches a `LargeFileError` that does not exist, which hides what went wrong.
    own = {"ZipFile": UnpackedOnce, "LargeFileError": zipfile.LargeZipFile}
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), **own})


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


def carry_files_as_on_aws() -> None:
    """Patch how API Gateway reads the binary media types of an API."""
    matches = apigateway_v1._media_type_matches

    def matches_unescaped(media_type: Any, binary_media_types: Any) -> bool:
        written = [str(one).replace("~1", "/") for one in binary_media_types or []]
        return bool(matches(media_type, written))

    apigateway_v1._media_type_matches = matches_unescaped


def match_any_character_as_on_aws() -> None:
    """Patch what a wildcard of a policy stands for."""
    compiled = iam_evaluator._fnmatch_compile

    def compiled_for_line_ends_too(pattern: str, ignore_case: bool) -> re.Pattern[str]:
        found = compiled(pattern, ignore_case)
        return re.compile(found.pattern, found.flags | re.DOTALL)

    iam_evaluator._fnmatch_compile = compiled_for_line_ends_too


if __name__ == "__main__":
    match_any_character_as_on_aws()
    fail_as_on_aws()
    keep_tags_as_on_aws()
    unpack_once()
    queue_for_a_process()
    take_large_requests_as_on_aws()
    carry_files_as_on_aws()
    main()
