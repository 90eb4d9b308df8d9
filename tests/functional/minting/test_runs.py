"""PlanMinting, MintChunk and SummariseMinting, one after the other."""

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from tests.functional.minting.conftest import BUCKET, Aws, Calls
from waybill.core.clock import Clock
from waybill.minting.errors import ChunkUnfinishedError, RegistryThrottledError
from waybill.minting.handlers import mint_chunk, plan_minting, summarise_minting

RUN = {"run": "run-1", "executionId": "arn:run-1"}


def plan(context: Any, **request: Any) -> dict[str, Any]:
    return plan_minting.lambda_handler({"request": request, **RUN}, context)


def chunks_of(aws: Aws, planned: dict[str, Any]) -> list[dict[str, Any]]:
    if planned["kind"] == "INLINE":
        return planned["chunks"]
    body = aws.s3.get_object(Bucket=planned["bucket"], Key=planned["key"])["Body"].read()
    return [json.loads(line) for line in body.splitlines()]


@pytest.mark.parametrize(("count", "length", "kind"), [(250, 10, "INLINE"), (300, 900, "MANIFEST")])
def test_a_large_request(aws: Aws, context: Any, count: int, length: int, kind: str) -> None:
    names = [f"{number:0{length}}" for number in range(count)]
    planned = plan(context, sourceIdentifiers=names, jobId="job")
    assert planned["kind"] == kind
    made = chunks_of(aws, planned)
    assert planned["chunkCount"] == len(made)
    for chunk in made:
        mint_chunk.lambda_handler(chunk, context)
    got = summarise_minting.lambda_handler({**planned, **RUN}, context)
    assert (got["successCount"], got["failureCount"], got["jobId"]) == (count, 0, "job")
    if kind == "MANIFEST":
        bucket, _, key = got["reportUri"].removeprefix("s3://").partition("/")
        got = json.loads(aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert got["successes"] == names
    assert len(set(got["identifiers"].values())) == count


@pytest.mark.parametrize(
    ("key", "body"), [("ids.txt", "a\r\nb\n\n a\n"), ("ids.jsonl", '"a"\n{"sourceIdentifier": "b"}')]
)
def test_identifiers_from_an_object(aws: Aws, context: Any, key: str, body: str) -> None:
    aws.s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())
    planned = plan(context, identifiersUri=f"s3://{BUCKET}/{key}")
    assert [chunk["sourceIdentifiers"] for chunk in planned["chunks"]] == [["a", "b"]]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"identifiersUri": 5}, "identifiersUri must be a string"),
        ({"mode": "documents", "full": True, "sourceIdentifiers": ["a"]}, "full cannot go with sourceIdentifiers"),
        ({"identifiersUri": "nonsense"}, "identifiersUri must be s3://BUCKET/KEY"),
        ({"identifiersUri": "s3://elsewhere/key"}, "identifiersUri must be in the bucket documents"),
        ({"identifiersUri": f"s3://{BUCKET}/absent"}, "there is no object absent"),
        ({"sourceIdentifiers": ["a", " "]}, "sourceIdentifiers cannot contain empty strings"),
    ],
)
def test_a_broken_contract_is_answered(aws: Aws, context: Any, request_: dict[str, Any], message: str) -> None:
    planned = plan(context, **request_)
    assert planned["kind"] == "REJECTED"
    assert planned["response"]["failures"][0]["error"] == f"Invalid input: {message}"


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        ({"full": True}, ["Work[sierra/b1]", "a/b"]),
        ({"window": {"startTime": "first", "endTime": "after the last"}}, ["Work[sierra/b1]", "a/b"]),
        ({"window": {"endTime": "first"}}, []),
    ],
)
def test_documents_by_the_time_at_which_they_were_written(
    aws: Aws, context: Any, selection: dict[str, Any], names: list[str]
) -> None:
    keys = ["upstream/Work[sierra/b1].json", "upstream/a/b.json", "upstream/note.txt", "downstream/abcdefgh.json"]
    for key in keys:
        aws.s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
    written = [aws.s3.head_object(Bucket=BUCKET, Key=key)["LastModified"] for key in keys]
    moments = {"first": min(written), "after the last": max(written) + timedelta(seconds=1)}
    if "window" in selection:
        selection = {"window": {name: moments[moment].isoformat() for name, moment in selection["window"].items()}}
    planned = plan(context, mode="documents", jobId="j", **selection)
    assert [name for chunk in planned["chunks"] for name in chunk["sourceIdentifiers"]] == names
    assert (planned["chunkCount"], planned["jobId"]) == (min(len(names), 1), "j")
    assert {chunk["mode"] for chunk in planned["chunks"]} <= {"documents"}


def test_text_that_is_none(aws: Aws, context: Any) -> None:
    aws.s3.put_object(Bucket=BUCKET, Key="ids.txt", Body=b"\xff\xfe\n")
    assert plan(context, identifiersUri=f"s3://{BUCKET}/ids.txt")["kind"] == "REJECTED"


def test_the_parameter_says_how_many_chunks_are_minted_at_a_time(
    aws: Aws, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINTING_CONCURRENCY", "7")
    assert plan(context, sourceIdentifiers=["a"])["concurrency"] == 7


def test_another_attempt_at_a_chunk_asks_for_what_is_open_alone(aws: Aws, context: Any, calls: Calls) -> None:
    def throttle_the_second_write(number: int, operation: str) -> Any:
        if calls.made.count("TransactWriteItems") > 1 and operation == "TransactWriteItems":
            return AWSResponse("", 400, {}, None), {"Error": {"Code": "ThrottlingException"}}
        return None

    names = [f"id-{number}" for number in range(60)]
    chunk = {**RUN, "index": 0, "sourceIdentifiers": ["b\x01d", *names]}
    calls.fail = throttle_the_second_write
    with pytest.raises(ChunkUnfinishedError, match="10 identifiers"):
        mint_chunk.lambda_handler(chunk | {"attempt": 0}, context)
    calls.fail = lambda number, operation: None
    calls.asked.clear()
    counts = mint_chunk.lambda_handler(chunk | {"attempt": 1}, context)
    assert counts == {"index": 0, "successCount": 60, "failureCount": 1}
    assert calls.asked == [{f"S#Work##{name}" for name in names[50:]}]
    got = summarise_minting.lambda_handler({**RUN, "chunkCount": 1}, context)
    assert got["successes"] == names


def test_an_unfinished_chunk_raises_until_its_last_attempt(
    aws: Aws, context: Any, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(*_: Any, **__: Any) -> Any:
        raise RegistryThrottledError("slow")

    monkeypatch.setattr("waybill.minting.adapters.table.IdentifiersTable.assign", throttled)
    monkeypatch.setattr("waybill.minting.runtime.Clock", lambda: Clock(sleep=lambda seconds: None))
    chunk = {**RUN, "index": 0, "sourceIdentifiers": ["a"]}
    with pytest.raises(ChunkUnfinishedError, match="1 identifiers of chunk 0"):
        mint_chunk.lambda_handler(chunk | {"attempt": 3}, context)
    counts = mint_chunk.lambda_handler(chunk | {"attempt": 4}, context)
    assert counts == {"index": 0, "successCount": 0, "failureCount": 1}
