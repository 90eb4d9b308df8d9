"""Requests to moto's DynamoDB at less cost: it is what most are sent to, and they went the way of a web form.

Each request was made one of a web framework, looked for in the addresses of all services, and read as a form; each
attribute value was looked through for ten kinds, five times on its way. What is asked and answered stays the same, and
so does what botocore and moto refuse: all that is not written as plainly as below goes the whole way.
"""

import copy
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.parsers import BaseJSONParser as AnswerParser
from botocore.serialize import JSONSerializer
from botocore.validate import ParamValidator
from moto import backend_index
from moto.core import responses
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.config import passthrough_service, passthrough_url, service_whitelisted
from moto.core.exceptions import HTTPException
from moto.core.parse import BaseJSONParser as RequestParser
from moto.core.parse import JSONParser
from moto.core.responses import http_date, utcnow
from moto.core.serialize import (
    AttributePickerContext,
    BaseJSONSerializer,
    ResponseSerializer,
    XFormedAttributePicker,
)
from moto.core.utils import get_service_model
from moto.dynamodb.models.dynamo_type import Item, LimitedSizeDict
from moto.dynamodb.responses import DynamoHandler
from moto.utilities.utils import get_partition

_SERVICE = "dynamodb"
_TARGET = "DynamoDB_20120810."
_SCALARS = frozenset({"S", "N", "B", "BOOL", "NULL"})


def cheaper_dynamodb(patched: pytest.MonkeyPatch) -> None:
    """Give requests to the service at once, and attribute values as they are."""
    for (kind, name), (whole, shorter) in _WAYS.items():
        patched.setattr(kind, name, shorter(whole))


def the_whole_way(patched: pytest.MonkeyPatch) -> None:
    """Let requests go the way of the libraries again."""
    for (kind, name), (whole, _) in _WAYS.items():
        patched.setattr(kind, name, whole)


