"""What a million units of work cost, and what one file of the replication uses."""

import pytest

from benchmarks.billing_units import Price, PriceTable
from benchmarks.costs import Usage, bill_per_million
from benchmarks.replication.usage import Counted, Execution, Used, original, tracking_write_units, work

KB = 1024

PRICES = PriceTable(
    region="us-east-1",
    as_of="2026-11",
    prices={
        "standard_transitions": Price(25.0, 1_000_000, "transitions", "a page"),
        "lambda_requests": Price(0.2, 1_000_000, "requests", "a page"),
        "s3_writes": Price(0.005, 1_000, "requests", "a page"),
    },
)


def item(kind: str = "", size: int = 100, **more: str) -> dict[str, dict[str, str]]:
    """An item of the tracking table with so many bytes and a few more."""
    return {"sourceBucket": {"S": f"bucket{kind}"}, "text": {"S": "x" * size}} | {
        name: {"S": value} for name, value in more.items()
    }


def test_a_bill_is_quantities_times_prices_times_a_million() -> None:
    bill = bill_per_million(Usage({"standard_transitions": 11, "lambda_requests": 1, "s3_writes": 2}), PRICES)

    assert bill.usd == pytest.approx({"standard_transitions": 275.0, "lambda_requests": 0.2, "s3_writes": 10.0})
    assert bill.section("orchestration") == pytest.approx(275.2)
    assert bill.section("S3") == pytest.approx(10.0)
    assert bill.section("DynamoDB") == 0
    assert bill.total == pytest.approx(285.2)
    assert bill.dominant == "standard_transitions"


def test_what_has_no_price_is_not_free() -> None:
    with pytest.raises(KeyError, match="gpu_hours"):
        bill_per_million(Usage({"gpu_hours": 1}), PRICES)


def test_usages_are_put_together() -> None:
    assert (Usage({"s3_reads": 1}) | {"s3_writes": 2}).quantities == {"s3_reads": 1, "s3_writes": 2}


def test_express_is_billed_one_request_and_its_time() -> None:
    execution = Execution(milliseconds=324.0, definition=40 * KB, payload=4 * KB, iterations=2)

    # 50.05 MB take one chunk of 64 MB, 324 ms four steps of 100 ms.
    assert execution.express() == pytest.approx({"express_requests": 1, "express_gb_seconds": 0.4 * 64 / 1024})


def test_the_tracking_table_is_written_at_the_size_of_each_time_and_its_index_three_times() -> None:
    def units(*written: int, size: int = 0, indexed: tuple[str, ...] = ("sourceBucket",)) -> int:
        items = [item(size=size), item("#dest#region-a")]
        return tracking_write_units(Counted({}, [], items, written), indexed=indexed)

    assert units(100, 100) == 1 + 1 + 3
    assert units(100, KB + 1, size=KB) == 1 + 2 + 3
    assert units(100, size=KB, indexed=("sourceBucket", "text")) == 1 + 6
    with pytest.raises(AssertionError, match="without transactions"):
        tracking_write_units(Counted({"dynamodb.TransactWriteItems": 1}, [], [item()]), indexed=[])


def test_the_work_of_a_file_is_what_its_functions_and_requests_use() -> None:
    functions = [Used("copy_file", 256, 2, 40.0), Used("validate_input", 128, 1, 8.0)]
    counted = Counted(
        requests={"s3.HeadObject": 1, "s3.CopyObject": 2, "dynamodb.GetItem": 6, "states.StartExecution": 1},
        entered=["ValidateInput"],
        items=[item(), item("#dest#a"), item("#dest#b")],
        written=[800, 200, 200, 2 * KB],
    )

    used = work(functions, counted, indexed=["sourceBucket"], log_bytes=2 * 1024**3)

    assert used.quantities == pytest.approx(
        {
            "lambda_requests": 3,
            "lambda_gb_seconds": 2 * 0.25 * 0.040 + 0.125 * 0.008,
            "s3_writes": 2,
            "s3_reads": 1,
            "dynamodb_write_units": 1 + 1 + 1 + 2 + 3,
            "dynamodb_read_units": 6,
            "log_gb": 2,
        }
    )


@pytest.mark.parametrize(("destinations", "transitions"), [(1, 9), (2, 11), (10, 27)])
def test_the_original_design_takes_seven_states_and_two_for_each_destination(
    destinations: int, transitions: int
) -> None:
    used = original(Used("replication_worker", 256, 1, 10.0), row_bytes=1500, destinations=destinations)

    assert used.quantities["standard_transitions"] == transitions
    assert used.quantities["s3_writes"] == destinations
    assert used.quantities["dynamodb_write_units"] == 1 + 2
