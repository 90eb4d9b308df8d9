"""moto's DynamoDB at less cost: tests that write hundreds of items spent nine tenths of their time in its tables."""

import copy
import inspect
from collections import defaultdict
from collections.abc import Callable
from typing import Any, cast

import pytest
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

# moto's own, of `LimitedSizeDict`.
_MOST_BYTES = 405_000


def cheaper_tables(patched: pytest.MonkeyPatch) -> None:
    """Let transactions copy what they touch, not each table once per write, and queries sort by what is read once.

    The copy to which a refused transaction goes back shares its items, for which updates replace an item.
    """
    update = DynamoDBBackend.update_item

    def replacing(self: DynamoDBBackend, table_name: str, key: dict[str, Any], *values: Any, **options: Any) -> Any:
        table = self.get_table(table_name)
        hash_value, range_value = self.get_keys_value(table, key)
        held: Any = table.items.get(hash_value)
        if held and table.has_range_key and range_value in held:
            held[range_value] = copy.deepcopy(held[range_value])
        elif held and not table.has_range_key:
            table.items[hash_value] = copy.deepcopy(held)
        return update(self, table_name, key, *values, **options)

    patched.setattr(Table, "__deepcopy__", _sharing_items, raising=False)
    patched.setattr(DynamoDBBackend, "update_item", replacing)
    patched.setattr(Table, "all_items", _sorted_items)
    patched.setattr(Table, "query", _querying_one_partition(Table.query))
    patched.setattr(Item, "__init__", _measured_once)
    patched.setattr(Item, "size", _size_kept(Item.size))
    patched.setattr(DynamoType, "size", _measuring_texts_at_once(DynamoType.size))


def _sharing_items(table: Table, memo: dict[int, Any]) -> Table:
    shared = copy.copy(table)
    held: dict[Any, Any] = dict(table.items)
    shared.items = defaultdict(dict, {key: dict(value) for key, value in held.items()} if table.has_range_key else held)
    if table.stream_shard is not None:
        shared.stream_shard = copy.copy(table.stream_shard)
        shared.stream_shard.items = list(table.stream_shard.items)
    return shared


def _querying_one_partition(query: Callable[..., Any]) -> Callable[..., Any]:
    """Return `query`, which without an index looks at the items of one partition alone."""

    parameters = inspect.signature(query)

    def queried(table: Table, *values: Any, **options: Any) -> Any:
        given = parameters.bind(table, *values, **options).arguments
        looked_at = table
        if given.get("index_name") is None and table.has_range_key:
            partition, held = given["hash_key"], cast("dict[Any, Any]", table.items)
            looked_at = copy.copy(table)
            looked_at.items = defaultdict(dict, {partition: held[partition]} if partition in held else {})
        return query(looked_at, *values, **options)

    return queried


def _measured_once(item: Item, hash_key: Any, range_key: Any, attrs: dict[str, Any]) -> None:
    """Hold the limit of an item's size once, not again with each attribute."""
    item.hash_key, item.range_key = hash_key, range_key
    item.attrs = LimitedSizeDict()
    for key, value in attrs.items():
        dict.__setitem__(item.attrs, key, DynamoType(value))
    if item.size() > _MOST_BYTES:
        raise ItemSizeTooLarge


def _size_kept(size: Callable[[Item], int]) -> Callable[[Item], int]:
    """Return `size`, which measures an item once: what an update changes is a copy, whose size is measured anew."""

    def kept(item: Item) -> int:
        held = vars(item)
        if "_bytes" not in held:
            held["_bytes"] = size(item)
        return cast("int", held["_bytes"])

    return kept


def _measuring_texts_at_once(size: Callable[[DynamoType], int]) -> Callable[[DynamoType], int]:
    """Return `size`, which for texts and numbers, of which each item of a page has many, does not look for others."""

    def measured(value: DynamoType) -> int:
        text = value.value
        if value.type in {"S", "N"} and type(text) is str:
            return len(text) if text.isascii() else len(text.encode())
        return size(value)

    return measured


def _sorted_items(table: Table) -> list[Item]:
    if not table.has_range_key:
        alone: Any = list(table.items.values())
        return sorted(alone, key=lambda item: item.hash_key.cast_value)
    items = [item for held in table.items.values() for item in held.values()]
    return sorted(items, key=lambda item: (item.hash_key.cast_value, item.range_key.cast_value))
