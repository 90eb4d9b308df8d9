"""What becomes of a part, by what the service answers."""

import json
import logging
from io import StringIO
from typing import Any

import pytest

from tests.functional.subject_access.upstream.conftest import REQUEST, SubjectAccess
from waybill.cli.subject_access.stub_service import Manner, StubReply
from waybill.core.observability import logger
from waybill.subject_access import WORKFLOW
from waybill.subject_access.errors import ClaimLostError
from waybill.subject_access.models import PartStatus

DATA = StubReply.data({"records": [{"note": "Łukasz 中文"}]})
_JSON = {"Content-Type": "application/json"}


def _body(text: str | bytes, kind: str = "application/json") -> StubReply:
    return StubReply(body=text if isinstance(text, bytes) else text.encode(), headers={"Content-Type": kind})


def test_asks_as_the_contract_says_and_keeps_the_answer(subject_access: SubjectAccess) -> None:
    subject_access.service("keyworker-api", DATA)
    subject_access.secrets.create_secret(Name="waybill/sar/keyworker-api", SecretString='{"token": "abc.def"}')
    subject_access.request("keyworker-api")

    assert subject_access.fetch("keyworker-api") == "FETCHED"

    (call,) = subject_access.stub.calls
    assert call.path == "/subject-access-request"
    assert call.query == {"prn": "A1234AA", "fromDate": "2020-01-01", "toDate": "2024-12-31"}
    assert call.headers["authorization"] == "Bearer abc.def"
    part = subject_access.part("keyworker-api")
    assert (part.render_status, part.http_status, part.attempts, part.generation) == (PartStatus.FETCHED, 200, 1, 1)
    assert part.answer_key == f"work/{REQUEST}/1/keyworker-api/answer.json"
    assert subject_access.object(part.answer_key) == DATA.body
    assert part.bytes == len(DATA.body)


def test_asks_for_a_probation_number_without_a_first_day(subject_access: SubjectAccess) -> None:
    subject_access.service("probation", StubReply(204))
    subject_access.request("probation", nomis_id=None, ndelius_id="X123456", date_from=None)
    subject_access.fetch("probation")
    (call,) = subject_access.stub.calls
    assert call.query == {"crn": "X123456", "toDate": "2024-12-31"}
    assert "authorization" not in call.headers


def test_six_services_and_the_next_attempt(subject_access: SubjectAccess) -> None:
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
        subject_access.service(name, reply)
    subject_access.request(*replies)
    statuses = {name: subject_access.fetch(name, rank=rank) for rank, name in enumerate(replies)}
    assert statuses == {
        "a": "FETCHED",
        "b": "NO_DATA",
        "c": "NOT_SUPPORTED",
        "d": "ERRORED",
        "e": "ERRORED",
        "f": "ERRORED",
    }
    tried = {
        name: (subject_access.part(name, rank).attempts, subject_access.part(name, rank).error_code)
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

    subject_access.stub.calls.clear()
    subject_access.reclaim("second", 2)
    again = {
        name: subject_access.fetch(name, token="second", generation=2, rank=rank) for rank, name in enumerate(replies)
    }
    assert again == statuses
    assert {call.service for call in subject_access.stub.calls} == {"d", "e", "f"}
    assert subject_access.part("e", 4).attempts == 6


def test_500_then_200_is_complete_after_two_calls(subject_access: SubjectAccess) -> None:
    """Acceptance case 16."""
    subject_access.service("flaky", StubReply(500), DATA)
    subject_access.request("flaky")
    assert subject_access.fetch("flaky") == "FETCHED"
    part = subject_access.part("flaky")
    assert (part.attempts, part.error_code, part.http_status) == (2, None, 200)
    assert subject_access.time.waits == [1.0]


@pytest.mark.parametrize("status", [429, 503])
def test_waits_as_long_as_the_service_asks(subject_access: SubjectAccess, status: int) -> None:
    subject_access.service("busy", StubReply(status, headers={"Retry-After": "3"}), DATA)
    subject_access.request("busy")
    assert subject_access.fetch("busy") == "FETCHED"
    assert subject_access.time.waits == [3.0]


def test_gives_up_at_once_where_the_wait_is_longer_than_its_budget(subject_access: SubjectAccess) -> None:
    subject_access.service("busy", StubReply(429, headers={"Retry-After": "3600"}), DATA)
    subject_access.request("busy")
    assert subject_access.fetch("busy") == "ERRORED"
    assert subject_access.part("busy").error_code == "upstream_4011"
    assert subject_access.time.waits == []


@pytest.mark.parametrize(
    "body", ["{}", '{"content": null}', '{"content": []}', ' {"content" : { } } ', '{"content": ""}']
)
def test_nothing_held(subject_access: SubjectAccess, body: str) -> None:
    """Acceptance case 18."""
    subject_access.service("empty", _body(body))
    subject_access.request("empty")
    assert subject_access.fetch("empty") == "NO_DATA"
    assert subject_access.stored_keys() == []


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
    subject_access: SubjectAccess, reply: StubReply, code: str
) -> None:
    subject_access.service("wrong", reply)
    subject_access.request("wrong")
    assert subject_access.fetch("wrong") == "ERRORED"
    part = subject_access.part("wrong")
    assert (part.error_code, part.attempts, part.answer_key) == (code, 1, None)
    assert part.error_message
    assert subject_access.stored_keys() == []


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
    subject_access: SubjectAccess, reply: StubReply, code: str
) -> None:
    subject_access.service("slow", reply)
    subject_access.request("slow")
    assert subject_access.fetch("slow") == "ERRORED"
    part = subject_access.part("slow")
    assert part.error_code == code
    assert part.attempts == 3
    assert subject_access.time.waits == [1.0, 2.0]
    assert subject_access.stored_keys() == []


