"""What becomes of a part, by what the service answers."""

import json
import logging
from io import StringIO
from typing import Any

import pytest

from tests.functional.disclosure.upstream.conftest import REQUEST, Disclosure
from waybill.cli.disclosure.stub_service import Manner, StubReply
from waybill.core.observability import logger
from waybill.disclosure import WORKFLOW
from waybill.disclosure.errors import ClaimLostError
from waybill.disclosure.models import PartStatus

DATA = StubReply.data({"records": [{"note": "Łukasz 中文"}]})
_JSON = {"Content-Type": "application/json"}


def _body(text: str | bytes, kind: str = "application/json") -> StubReply:
    return StubReply(body=text if isinstance(text, bytes) else text.encode(), headers={"Content-Type": kind})


def test_asks_as_the_contract_says_and_keeps_the_answer(disclosure: Disclosure) -> None:
    disclosure.service("keyworker-api", DATA)
    disclosure.secrets.create_secret(Name="waybill/sar/keyworker-api", SecretString='{"token": "abc.def"}')
    disclosure.request("keyworker-api")

    assert disclosure.fetch("keyworker-api") == "FETCHED"

    (call,) = disclosure.stub.calls
    assert call.path == "/subject-access-request"
    assert call.query == {"prn": "A1234AA", "fromDate": "2020-01-01", "toDate": "2024-12-31"}
    assert call.headers["authorization"] == "Bearer abc.def"
    part = disclosure.part("keyworker-api")
    assert (part.render_status, part.http_status, part.attempts, part.generation) == (PartStatus.FETCHED, 200, 1, 1)
    assert part.answer_key == f"work/{REQUEST}/1/keyworker-api/answer.json"
    assert disclosure.object(part.answer_key) == DATA.body
    assert part.bytes == len(DATA.body)


def test_asks_for_a_probation_number_without_a_first_day(disclosure: Disclosure) -> None:
    disclosure.service("probation", StubReply(204))
    disclosure.request("probation", nomis_id=None, ndelius_id="X123456", date_from=None)
    disclosure.fetch("probation")
    (call,) = disclosure.stub.calls
    assert call.query == {"crn": "X123456", "toDate": "2024-12-31"}
    assert "authorization" not in call.headers


def test_six_services_and_the_next_attempt(disclosure: Disclosure) -> None:
    """Acceptance case 15."""
    replies = {
        "a": StubReply.data(["x"]),
        "b": StubReply(204),
        "c": StubReply(209),
        "d": StubReply(404),
        "e": StubReply(500),
        "f": StubReply(manner=Manner.NEVER),
    }
    for name, reply in replies.items():
        disclosure.service(name, reply)
    disclosure.request(*replies)
    statuses = {name: disclosure.fetch(name, rank=rank) for rank, name in enumerate(replies)}
    assert statuses == {
        "a": "FETCHED",
        "b": "NO_DATA",
        "c": "NOT_SUPPORTED",
        "d": "ERRORED",
        "e": "ERRORED",
        "f": "ERRORED",
    }
    tried = {
        name: (disclosure.part(name, rank).attempts, disclosure.part(name, rank).error_code)
        for rank, name in enumerate(replies)
    }
    assert tried == {
        "a": (1, None),
        "b": (1, None),
        "c": (1, None),
        "d": (1, "upstream_4001"),
        "e": (3, "upstream_4002"),
        "f": (3, "upstream_4003"),
    }

    disclosure.stub.calls.clear()
    disclosure.reclaim("second", 2)
    again = {name: disclosure.fetch(name, token="second", generation=2, rank=rank) for rank, name in enumerate(replies)}
    assert again == statuses
    assert {call.service for call in disclosure.stub.calls} == {"d", "e", "f"}
    assert disclosure.part("e", 4).attempts == 6


def test_500_then_200_is_complete_after_two_calls(disclosure: Disclosure) -> None:
    """Acceptance case 16."""
    disclosure.service("flaky", StubReply(500), DATA)
    disclosure.request("flaky")
    assert disclosure.fetch("flaky") == "FETCHED"
    part = disclosure.part("flaky")
    assert (part.attempts, part.error_code, part.http_status) == (2, None, 200)
    assert disclosure.time.waits == [1.0]


@pytest.mark.parametrize("status", [429, 503])
def test_waits_as_long_as_the_service_asks(disclosure: Disclosure, status: int) -> None:
    disclosure.service("busy", StubReply(status, headers={"Retry-After": "3"}), DATA)
    disclosure.request("busy")
    assert disclosure.fetch("busy") == "FETCHED"
    assert disclosure.time.waits == [3.0]


