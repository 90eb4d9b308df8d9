"""One DynamoDB table: reads, pages, batches, conditions and transactions, for every workflow.

Items, keys and values are plain Python here (`{"pk": "JOB#1", "size": 3}`), expressions are DynamoDB's own. Values in
expressions are named with a colon (`:job`), reserved names with a hash (`#status`).

Every method raises the table's `unavailable` when DynamoDB throttles, fails or cannot be reached, ConditionFailedError
when a condition is false, and ClientError when the call itself is wrong or forbidden.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from botocore.exceptions import ClientError

from waybill.core.aws.dynamodb import (
    TRANSIENT_REASONS,
    ConditionFailedError,
    Item,
    Update,
    from_item,
    to_item,
    translated,
)
from waybill.core.errors import RetryableError
from waybill.core.retry import Retry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        ConditionCheckTypeDef,
        DeleteTypeDef,
        KeysAndAttributesTypeDef,
        PutTypeDef,
        QueryInputTypeDef,
        ScanInputTypeDef,
        TransactWriteItemTypeDef,
        UpdateTypeDef,
        WriteRequestOutputTypeDef,
        WriteRequestTypeDef,
    )

# DynamoDB API Reference: BatchGetItem, BatchWriteItem, TransactWriteItems.
GET_LIMIT, WRITE_LIMIT, TRANSACTION_LIMIT = 100, 25, 100
_RETRY = Retry(tries=10, first_pause=0.05, longest_pause=2.0, seconds=15.0)


@dataclass(frozen=True)
class CancellationReason:
    """Why one action of a transaction was not done: DynamoDB's `code`, "None" where the action was not the reason.

    `item` is what is stored, where the action asks for it and its condition is false.
    """

    code: str
    item: Item

    @property
    def is_condition(self) -> bool:
        """Whether its condition is false."""
        return self.code == "ConditionalCheckFailed"

    @property
    def is_transient(self) -> bool:
        """Whether the same action may succeed later."""
        return self.code in TRANSIENT_REASONS


class TransactionConditionFailedError(ConditionFailedError):
    """Nothing was written: conditions are false. `reasons` are in the order of the actions."""

    def __init__(self, reasons: Sequence[CancellationReason]) -> None:
        super().__init__(next((reason.item for reason in reasons if reason.is_condition), {}))
        self.reasons = tuple(reasons)


class InvalidTransactionError(Exception):
    """Nothing was written: an action is wrong. `reasons` are in the order of the actions."""

    def __init__(self, reasons: Sequence[CancellationReason]) -> None:
        super().__init__(", ".join(sorted({reason.code for reason in reasons} - {"None"})) + " from DynamoDB")
        self.reasons = tuple(reasons)


@dataclass(frozen=True)
class ItemPage:
    """Some items, and the key behind which the next page begins; None on the last one."""

    items: list[Item]
    last_key: Item | None


@dataclass(frozen=True)
class Read:
    """What a query or scan reads, but for its keys.

    Attributes
    ----------
    index : str, optional
        The index to read instead of the table.
    filtered : str, optional
        A filter expression; its values are among those of the call.
    projection : str, optional
        The attributes to return.
    names : Mapping[str, str], optional
        What `#name` stands for.
    consistent, newest_first : bool
        Whether to read what is written at this moment; whether to begin with the largest sort key.
    page_size : int, optional
        Items that are looked at for a page.
    """

    index: str | None = None
    filtered: str | None = None
    projection: str | None = None
    names: Mapping[str, str] | None = None
    consistent: bool = False
    newest_first: bool = False
    page_size: int | None = None


_ALL = Read()


class Table:
    """A table called `name`; `client` makes the calls, `retry` says how long batches and transactions are repeated."""

    def __init__(
        self,
        client: "DynamoDBClient",
        name: str,
        unavailable: type[RetryableError],
        *,
        retry: Retry = _RETRY,
    ) -> None:
        self._client = client
        self.name = name
        self._unavailable = unavailable
        self._retry = retry

    def get(self, key: Item, *, consistent: bool = True) -> Item | None:
        """Return the item of `key`, None without one."""
        with translated(self._unavailable):
            answer = self._client.get_item(TableName=self.name, Key=to_item(key), ConsistentRead=consistent)
        return from_item(answer["Item"]) if answer.get("Item") else None

    def batch_get(
        self, keys: Iterable[Item], *, consistent: bool = True, projection: str | None = None
    ) -> Iterator[Item]:
        """Yield the items of `keys` that there are, in no order; a key that comes twice is read once.

        What DynamoDB leaves unprocessed is asked for again, after pauses that grow.

        Raises
        ------
        unavailable
            Some are unprocessed still, after all attempts or at the end of their time.
        """
        distinct = {repr(sorted(typed.items())): typed for typed in map(to_item, keys)}
        for some in batched(distinct.values(), GET_LIMIT, strict=False):
            asked: KeysAndAttributesTypeDef = {"Keys": list(some), "ConsistentRead": consistent}
            if projection:
                asked["ProjectionExpression"] = projection
            course = self._retry.begin()
            while True:
                with translated(self._unavailable):
                    answer = self._client.batch_get_item(RequestItems={self.name: asked})
                found = answer.get("Responses", {}).get(self.name, [])
                yield from map(from_item, found)
                left = answer.get("UnprocessedKeys", {}).get(self.name)
                if not left or not left["Keys"]:
                    break
                asked["Keys"] = left["Keys"]
                if found:
                    course.progress()
                if not course.pause():
                    raise self._unavailable(f"DynamoDB left {len(asked['Keys'])} reads unprocessed")

    def batch_write(self, *, put: Iterable[Item] = (), delete: Iterable[Item] = ()) -> None:
        """Put whole items and delete those of keys, all of different keys, in no order and not as one.

        Raises
        ------
        unavailable
            Some are unprocessed still, after all attempts or at the end of their time. All may be written again.
        """
        puts: Iterator[WriteRequestTypeDef] = ({"PutRequest": {"Item": to_item(item)}} for item in put)
        deletes: Iterator[WriteRequestTypeDef] = ({"DeleteRequest": {"Key": to_item(key)}} for key in delete)
        for requests in (puts, deletes):
            for some in batched(requests, WRITE_LIMIT, strict=False):
                self._write(list(some))

    def batch_write_typed(self, items: "Iterable[Mapping[str, AttributeValueTypeDef]]") -> None:
        """Put whole items as DynamoDB gave them, of different keys: their numbers and nulls stay as they are written.

        Raises
        ------
        unavailable
            Some are unprocessed still, after all attempts or at the end of their time. All may be written again.
        """
        for some in batched(items, WRITE_LIMIT, strict=False):
            self._write([{"PutRequest": {"Item": item}} for item in some])

    def _write(self, waiting: "Sequence[WriteRequestTypeDef | WriteRequestOutputTypeDef]") -> None:
        course = self._retry.begin()
        while True:
            with translated(self._unavailable):
                answer = self._client.batch_write_item(RequestItems={self.name: waiting})
            left = answer.get("UnprocessedItems", {}).get(self.name, [])
            if not left:
                return
            if len(left) < len(waiting):
                course.progress()
            waiting = left
            if not course.pause():
                raise self._unavailable(f"DynamoDB left {len(waiting)} writes unprocessed")

    def query(self, condition: str, values: Mapping[str, Any], read: Read = _ALL) -> Iterator[Item]:
        """Yield the items whose keys meet `condition`, in the order of their sort keys, reading pages as needed."""
        start: Item | None = None
        while True:
            page = self.page(condition, values, read, start=start)
            yield from page.items
            if page.last_key is None:
                return
            start = page.last_key

    def page(
        self, condition: str, values: Mapping[str, Any], read: Read = _ALL, *, start: Item | None = None
    ) -> ItemPage:
        """Return the page of a query that begins behind the key `start`."""
        question = self._question(condition, values, read, start)
        with translated(self._unavailable):
            answer = self._client.query(**question)
        return ItemPage([from_item(item) for item in answer["Items"]], _last_key(answer.get("LastEvaluatedKey")))

    def count(self, condition: str, values: Mapping[str, Any], read: Read = _ALL) -> int:
        """Return how many items a query finds, without returning them."""
        total = 0
        start: Item | None = None
        while True:
            question = self._question(condition, values, read, start)
            question["Select"] = "COUNT"
            with translated(self._unavailable):
                answer = self._client.query(**question)
            total += answer["Count"]
            start = _last_key(answer.get("LastEvaluatedKey"))
            if start is None:
                return total

    def scan(
        self, values: Mapping[str, Any] | None = None, read: Read = _ALL, *, start: Item | None = None
    ) -> Iterator[Item]:
        """Yield every item behind the key `start`, or those that the filter of `read` lets through, in no order."""
        question: ScanInputTypeDef = {"TableName": self.name}
        _read_as(question, read)
        if start:
            question["ExclusiveStartKey"] = to_item(start)
        if values:
            question["ExpressionAttributeValues"] = to_item(values)
        while True:
            with translated(self._unavailable):
                answer = self._client.scan(**question)
            yield from map(from_item, answer["Items"])
            if not answer.get("LastEvaluatedKey"):
                return
            question["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def put(
        self,
        item: Item,
        condition: str | None = None,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> Item | None:
        """Write a whole item under `condition`; return the one that it has replaced.

        Raises
        ------
        ConditionFailedError
            The condition is false; `item` is what is stored.
        """
        put = self.put_action(item, condition, values, names)["Put"]
        with translated(self._unavailable):
            answer = self._client.put_item(**put, ReturnValues="ALL_OLD")
        return from_item(answer["Attributes"]) if answer.get("Attributes") else None

    def update(
        self,
        key: Item,
        update: Update,
        condition: str | None = None,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> Item:
        """Change an item under `condition`, or make it; return it as it is then.

        Raises
        ------
        ConditionFailedError
            The condition is false; `item` is what is stored.
        """
        change = self.update_action(key, update, condition, values, names)["Update"]
        with translated(self._unavailable):
            answer = self._client.update_item(**change, ReturnValues="ALL_NEW")
        return from_item(answer.get("Attributes", {}))

    def delete(
        self,
        key: Item,
        condition: str | None = None,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> Item | None:
        """Delete an item under `condition`; return it, None where there was none.

        Raises
        ------
        ConditionFailedError
            The condition is false; `item` is what is stored.
        """
        gone = self.delete_action(key, condition, values, names)["Delete"]
        with translated(self._unavailable):
            answer = self._client.delete_item(**gone, ReturnValues="ALL_OLD")
        return from_item(answer["Attributes"]) if answer.get("Attributes") else None

    def transact(self, actions: "Sequence[TransactWriteItemTypeDef]", *, token: str | None = None) -> None:
        """Do all `actions` (at most 100, of different items) or none.

        A transaction that disturbs another, or is throttled, is made again after pauses that grow; always with one
        token, so that an attempt whose answer was lost counts once.

        Raises
        ------
        TransactionConditionFailedError
            Conditions are false; says which.
        unavailable
            Others are faster again and again, or DynamoDB cannot be reached.
        InvalidTransactionError
            An action is wrong; says which.
        """
        token = token or str(uuid.uuid4())
        course = self._retry.begin()
        while reasons := self.attempt(actions, token):
            if any(reason.is_condition for reason in reasons):
                raise TransactionConditionFailedError(reasons)
            if not any(reason.is_transient for reason in reasons):
                raise InvalidTransactionError(reasons)
            if not course.pause():
                codes = sorted({reason.code for reason in reasons if reason.is_transient})
                raise self._unavailable(f"{', '.join(codes)} from DynamoDB")

    def attempt(self, actions: "Sequence[TransactWriteItemTypeDef]", token: str) -> tuple[CancellationReason, ...]:
        """Make a transaction once: return nothing when it is done, else the reason of each action, in their order.

        For callers that do something else about a conflict than to wait. The same `token` with the same actions within
        ten minutes is the same transaction.
        """
        with translated(self._unavailable):
            try:
                self._client.transact_write_items(TransactItems=actions, ClientRequestToken=token)
            except ClientError as error:
                if reasons := _reasons(error):
                    return reasons
                raise
        return ()

    def put_action(
        self,
        item: Item,
        condition: str | None = None,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> "TransactWriteItemTypeDef":
        """Return the action of a transaction that puts `item`."""
        put: PutTypeDef = {"TableName": self.name, "Item": to_item(item), **_guard(condition, values, names)}
        return {"Put": put}

    def update_action(
        self,
        key: Item,
        update: Update,
        condition: str | None = None,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> "TransactWriteItemTypeDef":
        """Return the action of a transaction that changes the item of `key`."""
        change: UpdateTypeDef = {
            "TableName": self.name,
            "Key": to_item(key),
            "UpdateExpression": update.expression,
        }
        if condition:
            change["ConditionExpression"] = condition
            change["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if all_names := {**update.names, **(names or {})}:
            change["ExpressionAttributeNames"] = all_names
        if all_values := {**update.values, **to_item(values or {})}:
            change["ExpressionAttributeValues"] = all_values
        return {"Update": change}

    def delete_action(
        self,
        key: Item,
        condition: str | None = None,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> "TransactWriteItemTypeDef":
        """Return the action of a transaction that deletes the item of `key`."""
        gone: DeleteTypeDef = {"TableName": self.name, "Key": to_item(key), **_guard(condition, values, names)}
        return {"Delete": gone}

    def check_action(
        self,
        key: Item,
        condition: str,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> "TransactWriteItemTypeDef":
        """Return the action of a transaction that changes nothing, and lets it fail where `condition` is false."""
        check: ConditionCheckTypeDef = {
            "TableName": self.name,
            "Key": to_item(key),
            "ConditionExpression": condition,
            **_guard(condition, values, names),
        }
        return {"ConditionCheck": check}

    def _question(
        self, condition: str, values: Mapping[str, Any], read: Read, start: Item | None
    ) -> "QueryInputTypeDef":
        question: QueryInputTypeDef = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": to_item(values),
            "ScanIndexForward": not read.newest_first,
        }
        _read_as(question, read)
        if start:
            question["ExclusiveStartKey"] = to_item(start)
        return question


def _read_as[Q: (QueryInputTypeDef, ScanInputTypeDef)](question: Q, read: Read) -> None:
    """Add the arguments that a query and a scan have in common."""
    question["ConsistentRead"] = read.consistent
    if read.index:
        question["IndexName"] = read.index
    if read.filtered:
        question["FilterExpression"] = read.filtered
    if read.projection:
        question["ProjectionExpression"] = read.projection
    if read.names:
        question["ExpressionAttributeNames"] = read.names
    if read.page_size:
        question["Limit"] = read.page_size


class _Guard(TypedDict, total=False):
    ConditionExpression: str
    ReturnValuesOnConditionCheckFailure: Literal["ALL_OLD"]
    ExpressionAttributeValues: Item
    ExpressionAttributeNames: Mapping[str, str]


def _guard(condition: str | None, values: Mapping[str, Any] | None, names: Mapping[str, str] | None) -> _Guard:
    """Return the arguments that put a write under `condition`; where it is false, what is stored comes back."""
    guard: _Guard = {}
    if condition:
        guard["ConditionExpression"] = condition
        guard["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if values:
        guard["ExpressionAttributeValues"] = to_item(values)
    if names:
        guard["ExpressionAttributeNames"] = names
    return guard


def _last_key(key: Mapping[str, Any] | None) -> Item | None:
    return from_item(key) if key else None


def _reasons(error: ClientError) -> tuple[CancellationReason, ...]:
    response: Mapping[str, Any] = error.response
    return tuple(
        CancellationReason(str(reason.get("Code", "None")), from_item(reason.get("Item", {})))
        for reason in response.get("CancellationReasons", [])
    )
