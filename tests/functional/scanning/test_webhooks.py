"""Webhooks: signed, at least once under one event id, five attempts in a day, and never into a private network."""

import json
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks

from tests.fakes.hostile_server import Call, serving
from tests.fakes.receiver import receiving
from tests.functional.scanning.conftest import Scanner
from waybill.scanning.adapters.webhook_client import HttpPoster
from waybill.scanning.domain.signatures import sign, standard_headers, verify
from waybill.scanning.domain.webhooks import WAITS_SECONDS, Poster, Webhooks
from waybill.scanning.errors import WebhookRefusedError, WebhookUnavailableError
from waybill.scanning.models import Job, Status

SECRET = b"a secret"


def job_with(scanner: Scanner, url: str) -> tuple[Job, dict[str, Any]]:
    job = scanner.create(webhook_url=url)
    return job, {"eventId": f"{job.job_id}-ended", "job_id": job.job_id, "status": "completed"}


def webhooks(scanner: Scanner, poster: Poster | None = None, late: timedelta = timedelta()) -> Webhooks:
    """Deliveries that carry the time of `late` ago; the receiver looks at its own clock."""
    return Webhooks(
        scanner.table.jobs, poster or HttpPoster(private=True), lambda: SECRET, lambda: datetime.now(UTC) - late
    )


def test_a_receiver_that_fails_three_times_gets_the_news_once_and_can_verify_it(scanner: Scanner) -> None:
    with receiving(SECRET, failures=3) as receiver:
        job, news = job_with(scanner, receiver.url)
        waits = []
        for attempt in range(1, 7):
            delivery = webhooks(scanner).deliver(news, attempt)
            waits.append(delivery.wait)
            told = scanner.jobs.report(job.job_id)["webhook"]
            assert told["status"] == ("delivered" if attempt > 3 else "retrying")
    assert waits == [*WAITS_SECONDS[:3], None, None, None]
    assert (receiver.requests, receiver.refused) == (4, 0)
    assert {event: [json.loads(body) for body in bodies] for event, bodies in receiver.taken.items()} == {
        news["eventId"]: [news]
    }


def test_a_crash_behind_the_answer_sends_it_again_under_the_same_event_id(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving(SECRET) as receiver:
        _, news = job_with(scanner, receiver.url)
        monkeypatch.setattr(scanner.table.jobs, "save_webhook", lambda *_: (_ for _ in ()).throw(OSError("died")))
        with pytest.raises(OSError, match="died"):
            webhooks(scanner).deliver(news, 1)
        monkeypatch.undo()
        assert webhooks(scanner).deliver(news, 2).delivered
    assert [len(bodies) for bodies in receiver.taken.values()] == [2]


def test_the_news_of_an_end_that_was_resumed_from_is_not_told_and_that_of_the_last_is(scanner: Scanner) -> None:
    with receiving(SECRET, failures=1) as receiver:
        job = scanner.create(webhook_url=receiver.url)
        scanner.table.jobs.end(job.job_id, Status.FAILED)
        first = {"job_id": job.job_id, "eventId": job.event_id, "status": "failed"}
        assert not webhooks(scanner).deliver(first, 1).delivered
        assert scanner.table.jobs.resume(scanner.jobs.find(job.job_id))
        assert webhooks(scanner).deliver(first, 2).delivered
        again = scanner.jobs.find(job.job_id)
        last = {"job_id": job.job_id, "eventId": again.event_id, "status": "completed"}
        # The answer to an attempt that was on its way when the job was resumed.
        scanner.table.jobs.save_webhook(job.job_id, {"event_id": job.event_id, "status": "delivered"})
        assert webhooks(scanner).deliver(last, 1).delivered
    assert list(receiver.taken) == [again.event_id] != [job.event_id]


def test_five_attempts_take_a_day_and_then_it_is_for_a_person(scanner: Scanner) -> None:
    with receiving(SECRET, failures=100) as receiver:
        job, news = job_with(scanner, receiver.url)
        deliveries = [webhooks(scanner).deliver(news, attempt) for attempt in range(1, 6)]
    assert receiver.requests == 5
    assert [delivery.again for delivery in deliveries] == [True] * 5
    assert [delivery.wait for delivery in deliveries] == [*WAITS_SECONDS, None]
    assert timedelta(hours=20) < timedelta(seconds=sum(WAITS_SECONDS)) <= timedelta(hours=24)
    assert max(WAITS_SECONDS) <= 43_200
    told = scanner.jobs.report(job.job_id)["webhook"]
    assert (told["status"], told["attempts"], told["http_status"]) == ("failed", 5, 500)


def test_a_replay_and_what_somebody_else_signed_are_refused_by_the_receiver(scanner: Scanner) -> None:
    with receiving(SECRET) as receiver:
        _, news = job_with(scanner, receiver.url)
        assert not webhooks(scanner, late=timedelta(seconds=310)).deliver(news, 1).delivered
        other = Webhooks(scanner.table.jobs, HttpPoster(private=True), lambda: b"another", lambda: datetime.now(UTC))
        assert not other.deliver(news, 2).delivered
    assert (receiver.refused, receiver.taken) == (2, {})


def test_the_headers_are_those_of_standard_webhooks() -> None:
    # The key, the message and the signature that the tests of its library for Python have.
    secret, body = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    assert standard_headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", body, 1_614_265_330) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("secret", [b"a secret of letters alone", b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_another_implementation_verifies_what_is_sent(scanner: Scanner, secret: bytes) -> None:
    """The library of Standard Webhooks, with the secret as the README has a receiver give it."""
    taken: list[tuple[bytes, dict[str, str]]] = []

    class Receiver:
        def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
            taken.append((body, dict(headers)))
            return 204

    _, news = job_with(scanner, "https://hooks.example.org/")
    sender = Webhooks(scanner.table.jobs, Receiver(), lambda: secret, lambda: datetime.now(UTC))
    assert sender.deliver(news, 1).delivered
    [(body, headers)] = taken
    given = secret if secret.startswith(b"whsec_") else b"whsec_" + b64encode(secret)
    receiver = standardwebhooks.Webhook(given.decode())
    assert receiver.verify(body, headers) == news
    for changed in (body + b" ", body.replace(b"job_id", b"job-id")):
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            receiver.verify(changed, headers)
    late = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        receiver.verify(body, late)


def test_a_signature_is_of_one_body_and_one_time() -> None:
    header = sign(SECRET, b"body", 1000)
    assert verify(SECRET, header, b"body", 1299)
    assert verify(SECRET, header, b"body", 701)
    for secret, text, body, now in (
        (SECRET, header, b"body", 1301),
        (SECRET, header, b"body", 699),
        (SECRET, header, b"bodY", 1000),
        (b"other", header, b"body", 1000),
        (SECRET, header.replace("t=1000", "t=1200"), b"body", 1200),
        (SECRET, "t=,v1=", b"body", 1000),
        (SECRET, "", b"body", 1000),
    ):
        assert not verify(secret, text, body, now)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "100.64.0.1", "::1", "fd00::1", "::ffff:10.0.0.1",
     "64:ff9b::7f00:1", "0.0.0.0", "224.0.0.1"],
)  # fmt: skip
def test_nothing_is_sent_to_a_private_address_however_it_is_named(scanner: Scanner, address: str) -> None:
    job, news = job_with(scanner, "https://hooks.example.org/secret-path")
    poster = HttpPoster(resolver=lambda host, port: ["203.0.112.1", address])
    delivery = webhooks(scanner, poster).deliver(news, 1)
    assert not delivery.again
    told = scanner.jobs.report(job.job_id)["webhook"]
    assert (told["status"], told["attempts"]) == ("refused", 1)
    assert "secret-path" not in str(told)


