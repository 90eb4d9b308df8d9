"""The one DynamoDB table, on moto, and on clients that leave work undone.

Sources: DynamoDB API Reference, BatchGetItem and BatchWriteItem ("UnprocessedKeys", "UnprocessedItems": retry with
exponential backoff), TransactWriteItems ("Cancellation reason codes", ClientRequestToken).
"""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from tests.fakes.waiting import StillClock
from waybill.core.aws.dynamodb import ConditionFailedError, Update
from waybill.core.aws.table import InvalidTransactionError, Read, Table, TransactionConditionFailedError
from waybill.core.errors import RetryableError
from waybill.core.retry import Retry


class StoreUnavailableError(RetryableError):
    pass


def retry(still: StillClock, tries: int = 1000) -> Retry:
    return Retry(tries=tries, first_pause=0.1, longest_pause=3.0, seconds=20.0, clock=still.clock())


def numbered(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"pk": "A", "sk": f"{number:03}", **more} for number in range(count)]


@pytest.fixture
def table() -> Iterator[Table]:
    with mock_aws():
        client = boto3.client("dynamodb", "eu-west-1")
        names = {"pk": "HASH", "sk": "RANGE"}
        client.create_table(
            TableName="things",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names.items()],  # type: ignore[typeddict-item]
        )
        yield Table(client, "things", StoreUnavailableError)


class TestItems:
    def test_what_is_put_is_got(self, table: Table) -> None:
        assert table.put({"pk": "A", "sk": "1", "size": 3, "none": None}) is None
        assert table.get({"pk": "A", "sk": "1"}) == {"pk": "A", "sk": "1", "size": 3}
        assert table.get({"pk": "A", "sk": "2"}) is None

    def test_what_is_replaced_is_given_back(self, table: Table) -> None:
        table.put({"pk": "A", "sk": "1", "size": 3})
        assert table.put({"pk": "A", "sk": "1", "size": 4}) == {"pk": "A", "sk": "1", "size": 3}

    def test_a_false_condition_tells_what_is_stored(self, table: Table) -> None:
        table.put({"pk": "A", "sk": "1", "size": 3})
        with pytest.raises(ConditionFailedError) as raised:
            table.put({"pk": "A", "sk": "1", "size": 4}, "attribute_not_exists(pk)")
        assert raised.value.item["size"] == 3
        with pytest.raises(ConditionFailedError) as raised:
            table.update({"pk": "A", "sk": "1"}, Update.of({"size": 5}), "#size = :old", {":old": 9}, {"#size": "size"})
        assert raised.value.item["size"] == 3
        with pytest.raises(ConditionFailedError):
            table.delete({"pk": "A", "sk": "1"}, "#size = :old", {":old": 9}, {"#size": "size"})

    def test_a_change_gives_the_item_as_it_is_then(self, table: Table) -> None:
        table.put({"pk": "A", "sk": "1", "size": 3, "old": True})
        changed = table.update({"pk": "A", "sk": "1"}, Update.of({"size": 5}, removed=("old",)), "attribute_exists(pk)")
        assert changed == {"pk": "A", "sk": "1", "size": 5}
        assert table.delete({"pk": "A", "sk": "1"}) == changed
        assert table.delete({"pk": "A", "sk": "1"}) is None

    def test_a_call_that_is_wrong_is_not_repeated(self, table: Table) -> None:
        with pytest.raises(ClientError, match="ValidationException"):
            table.get({"pk": "A"})

    def test_a_table_that_throttles_is_unavailable(self) -> None:
        def get_item(**_: object) -> None:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "GetItem")

        with pytest.raises(StoreUnavailableError, match="ThrottlingException"):
            Table(fake(get_item=get_item), "things", StoreUnavailableError).get({"pk": "A"})


