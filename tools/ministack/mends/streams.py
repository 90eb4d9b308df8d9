"""How functions read streams of tables.

1. Each event source mapping has pollers of its own (Lambda Developer Guide, "How Lambda processes records from stream
   and queue-based event sources"). MiniStack asks them all in turn, and waits for a function that takes a batch of a
   stream: no message of any queue is received meanwhile.
2. With `ReportBatchItemFailures` a batch comes again from its first failure on ("Configuring partial batch response
   with DynamoDB and Lambda"). MiniStack takes it for done.
3. A batch that failed comes again as its first half, with `BisectBatchOnFunctionError`, and at most
   `MaximumRetryAttempts` times; then the failure destination is told ("Retain discarded records for a DynamoDB event
   source in Lambda"). MiniStack brings all of it again, for ever.
"""

import threading
import time
from typing import Any

from ministack.services import dynamodb, lambda_svc

_PAUSE_SECONDS = 0.2
_REPORTING = "ReportBatchItemFailures"


def mend() -> None:
    """Read streams in a thread of their own, from the first time on that the pollers would, and follow what failed."""
    read = lambda_svc._poll_dynamodb_streams
    lock, reading = threading.Lock(), threading.Event()

    def read_for_ever() -> None:
        _Mappings().follow()
        while True:
            try:
                found = read()
            except Exception:
                lambda_svc.logger.exception("reading streams")
                found = False
            if not found:
                time.sleep(_PAUSE_SECONDS)

    def leave_to_the_thread() -> bool:
        with lock:
            if not reading.is_set():
                reading.set()
                threading.Thread(target=read_for_ever, name="streams", daemon=True).start()
        return False

    lambda_svc._poll_dynamodb_streams = leave_to_the_thread


class _Mappings:
    """What is known of batches that failed, by mapping. One thread reads all streams, one batch after the other."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._esm: dict[str, Any] = {}
        self._batch: list[Any] = []
        self._sizes: dict[str, int] = {}
        self._tries: dict[str, int] = {}
        self._all, self._since = lambda_svc._iter_all_esms, dynamodb.stream_records_since
        self._execute = lambda_svc._execute_function

    def follow(self) -> None:
        """Stand between MiniStack's reader and what it calls; other threads pass through."""
        lambda_svc._iter_all_esms, dynamodb.stream_records_since = self._noted, self._read
        lambda_svc._execute_function = self._invoked

    def _noted(self) -> Any:
        for found in self._all():
            if threading.get_ident() == self._thread:
                self._esm = found[2]
            yield found

    def _read(self, table: str, position: int, limit: int, **scope: Any) -> Any:
        if threading.get_ident() != self._thread:
            return self._since(table, position, limit, **scope)
        self._batch = self._since(table, position, min(limit, self._sizes.get(self._esm["UUID"], limit)), **scope)
        return self._batch

    def _invoked(self, function: Any, event: Any) -> Any:
        answer = self._execute(function, event)
        if threading.get_ident() != self._thread:
            return answer
        records, mapping = event["Records"], self._esm["UUID"]
        failed = self._first_failure(records, answer)
        if failed is None:
            self._forget(mapping)
            return answer
        if failed:
            self._forget(mapping)
            self._advance(mapping, self._batch.index(records[failed]))
        elif not self._comes_again(mapping, records):
            self._forget(mapping)
            told = "RetryAttemptsExhausted"
            source = self._esm["EventSourceArn"]
            lambda_svc._send_ddb_stream_failure_record(self._esm, function, records, source, answer, told)
            return {"body": None}
        return {**answer, "error": True}

    def _first_failure(self, records: Any, answer: Any) -> int | None:
        """Return the place of the first record that failed; the first of all where the answer does not say which."""
        if answer.get("error"):
            return 0
        body = answer.get("body")
        if _REPORTING not in self._esm.get("FunctionResponseTypes", []) or not isinstance(body, dict):
            return None
        named = {one.get("itemIdentifier") for one in body.get("batchItemFailures") or []}
        places = [at for at, record in enumerate(records) if record["dynamodb"]["SequenceNumber"] in named]
        return min(places, default=0) if named else None

    def _comes_again(self, mapping: str, records: Any) -> bool:
        if self._esm.get("BisectBatchOnFunctionError") and len(records) > 1:
            self._sizes[mapping] = len(self._batch) // 2  # halving does not count as a try
            return True
        self._tries[mapping] = self._tries.get(mapping, 0) + 1
        most = int(self._esm.get("MaximumRetryAttempts", -1))
        return most < 0 or self._tries[mapping] <= most

    def _advance(self, mapping: str, records: int) -> None:
        with lambda_svc._dynamodb_stream_positions_lock:
            lambda_svc._dynamodb_stream_positions[mapping] += records

    def _forget(self, mapping: str) -> None:
        self._sizes.pop(mapping, None)
        self._tries.pop(mapping, None)
