"""What the application and the embedded AWS answer at their own addresses, which no proxy stands before."""

import time

from waybill.core.errors import WaybillError
from waybill.core.http_client import HttpClient


def http_answer(url: str, seconds: float) -> tuple[int, bytes] | None:
    """Return status and body of an HTTP GET; None when there is no whole answer after so many seconds."""
    client = HttpClient(schemes=frozenset({"https", "http"}), permits=lambda _address: True)
    try:
        with client.exchange("GET", url, deadline=time.monotonic() + seconds) as answer:
            return answer.status, answer.read()
    except WaybillError:
        return None


def http_status(url: str, seconds: float = 30) -> int | None:
    """Return the status of an HTTP GET, None as `http_answer` does."""
    answer = http_answer(url, seconds)
    return answer[0] if answer else None