class TestPages:
    def test_a_query_reads_every_page(self, table: Table) -> None:
        table.batch_write(put=numbered(60))
        read = Read(page_size=7, newest_first=True)
        keys = [item["sk"] for item in table.query("pk = :pk", {":pk": "A"}, read)]
        assert keys == [f"{number:03}" for number in reversed(range(60))]
        assert table.count("pk = :pk", {":pk": "A"}, Read(page_size=7)) == 60
        assert len(list(table.scan(read=Read(page_size=7)))) == 60

    def test_a_page_begins_behind_the_last(self, table: Table) -> None:
        table.batch_write(put=numbered(5))
        first = table.page("pk = :pk", {":pk": "A"}, Read(page_size=3))
        second = table.page("pk = :pk", {":pk": "A"}, Read(page_size=3), start=first.last_key)
        assert [item["sk"] for item in first.items + second.items] == ["000", "001", "002", "003", "004"]
        assert second.last_key is None

    def test_a_filter_has_its_values_in_the_call(self, table: Table) -> None:
        table.batch_write(put=[*numbered(3, status="OPEN"), {"pk": "A", "sk": "9", "status": "DONE"}])
        read = Read(filtered="#status = :done", names={"#status": "status"}, projection="sk")
        assert list(table.query("pk = :pk", {":pk": "A", ":done": "DONE"}, read)) == [{"sk": "9"}]
        assert list(table.scan({":done": "DONE"}, read)) == [{"sk": "9"}]


def fake(**methods: Any) -> Any:
    return type("Client", (), {name: staticmethod(method) for name, method in methods.items()})()


class TestBatches:
    def test_more_than_one_call_takes_are_written_read_and_deleted(self, table: Table) -> None:
        items = numbered(230, size=1)
        table.batch_write(put=items)
        keys = [{"pk": item["pk"], "sk": item["sk"]} for item in items]
        found = list(table.batch_get([*keys, *keys[:10], {"pk": "A", "sk": "none"}]))
        assert sorted(item["sk"] for item in found) == [item["sk"] for item in items]
        table.batch_write(delete=keys)
        assert list(table.scan()) == []

    def test_reads_that_are_never_processed_end_in_the_named_error_with_growing_pauses(self) -> None:
        still = StillClock()
        client = fake(batch_get_item=lambda **call: {"Responses": {}, "UnprocessedKeys": call["RequestItems"]})
        with pytest.raises(StoreUnavailableError, match="left 3 reads unprocessed"):
            list(Table(client, "things", StoreUnavailableError, retry=retry(still)).batch_get(numbered(3)))
        _grew_within(still, 20.0)

    def test_writes_that_are_never_processed_end_in_the_named_error_with_growing_pauses(self) -> None:
        still = StillClock()
        client = fake(batch_write_item=lambda **call: {"UnprocessedItems": call["RequestItems"]})
        with pytest.raises(StoreUnavailableError, match="left 3 writes unprocessed"):
            Table(client, "things", StoreUnavailableError, retry=retry(still)).batch_write(put=numbered(3))
        _grew_within(still, 20.0)

    @given(counts=st.integers(1, 130), processed=st.integers(1, 30))
    def test_each_is_read_once_however_few_are_processed_at_a_time(self, counts: int, processed: int) -> None:
        def batch_get_item(**call: Any) -> Any:
            keys = call["RequestItems"]["things"]["Keys"]
            assert len(keys) <= 100
            done, left = keys[:processed], keys[processed:]
            return {
                "Responses": {"things": done},
                "UnprocessedKeys": {"things": {"Keys": left}} if left else {},
            }

        made = Table(
            fake(batch_get_item=batch_get_item),
            "things",
            StoreUnavailableError,
            retry=Retry(tries=2, clock=StillClock().clock()),
        )
        assert list(made.batch_get(numbered(counts))) == numbered(counts)

    @given(counts=st.integers(1, 60), processed=st.integers(1, 30))
    def test_each_is_written_once_however_few_are_processed_at_a_time(self, counts: int, processed: int) -> None:
        written: list[Any] = []

        def batch_write_item(**call: Any) -> Any:
            requests = call["RequestItems"]["things"]
            assert len(requests) <= 25
            written.extend(requests[:processed])
            left = requests[processed:]
            return {"UnprocessedItems": {"things": left} if left else {}}

        made = Table(
            fake(batch_write_item=batch_write_item),
            "things",
            StoreUnavailableError,
            retry=Retry(tries=2, clock=StillClock().clock()),
        )
        made.batch_write(put=numbered(counts))
        assert [request["PutRequest"]["Item"]["sk"]["S"] for request in written] == [
            item["sk"] for item in numbered(counts)
        ]


