"""Attachments, templates and circuits, through the function."""

import hashlib
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.subject_access import CATALOGUED
from tests.functional.subject_access.upstream.conftest import REQUEST, SubjectAccess
from waybill.cli.subject_access.stub_service import Manner, StubReply, StubService
from waybill.subject_access import runtime
from waybill.subject_access.domain.upstream import attachments
from waybill.subject_access.domain.upstream.attachments import Attachments
from waybill.subject_access.domain.upstream.entries import entries
from waybill.subject_access.domain.upstream.inline import inline_entries
from waybill.subject_access.domain.upstream.models import Limits
from waybill.subject_access.domain.upstream.ports import Stored
from waybill.subject_access.errors import ClaimLostError
from waybill.subject_access.models import Claim, PartStatus

_CLAIM = Claim(request_id=REQUEST, claim_token="mine", generation=1)
TEMPLATE = b"<h1>{{content.title}}</h1>\n"
DATA = StubReply.data({"title": "x"})


def _file(body: bytes, **facts: Any) -> StubReply:
    return StubReply(body=body, headers={"Content-Type": "text/plain"}, **facts)


def _announce(
    subject_access: SubjectAccess, served: StubService, number: int, *replies: StubReply, **facts: Any
) -> dict[str, Any]:
    served.files[str(number)] = list(replies)
    url = f"{subject_access.stub.url('files')}/files/{number}"
    return {
        "attachmentNumber": number,
        "name": f"n{number}",
        "contentType": "text/plain",
        "url": url,
        "filename": f"f{number}",
        **facts,
    }


@pytest.fixture
def served(subject_access: SubjectAccess) -> StubService:
    """A service and its request; `replies` are the test's."""
    made = subject_access.service("files", DATA)
    subject_access.request("files")
    return made


def test_attachments_are_stored_with_their_own_headers(subject_access: SubjectAccess, served: StubService) -> None:
    subject_access.secrets.create_secret(Name="waybill/sar/files", SecretString="ours")
    headers = [{"name": "Authorization", "value": "Basic theirs"}, {"name": "X-Key", "value": "1"}]
    entry = _announce(subject_access, served, 7, _file(b"seven"), headers=headers, filesize=5)
    served.replies = [StubReply.data({"a": 1}, [entry])]

    assert subject_access.fetch("files") == "FETCHED"

    (stored,) = subject_access.attachments("files")
    assert stored.key == f"work/{REQUEST}/1/files/attachments/00007"
    assert subject_access.object(stored.key) == b"seven"
    assert (stored.stored_bytes, stored.expected_bytes, stored.content_type) == (5, 5, "text/plain")
    (call,) = subject_access.stub.calls_of("files", "/files/7")
    assert (call.headers["authorization"], call.headers["x-key"]) == ("Basic theirs", "1")
    assert subject_access.part("files").attachments == 1


def test_the_services_token_goes_to_no_attachment(subject_access: SubjectAccess, served: StubService) -> None:
    subject_access.secrets.create_secret(Name="waybill/sar/files", SecretString="ours")
    served.replies = [StubReply.data(1, [_announce(subject_access, served, 1, _file(b"x"))])]
    assert subject_access.fetch("files") == "FETCHED"
    assert "authorization" not in subject_access.stub.calls_of("files", "/files/1")[0].headers


def test_attachments_alone_are_data(subject_access: SubjectAccess, served: StubService) -> None:
    entry = _announce(subject_access, served, 1, _file(b"x"))
    served.replies = [StubReply.data(None, [entry])]
    assert subject_access.fetch("files") == "FETCHED"


