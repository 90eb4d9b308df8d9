"""The routes of the scanner on moto: shapes, and everything that callers get wrong."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.api import Answer, LambdaContext, answer_of, request_event
from tests.fakes.moto_buckets import fill
from tests.fakes.wire import Wire
from tests.functional.scanning.samples import BODY, KEY, make_resources
from tests.functional.scanning.test_results import finding
from waybill.core.settings import load
from waybill.scanning.handlers.process_batch import lambda_handler as process_batch
from waybill.scanning.handlers.scan_api import lambda_handler
from waybill.scanning.models import ObjectOutcome, ObjectStatus, Slice, Status
from waybill.scanning.runtime import deployed


@pytest.fixture(autouse=True)
def resources(wire: Wire) -> Iterator[None]:
    before = dict(os.environ)
    account = "arn:aws:states:eu-west-1:123456789012:stateMachine:waybill-scanning"
    os.environ.update(SCAN_WORKFLOW_ARN=account, SCAN_BUCKETS="*")
    make_resources()
    yield
    os.environ.clear()
    os.environ.update(before)


def ask(method: str, path: str, *, subject: str = "alice", roles: str = "scanning", **more: Any) -> Answer:
    event = request_event(method, path, identity={"subject": subject, "roles": roles}, **more)
    return answer_of(lambda_handler(event, LambdaContext()))


def start(**body: Any) -> Answer:
    return ask("POST", "/scan", body={"bucket": "archive", **body})


def listed_job(**body: Any) -> str:
    job_id = str(start(**body).json["job_id"])
    process_batch({"job_id": job_id}, LambdaContext())
    return job_id


def jobs() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask("GET", "/scans").json["scans"]
    return found


def test_a_start_has_the_shape_of_the_contract() -> None:
    answer = start(prefix="reports/")
    assert answer.status == 202
    assert set(answer.json) == {"job_id", "bucket", "prefix", "status", "execution_arn", "message", "async"}
    assert (answer.json["status"], answer.json["async"]) == ("listing", True)
    assert answer.json["execution_arn"].endswith(f":scan-{answer.json['job_id']}-1")


def test_a_job_has_the_shape_of_the_contract() -> None:
    job_id = listed_job()
    job = ask("GET", f"/jobs/{job_id}", query={"real_time": "true"}).json
    assert {
        "job_id", "bucket", "prefix", "created_at", "updated_at", "status", "status_message", "step_function_status",
        "execution_arn", "total", "queued", "processing", "succeeded", "failed", "skipped", "total_findings",
        "progress_percent", "data_source",
    } <= set(job)  # fmt: skip
    assert (job["status"], job["step_function_status"], job["total"], job["queued"]) == (
        "processing",
        "SUCCEEDED",
        1,
        1,
    )
    work = deployed().table.ranges.all(job_id)[0].page_name(1)
    page = deployed().table.ranges.page(job_id, deployed().table.ranges.all(job_id)[0], 1)
    assert page
    for _ in range(3):
        deployed().table.outcomes.count_begun(job_id, Slice(job_id, "archive", work, page.entries))
    job = ask("GET", f"/jobs/{job_id}").json
    assert (job["queued"], job["processing"], job["succeeded"]) == (0, 1, 0)
    outcome = ObjectOutcome(KEY, "e", len(BODY), ObjectStatus.SCANNED, bytes_scanned=len(BODY))
    deployed().table.outcomes.record(job_id, [outcome])
    deployed().completion.finish_if_done(job_id)
    job = ask("GET", f"/jobs/{job_id}").json
    assert (job["status"], job["queued"], job["processing"], job["succeeded"]) == ("completed", 0, 0, 1)


def test_jobs_are_listed_newest_first_under_both_names() -> None:
    ids = [start(prefix=f"{number}/").json["job_id"] for number in range(3)]
    assert {each["job_id"] for each in jobs()} == set(ids)
    first = ask("GET", "/jobs", query={"limit": "2"}).json
    rest = ask("GET", "/jobs", query={"limit": "2", "cursor": first["cursor"]}).json
    assert [each["job_id"] for each in first["scans"] + rest["scans"]] == [each["job_id"] for each in jobs()]
    assert rest["cursor"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"bucket": None}, "bucket"),
        ({"bucket": ""}, "bucket"),
        ({"bucket": "   "}, "bucket"),
        ({"bucket": "a/b"}, "bucket"),
        ({"bucket": 7}, "bucket"),
        ({"prefix": "é" * 513}, "prefix"),
        ({"prefix": 7}, "prefix"),
        ({"detectors": ["EMAIL", "NO_SUCH"]}, "detectors[1]"),
        ({"regions": ["GB", "ZZ"]}, "regions[1]"),
        ({"regions": ["gb"]}, "regions[0]"),
        ({"prefix": "\ud800"}, "prefix"),
        ({"max_object_bytes": 0}, "max_object_bytes"),
        ({"max_object_bytes": "10"}, "max_object_bytes"),
        ({"max_object_bytes": True}, "max_object_bytes"),
        ({"export": "yes"}, "export"),
        ({"include": [""]}, "include[0]"),
        ({"exclude": ["a", ""]}, "exclude[1]"),
        ({"sample": {"percent": "5"}}, "sample.percent"),
        ({"sample": {}}, "sample"),
        ({"sample": {"percent": 0}}, "sample.percent"),
        ({"sample": {"percent": 5, "objects": 5}}, "sample"),
        ({"sample": {"objects": 0}}, "sample.objects"),
        ({"sample": {"objects": 10_001}}, "sample.objects"),
        ({"source": "guess"}, "source"),
        ({"source": "inventory", "manifest": "https://x/manifest.json"}, "manifest"),
        ({"webhook_url": "ftp://x/"}, "webhook_url"),
        ({"webhook_url": "https://user:password@x/"}, "webhook_url"),
        ({"webhook_url": "https://"}, "webhook_url"),
        # What cannot be called is refused when it is asked for.
        *(
            ({"webhook_url": address}, "webhook_url")
            for address in (
                *(
                    "https://x:99999/",
                    "https://x:abc/",
                    "https://x:-1/",
                    "https://x:0x50/",
                    "https://x:0/",
                    "https://x:/",
                ),
                *(
                    "https://[::1",
                    "https://a..b/",
                    "https://a b/",
                    "https://x/\0",
                    "https://-x/",
                    f"https://{'x' * 64}/",
                ),
                f"https://{'.'.join(['x' * 60] * 5)}/",
                # Unicode Technical Standard 46, section 7.2: two standards make two hosts of it.
                "https://fa\u00df.example.org/",
                "https://example.org/\u00fc",
                # WHATWG, URL Standard, section 3.5: numbers in other notations than that of an address.
                *(f"https://{number}/" for number in ("0x7f.1", "2130706433", "1.2.3.999", "127.1", "0177.0.0.1")),
            )
        ),
        # What is bounded costs nobody anything.
        ({"include": ["k" * 500_000]}, "include[0]"),
        ({"exclude": ["a", "é" * 513]}, "exclude[1]"),
        ({"include": ["*[a-b]" * 400]}, "include[0]"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_request_that_breaks_the_contract_names_its_field_and_makes_no_job(body: dict[str, Any], field: str) -> None:
    answer = start(**body)
    assert (answer.status, answer.fields) == (400, [field])
    assert jobs() == []


@pytest.mark.parametrize(("field", "value"), [("prefix", '"a\\ud800"'), ("include[0]", '["\\udfff"]')])
def test_half_a_character_is_refused(field: str, value: str) -> None:
    answer = ask("POST", "/scan", body=f'{{"bucket": "archive", "{field.partition("[")[0]}": {value}}}')
    assert (answer.status, answer.fields) == (400, [field])
    assert jobs() == []


@pytest.mark.parametrize("job_id", ["a" * 3000, "no/such", " ", "é"])
def test_what_can_be_no_job_is_not_found(job_id: str) -> None:
    assert ask("GET", "/results", query={"job_id": job_id}).status == 404


@pytest.mark.parametrize("text", ["", "{", "[]", '"text"', "null"])
def test_what_is_no_object_is_refused(text: str) -> None:
    assert ask("POST", "/scan", body=text).status == 400
    assert jobs() == []


def test_a_manifest_goes_with_an_inventory_alone() -> None:
    for body in ({"source": "inventory"}, {"manifest": "s3://b/manifest.json"}):
        answer = start(**body)
        assert answer.status == 400
        assert "manifest" in answer.text


def test_http_webhooks_are_refused_unless_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert start(webhook_url="http://10.0.0.1/hook").status == 202
    monkeypatch.setitem(os.environ, "SCAN_WEBHOOK_PRIVATE", "false")
    load.cache_clear()
    assert start(webhook_url="http://10.0.0.1/hook").fields == ["webhook_url"]
    assert start(webhook_url="https://hooks.example.org/").status == 202
    assert start(webhook_url="https://büro.example.org:8443/").status == 202


def test_a_prefix_of_1024_bytes_is_taken() -> None:
    assert start(prefix="é" * 512).status == 202


def test_an_unknown_or_denied_bucket_makes_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = ask("POST", "/scan", body={"bucket": "no-such-bucket"})
    assert (unknown.status, unknown.json["code"]) == (404, "NO_SUCH_BUCKET")
    monkeypatch.setitem(os.environ, "SCAN_BUCKETS", "another")
    load.cache_clear()
    deployed.cache_clear()
    denied = start()
    assert (denied.status, denied.json["code"]) == (403, "ACCESS_DENIED")
    assert jobs() == []


def test_one_idempotency_key_is_one_job_and_another_body_a_conflict() -> None:
    headers = {"Idempotency-Key": "k1"}
    first = ask("POST", "/scan", body={"bucket": "archive"}, headers=headers)
    again = ask("POST", "/scan", body={"bucket": "archive"}, headers=headers)
    assert (first.status, again.status) == (202, 202)
    assert again.json["job_id"] == first.json["job_id"]
    assert again.json["execution_arn"] == first.json["execution_arn"]
    assert ask("POST", "/scan", body={"bucket": "archive", "prefix": "x"}, headers=headers).status == 409
    other = ask("POST", "/scan", body={"bucket": "archive"}, headers=headers, subject="bob")
    assert other.json["job_id"] != first.json["job_id"]
    assert len(jobs()) == 2
    assert ask("POST", "/scan", body={"bucket": "archive"}, headers={"Idempotency-Key": ""}).status == 400


@pytest.mark.parametrize("path", ["/jobs/none", "/jobs/none/coverage", "/results?job_id=none"])
def test_an_unknown_job_is_404(path: str) -> None:
    route, _, job = path.partition("?job_id=")
    assert ask("GET", route, query={"job_id": job} if job else None).status == 404
    assert ask("POST", "/jobs/none/cancel").status == 404
    assert ask("POST", "/jobs/none/export").status == 404
    assert ask("POST", "/jobs/none/resume").status == 404


def test_a_job_is_cancelled_again_without_harm_and_not_when_it_has_ended() -> None:
    job_id = listed_job()
    assert ask("POST", f"/jobs/{job_id}/cancel").json["status"] == "cancelled"
    assert ask("POST", f"/jobs/{job_id}/cancel").json["status"] == "cancelled"
    ended = listed_job(prefix="nothing/")
    assert ask("GET", f"/jobs/{ended}").json["status"] == "completed"
    refused = ask("POST", f"/jobs/{ended}/cancel")
    assert (refused.status, refused.json["code"]) == (409, "CONFLICT")


def test_a_failed_job_is_resumed_and_said_to_be_one_that_can_be() -> None:
    headers = {"Idempotency-Key": "k1"}
    job_id = ask("POST", "/scan", body={"bucket": "archive"}, headers=headers).json["job_id"]
    deployed().completion.end(job_id, Status.FAILED, "BucketDeniedError")
    again = ask("POST", "/scan", body={"bucket": "archive"}, headers=headers).json
    assert (again["job_id"], again["status"], "resume" in again["message"]) == (job_id, "failed", True)
    answer = ask("POST", f"/jobs/{job_id}/resume")
    assert (answer.status, answer.json["status"], "error" in answer.json) == (202, "listing", False)
    process_batch({"job_id": job_id}, LambdaContext())
    assert ask("GET", f"/jobs/{job_id}").json["status"] == "processing"
    assert ask("POST", f"/jobs/{job_id}/cancel").status == 200
    refused = ask("POST", f"/jobs/{job_id}/resume")
    assert (refused.status, refused.json["code"]) == (409, "CONFLICT")


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "abc", "", "1.5"])
def test_a_limit_is_1_to_1000(limit: str) -> None:
    job_id = listed_job()
    answer = ask("GET", "/results", query={"job_id": job_id, "limit": limit})
    assert (answer.status, answer.fields) == (400, ["limit"])


@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24", "e30", "eyJhZnRlciI6IkYjIn0", "e30.0123456789abcdef", "ä", " "])
def test_a_cursor_that_is_not_ours_is_400(cursor: str) -> None:
    job_id = listed_job()
    answer = ask("GET", "/results", query={"job_id": job_id, "cursor": cursor})
    assert (answer.status, answer.fields) == (400, ["cursor"])
    assert ask("GET", "/scans", query={"cursor": cursor}).fields == ["cursor"]
    assert ask("GET", "/results").fields == ["job_id"]
    assert ask("GET", "/results", query={"job_id": job_id, "min_confidence": "SURE"}).fields == ["min_confidence"]


def test_results_have_the_shape_of_the_contract_and_a_total_that_does_not_move() -> None:
    job_id = listed_job()
    table = deployed().table
    table.findings.save(job_id, KEY, "e" * 32, map(finding, range(5)))
    table.outcomes.record(job_id, [ObjectOutcome(KEY, "e", 9, ObjectStatus.FINDINGS, counts={"IP": 5})])
    first = ask("GET", "/results", query={"job_id": job_id, "limit": "2"}).json
    assert set(first) == {"findings", "total", "limit", "has_more", "next_cursor"}
    assert {
        "id", "job_id", "bucket", "key", "detector", "masked_match", "context", "byte_offset", "created_at",
        "confidence", "line", "column", "fingerprint",
    } <= set(first["findings"][0])  # fmt: skip
    table.outcomes.record(job_id, [ObjectOutcome("late", "e", 9, ObjectStatus.FINDINGS, counts={"IP": 2})])
    totals, cursor, seen = [first["total"]], first["next_cursor"], len(first["findings"])
    while cursor:
        page = ask("GET", "/results", query={"job_id": job_id, "limit": "2", "cursor": cursor}).json
        totals.append(page["total"])
        seen += len(page["findings"])
        cursor = page["next_cursor"]
    assert (seen, totals) == (5, [5, 5, 5])
    assert ask("GET", "/results", query={"job_id": job_id, "detector": "IP"}).json["total"] == 7
    assert ask("GET", "/results", query={"job_id": job_id, "key": "late"}).json["total"] is None
    elsewhere = ask("GET", "/results", query={"job_id": job_id, "bucket": "another"}).json
    assert (elsewhere["findings"], elsewhere["total"]) == ([], 0)


def test_without_a_workflow_the_bucket_is_listed_within_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SCAN_WORKFLOW_ARN", "")
    load.cache_clear()
    answer = start()
    assert answer.status == 200
    assert answer.json["total_objects"] == answer.json["messages_enqueued"] == 1
    assert (answer.json["status"], answer.json["truncated"], answer.json["async"]) == ("queued", False, False)
    assert "state machine" in answer.json["warning"]
    empty = start(prefix="nothing/")
    assert (empty.json["status"], empty.json["total_objects"]) == ("completed", 0)


def test_without_a_workflow_and_without_time_the_answer_says_that_it_is_truncated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill("archive", (f"many/{number:04}" for number in range(1100)))
    monkeypatch.setitem(os.environ, "SCAN_WORKFLOW_ARN", "")
    monkeypatch.setattr("waybill.scanning.runtime.SYNCHRONOUS_SECONDS", -1)
    load.cache_clear()
    answer = start(prefix="many/").json
    assert (answer["total_objects"], answer["truncated"], answer["status"]) == (1000, True, "queued")
    assert "not part of this job" in answer["warning"]
    job = ask("GET", f"/jobs/{answer['job_id']}").json
    assert (job["total"], job["truncated"], job["step_function_status"]) == (1000, True, None)
    assert deployed().jobs.find(answer["job_id"]).status == Status.PROCESSING


def test_only_the_role_of_the_scanner_may() -> None:
    assert ask("POST", "/scan", body={"bucket": "archive"}, roles="minting").status == 403
    assert jobs() == []


def test_a_schedule_is_made_listed_and_deleted() -> None:
    made = ask("POST", "/scans/schedules", body={"bucket": "archive", "every": "week", "first_at": "2099-01-05"})
    assert made.status == 201
    assert (made.json["every"], made.json["next_at"]) == ("week", "2099-01-05T00:00:00.000Z")
    assert (made.json["request"]["bucket"], made.json["last_job"]) == ("archive", None)
    assert ask("GET", "/scans/schedules").json == {"schedules": [made.json], "cursor": None}
    for suspended in (True, False):
        changed = ask("PATCH", "/scans/schedules", query={"id": made.json["id"]}, body={"suspended": suspended})
        assert (changed.status, changed.json) == (200, made.json | {"suspended": suspended})
        assert ask("GET", "/scans/schedules").json["schedules"] == [changed.json]
    for wrong in ({}, {"suspended": "true"}, {"suspended": None}, {"suspended": True, "every": "day"}):
        assert ask("PATCH", "/scans/schedules", query={"id": made.json["id"]}, body=wrong).status == 400
    assert ask("PATCH", "/scans/schedules", body={"suspended": True}).status == 400
    assert ask("PATCH", "/scans/schedules", query={"id": "none"}, body={"suspended": True}).status == 404
    assert ask("DELETE", "/scans/schedules", query={"id": made.json["id"]}).json == made.json
    assert ask("DELETE", "/scans/schedules", query={"id": made.json["id"]}).status == 404
    assert ask("GET", "/scans/schedules").json["schedules"] == []


def paged(path: str, items: str, limit: int) -> list[dict[str, Any]]:
    """Return what a list has, read some at a time."""
    found, cursor = [], None
    while True:
        answer = ask("GET", path, query={"limit": str(limit)} | ({"cursor": cursor} if cursor else {}))
        assert (answer.status, len(answer.json[items]) <= limit) == (200, True)
        found += answer.json[items]
        if not (cursor := answer.json["cursor"]):
            return found


def test_lists_that_are_short_are_read_some_at_a_time_too() -> None:
    """Contract, "Everywhere": lists take `limit` (default 50, at most 200) and `cursor`."""
    made = [ask("POST", "/scans/schedules", body={"bucket": "archive", "every": "week"}).json for _ in range(5)]
    assert paged("/scans/schedules", "schedules", 2) == sorted(made, key=lambda each: str(each["id"]))
    assert ask("PUT", "/detectors/ZEBRA", body=ALLOWED).status == 200
    every = paged("/detectors", "detectors", 200)
    assert paged("/detectors", "detectors", 7) == every
    assert [each["id"] for each in every[:2]] == ["ZEBRA", min(each["id"] for each in every)]
    assert len(ask("GET", "/detectors").json["detectors"]) == 50
    for path in ("/detectors", "/scans/schedules"):
        for wrong in ({"limit": "0"}, {"limit": "201"}, {"cursor": "abc"}):
            assert ask("GET", path, query=wrong).status == 400
    other = ask("GET", "/detectors", query={"limit": "1"}).json["cursor"]
    assert ask("GET", "/scans/schedules", query={"cursor": other}).status == 400


ALLOWED: dict[str, Any] = {"description": "Our own", "allows": {"texts": ["help@corp-mail.org"]}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"manifest": "s3://x\0y/manifest.json"},
        {"manifest": "s3://ab/manifest.json"},
        {"manifest": f"s3://archive/{'é' * 600}/manifest.json"},
        {"manifest": f"s3://archive/{'a' * 1100}/manifest.json"},
        {"manifest": f"s3://{'a' * 256}/manifest.json"},
        {"max_object_bytes": 2**53, "source": "list"},
        {"max_object_bytes": 10**300, "source": "list"},
    ],
)
def test_what_s3_or_a_reader_of_json_would_not_take_is_refused(wrong: dict[str, Any]) -> None:
    """Amazon S3 user guide: keys have 1,024 bytes at most, buckets no control characters; RFC 8259, section 6."""
    answer = ask("POST", "/scan", body={"bucket": "archive", "source": "inventory"} | wrong)
    assert (answer.status, answer.fields) == (400, [next(iter(wrong))])


def test_each_detector_of_the_list_is_shown() -> None:
    """What an answer names can be asked for by that name."""
    listed = [each["id"] for each in paged("/detectors", "detectors", 200)]
    assert len(listed) > 100
    answers = {each: ask("GET", f"/detectors/{each}") for each in listed}
    assert {each: answer.status for each, answer in answers.items() if answer.json.get("id") != each} == {}


def test_a_text_that_is_too_long_is_told_in_characters() -> None:
    refused = ask("POST", "/detectors/EMAIL/test", body={"text": "x" * 10_001})
    assert (refused.status, refused.fields) == (400, ["text"])
    assert "should have at most 10000 characters" in refused.json["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"bucket": "archive"}, 400),
        ({"bucket": "archive", "every": "minute"}, 400),
        ({"bucket": "archive", "every": "day", "first_at": "soon"}, 400),
        ({"bucket": "archive", "every": "day", "detectors": ["NO_SUCH"]}, 400),
        ({"bucket": "no-such-bucket", "every": "day"}, 404),
    ],
)
def test_schedules_that_could_never_be_made_are_refused(body: dict[str, Any], status: int) -> None:
    assert ask("POST", "/scans/schedules", body=body).status == status


def test_a_value_is_triaged_over_http_in_every_job() -> None:
    """The contract's second edition: state, reason and an end; across jobs, and counted apart."""
    job_id, known, other = listed_job(), "ab" * 32, "cd" * 32
    found = [finding(number)._replace(fingerprint=name) for number, name in enumerate((known, known, other))]
    deployed().table.findings.save(job_id, KEY, "e" * 32, found)
    deployed().table.values.note(job_id, "archive", KEY, found)
    said = ask("PUT", f"/findings/{known}", body={"state": "accepted", "reason": "our own", "until": "2099-01-31"})
    assert (said.status, said.json["state"], said.json["by"], said.json["reason"]) == (
        200,
        "accepted",
        "alice",
        "our own",
    )
    assert said.json["until"].startswith("2099-01-31")
    assert [each["fingerprint"] for each in ask("GET", "/findings", query={"state": "accepted"}).json["findings"]] == [
        known
    ]
    assert [each["fingerprint"] for each in ask("GET", "/findings", query={"state": "open"}).json["findings"]] == [
        other
    ]
    assert ask("GET", "/findings", query={"detector": "EMAIL"}).json["findings"] == []
    assert ask("GET", "/findings", query={"bucket": "another"}).json["findings"] == []
    results = ask("GET", "/results", query={"job_id": job_id}).json["findings"]
    assert sorted(each["state"] for each in results) == ["accepted", "accepted", "open"]
    again = ask("PUT", f"/findings/{known}", body={"state": "open", "reason": "no, it is not"}, subject="bob").json
    assert [(each["state"], each["by"]) for each in again["history"]] == [("accepted", "alice"), ("open", "bob")]