def _grew_within(still: StillClock, seconds: float) -> None:
    assert still.pauses == sorted(still.pauses)
    assert still.pauses[0] < still.pauses[1] < still.pauses[2]
    assert still.at - 1000.0 < seconds


def cancelled(*codes: str) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    response: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    return ClientError(response, "TransactWriteItems")


class TestTransactions:
    def test_all_or_nothing_and_the_reasons_are_in_their_places(self, table: Table) -> None:
        table.put({"pk": "A", "sk": "1", "size": 3})
        absent = "attribute_not_exists(pk)"
        actions = [
            table.put_action({"pk": "A", "sk": "0"}, absent),
            table.put_action({"pk": "A", "sk": "1"}, absent),
            table.delete_action({"pk": "A", "sk": "2"}),
        ]
        with pytest.raises(TransactionConditionFailedError) as raised:
            table.transact(actions)
        assert [reason.is_condition for reason in raised.value.reasons] == [False, True, False]
        assert table.get({"pk": "A", "sk": "0"}) is None

    def test_each_kind_of_action(self, table: Table) -> None:
        table.batch_write(put=numbered(4, size=1))
        key = [{"pk": "A", "sk": f"{number:03}"} for number in range(4)]
        table.transact(
            [
                table.put_action({**key[0], "size": 9}, "#size = :one", {":one": 1}, {"#size": "size"}),
                table.update_action(key[1], Update.of({"size": 8}), "attribute_exists(pk)"),
                table.delete_action(key[2], "#size = :one", {":one": 1}, {"#size": "size"}),
                table.check_action(key[3], "#size = :one", {":one": 1}, {"#size": "size"}),
            ]
        )
        assert [item["size"] for item in table.query("pk = :pk", {":pk": "A"})] == [9, 8, 1]

    def test_a_conflict_is_repeated_under_one_token(self) -> None:
        still, tokens = StillClock(), []

        def transact_write_items(**call: Any) -> None:
            tokens.append(call["ClientRequestToken"])
            if len(tokens) < 4:
                raise cancelled("None", "TransactionConflict")

        client = fake(transact_write_items=transact_write_items)
        made = Table(client, "things", StoreUnavailableError, retry=retry(still))
        made.transact([made.delete_action({"pk": "A"}), made.delete_action({"pk": "B"})])
        assert len(tokens) == 4
        assert len(set(tokens)) == 1
        assert still.pauses == pytest.approx([0.1, 0.2, 0.4])

    def test_conflicts_without_an_end_end_in_the_named_error(self) -> None:
        still = StillClock()

        def transact_write_items(**_: Any) -> None:
            raise cancelled("ThrottlingError", "TransactionConflict")

        made = Table(
            fake(transact_write_items=transact_write_items), "things", StoreUnavailableError, retry=retry(still)
        )
        with pytest.raises(StoreUnavailableError, match="ThrottlingError, TransactionConflict"):
            made.transact([])
        _grew_within(still, 20.0)

    @pytest.mark.parametrize(
        ("codes", "error"),
        [
            (("ConditionalCheckFailed", "TransactionConflict"), TransactionConditionFailedError),
            (("None", "ValidationError"), InvalidTransactionError),
        ],
    )
    def test_what_repetition_does_not_mend_is_not_repeated(
        self, codes: tuple[str, ...], error: type[Exception]
    ) -> None:
        still = StillClock()

        def transact_write_items(**_: Any) -> None:
            raise cancelled(*codes)

        made = Table(
            fake(transact_write_items=transact_write_items), "things", StoreUnavailableError, retry=retry(still)
        )
        with pytest.raises(error):
            made.transact([])
        assert still.pauses == []
