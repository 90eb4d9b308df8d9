"""DynamoDB items as plain Python, and its errors as ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.faults import is_transient, reason_of

# DynamoDB API Reference, TransactWriteItems, "Cancellation reason codes": those that pass.
TRANSIENT_REASONS = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"})

type Item = dict[str, Any]


class ConditionFailedError(Exception):
    """A conditional write found its condition false; `item` is what is stored, where DynamoDB returns it."""

    def __init__(self, item: Item) -> None:
        super().__init__("the condition of the write is false")
        self.item = item


def to_item(attributes: Mapping[str, Any]) -> Item:
    """Return `attributes` in DynamoDB's typed form, without those that are None."""
    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in attributes.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> Item:
    """Return a typed item as plain Python; whole numbers as int, also within lists and maps."""
    deserialize = TypeDeserializer().deserialize
    return {name: _plain(deserialize(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list():
            return [_plain(one) for one in value]
    return value


@dataclass(frozen=True)
class Update:
    """An update expression with its names and typed values."""

    expression: str
    names: dict[str, str]
    values: Item

    @classmethod
    def of(
        cls,
        assigned: Mapping[str, Any],
        removed: tuple[str, ...] = (),
        counted: tuple[str, ...] = (),
        added: Mapping[str, int] | None = None,
    ) -> "Update":
        """Return an update: set `assigned`, remove `removed` and what is None, add 1 to `counted`, add `added`."""
        present = {name: value for name, value in assigned.items() if value is not None}
        gone = [*(name for name in assigned if name not in present), *removed]
        names = {f"#s{index}": name for index, name in enumerate(present)}
        removed_names = {f"#r{index}": name for index, name in enumerate(gone)}
        counted_names = {f"#c{index}": name for index, name in enumerate(counted)}
        added_names = {f"#a{index}": name for index, name in enumerate(added or {})}
        values = to_item({f":s{index}": value for index, value in enumerate(present.values())})
        values |= to_item({f":a{index}": value for index, value in enumerate((added or {}).values())})
        clauses = {
            "SET": [f"{alias} = :{alias[1:]}" for alias in names],
            "REMOVE": list(removed_names),
            "ADD": [*(f"{alias} :one" for alias in counted_names), *(f"{alias} :{alias[1:]}" for alias in added_names)],
        }
        expression = " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)
        one = to_item({":one": 1}) if counted else {}
        return cls(expression, names | removed_names | counted_names | added_names, values | one)


@contextmanager
def translated(unavailable: type[Exception]) -> Iterator[None]:
    """Turn DynamoDB's errors into ours.

    Raises
    ------
    ConditionFailedError
        The condition of a write, or of one item of a transaction, is false.
    unavailable
        DynamoDB throttles, fails or cannot be reached.
    ClientError
        The call itself is wrong or forbidden, which no repetition mends.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        code, reasons = reason_of(error), _cancellation_reasons(error)
        if code == "ConditionalCheckFailedException" or "ConditionalCheckFailed" in reasons:
            raise ConditionFailedError(_stored_item(error)) from error
        if is_transient(error) or reasons & TRANSIENT_REASONS:
            raise unavailable(f"{code} from DynamoDB") from error
        raise


def _stored_item(error: ClientError | BotoCoreError) -> Item:
    response: Any = error.response if isinstance(error, ClientError) else {}
    return from_item(response.get("Item", {}))


def _cancellation_reasons(error: ClientError | BotoCoreError) -> set[str]:
    response: Any = error.response if isinstance(error, ClientError) else {}
    return {str(reason.get("Code")) for reason in response.get("CancellationReasons", [])}