def test_gives_up_at_once_where_the_wait_is_longer_than_its_budget(disclosure: Disclosure) -> None:
    disclosure.service("busy", StubReply(429, headers={"Retry-After": "3600"}), DATA)
    disclosure.request("busy")
    assert disclosure.fetch("busy") == "ERRORED"
    assert disclosure.part("busy").error_code == "upstream_4011"
    assert disclosure.time.waits == []


@pytest.mark.parametrize(
    "body", ["{}", '{"content": null}', '{"content": []}', ' {"content" : { } } ', '{"content": ""}']
)
def test_nothing_held(disclosure: Disclosure, body: str) -> None:
    """Acceptance case 18."""
    disclosure.service("empty", _body(body))
    disclosure.request("empty")
    assert disclosure.fetch("empty") == "NO_DATA"
    assert disclosure.stored_keys() == []


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (StubReply(400), "upstream_4001"),
        (StubReply(401), "upstream_4001"),
        (StubReply(403), "upstream_4001"),
        (StubReply(201), "upstream_4006"),
        (StubReply(206, b"{}", _JSON), "upstream_4006"),
        (StubReply(301, headers={"Location": "http://127.0.0.1:1/"}), "upstream_4005"),
        (StubReply(304), "upstream_4005"),
        (_body("<html></html>", "text/html"), "upstream_4007"),
        (_body('{"content": 1}', "application/json; charset=latin-1"), "upstream_4007"),
        (StubReply(body=b"{}"), "upstream_4007"),
        (StubReply(body=b"\x1f\x8b", headers=_JSON | {"Content-Encoding": "gzip"}), "upstream_4007"),
        (_body(""), "upstream_4008"),
        (_body("[]"), "upstream_4008"),
        (_body('"text"'), "upstream_4008"),
        (_body('{"content": [1,2'), "upstream_4008"),
        (_body(b'{"content": "\xff"}'), "upstream_4008"),
        (_body(b'{"content": "\xc3'), "upstream_4008"),
        (_body('{"data": [1]}'), "upstream_4008"),
        (_body('{"content": ' + "[" * 5000 + "]" * 5000 + "}"), "upstream_4008"),
        (_body('{"content": 1, "attachments": {}}'), "attachment_5003"),
        (_body('{"content": 1, "attachments": [{"attachmentNumber": 1}]}'), "attachment_5003"),
        (_body('{"content": "' + "a" * 1_000_000 + '"}'), "upstream_4009"),
        (StubReply(headers=_JSON, manner=Manner.ENDLESS), "upstream_4009"),
    ],
)
def test_answers_that_break_the_contract_are_not_asked_for_again(
    disclosure: Disclosure, reply: StubReply, code: str
) -> None:
    disclosure.service("wrong", reply)
    disclosure.request("wrong")
    assert disclosure.fetch("wrong") == "ERRORED"
    part = disclosure.part("wrong")
    assert (part.error_code, part.attempts, part.answer_key) == (code, 1, None)
    assert part.error_message
    assert disclosure.stored_keys() == []


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (StubReply(manner=Manner.NEVER), "upstream_4003"),
        (StubReply(body=DATA.body, headers=_JSON, manner=Manner.CUT), "upstream_4016"),
        (StubReply(408), "upstream_4003"),
        (StubReply(502), "upstream_4002"),
    ],
)
def test_what_may_pass_is_tried_three_times_with_growing_waits(
    disclosure: Disclosure, reply: StubReply, code: str
) -> None:
    disclosure.service("slow", reply)
    disclosure.request("slow")
    assert disclosure.fetch("slow") == "ERRORED"
    part = disclosure.part("slow")
    assert part.error_code == code
    assert part.attempts == 3
    assert disclosure.time.waits == [1.0, 2.0]
    assert disclosure.stored_keys() == []


def test_a_trickle_ends_with_the_budget(disclosure: Disclosure) -> None:
    disclosure.time.remaining = 21.0  # of which 20 are for recording the outcome
    disclosure.service("trickle", StubReply(manner=Manner.TRICKLE))
    disclosure.request("trickle")
    assert disclosure.fetch("trickle") == "ERRORED"
    part = disclosure.part("trickle")
    assert (part.error_code, part.attempts) == ("upstream_4003", 1)


def test_nobody_listens(disclosure: Disclosure) -> None:
    disclosure.service("gone", url="http://127.0.0.1:9")
    disclosure.request("gone")
    assert disclosure.fetch("gone") == "ERRORED"
    assert disclosure.part("gone").error_code == "upstream_4004"


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "https://127.0.0.1:1/", "http://localhost:1/", "http://10.0.0.1/"]
)
def test_places_that_are_not_on_the_list_are_never_asked(disclosure: Disclosure, url: str) -> None:
    disclosure.service("inside", url=url)
    disclosure.request("inside")
    assert disclosure.fetch("inside") == "ERRORED"
    part = disclosure.part("inside")
    assert (part.error_code, part.attempts) == ("upstream_4010", 1)


