"""IdMinterFunction."""

import contextlib
import hashlib
import json
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from tests.fakes.api import LambdaContext
from tests.functional.minting.conftest import BUCKET, TABLE, Aws, Calls
from waybill.core.aws.dynamodb import from_item
from waybill.core.observability import logger
from waybill.core.settings import load
from waybill.minting import WORKFLOW, runtime
from waybill.minting.domain.audit import audit
from waybill.minting.errors import NoIdentifiersLeftError, RegistryRefusedError
from waybill.minting.handlers.id_minter import lambda_handler
from waybill.minting.models import StoredDocument


def wanted(count: int) -> dict[str, Any]:
    return {"sourceIdentifiers": [f"id-{number}" for number in range(count)]}


class Killed(BaseException):
    """The function's process ends."""


def test_calls_are_one_for_known_and_three_for_new(aws: Aws, context: Any, calls: Calls) -> None:
    lambda_handler(wanted(100), context)
    assert calls.made == ["BatchGetItem", "TransactWriteItems", "TransactWriteItems"]
    calls.made.clear()
    lambda_handler(wanted(100), context)
    assert calls.made == ["BatchGetItem"]


@pytest.mark.parametrize("after", [1, 2, 3])
def test_killed_after_any_call_and_replayed(aws: Aws, context: Any, calls: Calls, after: int) -> None:
    def kill(number: int, operation: str) -> None:
        if number == after + 1:
            raise Killed

    calls.fail = kill
    with contextlib.suppress(Killed):
        lambda_handler(wanted(100), context)
    calls.fail = lambda number, operation: None
    got = lambda_handler(wanted(100), context)
    keys = sorted(item["pk"]["S"][:2] for item in aws.items())
    assert keys == ["C#"] * 100 + ["S#"] * 100
    assert len(set(got["identifiers"].values())) == 100


def test_an_entry_that_is_no_string_fails_by_itself(aws: Aws, context: Any) -> None:
    """The contract, second edition, "ID minter": list entries that are no strings are `INVALID_IDENTIFIER`."""
    got = lambda_handler({"sourceIdentifiers": [1, "sierra-1"]}, context)
    assert [failure["code"] for failure in got["failures"]] == ["INVALID_IDENTIFIER"]
    assert len(got["successes"]) == 1


@pytest.mark.parametrize("event", [None, 7, "text", [], {}, {"sourceIdentifiers": ["a"] * 10_000}])
def test_nonsense_is_answered(aws: Aws, context: Any, calls: Calls, event: Any) -> None:
    got = lambda_handler(event, context)
    assert got["failures"][0]["code"] == "INVALID_INPUT"
    assert calls.made == []


def test_health_is_checked_without_minting(aws: Aws, context: Any, calls: Calls) -> None:
    assert lambda_handler({"healthCheck": True}, context) == {"status": "ok"}
    assert calls.made == ["GetItem"]
    assert aws.items() == []


@pytest.mark.parametrize("event", [wanted(3), {"healthCheck": True}])
def test_a_missing_table_raises(aws: Aws, context: Any, event: dict[str, Any]) -> None:
    aws.dynamodb.delete_table(TableName=TABLE)
    with pytest.raises(RegistryRefusedError, match=TABLE):
        lambda_handler(event, context)


@pytest.mark.parametrize("event", [wanted(1), {"healthCheck": True}])
def test_parameters_that_leave_no_identifier_are_named_and_nothing_is_minted(
    aws: Aws, context: Any, monkeypatch: pytest.MonkeyPatch, event: dict[str, Any]
) -> None:
    """Known faults of the ID minter, 5: a list that leaves hardly anything is said at once, whatever is minted."""
    monkeypatch.setenv("FORBIDDEN_WORDS", "a")
    monkeypatch.setenv("IDENTIFIER_PREFIX", "calm=ca")
    load.cache_clear()
    with pytest.raises(NoIdentifiersLeftError, match=r"ForbiddenWords.*IdentifierPrefix.*calm"):
        lambda_handler(event, context)
    assert aws.items() == []


def test_throttling_that_passes(aws: Aws, context: Any, calls: Calls) -> None:
    def throttle(number: int, operation: str) -> Any:
        if number <= 2:
            body = json.dumps({"__type": "ThrottlingException"}).encode()
            return AWSResponse("", 400, {}, None), {"Error": {"Code": "ThrottlingException"}, "_": body}
        return None

    calls.fail = throttle
    assert len(lambda_handler(wanted(3), context)["successes"]) == 3