def test_the_request_goes_to_the_address_that_was_judged(scanner: Scanner) -> None:
    with receiving(SECRET) as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        asked: list[str] = []

        def resolve(host: str, port: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"]

        _, news = job_with(scanner, f"http://hooks.example.org:{port}/hook")
        assert webhooks(scanner, HttpPoster(private=True, resolver=resolve)).deliver(news, 1).delivered
    assert asked == ["hooks.example.org"]


def test_http_and_names_without_an_address_get_nothing() -> None:
    with pytest.raises(WebhookRefusedError):
        HttpPoster().post("http://hooks.example.org/", b"", {})

    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    with pytest.raises(WebhookUnavailableError):
        HttpPoster(resolver=unknown).post("https://hooks.example.org/", b"", {})


def test_a_receiver_that_is_not_there_is_tried_again(scanner: Scanner) -> None:
    with receiving(SECRET) as receiver:
        pass
    job, news = job_with(scanner, receiver.url)
    assert webhooks(scanner).deliver(news, 1).again
    told = scanner.jobs.report(job.job_id)["webhook"]
    assert (told["status"], told["error"]) == ("retrying", "no connection (ConnectionRefusedError)")


def test_a_receiver_that_answers_byte_by_byte_does_not_hold_the_others_up(scanner: Scanner) -> None:
    """A receiver that sent a header line every 4 s held a delivery for 36 s."""

    def slowly(call: Call) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n"
        while True:
            call.wait(0.1)
            yield b"X: y\r\n"

    with serving(slowly) as receiver:
        job, news = job_with(scanner, receiver.url("/hook"))
        began = time.monotonic()
        assert webhooks(scanner, HttpPoster(private=True, seconds=0.5)).deliver(news, 1).again
        assert time.monotonic() - began < 5
    assert scanner.jobs.report(job.job_id)["webhook"]["error"] == "there was no answer in time"


def test_a_job_without_a_webhook_sends_nothing(scanner: Scanner) -> None:
    job = scanner.create()
    assert webhooks(scanner).deliver({"job_id": job.job_id, "eventId": "e"}, 1).delivered
    assert webhooks(scanner).deliver({"job_id": "unknown", "eventId": "e"}, 1).delivered
