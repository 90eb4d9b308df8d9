"""What comes of the sample events of the ID minter."""

import json
from typing import Any

from tests.fakes.api import LambdaContext, answer_of
from tests.fakes.samples import Invoke, read
from tests.fakes.wire import Wire
from tests.functional.minting.conftest import Aws, forget_collaborators, make_resources
from waybill.minting.handlers.mint_chunk import lambda_handler as mint


def ready() -> Aws:
    """Make what the functions need, in the mock that the caller has started."""
    forget_collaborators()
    return make_resources()


def id_minter(event: Any, invoke: Invoke, wire: Wire) -> None:
    aws = ready()
    got = invoke(event)
    assert got["successes"] == event["sourceIdentifiers"]
    assert got["jobId"] == event["jobId"]
    assert got["failures"] == []
    kept = {item["canonicalId"]["S"] for item in aws.items() if "canonicalId" in item}
    assert set(got["identifiers"].values()) == kept


def minting_api(event: Any, invoke: Invoke, wire: Wire) -> None:
    ready()
    assert answer_of(invoke(event)).json["successes"] == ["sierra-123456"]


def minting_queue(event: Any, invoke: Invoke, wire: Wire) -> None:
    aws = ready()
    assert invoke(event) == {"batchItemFailures": []}
    results = [json.loads(body) for body in aws.messages(aws.results_url)]
    assert sorted(result["sourceIdentifier"] for result in results) == ["miro-789012", "sierra-123456"]
    assert {result["jobId"] for result in results} == {"sample-job"}


def plan_minting(event: Any, invoke: Invoke, wire: Wire) -> None:
    ready()
    planned = invoke(event)
    assert [chunk["sourceIdentifiers"] for chunk in planned["chunks"]] == [event["request"]["sourceIdentifiers"]]


def mint_chunk(event: Any, invoke: Invoke, wire: Wire) -> None:
    ready()
    assert invoke(event) == {"index": 0, "successCount": 2, "failureCount": 0}


def summarise_minting(event: Any, invoke: Invoke, wire: Wire) -> None:
    ready()
    chunk = read("minting/mint_chunk")
    mint(chunk, LambdaContext())
    assert invoke(event)["successes"] == chunk["sourceIdentifiers"]