def test_a_log_line_per_identifier_and_metrics(
    aws: Aws, context: Any, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    lambda_handler({"sourceIdentifiers": ["a", "b\x01"]}, context)
    said = [vars(record) for record in caplog.records if "source_identifier" in vars(record)]
    methods = {line["source_identifier"]: line.get("method", line.get("code")) for line in said}
    assert methods == {"a": "minted", "b\x01": "INVALID_IDENTIFIER"}
    [metrics] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert {name: metrics[f"id_minter.{name}"] for name in ("batch_size", "success_count", "failure_count")} == {
        "batch_size": [2.0],
        "success_count": [1.0],
        "failure_count": [1.0],
    }
    assert metrics["id_minter.processing_time"][0] > 0


@pytest.mark.parametrize(
    ("more", "expected"), [({"executionId": "arn:run"}, "arn:run"), ({}, LambdaContext().aws_request_id)]
)
def test_lines_of_a_run_have_its_id(aws: Aws, context: Any, more: dict[str, str], expected: str) -> None:
    lambda_handler(wanted(1) | more, context)
    assert logger(WORKFLOW).get_correlation_id() == expected


def test_documents(aws: Aws, context: Any) -> None:
    identifier = {"identifierType": {"id": "sierra"}, "ontologyType": "Work", "value": "b1"}
    document = {"sourceIdentifier": identifier, "type": "Identifiable"}
    aws.s3.put_object(Bucket=BUCKET, Key="upstream/Work[sierra/b1].json", Body=json.dumps(document))
    got = lambda_handler({"sourceIdentifiers": ["Work[sierra/b1]", "absent", "x" * 1100], "mode": "documents"}, context)
    canonical_id = got["identifiers"]["Work[sierra/b1]"]
    stored = json.loads(aws.s3.get_object(Bucket=BUCKET, Key=f"downstream/{canonical_id}.json")["Body"].read())
    assert stored == {"sourceIdentifier": identifier, "canonicalId": canonical_id, "type": "Identified"}
    assert [failure["code"] for failure in got["failures"]] == ["NOT_FOUND", "INVALID_IDENTIFIER"]
    # What was written is recorded as the bucket has it, and is no fault of it.
    records = {item["pk"]["S"]: from_item(item) for item in aws.dynamodb.scan(TableName=TABLE)["Items"]}
    head = aws.s3.head_object(Bucket=BUCKET, Key=f"downstream/{canonical_id}.json")
    body = aws.s3.get_object(Bucket=BUCKET, Key=f"downstream/{canonical_id}.json")["Body"].read()
    record = records[f"D#{canonical_id}"]
    assert (record["bucket"], record["key"]) == (BUCKET, f"downstream/{canonical_id}.json")
    assert (record["sha256"], record["size"]) == (hashlib.sha256(body).hexdigest(), head["ContentLength"])
    assert audit(records.values()).violations == ()
    # A function that comes late has an older time, and changes nothing.
    late = StoredDocument(canonical_id, BUCKET, record["key"], "0" * 64, 1)
    runtime.document_records().record(late, "2001-01-01T00:00:00.000Z", None)
    key = {"pk": {"S": f"D#{canonical_id}"}}
    assert from_item(aws.dynamodb.get_item(TableName=TABLE, Key=key)["Item"]) == record


def test_new_ids_begin_with_the_prefix_of_their_source_system(
    aws: Aws, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shoulders, as ARK and EZID have them: issue "Replication and identifiers", part B."""
    monkeypatch.setenv("IDENTIFIER_PREFIX", "calm=ca,*=w")
    load.cache_clear()
    given = lambda_handler({"sourceIdentifiers": ["Work[calm/a]", "Work[sierra/a]", "a"]}, context)["identifiers"]
    assert [given[each][:2] for each in ("Work[calm/a]",)] == ["ca"]
    assert {given[each][0] for each in ("Work[sierra/a]", "a")} == {"w"}
    # What was minted before has what it has.
    monkeypatch.setenv("IDENTIFIER_PREFIX", "calm=kk")
    load.cache_clear()
    assert (
        lambda_handler({"sourceIdentifiers": ["Work[calm/a]"]}, context)["identifiers"]["Work[calm/a]"]
        == given["Work[calm/a]"]
    )