@pytest.mark.parametrize(
    ("fingerprint", "body", "answer"),
    [
        ("ab" * 32, {"state": "accepted", "reason": "never found"}, (404, [])),
        ("no-such", {"state": "accepted", "reason": "x"}, (404, [])),
        ("ab" * 32, {"state": "ignored", "reason": "x"}, (400, ["state"])),
        ("ab" * 32, {"state": "accepted"}, (400, ["reason"])),
        ("ab" * 32, {"state": "accepted", "reason": " "}, (400, ["reason"])),
        ("ab" * 32, {"state": "accepted", "reason": "x", "until": "soon"}, (400, ["until"])),
        ("ab" * 32, {"state": "accepted", "reason": "x", "until": "2020-01-31"}, (400, ["until"])),
        ("ab" * 32, {"state": "accepted", "reason": "x", "owner": "jo"}, (400, ["owner"])),
    ],
)
def test_what_cannot_be_said_of_a_value_is_refused(
    fingerprint: str, body: dict[str, str], answer: tuple[int, list[str]]
) -> None:
    said = ask("PUT", f"/findings/{fingerprint}", body=body)
    assert (said.status, said.fields if said.status == 400 else []) == answer
    for query in ({"state": "ignored"}, {"limit": "0"}, {"limit": "201"}, {"cursor": "x"}):
        refused = ask("GET", "/findings", query=query)
        assert (refused.status, refused.fields) == (400, [*query])
