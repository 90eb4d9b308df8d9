"""Streams of tables are read beside queues.

Each event source mapping has pollers of its own (Lambda Developer Guide, "How Lambda processes records from stream and
queue-based event sources"). MiniStack asks them all in turn, and waits for a function that takes a batch of a stream:
no message of any queue is received meanwhile.
"""

import threading
import time

from ministack.services import lambda_svc

_PAUSE_SECONDS = 0.2


def mend() -> None:
    """Read streams in a thread of their own, from the first time on that the pollers would."""
    read = lambda_svc._poll_dynamodb_streams
    lock, reading = threading.Lock(), threading.Event()

    def read_for_ever() -> None:
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