def test_a_suspended_service_is_skipped(disclosure: Disclosure) -> None:
    disclosure.service("paused", DATA, suspended=True)
    disclosure.request("paused")
    assert disclosure.fetch("paused") == "SUSPENDED"
    assert disclosure.stub.calls == []
    disclosure.service("paused", DATA, suspended=False)
    assert disclosure.fetch("paused") == "FETCHED"
    assert disclosure.part("paused").error_code is None


@pytest.mark.parametrize("facts", [{"enabled": False}, None])
def test_a_service_that_is_not_configured_is_not_asked(disclosure: Disclosure, facts: dict[str, Any] | None) -> None:
    if facts is not None:
        disclosure.service("off", DATA, **facts)
    disclosure.request("off")
    assert disclosure.fetch("off") == "ERRORED"
    assert disclosure.part("off").error_code == "upstream_4017"
    assert disclosure.stub.calls == []


def test_a_replay_asks_nothing_and_changes_nothing(disclosure: Disclosure) -> None:
    disclosure.service("once", DATA)
    disclosure.request("once")
    disclosure.fetch("once")
    before = disclosure.part("once")
    assert disclosure.fetch("once") == "FETCHED"
    assert disclosure.part("once") == before
    assert len(disclosure.stub.calls) == 1


def test_a_fetched_part_of_an_earlier_claim_is_kept(disclosure: Disclosure) -> None:
    disclosure.service("kept", DATA)
    disclosure.request("kept")
    disclosure.fetch("kept")
    disclosure.reclaim("second", 2)
    assert disclosure.fetch("kept", token="second", generation=2) == "FETCHED"
    assert disclosure.part("kept").answer_key == f"work/{REQUEST}/1/kept/answer.json"
    assert len(disclosure.stub.calls) == 1


def test_who_lost_the_claim_asks_nothing(disclosure: Disclosure) -> None:
    disclosure.service("late", DATA)
    disclosure.request("late", token="newer", generation=2)
    with pytest.raises(ClaimLostError):
        disclosure.fetch("late")
    assert disclosure.stub.calls == []


def test_who_loses_the_claim_while_asking_records_nothing(disclosure: Disclosure) -> None:
    """Acceptance case 2, as far as it concerns fetching: the late worker's object has a key of its own."""
    served = disclosure.service("late", DATA)
    disclosure.request("late")
    reply_to = disclosure.stub.reply_to

    def reclaimed_meanwhile(call: Any) -> StubReply:
        disclosure.reclaim("newer", 2)
        return reply_to(call)

    disclosure.stub.reply_to = reclaimed_meanwhile  # type: ignore[method-assign]
    with pytest.raises(ClaimLostError):
        disclosure.fetch("late")
    assert disclosure.part("late").render_status is PartStatus.PENDING

    disclosure.stub.reply_to = reply_to  # type: ignore[method-assign]
    served.replies = [StubReply.data(["newer"])]
    assert disclosure.fetch("late", token="newer", generation=2) == "FETCHED"
    assert json.loads(disclosure.object(disclosure.part("late").answer_key))["content"] == ["newer"]


def test_a_refused_secret_is_the_parts_error(disclosure: Disclosure) -> None:
    disclosure.secrets.create_secret(Name="waybill/sar/guarded", SecretString="two words\nof it")
    disclosure.service("guarded", DATA)
    disclosure.request("guarded")
    assert disclosure.fetch("guarded") == "ERRORED"
    part = disclosure.part("guarded")
    assert part.error_code == "upstream_4013"
    assert "two words" not in str(part)
    assert disclosure.stub.calls == []


def test_logs_hold_neither_token_nor_data_nor_identifier(
    disclosure: Disclosure,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = StringIO()
    (handler,) = logger(WORKFLOW).handlers
    monkeypatch.setattr(handler, "stream", written)
    caplog.set_level(logging.DEBUG)
    disclosure.secrets.create_secret(Name="waybill/sar/quiet", SecretString="very.secret.token")
    disclosure.service("quiet", _body('{"content": {"name": "Łukasz Example"'), DATA)
    disclosure.request("quiet")
    disclosure.fetch("quiet")
    disclosure.fetch("quiet")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("boto", "urllib3"))]
    told = written.getvalue() + "".join(capsys.readouterr()) + "".join(ours)
    assert "upstream_4008" in told
    for private in ("very.secret", "Łukasz", "Example", "A1234AA", "127.0.0.1"):
        assert private not in told
