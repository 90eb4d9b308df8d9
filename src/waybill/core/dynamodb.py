"""DynamoDB items as plain Python, and its errors as ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

_PERMANENT = frozenset({"AccessDeniedException", "ResourceNotFoundException", "ValidationException"})

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
    """Return a typed item as plain Python; whole numbers as int."""
    deserialize = TypeDeserializer().deserialize
    return {name: _number(deserialize(value)) for name, value in item.items()}


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


@dataclass(frozen=True)
class Update:
    """An update expression with its names and typed values, ready for `update_item` or a transaction."""

    expression: str
    names: dict[str, str]
    values: Item

    @classmethod
    def of(cls, assigned: Mapping[str, Any], removed: tuple[str, ...] = ()) -> "Update":
        """Return the update that sets `assigned` and removes both `removed` and what is assigned None."""
        present = {name: value for name, value in assigned.items() if value is not None}
        gone = [*(name for name in assigned if name not in present), *removed]
        names = {f"#s{index}": name for index, name in enumerate(present)}
        removed_names = {f"#r{index}": name for index, name in enumerate(gone)}
        values = to_item({f":s{index}": value for index, value in enumerate(present.values())})
        expression = "SET " + ", ".join(f"{alias} = :{alias[1:]}" for alias in names)
        if gone:
            expression += " REMOVE " + ", ".join(removed_names)
        return cls(expression, names | removed_names, values)

    def arguments(self, condition: str, **bound: Any) -> dict[str, Any]:
        """Return boto3's arguments for this update under `condition`, whose `:values` are `bound`."""
        return {
            "UpdateExpression": self.expression,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": self.names,
            "ExpressionAttributeValues": self.values | to_item({f":{name}": value for name, value in bound.items()}),
        }


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
    except ClientError as error:
        code = error.response["Error"]["Code"]
        stored: Any = error.response.get("Item", {})
        reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
        if code == "ConditionalCheckFailedException" or "ConditionalCheckFailed" in reasons:
            raise ConditionFailedError(from_item(stored)) from error
        if code in _PERMANENT or reasons & {"ValidationError", "ItemCollectionSizeLimitExceeded"}:
            raise
        raise unavailable(f"{code} from DynamoDB") from error
    except BotoCoreError as error:
        raise unavailable(f"{type(error).__name__} while calling DynamoDB") from error
