"""What queues may take of the account's concurrent executions, as Lambda tells it (AWS Lambda API reference)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import boto3
import pytest
from botocore.stub import Stubber

from waybill.cli.adapters.concurrency import concurrency

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# "New AWS accounts have reduced concurrency and memory quotas" (Lambda developer guide, "Lambda quotas").
NEW_ACCOUNT, DEFAULT = 10, 1000


@pytest.fixture
def functions() -> "LambdaClient":
    return boto3.client("lambda", "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")


@pytest.fixture
def told(functions: "LambdaClient") -> Iterator[Stubber]:
    with Stubber(functions) as stubber:
        yield stubber


def tell(told: Stubber, account: int, unreserved: int, queues: list[int], reserved: int | None = None) -> list[str]:
    limit = {"ConcurrentExecutions": account, "UnreservedConcurrentExecutions": unreserved}
    told.add_response("get_account_settings", {"AccountLimit": limit}, {})
    names = [str(UUID(int=place)) for place, _ in enumerate(queues)]
    for name, most in zip(names, queues, strict=True):
        told.add_response("get_event_source_mapping", {"ScalingConfig": {"MaximumConcurrency": most}}, {"UUID": name})
    kept = {} if reserved is None else {"ReservedConcurrentExecutions": reserved}
    told.add_response("get_function_concurrency", kept, {"FunctionName": "authorise"})
    return names


def test_a_new_account_whose_queues_may_take_everything_is_short(functions: "LambdaClient", told: Stubber) -> None:
    names = tell(told, NEW_ACCOUNT, NEW_ACCOUNT, [5, 2, 2, 2])
    found = concurrency(functions, names, "authorise")
    assert found is not None
    assert (found.queues, found.left, found.short) == (11, 0, True)
    assert "too few for the API" in str(found)


def test_an_account_with_the_default_quota_is_not(functions: "LambdaClient", told: Stubber) -> None:
    names = tell(told, DEFAULT, DEFAULT, [50, 2])
    found = concurrency(functions, names, "authorise")
    assert found is not None
    assert (found.left, found.short) == (948, False)
    assert str(found) == "1,000 in the account; queues take 52 at most and leave 948"


def test_what_is_reserved_for_the_api_is_not_taken_from_it(functions: "LambdaClient", told: Stubber) -> None:
    names = tell(told, 200, 110, [110], reserved=10)
    found = concurrency(functions, names, "authorise")
    assert found is not None
    assert (found.left, found.short) == (0, False)
    assert str(found).endswith("10 are kept for each function of the API")


def test_who_may_not_ask_is_told_nothing(functions: "LambdaClient", told: Stubber) -> None:
    told.add_client_error("get_account_settings", "AccessDeniedException")
    assert concurrency(functions, [], "authorise") is None
