from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError
from hypothesis import given
from hypothesis import strategies as st

from waybill.core.aws.dynamodb import ConditionFailedError, Update, from_item, to_item, translated
from waybill.core.aws.table import Table

_NAMES = st.dictionaries(st.text(min_size=1, max_size=5), st.none() | st.integers() | st.text(), max_size=6)


class Unavailable(Exception):
    pass


class TestItems:
    def test_what_is_none_is_left_out(self) -> None:
        assert to_item({"a": None, "b": "text", "c": 3}) == {"b": {"S": "text"}, "c": {"N": "3"}}

    def test_numbers_come_back_as_python_has_them(self) -> None:
        assert from_item({"whole": {"N": "3"}, "part": {"N": "0.5"}, "text": {"S": "3"}, "yes": {"BOOL": True}}) == {
            "whole": 3, "part": 0.5, "text": "3", "yes": True,
        }  # fmt: skip

    def test_numbers_in_maps_and_lists_come_back_as_python_has_them(self) -> None:
        [number] = from_item({"map": {"M": {"list": {"L": [{"N": "3"}]}}}})["map"]["list"]
        assert type(number) is int

    @given(_NAMES)
    def test_what_goes_in_comes_out(self, attributes: dict[str, Any]) -> None:
        present = {name: value for name, value in attributes.items() if value is not None}
        small = {name: value for name, value in present.items() if not isinstance(value, int) or abs(value) < 10**38}
        assert from_item(to_item(small)) == small


class TestUpdate:
    def test_all_three_kinds_of_change(self) -> None:
        update = Update.of({"status": "FAILED", "error": None, "size": 3}, removed=("outcome",), counted=("tries",))
        assert update.expression == "SET #s0 = :s0, #s1 = :s1 REMOVE #r0, #r1 ADD #c0 :one"
        assert update.names == {"#s0": "status", "#s1": "size", "#r0": "error", "#r1": "outcome", "#c0": "tries"}
        assert update.values == {":s0": {"S": "FAILED"}, ":s1": {"N": "3"}, ":one": {"N": "1"}}

    @pytest.mark.parametrize(
        ("update", "expression"),
        [
            (Update.of({"a": 1}), "SET #s0 = :s0"),
            (Update.of({"a": None}), "REMOVE #r0"),
            (Update.of({}, removed=("a",)), "REMOVE #r0"),
            (Update.of({}, counted=("a", "b")), "ADD #c0 :one, #c1 :one"),
        ],
    )
    def test_only_the_clauses_that_say_something(self, update: Update, expression: str) -> None:
        assert update.expression == expression

    def test_its_action_has_the_condition_and_its_values(self) -> None:
        table = Table(Mock(), "records", Unavailable)
        action = table.update_action({"pk": "k"}, Update.of({"a": 1}), "executionId = :id", {":id": "mine"})
        assert action == {
            "Update": {
                "TableName": "records",
                "Key": {"pk": {"S": "k"}},
                "UpdateExpression": "SET #s0 = :s0",
                "ConditionExpression": "executionId = :id",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                "ExpressionAttributeNames": {"#s0": "a"},
                "ExpressionAttributeValues": {":s0": {"N": "1"}, ":id": {"S": "mine"}},
            }
        }

    def test_numbers_are_added_under_names_of_their_own(self) -> None:
        update = Update.of({"a": 1}, counted=("tries",), added={"size": 7, "a-b": 2})
        assert update.expression == "SET #s0 = :s0 ADD #c0 :one, #a0 :a0, #a1 :a1"
        assert update.names == {"#s0": "a", "#c0": "tries", "#a0": "size", "#a1": "a-b"}
        assert update.values == {":s0": {"N": "1"}, ":one": {"N": "1"}, ":a0": {"N": "7"}, ":a1": {"N": "2"}}

    @given(_NAMES, st.lists(st.text(min_size=1), max_size=3))
    def test_every_placeholder_is_bound_and_used(self, assigned: dict[str, Any], removed: list[str]) -> None:
        update = Update.of(assigned, removed=tuple(removed))
        used = set(update.expression.replace(",", " ").split())
        assert {word for word in used if word.startswith("#")} == set(update.names)
        assert {word for word in used if word.startswith(":")} == set(update.values)


def client_error(code: str, status: int = 400, **response: Any) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}, **response}
    return ClientError(answer, "UpdateItem")


def cancelled(*reasons: str) -> ClientError:
    """A transaction that did not take place; `reasons` by item."""
    return client_error("TransactionCanceledException", CancellationReasons=[{"Code": reason} for reason in reasons])


class TestErrors:
    @pytest.mark.parametrize(
        "error",
        [
            client_error("ProvisionedThroughputExceededException"),
            client_error("ThrottlingException"),
            client_error("InternalServerError", 500),
            client_error("Whatever", 503),
            cancelled("TransactionConflict"),
            cancelled("None", "ThrottlingError"),
            EndpointConnectionError(endpoint_url="https://dynamodb"),
        ],
    )
    def test_what_passes_is_unavailable(self, error: Exception) -> None:
        with pytest.raises(Unavailable), translated(Unavailable):
            raise error

    @pytest.mark.parametrize(
        ("error", "stored"),
        [
            (
                client_error("ConditionalCheckFailedException", Item={"a": {"S": "x"}, "n": {"N": "1"}}),
                {"a": "x", "n": 1},
            ),
            (client_error("ConditionalCheckFailedException"), {}),
            (
                cancelled("None", "ConditionalCheckFailed"),
                {},
            ),
        ],
    )
    def test_a_false_condition_tells_what_is_stored(self, error: Exception, stored: dict[str, Any]) -> None:
        with pytest.raises(ConditionFailedError) as caught, translated(Unavailable):
            raise error
        assert caught.value.item == stored

    @pytest.mark.parametrize(
        "error",
        [
            client_error("AccessDeniedException"),
            client_error("ResourceNotFoundException"),
            client_error("ValidationException"),
            cancelled("ValidationError"),
            ParamValidationError(report="wrong"),
            KeyError("a bug"),
        ],
    )
    def test_what_no_repetition_mends_stays_as_it_is(self, error: Exception) -> None:
        with pytest.raises(type(error)) as caught, translated(Unavailable):
            raise error
        assert caught.value is error
