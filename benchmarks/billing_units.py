"""What AWS bills, in units. The dollars are in `waybill.core.prices`, where the application finds them too."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from math import ceil
from typing import Any

from waybill.core.prices import Price, PriceTable

__all__ = [
    "Price",
    "PriceTable",
    "express_gb_seconds",
    "express_memory",
    "item_bytes",
    "lambda_gb_seconds",
    "read_units",
    "write_units",
]

_KB = 1024
_MB = 1024**2


def lambda_gb_seconds(memory: int, milliseconds: float) -> float:
    """Return what an invocation is billed: `memory` in MB, the duration rounded up to whole milliseconds."""
    return memory / _KB * ceil(milliseconds) / 1000


def express_gb_seconds(memory: float, milliseconds: float) -> float:
    """Return what an Express execution is billed: `memory` in MB in chunks of 64, the duration in steps of 100 ms."""
    return ceil(memory / 64) * 64 / _KB * ceil(milliseconds / 100) / 10


def express_memory(definition: int, payload: int, iterations: int) -> float:
    """Return the MB that an Express execution uses, by the formula of the price page (its third and fourth example).

    `definition` and `payload` in bytes; `iterations` of Map and branches of Parallel states.
    """
    return 50 + (definition + payload * iterations) / _MB


def write_units(item: int, *, transaction: bool = False) -> int:
    """Return the write request units for an item of so many bytes: one per KB, two in a transaction."""
    return max(1, ceil(item / _KB)) * (2 if transaction else 1)


def read_units(item: int) -> int:
    """Return the read request units for a strongly consistent read: one per 4 KB, also when nothing is found."""
    return max(1, ceil(item / (4 * _KB)))


def item_bytes(item: Mapping[str, Any]) -> int:
    """Return the size of an item in DynamoDB's typed form.

    Source: Amazon DynamoDB developer guide, "DynamoDB item sizes and formats".
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return _number_bytes(value)
        case "B":
            return len(value)
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + _elements(value)
        case "M":
            return 3 + len(value) + item_bytes(value)
        case "SS" | "NS" | "BS":
            return sum(_value_bytes({kind[0]: element}) for element in value)
    raise ValueError(f"no DynamoDB type {kind}")


def _elements(values: Iterable[Mapping[str, Any]]) -> int:
    return sum(1 + _value_bytes(value) for value in values)


def _number_bytes(text: str) -> int:
    """One byte for every two significant digits and one more, and one for the sign of a negative number."""
    number = Decimal(text)
    digits = len("".join(map(str, number.as_tuple().digits)).strip("0")) or 1
    return ceil(digits / 2) + 1 + (number < 0)
