"""The identifiers table: the one module that knows its items.

Two items per assignment, with the one key attribute `pk`, since a condition sees only the item with the same key:

    S#<type>#<system>#<value>   forward: proves one canonical ID per source
    C#<canonical ID>            reverse: proves one source per canonical ID, and finds it; with `reservedAt`, reserved
    R#<canonical ID>            what it was reserved for
    L#<canonical ID>#<number>   the changes in its life: replaced, withdrawn
    K#<digest>                  what a reservation with an idempotency key was answered
    D#<canonical ID>            the document that was written downstream last: place, version, SHA-256, size

A source that inherits the canonical ID of its predecessor has a forward item alone, with the canonical ID in `aliasOf`,
the hash key of the sparse index `ByAlias`. Items are never deleted, and never changed but for two: a reserved canonical
ID gets its `owner` when it is assigned, and a document that is written anew is recorded anew.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TypedDict, cast

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.dynamodb import Item, from_item, to_item
from waybill.core.retry import Retry
from waybill.minting.domain.registry import FIND_LIMIT
from waybill.minting.domain.source_ids import REVERSE_KEYS, key_of, source_of_key
from waybill.minting.errors import (
    RegistryRefusedError,
    RegistryThrottledError,
    RegistryUnavailableError,
    TransactionRefusedError,
)
from waybill.minting.models import Assignment, Found, Proposal, ProposalVerdict, Ruling, SourceId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        BatchGetItemOutputTypeDef,
        ConditionCheckTypeDef,
        KeysAndAttributesTypeDef,
        QueryOutputTypeDef,
        ScanOutputTypeDef,
        TransactWriteItemTypeDef,
    )

# How often what was left unprocessed is asked for again.
_UNPROCESSED = Retry(tries=9, first_pause=0.05, longest_pause=5.0)
ALIAS_INDEX = "ByAlias"
_THROTTLES = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
    }
)
# The call of the same token is still under way: like a lost answer, its outcome is not known yet.
_UNKNOWN_OUTCOMES = frozenset({"TransactionInProgressException", "InternalServerError", "ServiceUnavailable"})
_RULINGS = {
    "None": Ruling.KEPT,
    "TransactionConflict": Ruling.CONFLICT,
    "ThrottlingError": Ruling.THROTTLED,
    "ProvisionedThroughputExceeded": Ruling.THROTTLED,
    "ValidationError": Ruling.REFUSED,
    "ItemCollectionSizeLimitExceeded": Ruling.REFUSED,
}
_NEW = "attribute_not_exists(pk)"
_NEW_OR_RESERVED = "attribute_not_exists(pk) OR attribute_exists(reservedAt)"
_WORST_FIRST = (
    Ruling.LOST,
    Ruling.ORPHANED,
    Ruling.TAKEN,
    Ruling.REFUSED,
    Ruling.CONFLICT,
    Ruling.THROTTLED,
    Ruling.KEPT,
)


class IdentifiersTable:
    """`Registry` on DynamoDB, and what readers ask of it; `client` is a boto3 `dynamodb` client."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table = table_name

    def find(self, sources: Sequence[SourceId], *, consistent: bool = False) -> Found:
        """Return the canonical IDs of at most 100 different sources, in one call."""
        by_key = {key_of(source): source for source in sources}
        request: KeysAndAttributesTypeDef = {
            "Keys": [{"pk": {"S": key}} for key in by_key],
            "ProjectionExpression": "pk, canonicalId",
            "ConsistentRead": consistent,
        }
        with self._errors():
            answer = self._client.batch_get_item(RequestItems={self._table: request})
        items = answer.get("Responses", {}).get(self._table, [])
        left = _left(answer, self._table)
        return Found(
            {by_key[item["pk"]["S"]]: item["canonicalId"]["S"] for item in items},
            tuple(by_key[key["pk"]["S"]] for key in left),
        )

    def assign(
        self, proposals: Sequence[Proposal], *, token: str, at: str, job_id: str | None = None
    ) -> Sequence[ProposalVerdict]:
        """Store at most 50 proposals in one transaction, as of the time `at`; return a verdict on each."""
        actions = _actions(proposals, self._table, at, job_id)
        try:
            with self._errors():
                self._client.transact_write_items(
                    TransactItems=[action for action, _ in actions], ClientRequestToken=token
                )
        except TransactionCancelled as cancelled:
            return _verdicts(proposals, [about for _, about in actions], cancelled.reasons)
        return [ProposalVerdict(Ruling.STORED)] * len(proposals)

    def owner(self, canonical_id: str) -> SourceId | None:
        """Return the source that the canonical ID was minted for."""
        item = self._get(REVERSE_KEYS + canonical_id)
        return source_of_key(item["owner"]) if item and "owner" in item else None

    def assignment(self, source: SourceId) -> Assignment | None:
        """Return the assignment of a source."""
        item = self._get(key_of(source))
        return _assignment(item) if item else None

    def aliases(self, canonical_id: str) -> list[Assignment]:
        """Return the sources that inherited the canonical ID, oldest first; the latest may be missing for a moment."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=ALIAS_INDEX,
            KeyConditionExpression="aliasOf = :id",
            ExpressionAttributeValues={":id": {"S": canonical_id}},
        )
        return [_assignment(item) for item in self._items(pages)]

    def items(self) -> Iterator[Item]:
        """Yield every item of the table, page by page."""
        return self._items(self._client.get_paginator("scan").paginate(TableName=self._table))

    def read(self, keys: Sequence[str]) -> tuple[list[Item], list[str]]:
        """Return the items of at most 100 keys as they are now, and the keys that have to be asked for again."""
        request: KeysAndAttributesTypeDef = {"Keys": [{"pk": {"S": key}} for key in keys], "ConsistentRead": True}
        with self._errors():
            answer = self._client.batch_get_item(RequestItems={self._table: request})
        items = [from_item(item) for item in answer.get("Responses", {}).get(self._table, [])]
        left = _left(answer, self._table)
        return items, [key["pk"]["S"] for key in left]

    def read_all(self, keys: Iterable[str]) -> Iterator[Item]:
        """Yield the items of `keys` as they are now.

        Raises
        ------
        RegistryThrottledError
            DynamoDB left some unprocessed again and again.
        """
        for some in itertools.batched(keys, FIND_LIMIT, strict=False):
            left: Sequence[str] = some
            for _ in _UNPROCESSED.attempts():
                items, left = self.read(left)
                yield from items
                if not left:
                    break
            else:
                raise RegistryThrottledError("DynamoDB left keys unprocessed")

    def check(self) -> None:
        """Raise unless the table can be read; writes nothing."""
        self._get(REVERSE_KEYS + "health")

    def _get(self, key: str) -> Item | None:
        with self._errors():
            answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": key}}, ConsistentRead=True)
        return from_item(answer["Item"]) if answer.get("Item") else None

    def _items(self, pages: "Iterable[QueryOutputTypeDef | ScanOutputTypeDef]") -> Iterator[Item]:
        read = iter(pages)
        while True:
            with self._errors():
                page = next(read, None)
            if page is None:
                return
            yield from map(from_item, page["Items"])

    def _errors(self) -> AbstractContextManager[None]:
        return registry_errors(self._table)


@contextmanager
def registry_errors(table: str) -> Iterator[None]:
    """Turn DynamoDB's errors into the registry's."""
    try:
        yield
    except ClientError as error:
        raise _translated(error, table) from error
    except BotoCoreError as error:
        raise RegistryUnavailableError(f"{type(error).__name__} while calling DynamoDB") from error


def _translated(error: ClientError, table: str) -> Exception:
    code = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    if code == "TransactionCanceledException":
        return TransactionCancelled(cast("Sequence[ActionReason]", error.response.get("CancellationReasons", [])))
    if code in _THROTTLES:
        return RegistryThrottledError(f"{code} from DynamoDB")
    if code in _UNKNOWN_OUTCOMES or status >= 500:
        return RegistryUnavailableError(f"{code} from DynamoDB")
    if code == "ValidationException" and error.operation_name == "TransactWriteItems":
        return TransactionRefusedError(f"{code} from DynamoDB: {error.response['Error'].get('Message')}")
    return RegistryRefusedError(f"{code} from DynamoDB on table {table} ({error.operation_name})")


def _left(answer: "BatchGetItemOutputTypeDef", table: str) -> Sequence[Mapping[str, "AttributeValueTypeDef"]]:
    """Return the keys that DynamoDB has left unprocessed."""
    unprocessed = answer.get("UnprocessedKeys", {})
    return unprocessed[table]["Keys"] if table in unprocessed else []


class ActionReason(TypedDict, total=False):
    """Why an action of a transaction was not done (DynamoDB API Reference, TransactWriteItems)."""

    Code: str
    Item: Mapping[str, "AttributeValueTypeDef"]


class TransactionCancelled(Exception):
    """A transaction was cancelled; `reasons` are aligned with its actions."""

    def __init__(self, reasons: Sequence[ActionReason]) -> None:
        super().__init__("the transaction was cancelled")
        self.reasons = reasons


def readable_assignment(item: Item) -> Assignment | None:
    """Return the assignment that a whole item of the table holds; None for a reverse item."""
    return _assignment(item) if "canonicalId" in item else None


def _assignment(item: Item) -> Assignment:
    predecessor = item.get("predecessor")
    return Assignment(
        source_of_key(item["pk"]),
        item["canonicalId"],
        item["createdAt"],
        item["origin"],
        source_of_key(predecessor) if predecessor else None,
        item.get("jobId"),
    )


def _actions(
    proposals: Sequence[Proposal], table: str, created_at: str, job_id: str | None
) -> list[tuple["TransactWriteItemTypeDef", tuple[str, SourceId]]]:
    """Return the writes of a transaction, each with what it is about: its kind, and the source or the predecessor.

    Two actions on one item are rejected, so sources that share a predecessor share its check.
    """
    actions: list[tuple[TransactWriteItemTypeDef, tuple[str, SourceId]]] = []
    checked: set[SourceId] = set()
    for proposal in proposals:
        source, before = proposal.source, proposal.predecessor
        written = proposal.created_at or created_at
        actions.append((put_action(table, _forward(proposal, written, job_id)), ("forward", source)))
        if before is None:
            reverse = {"pk": REVERSE_KEYS + proposal.canonical_id, "owner": key_of(source), "createdAt": written}
            condition = _NEW_OR_RESERVED if proposal.imported else _NEW
            actions.append((put_action(table, reverse, condition), ("reverse", source)))
        elif before not in checked:
            checked.add(before)
            check: ConditionCheckTypeDef = {
                "TableName": table,
                "Key": {"pk": {"S": key_of(before)}},
                "ConditionExpression": "canonicalId = :id",
                "ExpressionAttributeValues": {":id": {"S": proposal.canonical_id}},
            }
            actions.append(({"ConditionCheck": check}, ("check", before)))
    return actions


def _forward(proposal: Proposal, created_at: str, job_id: str | None) -> dict[str, object]:
    source, before = proposal.source, proposal.predecessor
    minted = "inherited" if before else "minted"
    return {
        "pk": key_of(source),
        "canonicalId": proposal.canonical_id,
        "ontologyType": source.ontology_type,
        "sourceSystem": source.source_system,
        "sourceId": source.source_id,
        "createdAt": created_at,
        "origin": "imported" if proposal.imported else minted,
        "predecessor": key_of(before) if before else None,
        "aliasOf": proposal.canonical_id if before else None,
        "jobId": job_id,
    }


def put_action(table: str, attributes: Mapping[str, object], condition: str = _NEW) -> "TransactWriteItemTypeDef":
    """Return the action of a transaction that writes an item, by default one that is not there yet."""
    return {
        "Put": {
            "TableName": table,
            "Item": to_item(attributes),
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def _verdicts(
    proposals: Sequence[Proposal], about: Sequence[tuple[str, SourceId]], reasons: Sequence[ActionReason]
) -> list[ProposalVerdict]:
    said: dict[tuple[str, SourceId], ProposalVerdict] = {
        subject: _verdict(subject[0], reason) for subject, reason in zip(about, reasons, strict=False)
    }
    kept = ProposalVerdict(Ruling.KEPT)

    def on(proposal: Proposal) -> ProposalVerdict:
        second = ("check", proposal.predecessor) if proposal.predecessor else ("reverse", proposal.source)
        both = (said.get(("forward", proposal.source), kept), said.get(second, kept))
        return min(both, key=lambda verdict: _WORST_FIRST.index(verdict.ruling))

    return [on(proposal) for proposal in proposals]


def _verdict(kind: str, reason: ActionReason) -> ProposalVerdict:
    code = str(reason.get("Code", "None"))
    if code != "ConditionalCheckFailed":
        return ProposalVerdict(_RULINGS.get(code, Ruling.CONFLICT))
    stored = from_item(reason.get("Item", {}))
    if kind == "forward":
        return ProposalVerdict(Ruling.LOST, canonical_id=stored.get("canonicalId"))
    if kind == "reverse":
        return ProposalVerdict(Ruling.TAKEN, owner=stored.get("owner"))
    return ProposalVerdict(Ruling.ORPHANED)
