"""MintingQueueFunction."""

import json
from typing import Any

import pytest

from tests.functional.minting.conftest import BUCKET, TABLE, Aws
from waybill.minting.errors import RegistryRefusedError
from waybill.minting.handlers.minting_queue import lambda_handler


def batch(*bodies: Any) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"m-{number}", "body": json.dumps(body), "attributes": {}}
            for number, body in enumerate(bodies)
        ]
    }


def test_results_and_lasting_failures(aws: Aws, context: Any) -> None:
    wanted = [f"id-{number}" for number in range(25)]
    event = batch({"sourceIdentifiers": wanted, "jobId": "j"}, {"sourceIdentifiers": []})
    assert lambda_handler(event, context) == {"batchItemFailures": []}
    assert len(aws.messages(aws.results_url)) == 25
    record = json.loads(aws.s3.get_object(Bucket=BUCKET, Key="minting/failures/m-1.json")["Body"].read())
    assert record["failures"][0]["code"] == "INVALID_INPUT"
    [news] = aws.messages(aws.news_url)
    assert "minting/failures/m-1.json" in news


def test_a_request_whose_results_cannot_be_sent_comes_back(aws: Aws, context: Any) -> None:
    aws.sqs.delete_queue(QueueUrl=aws.results_url)
    event = batch({"sourceIdentifiers": ["a"]}, {"sourceIdentifiers": []})
    assert lambda_handler(event, context) == {"batchItemFailures": [{"itemIdentifier": "m-0"}]}


def test_without_a_table_the_whole_batch_comes_back(aws: Aws, context: Any) -> None:
    aws.dynamodb.delete_table(TableName=TABLE)
    with pytest.raises(RegistryRefusedError):
        lambda_handler(batch({"sourceIdentifiers": ["a"]}), context)


@pytest.mark.parametrize(
    "body",
    [
        {"sourceIdentifiers": ["half\ud800", "good"]},
        {"sourceIdentifiers": ["half\ud800"], "mode": "documents"},
        {"sourceIdentifiers": ["a"], "earlier": {"failures": [], "identifiers": {"a": "aaaaaaaa"}}},
    ],
)
def test_what_nobody_may_ask_is_recorded_and_holds_back_no_neighbour(aws: Aws, context: Any, body: Any) -> None:
    assert lambda_handler(batch(body, {"sourceIdentifiers": ["neighbour"]}), context) == {"batchItemFailures": []}
    assert [json.loads(result)["sourceIdentifier"] for result in aws.messages(aws.results_url)] == ["neighbour"]
    record = json.loads(aws.s3.get_object(Bucket=BUCKET, Key="minting/failures/m-0.json")["Body"].read())
    assert record["failures"][0]["code"] == "INVALID_INPUT"


def test_hostile_characters_arrive(aws: Aws, context: Any) -> None:
    good, bad = "\U0001f600 é", "line\n\x01"
    event = batch({"sourceIdentifiers": [good, bad], "jobId": "job\x02\n"})
    assert lambda_handler(event, context) == {"batchItemFailures": []}
    [result] = aws.messages(aws.results_url)
    assert json.loads(result)["sourceIdentifier"] == good
    assert result.isascii()
    [news] = aws.messages(aws.news_url)
    assert "line\\n\\x01" in json.loads(news)["Message"]
    record = json.loads(aws.s3.get_object(Bucket=BUCKET, Key="minting/failures/m-0.json")["Body"].read())
    assert [failure["sourceIdentifier"] for failure in record["failures"]] == [bad]