def test_a_trickle_ends_with_the_budget(subject_access: SubjectAccess) -> None:
    subject_access.time.remaining = 21.0  # of which 20 are for recording the outcome
    subject_access.service("trickle", StubReply(manner=Manner.TRICKLE))
    subject_access.request("trickle")
    assert subject_access.fetch("trickle") == "ERRORED"
    part = subject_access.part("trickle")
    assert (part.error_code, part.attempts) == ("upstream_4003", 1)


def test_nobody_listens(subject_access: SubjectAccess) -> None:
    subject_access.service("gone", url="http://127.0.0.1:9")
    subject_access.request("gone")
    assert subject_access.fetch("gone") == "ERRORED"
    assert subject_access.part("gone").error_code == "upstream_4004"


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "https://127.0.0.1:1/", "http://localhost:1/", "http://10.0.0.1/"]
)
def test_places_that_are_not_on_the_list_are_never_asked(subject_access: SubjectAccess, url: str) -> None:
    subject_access.service("inside", url=url)
    subject_access.request("inside")
    assert subject_access.fetch("inside") == "ERRORED"
    part = subject_access.part("inside")
    assert (part.error_code, part.attempts) == ("upstream_4010", 1)


def test_a_suspended_service_is_skipped(subject_access: SubjectAccess) -> None:
    subject_access.service("paused", DATA, suspended=True)
    subject_access.request("paused")
    assert subject_access.fetch("paused") == "SUSPENDED"
    assert subject_access.stub.calls == []
    subject_access.service("paused", DATA, suspended=False)
    assert subject_access.fetch("paused") == "FETCHED"
    assert subject_access.part("paused").error_code is None


@pytest.mark.parametrize("facts", [{"enabled": False}, None])
def test_a_service_that_is_not_configured_is_not_asked(
    subject_access: SubjectAccess, facts: dict[str, Any] | None
) -> None:
    if facts is not None:
        subject_access.service("off", DATA, **facts)
    subject_access.request("off")
    assert subject_access.fetch("off") == "ERRORED"
    assert subject_access.part("off").error_code == "upstream_4017"
    assert subject_access.stub.calls == []


def test_a_replay_asks_nothing_and_changes_nothing(subject_access: SubjectAccess) -> None:
    subject_access.service("once", DATA)
    subject_access.request("once")
    subject_access.fetch("once")
    before = subject_access.part("once")
    assert subject_access.fetch("once") == "FETCHED"
    assert subject_access.part("once") == before
    assert len(subject_access.stub.calls) == 1


def test_a_fetched_part_of_an_earlier_claim_is_kept(subject_access: SubjectAccess) -> None:
    subject_access.service("kept", DATA)
    subject_access.request("kept")
    subject_access.fetch("kept")
    subject_access.reclaim("second", 2)
    assert subject_access.fetch("kept", token="second", generation=2) == "FETCHED"
    assert subject_access.part("kept").answer_key == f"work/{REQUEST}/1/kept/answer.json"
    assert len(subject_access.stub.calls) == 1


def test_who_lost_the_claim_asks_nothing(subject_access: SubjectAccess) -> None:
    subject_access.service("late", DATA)
    subject_access.request("late", token="newer", generation=2)
    with pytest.raises(ClaimLostError):
        subject_access.fetch("late")
    assert subject_access.stub.calls == []


def test_who_loses_the_claim_while_asking_records_nothing(subject_access: SubjectAccess) -> None:
    """Acceptance case 2, as far as it concerns fetching: the late worker's object has a key of its own."""
    served = subject_access.service("late", DATA)
    subject_access.request("late")
    reply_to = subject_access.stub.reply_to

    def reclaimed_meanwhile(call: Any) -> StubReply:
        subject_access.reclaim("newer", 2)
        return reply_to(call)

    subject_access.stub.reply_to = reclaimed_meanwhile  # type: ignore[method-assign]
    with pytest.raises(ClaimLostError):
        subject_access.fetch("late")
    assert subject_access.part("late").render_status is PartStatus.PENDING

    subject_access.stub.reply_to = reply_to  # type: ignore[method-assign]
    served.replies = [StubReply.data(["newer"])]
    assert subject_access.fetch("late", token="newer", generation=2) == "FETCHED"
    assert json.loads(subject_access.object(subject_access.part("late").answer_key))["content"] == ["newer"]


def test_a_refused_secret_is_the_parts_error(subject_access: SubjectAccess) -> None:
    subject_access.secrets.create_secret(Name="waybill/sar/guarded", SecretString="two words\nof it")
    subject_access.service("guarded", DATA)
    subject_access.request("guarded")
    assert subject_access.fetch("guarded") == "ERRORED"
    part = subject_access.part("guarded")
    assert part.error_code == "upstream_4013"
    assert "two words" not in str(part)
    assert subject_access.stub.calls == []


def test_logs_hold_neither_token_nor_data_nor_identifier(
    subject_access: SubjectAccess,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = StringIO()
    (handler,) = logger(WORKFLOW).handlers
    monkeypatch.setattr(handler, "stream", written)
    caplog.set_level(logging.DEBUG)
    subject_access.secrets.create_secret(Name="waybill/sar/quiet", SecretString="very.secret.token")
    subject_access.service("quiet", _body('{"content": {"name": "Łukasz Example"'), DATA)
    subject_access.request("quiet")
    subject_access.fetch("quiet")
    subject_access.fetch("quiet")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("boto", "urllib3"))]
    told = written.getvalue() + "".join(capsys.readouterr()) + "".join(ours)
    assert "upstream_4008" in told
    for private in ("very.secret", "Łukasz", "Example", "A1234AA", "127.0.0.1"):
        assert private not in told
