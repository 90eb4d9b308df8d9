"""What a scan asks of AWS, counted on moto: no more than it says, and about what the estimate says."""

from typing import Any

import pytest

from benchmarks.scanning.requests import count_on_moto
from waybill.core.prices import PriceTable
from waybill.scanning.domain.costs import Workload, dollars, usage

OBJECTS, SIZE = 130, 4000
# What moto cannot tell is taken from the model on both sides, and left out.
TIMED = {"lambda_gb_seconds", "lambda_requests", "standard_transitions"}


@pytest.fixture(scope="module")
def counted() -> dict[str, Any]:
    return count_on_moto(OBJECTS, SIZE)


def test_one_list_call_for_a_page_one_get_for_an_object_and_no_head(counted: dict[str, Any]) -> None:
    s3 = {name: count for name, count in counted["requests"].items() if name.startswith("s3.")}
    assert s3 == {"s3.ListObjectsV2": 1, "s3.GetObject": OBJECTS}


def test_a_message_is_for_fifty_objects_or_more(counted: dict[str, Any]) -> None:
    assert counted["messages"] <= OBJECTS / 50
    assert counted["requests"]["sqs.SendMessageBatch"] == 1


def test_outcomes_are_written_many_at_a_time(counted: dict[str, Any]) -> None:
    # Of a slice: that it is begun, and its outcomes fifty at a time. Of the job: that its end was told.
    assert counted["requests"]["dynamodb.TransactWriteItems"] == counted["messages"] + -(-OBJECTS // 50) + 1


def test_the_estimate_is_within_a_twentieth_of_what_is_counted(counted: dict[str, Any]) -> None:
    prices = PriceTable.read()
    model = usage(Workload(OBJECTS, OBJECTS * SIZE, counted["findings"]))
    estimated = {name: quantity for name, quantity in model.items() if name not in TIMED}
    metered = counted["used"] | {"sqs_requests": counted["used"]["sqs_requests"] + 2 * counted["messages"]}
    # The key of fingerprints is read once in a function's process, however much that scans.
    del metered["secret_requests"]
    assert set(metered) == set(estimated)
    assert dollars(metered, prices) == pytest.approx(dollars(estimated, prices), rel=0.05)