class MemoryParts:
    """The bucket as a dict."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, chunks: Iterator[bytes], *, content_type: str, expected: int | None = None) -> Stored:
        body = b"".join(chunks)
        assert content_type
        assert expected in {None, len(body)}
        self.objects[key] = body
        return Stored(len(body), "")


def test_1200_attachments_are_all_there_in_numeric_order(subject_access: SubjectAccess, served: StubService) -> None:
    """Acceptance case 19: 2 before 10. In memory: moto copies its whole table at every transaction."""
    numbers = list(range(1200, 0, -1))
    listed = [_announce(subject_access, served, number, _file(f"body {number}".encode())) for number in numbers]
    bucket = MemoryParts()
    fetching = Attachments(runtime.web(), bucket, subject_access.time.clock(None), Limits(), lambda _: None)
    stored = fetching.fetch(_CLAIM, "files", entries(listed, 1200), time.monotonic() + 100)
    assert [each.number for each in stored] == sorted(numbers)
    assert [bucket.objects[each.key or ""] for each in stored] == [
        f"body {number}".encode() for number in sorted(numbers)
    ]
    assert [bucket.objects[key] for key in sorted(bucket.objects)] == [
        bucket.objects[each.key or ""] for each in stored
    ]


def test_a_long_fetch_keeps_the_claim_alive_and_stops_when_it_is_lost(
    subject_access: SubjectAccess, served: StubService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "_BEAT_SECONDS", 0.05)
    listed = [_announce(subject_access, served, number, _file(b"x", delay=0.2)) for number in range(100)]
    beats: list[Claim] = []

    def lost_at_the_third(claim: Claim) -> None:
        beats.append(claim)
        if len(beats) == 3:
            raise ClaimLostError("lost")

    fetching = Attachments(runtime.web(), MemoryParts(), subject_access.time.clock(None), Limits(), lost_at_the_third)
    with pytest.raises(ClaimLostError):
        fetching.fetch(_CLAIM, "files", entries(listed, 100), time.monotonic() + 100)
    assert beats == [_CLAIM] * 3
    assert len(subject_access.stub.calls) < 50


@pytest.mark.parametrize(
    ("reply", "facts", "code", "calls"),
    [
        (_file(b"abcdefgh", manner=Manner.CUT), {}, "attachment_5001", 3),
        (_file(b"short", manner=Manner.UNSIZED), {"filesize": 9}, "attachment_5001", 3),
        (_file(b"much too long", manner=Manner.UNSIZED), {"filesize": 4}, "attachment_5001", 3),
        (StubReply(manner=Manner.ENDLESS), {"filesize": 100_000}, "attachment_5001", 3),
        (_file(b"x", manner=Manner.UNSIZED), {}, "attachment_5002", 1),
        (StubReply(manner=Manner.ENDLESS), {}, "attachment_5002", 1),
        (StubReply(manner=Manner.UNSIZED), {"filesize": 600 * 1024**2}, "attachment_5005", 1),
        (StubReply(404), {}, "attachment_5004", 1),
        (StubReply(204), {}, "attachment_5004", 1),
        (StubReply(302, headers={"Location": "http://127.0.0.1:1/"}), {}, "upstream_4005", 1),
        (StubReply(500), {}, "upstream_4002", 3),
        (StubReply(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), {}, "attachment_5004", 1),
        (_file(b"x"), {"url": "http://169.254.169.254/latest/meta-data"}, "attachment_5006", 0),
        (_file(b"x"), {"url": "file:///etc/passwd"}, "attachment_5006", 0),
        (_file(b"x"), {"url": "/files/1"}, "attachment_5006", 0),
    ],
)
def test_an_attachment_that_cannot_be_had_is_the_parts_error(
    subject_access: SubjectAccess, served: StubService, reply: StubReply, facts: dict[str, Any], code: str, calls: int
) -> None:
    served.replies = [StubReply.data({"a": 1}, [_announce(subject_access, served, 1, reply, **facts)])]
    assert subject_access.fetch("files") == "ERRORED"
    part = subject_access.part("files")
    assert part.error_code == code
    assert "attachment 1" in str(part.error_message)
    assert len(subject_access.stub.calls_of("files", "/files/1")) == calls
    assert not any("/attachments/" in key for key in subject_access.stored_keys())
    assert subject_access.attachments("files") == []


def test_a_size_that_is_right_the_second_time_is_right(subject_access: SubjectAccess, served: StubService) -> None:
    entry = _announce(subject_access, served, 1, _file(b"abcdefgh", manner=Manner.CUT), _file(b"abcdefgh"))
    served.replies = [StubReply.data({"a": 1}, [entry])]
    assert subject_access.fetch("files") == "FETCHED"
    assert subject_access.attachments("files")[0].stored_bytes == 8


def test_content_length_counts_before_filesize(subject_access: SubjectAccess, served: StubService) -> None:
    served.replies = [StubReply.data(1, [_announce(subject_access, served, 1, _file(b"abc"), filesize=999)])]
    assert subject_access.fetch("files") == "FETCHED"
    assert subject_access.attachments("files")[0].stored_bytes == 3


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("../../x", "../../x"),
        ("..\\..\\windows", "..\\..\\windows"),
        ("😀 photo.png", "😀 photo.png"),
        ("a\x00b.pdf", "ab.pdf"),
        ("", "attachment-1"),
    ],
)
def test_names_that_are_paths_are_names(
    subject_access: SubjectAccess, served: StubService, filename: str, shown: str
) -> None:
    """Acceptance case 20."""
    entry = _announce(subject_access, served, 1, _file(b"x"), filename=filename, name=filename)
    served.replies = [StubReply.data(1, [entry])]
    assert subject_access.fetch("files") == "FETCHED"
    (stored,) = subject_access.attachments("files")
    assert (stored.filename, stored.key) == (shown, f"work/{REQUEST}/1/files/attachments/00001")


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _template(text: bytes) -> StubReply:
    return StubReply(body=text, headers={"Content-Type": "text/plain; charset=utf-8"})


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (_template(TEMPLATE + b" "), "template_3001"),
        (_template(b" \n"), "template_3002"),
        (_template(b""), "template_3002"),
        (StubReply(404), "template_3003"),
        (StubReply(204), "template_3003"),
        (_template(b"\xff"), "template_3004"),
        (_template(b"a" * 2_000_000), "template_3004"),
    ],
)
def test_a_template_that_is_not_registered_is_refused_with_one_alert(
    subject_access: SubjectAccess, reply: StubReply, code: str
) -> None:
    """Acceptance case 22: one byte more than the registered text."""
    runtime.catalogue().register_template("rendered", _hash(TEMPLATE), CATALOGUED)
    subject_access.service("rendered", DATA, template=reply)
    subject_access.request("rendered")
    for _ in range(3):
        assert subject_access.fetch("rendered") == "ERRORED"
    assert subject_access.part("rendered").error_code == code
    (news,) = subject_access.news()
    assert code in news
    assert "rendered" in news
    assert subject_access.stored_keys() == []


def test_a_pending_version_is_published_and_used(subject_access: SubjectAccess) -> None:
    catalogue = runtime.catalogue()
    catalogue.register_template("rendered", _hash(b"older"), CATALOGUED)
    catalogue.publish_template("rendered", 1)
    served = subject_access.service("rendered", DATA, template=_template(TEMPLATE))
    subject_access.request("rendered")
    assert subject_access.fetch("rendered") == "ERRORED"
    assert len(subject_access.news()) == 1

    catalogue.register_template("rendered", _hash(TEMPLATE), CATALOGUED)
    assert subject_access.fetch("rendered") == "FETCHED"
    part = subject_access.part("rendered")
    assert (part.template_version, part.template_key) == (2, f"templates/{_hash(TEMPLATE)}.mustache")
    assert subject_access.object(part.template_key) == TEMPLATE
    assert [each.status for each in catalogue.template_versions("rendered")] == ["PUBLISHED", "PUBLISHED"]

    # The text that was replaced is not valid any more; a second fault is told again.
    served.template = _template(b"older")
    subject_access.reclaim("second", 2)
    subject_access.store.save_part(
        Claim(request_id=REQUEST, claim_token="second", generation=2),
        replace(subject_access.part("rendered"), render_status=PartStatus.PENDING),
    )
    assert subject_access.fetch("rendered", token="second", generation=2) == "ERRORED"
    assert subject_access.part("rendered").error_code == "template_3001"
    assert len(subject_access.news()) == 1


def test_no_template_is_asked_for_where_there_is_no_data(subject_access: SubjectAccess) -> None:
    subject_access.service("rendered", StubReply(204), template=StubReply(404))
    subject_access.request("rendered")
    assert subject_access.fetch("rendered") == "NO_DATA"
    assert subject_access.news() == []


def test_a_template_that_is_late_says_nothing_about_the_template(subject_access: SubjectAccess) -> None:
    subject_access.service("rendered", DATA, template=StubReply(503))
    subject_access.request("rendered")
    assert subject_access.fetch("rendered") == "ERRORED"
    assert subject_access.part("rendered").error_code == "upstream_4002"
    assert subject_access.news() == []


def test_a_dead_service_is_left_alone_by_all_requests(subject_access: SubjectAccess) -> None:
    """The circuit opens across claims; what is not asked costs the service nothing."""
    served = subject_access.service("dead", StubReply(500))
    subject_access.service("alive", DATA)
    subject_access.request("dead", "alive")
    for _ in range(5):
        assert subject_access.fetch("dead") == "ERRORED"
    asked = len(subject_access.stub.calls)
    assert asked == 15

    assert subject_access.fetch("dead") == "ERRORED"
    part = subject_access.part("dead")
    assert part.error_code == "upstream_4012"
    assert part.retry_at is not None
    assert len(subject_access.stub.calls) == asked
    assert subject_access.fetch("alive", rank=1) == "FETCHED"

    served.replies = [DATA]
    _let_rest_end("dead")
    assert subject_access.fetch("dead") == "FETCHED"
    part = subject_access.part("dead")
    assert (part.render_status, part.retry_at, part.error_code) == (PartStatus.FETCHED, None, None)


def _let_rest_end(service: str) -> None:
    found = runtime.health().circuit(service)
    assert runtime.health().move(service, found, replace(found, open_until=1))


def test_pictures_within_the_content_are_fetched_where_the_template_prints_them(
    subject_access: SubjectAccess,
) -> None:
    text = b"<p>{{inlineAttachment photo}}</p>"
    runtime.catalogue().register_template("files", _hash(text), CATALOGUED)
    served = subject_access.service("files", template=_template(text))
    subject_access.request("files")
    listed = _announce(subject_access, served, 1, _file(b"one"))
    photo = _announce(subject_access, served, 2, _file(b"photo"), contentType="image/png")
    plan = _announce(subject_access, served, 3, _file(b"plan"), contentType="Image/Jpeg", filesize="a few")
    letter = _announce(subject_access, served, 4, _file(b"letter"), contentType="application/pdf")
    content = {"a": [{"note": "{", "photo": photo}, {"photo": photo, "plan": plan}], "letter": letter}
    served.replies = [StubReply.data(content, [listed])]

    assert subject_access.fetch("files") == PartStatus.FETCHED
    found = subject_access.attachments("files")
    assert [(one.number, one.content_type, subject_access.object(one.key)) for one in found] == [
        (1, "text/plain", b"one"),
        (100_001, "image/png", b"photo"),
        (100_002, "image/jpeg", b"plan"),
    ]
    assert [one.inline for one in found] == [None, *(_hash(str(one["url"]).encode()) for one in (photo, plan))]
    assert subject_access.part("files").attachments == 1


def test_no_picture_within_the_content_is_fetched_for_another_template(subject_access: SubjectAccess) -> None:
    runtime.catalogue().register_template("files", _hash(TEMPLATE), CATALOGUED)
    served = subject_access.service("files", template=_template(TEMPLATE))
    subject_access.request("files")
    photo = _announce(subject_access, served, 2, _file(b"photo"), contentType="image/png")
    served.replies = [StubReply.data({"photo": photo})]
    assert subject_access.fetch("files") == PartStatus.FETCHED
    assert subject_access.attachments("files") == []


def test_no_values_but_pictures_are_built_when_these_are_looked_for() -> None:
    """An answer may have 100 MB, of numbers alone too, and a function has a few hundred."""
    with tempfile.TemporaryFile() as spool:
        spool.write(b'{"content": {"list": [' + b"1," * 500_000)
        spool.write(b'{"url": "https://a.example/1", "n": ["\\"{"], "contentType": "image/png"}, "}", ')
        spool.write(b'{"contentType": "image/png", "url": "https://a.example/2", "in": {"contentType": "image/gif", ')
        spool.write(b'"url": "https://a.example/1"}}], "contentType": 1}}')
        spool.flush()
        tracemalloc.start()
        found = inline_entries(spool, 10)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert [(one.number, one.url, one.content_type) for one in found] == [
        (100_001, "https://a.example/1", "image/png"),
        (100_002, "https://a.example/2", "image/png"),
    ]
    # Its nesting is measured on two copies of its 1 MB; a value that is built takes 60 bytes and more.
    assert most < 4_000_000