def _answered_at_once(process: Callable[..., Any]) -> Callable[..., Any]:
    """Return `process`, which has DynamoDB answer what is sent to an address of its own and names what it is to do."""
    addresses = [pattern for service, pattern in backend_index.backend_url_patterns if service == _SERVICE]

    def answered(stubber: BotocoreStubber, request: Any) -> Any:
        sent = {
            name.lower(): value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        url = urlsplit(request.url)
        address = f"{url.scheme}://{url.netloc}{url.path}"
        if (
            not sent.get("x-amz-target", "").startswith(_TARGET)
            or not any(pattern.match(address) for pattern in addresses)
            or passthrough_url(address)
            or passthrough_service(_SERVICE)
            or not service_whitelisted(_SERVICE)
        ):
            return process(stubber, request)
        try:
            return _Handler(request.url, sent, request.body).call_action()
        except HTTPException as error:
            return error.code, error.get_headers(), error.get_body()

    return answered


class _Handler(DynamoHandler):
    """A handler that has read its request: headers by their names in small letters."""

    def __init__(self, url: str, headers: dict[str, str], body: Any) -> None:
        super().__init__()
        self.headers, self.uri = _Headers(headers), url
        self.querystring = self.uri_match = {}
        self.is_werkzeug_request = False
        self.region = self.get_region_from_url(self, url)
        self.partition = get_partition(self.region)
        self.response_headers = {"server": "amazon.com", "date": http_date(utcnow())}
        self.params = _parser(headers["x-amz-target"].removeprefix(_TARGET)).parse({"body": body})
        self.access_key = self.get_access_key()
        self.current_account = self.get_current_account()


class _Headers(dict[str, str]):
    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    @staticmethod
    def _enrich_response(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
        """Number the answer, as moto does, without looking for a place in XML."""
        if "status" in headers:
            headers["status"] = str(headers["status"])
        responses.gen_amzn_requestid_long(headers)
        return headers, body


@cache
def _parser(operation: str) -> JSONParser:
    model = get_service_model(_SERVICE).operation_model(operation)
    return JSONParser(model, map_type=DynamoHandler.PROTOCOL_PARSER_MAP_TYPE)


def _validated(validate: Callable[..., None]) -> Callable[..., None]:
    def validated(self: Any, value: Any, shape: Any, errors: Any, name: str) -> None:
        if shape.name != "AttributeValue" or not _is_plain(value):
            validate(self, value, shape, errors, name)

    return validated


def _sent(serialise: Callable[..., None]) -> Callable[..., None]:
    def serialised(self: Any, into: dict[str, Any], value: Any, shape: Any, key: str | None = None) -> None:
        if key is not None and shape.name == "AttributeValue" and _is_plain(value):
            into[key] = value
        else:
            serialise(self, into, value, shape, key)

    return serialised


def _answered(serialise: Callable[..., None]) -> Callable[..., None]:
    def serialised(self: Any, into: dict[str, Any], value: Any, shape: Any, key: str) -> None:
        if key and shape.name == "AttributeValue" and _is_plain(value):
            into[key] = value
        else:
            serialise(self, into, value, shape, key)

    return serialised


def _read(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Return `parse`, which takes from JSON that nobody else holds what is as plain as it would make it."""

    def parsed(self: Any, shape: Any, value: Any) -> Any:
        return value if shape.name == "AttributeValue" and _is_plain(value) else parse(self, shape, value)

    return parsed


def _found(find: Callable[..., Any]) -> Callable[..., Any]:
    """Return `find`, which keeps the names that a member of an answer may have in moto, and made them for each."""
    kept: dict[tuple[Any, ...], list[str]] = {}

    def found(self: Any, value: Any, key: str, shape: Any) -> Any:
        picker = self._value_picker
        if type(value) is not dict or type(picker) is not XFormedAttributePicker or picker.response_transformers:
            return find(self, value, key, shape)
        if key in value:
            return value[key]
        parent = getattr(shape, "parent", None)
        place = (self.operation_model.service_model.service_name, parent and parent.name, shape.name, key)
        if place not in kept:
            kept[place] = list(picker.get_possible_keys(AttributePickerContext(value, key, shape)))
        return next((value[name] for name in kept[place] if name in value), None)

    return found


def _is_plain(value: Any) -> bool:
    """Whether a value of an attribute is such as the API writes it, and holds neither bytes nor sets."""
    if type(value) is not dict or len(value) != 1:
        return False
    [(kind, content)] = value.items()
    match kind:
        case "S" | "N":
            return isinstance(content, str)
        case "BOOL" | "NULL":
            return isinstance(content, bool)
        case "L":
            return type(content) is list and all(map(_is_plain, content))
        case "M":
            return (
                type(content) is dict
                and all(isinstance(name, str) for name in content)
                and all(map(_is_plain, content.values()))
            )
    return False


def _copied(copied_by_moto: Any) -> Callable[[Item, dict[int, Any]], Item]:
    """Return what copies an item, but not its scalars, which moto replaces and never changes."""
    return _sharing_scalars


def _sharing_scalars(item: Item, memo: dict[int, Any]) -> Item:
    copied = object.__new__(Item)
    copied.hash_key, copied.range_key = item.hash_key, item.range_key
    copied.attrs = LimitedSizeDict()
    for name, value in item.attrs.items():
        dict.__setitem__(copied.attrs, name, value if value.type in _SCALARS else copy.deepcopy(value, memo))
    return copied


# What is put in place of what, which is read before anything is.
_WAYS: dict[tuple[Any, str], tuple[Any, Callable[[Any], Any]]] = {
    (kind, name): (getattr(kind, name), shorter)
    for kind, name, shorter in (
        (BotocoreStubber, "process_request", _answered_at_once),
        (ParamValidator, "_validate_structure", _validated),
        (JSONSerializer, "_serialize_type_structure", _sent),
        (RequestParser, "_parse_structure", _read),
        (BaseJSONSerializer, "_serialize_type_structure", _answered),
        (ResponseSerializer, "get_value", _found),
        (AnswerParser, "_handle_structure", _read),
        (Item, "__deepcopy__", _copied),
    )
}
