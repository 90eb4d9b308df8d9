"""Functions that die before any one of their calls, and are started again with the same event."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.functional.minting.conftest import BUCKET, Aws
from waybill.core.aws.clients import client
from waybill.minting.handlers import id_minter, mint_chunk, minting_queue, plan_minting, summarise_minting

RUN = {"run": "run-1", "executionId": "arn:run-1"}
NEW = [f"id-{number}" for number in range(15)]


class Killed(BaseException):
    """The function's process ends."""


@dataclass
class Reaper:
    """Ends the process once, when it is about to make the call number `before` of all services: it makes none then."""

    before: int
    made: list[str] = field(default_factory=list)
    dead: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, model: Any, **_: Any) -> None:
        with self.lock:
            self.made.append(model.name)
            self.dead = self.dead or len(self.made) == self.before
            if self.dead:
                raise Killed

    @property
    def has_killed(self) -> bool:
        return len(self.made) > self.before

    def invoke(self, handler: Any, event: Any, context: Any) -> Any:
        """Invoke as Lambda, SQS and Step Functions do: once more when it has died, whatever it was about to answer."""
        with contextlib.suppress(Killed):
            answer = handler(event, context)
            if not self.dead:
                return answer
        self.dead = False
        return handler(event, context)


@pytest.fixture
def reaper(aws: Aws, kill: int) -> Reaper:
    reaper = Reaper(kill)
    for made in (client("dynamodb", attempts=1), client("dynamodb"), client("s3"), client("sqs"), client("sns")):
        made.meta.events.register("before-call", reaper.note)
    return reaper


def pairs(aws: Aws) -> dict[str, str]:
    """The registry, which has no half of an assignment."""
    items = aws.items()
    forward = {item["sourceId"]["S"]: item["canonicalId"]["S"] for item in items if "canonicalId" in item}
    reverse = {
        item["pk"]["S"].removeprefix("C#"): item["owner"]["S"].rpartition("#")[2] for item in items if "owner" in item
    }
    assert {canonical_id: source for source, canonical_id in forward.items()} == reverse
    assert len(forward) == len(reverse)
    return forward


@pytest.mark.parametrize("kill", range(1, 7))
def test_the_queue(aws: Aws, context: Any, reaper: Reaper) -> None:
    body = json.dumps({"sourceIdentifiers": [*NEW, "b\x01d"], "jobId": "j"})
    event = {"Records": [{"messageId": "m", "body": body, "attributes": {}}]}
    assert reaper.invoke(minting_queue.lambda_handler, event, context) == {"batchItemFailures": []}
    results = [json.loads(message) for message in aws.messages(aws.results_url)]
    assert {result["sourceIdentifier"]: result["canonicalId"] for result in results} == pairs(aws)
    assert set(pairs(aws)) == set(NEW)
    record = json.loads(aws.s3.get_object(Bucket=BUCKET, Key="minting/failures/m.json")["Body"].read())
    assert [failure["code"] for failure in record["failures"]] == ["INVALID_IDENTIFIER"]
    assert len({json.loads(news)["Message"] for news in aws.messages(aws.news_url)}) == 1
    assert reaper.has_killed


@pytest.mark.parametrize("kill", range(1, 12))
def test_documents(aws: Aws, context: Any, reaper: Reaper) -> None:
    for name in "abc":
        identifier = {"identifierType": {"id": "sierra"}, "ontologyType": "Work", "value": name}
        subject = identifier | {"ontologyType": "Subject", "value": "shared"}
        document = {"sourceIdentifier": identifier, "subject": {"sourceIdentifier": subject}}
        aws.s3.put_object(Bucket=BUCKET, Key=f"upstream/{name}.json", Body=json.dumps(document))
    got = reaper.invoke(id_minter.lambda_handler, {"sourceIdentifiers": list("abc"), "mode": "documents"}, context)
    known = pairs(aws)
    assert got["identifiers"] == {name: known[name] for name in "abc"}
    stored = aws.s3.list_objects_v2(Bucket=BUCKET, Prefix="downstream/")["Contents"]
    assert {each["Key"] for each in stored} == {f"downstream/{known[name]}.json" for name in "abc"}
    for each in stored:
        document = json.loads(aws.s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read())
        assert document["subject"]["canonicalId"] == known["shared"]
    recorded = {item["pk"]["S"] for item in aws.items()}
    assert {f"D#{known[name]}" for name in "abc"} <= recorded
    assert reaper.has_killed


@pytest.mark.parametrize(
    ("length", "kill"),
    # 11 calls with the chunks in the state, 24 with a manifest: there the plan, a chunk, and the summary.
    [*((1, kill) for kill in range(1, 12)), *((1500, kill) for kill in (1, 2, 3, 4, 5, 18, 19, 23, 24))],
)
def test_a_run(aws: Aws, context: Any, reaper: Reaper, length: int) -> None:
    names = [f"{number:0{length}}" for number in range(150)]
    aws.s3.put_object(Bucket=BUCKET, Key="ids.txt", Body="\n".join(names).encode())
    request = {"identifiersUri": f"s3://{BUCKET}/ids.txt", "jobId": "j"}
    planned = reaper.invoke(plan_minting.lambda_handler, {"request": request, **RUN}, context)
    chunks = list(chunks_of(aws, planned))
    assert len(chunks) == planned["chunkCount"]
    for chunk in chunks:
        reaper.invoke(mint_chunk.lambda_handler, chunk, context)
    got = reaper.invoke(summarise_minting.lambda_handler, {**planned, **RUN}, context)
    assert (got["successCount"], got["failureCount"]) == (150, 0)
    if length > 1:
        key = got["reportUri"].removeprefix(f"s3://{BUCKET}/")
        got = json.loads(aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    assert got["successes"] == names
    assert got["identifiers"] == pairs(aws)
    assert reaper.has_killed


def chunks_of(aws: Aws, planned: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if planned["kind"] == "INLINE":
        yield from planned["chunks"]
        return
    for line in aws.s3.get_object(Bucket=planned["bucket"], Key=planned["key"])["Body"].iter_lines():
        yield json.loads(line)
