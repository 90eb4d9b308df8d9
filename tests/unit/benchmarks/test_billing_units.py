"""Units as AWS bills them, and the price table."""

import pytest

from benchmarks.billing_units import (
    PriceTable,
    express_gb_seconds,
    express_memory,
    item_bytes,
    lambda_gb_seconds,
    read_units,
    write_units,
)
from benchmarks.costs import SECTIONS

KB = 1024
MB = 1024**2


@pytest.fixture(scope="module")
def table() -> PriceTable:
    return PriceTable.read()


@pytest.mark.parametrize(
    ("name", "quantity", "usd"),
    [
        ("lambda_requests", 1_000_000, 0.20),
        ("lambda_gb_seconds", 400_000, 6.66668),
        ("standard_transitions", 4_000, 0.10),
        ("express_requests", 2_500_000, 2.50),
        ("s3_writes", 1_000, 0.005),
        ("s3_reads", 10_000, 0.004),
        ("dynamodb_write_units", 1_000_000, 0.625),
        ("dynamodb_read_units", 8_000_000, 1.00),
        ("log_gb", 10, 5.00),
    ],
)
def test_prices_are_per_their_number_of_units(table: PriceTable, name: str, quantity: float, usd: float) -> None:
    assert table.usd(name, quantity) == pytest.approx(usd)


def test_every_price_names_its_page_and_its_unit(table: PriceTable) -> None:
    assert table.region == "us-east-1"
    assert all(
        price.usd > 0 and price.per > 0 and price.unit and "Pricing" in price.page for price in table.prices.values()
    )


def test_every_price_belongs_to_one_section_of_a_bill(table: PriceTable) -> None:
    assert sorted(name for names in SECTIONS.values() for name in names) == sorted(table.prices)


@pytest.mark.parametrize(
    ("memory", "milliseconds", "gb_seconds"),
    [(1024, 1000, 1.0), (256, 100, 0.025), (256, 0.2, 0.25 / 1000), (128, 1.001, 0.125 * 2 / 1000)],
)
def test_lambda_rounds_up_to_milliseconds(memory: int, milliseconds: float, gb_seconds: float) -> None:
    assert lambda_gb_seconds(memory, milliseconds) == pytest.approx(gb_seconds)


@pytest.mark.parametrize(
    ("memory", "milliseconds", "gb_seconds"),
    [
        (64, 30_000, 1.875),
        (50.02, 100, 0.00625),
        (50.02, 101, 0.0125),
        (64.1, 100, 0.0125),
    ],
)
def test_express_rounds_up_to_64_mb_and_100_ms(memory: float, milliseconds: float, gb_seconds: float) -> None:
    assert express_gb_seconds(memory, milliseconds) == pytest.approx(gb_seconds)


def test_express_memory_grows_with_definition_payload_and_iterations() -> None:
    # The price page's example: 50 KB of definition and 400 steps with 32 KB each, in its rounding 62.85 MB.
    assert express_memory(50 * KB, 32 * KB, 400) == pytest.approx(50 + (50 + 12_800) / 1024)
    assert express_memory(0, 32 * KB, 0) == 50


@pytest.mark.parametrize(
    ("size", "plain", "in_transaction"), [(0, 1, 2), (1, 1, 2), (KB, 1, 2), (KB + 1, 2, 4), (400 * KB, 400, 800)]
)
def test_writes_are_billed_per_kb_and_twice_in_a_transaction(size: int, plain: int, in_transaction: int) -> None:
    assert write_units(size) == plain
    assert write_units(size, transaction=True) == in_transaction


@pytest.mark.parametrize(("size", "units"), [(0, 1), (4 * KB, 1), (4 * KB + 1, 2)])
def test_consistent_reads_are_billed_per_4_kb(size: int, units: int) -> None:
    assert read_units(size) == units


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "abc"}, 3),
        ({"S": "é"}, 2),
        ({"N": "0"}, 2),
        ({"N": "7"}, 2),
        ({"N": "27"}, 2),
        ({"N": "-27"}, 3),
        ({"N": "270"}, 2),
        ({"N": "461"}, 3),
        ({"B": b"abcd"}, 4),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"L": [{"S": "ab"}, {"N": "1"}]}, 3 + (1 + 2) + (1 + 2)),
        ({"M": {"k": {"S": "ab"}}}, 3 + 1 + (1 + 2)),
        ({"SS": ["ab", "c"]}, 3),
    ],
)
def test_items_are_as_large_as_their_names_and_values(value: dict[str, object], size: int) -> None:
    assert item_bytes({"name": value}) == len("name") + size


def test_an_unknown_type_has_no_size() -> None:
    with pytest.raises(ValueError, match="no DynamoDB type X"):
        item_bytes({"name": {"X": "?"}})
