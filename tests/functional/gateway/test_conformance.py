"""Every operation does as the document says: schemathesis against the handlers in this process, on moto.

What an answer may be: OpenAPI 3.1.1, 4.8.16, https://spec.openapis.org/oas/v3.1.1.html#responses-object.
"""

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, quote
from zlib import crc32

import boto3
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from moto import mock_aws
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from scripts.openapi import DOCUMENT
from scripts.template import api_paths, load_template
from tests.fakes.api import LambdaContext, answer_of, request_event
from tests.fakes.functions import functions, table_definition
from tests.functional.conftest import forget_collaborators
from waybill.core.roles import Role
from waybill.core.settings import load

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_ROLES = (*map(str, Role), "nobody", "")
_OF_REQUESTS = {"method", "url", "headers", "files", "data", "json", "params", "cookies"}
_WAITS = '{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": true}}}'

_FORM = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n--B--\r\n'
_OF_KEYS = {"KeySpec", "KeyUsage"}
_ANY_ROLE = "arn:aws:iam::123456789012:role/any"

# A hundred cases of each operation, one for every border, take minutes.
_CONFIG = schemathesis.Config.from_dict({"phases": {"coverage": {"enabled": False}}})

schema = schemathesis.openapi.from_path(DOCUMENT, config=_CONFIG)


@cache
def _handlers() -> dict[str, str]:
    """The handler of each path, as the template has it."""
    modules = {function.name: module for module, function in functions().items()}
    return {one.path: modules[one.function] for one in api_paths()}


def _made() -> dict[str, str]:
    """Make the tables, buckets, queues and so on, empty; return what the functions know them by."""
    clients = ("dynamodb", "s3", "sqs", "sns", "stepfunctions", "secretsmanager", "kms")
    dynamodb, s3, sqs, sns, sfn, secrets, kms = (boto3.client(name, "eu-west-1") for name in clients)
    names = {}
    for name, resource in load_template()["Resources"].items():
        match resource["Type"]:
            case "AWS::DynamoDB::Table":
                known = "FileCopyTracking" if name == "FileCopyTrackingTable" else name
                dynamodb.create_table(TableName=known, **table_definition(name))
            case "AWS::S3::Bucket":
                names[name] = name.lower()
                s3.create_bucket(Bucket=name.lower(), CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
            case "AWS::SQS::Queue":
                names[name] = sqs.create_queue(QueueName=name)["QueueUrl"]
            case "AWS::Serverless::StateMachine":
                machine = resource["Properties"]["Name"]["Fn::Sub"].replace("${AWS::StackName}", "waybill")
                sfn.create_state_machine(name=machine, definition=_WAITS, roleArn=_ANY_ROLE)
            case "AWS::KMS::Key" if name != "CustodySigningKey":  # moto has no keys of Ed25519
                made = kms.create_key(
                    **{one: resource["Properties"][one] for one in _OF_KEYS & resource["Properties"].keys()}
                )
                names[f"{name}.Arn"] = made["KeyMetadata"]["Arn"]
            case "AWS::SecretsManager::Secret":
                names[f"{name}.Id"] = secrets.create_secret(Name=name, SecretString="a secret")["ARN"]
    sns.create_topic(Name="waybill-failures")
    # What the examples of the document name.
    for bucket in ("waybill-source", "town-hall-exports"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket=bucket, Key="reports/2026/annual.pdf", Body=b"%PDF-1.7")
    return names


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """AWS on moto with what the functions of the API use, and the variables of these functions."""
    with pytest.MonkeyPatch.context() as patched, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patched.setenv(name, "testing")
        patched.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        names = _made()
        variables: dict[str, str] = {}
        for module in set(_handlers().values()):
            variables |= functions()[module].environment
        yield {name: names.get(value, value) for name, value in variables.items()}


@pytest.fixture
def deployed(environment: dict[str, str], isolated_environment: None) -> Iterator[None]:
    os.environ.update(environment)
    load.cache_clear()
    forget_collaborators()
    yield
    forget_collaborators()


def _event(case: schemathesis.Case, request: requests.PreparedRequest, role: str) -> dict[str, Any]:
    """A case as API Gateway hands it over, sent by somebody with this role; without one, by somebody unknown."""
    path, _, query = str(request.path_url).partition("?")
    several = parse_qs(query, keep_blank_values=True) or None
    return request_event(
        case.method.upper(),
        path,
        body=request.body,
        query=several and {name: values[-1] for name, values in several.items()},
        headers={name: str(value) for name, value in request.headers.items()},
        identity={"subject": "alice", "roles": role} if role else None,
        resource=case.operation.path,
        pathParameters={name: str(value) for name, value in (case.path_parameters or {}).items()},
        multiValueQueryStringParameters=several,
    )


def _validate(case: schemathesis.Case, role: str) -> None:
    sent = case.as_transport_kwargs(base_url="https://api.example.org")
    request = requests.Request(**{name: value for name, value in sent.items() if name in _OF_REQUESTS}).prepare()
    module = import_module(_handlers()[case.operation.path])
    answer = answer_of(module.lambda_handler(_event(case, request, role), LambdaContext()))
    if case.method.upper() != case.operation.method.upper():
        # RFC 9110, 15.5.6; a method that is no operation is not described.
        assert answer.status != 405 or case.operation.method.upper() in answer.headers["allow"]
        assert answer.status < 500
        return
    headers = {name: [value] for name, value in answer.headers.items()}
    response = schemathesis.Response(answer.status, headers, answer.content, request, elapsed=0.1, verify=False)
    case.validate_response(response, checks=_CHECKS)


@schema.parametrize()
@settings(
    max_examples=6,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_as_described(case: schemathesis.Case, deployed: None) -> None:
    _validate(case, Role.ADMIN)
    drawn = crc32(repr(case).encode())
    if drawn % 4 == 0:
        others = sorted(set(_ROLES) - {Role.ADMIN})
        _validate(case, others[drawn // 4 % len(others)])


_UNKNOWN = {
    "fingerprint": "0" * 64,
    "canonicalId": "zzzzzzzz",
    "detector_id": "NO_SUCH_ONE",
    "letter": "acknowledgement",
}
_IDS_IN_QUERIES = {
    "listFindings": "job_id", "downloadReport": "id", "downloadPackage": "id", "changeSchedule": "id",
    "deleteSchedule": "id",
}  # fmt: skip
# One makes what is not there, one is for everybody.
_NOT_ASKED = {"putDetector", "resolveIdentifier"}


def _with_ids() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in json.loads(DOCUMENT.read_text("utf-8"))["paths"].items():
        for method, operation in operations.items():
            name = operation["operationId"]
            if ("{" in path or name in _IDS_IN_QUERIES) and name not in _NOT_ASKED:
                yield method.upper(), path, operation


def _asked(method: str, path: str, operation: dict[str, Any], role: str, wanted: str = "") -> int:
    """Ask for what is not there, by an id of the right form (or by `wanted`), with the example as a body."""
    unknown = defaultdict(lambda: wanted or "7d9f1f1e-3f1b-4a52-9d7c-2b7a1f6d0000", {} if wanted else _UNKNOWN)
    names = re.findall(r"{(\w+)}", path)
    (media_type, content), *_ = operation.get("requestBody", {}).get("content", {"": {}}).items()
    body: Any = content.get("example")
    if media_type == "multipart/form-data":
        media_type, body = "multipart/form-data; boundary=B", _FORM
    needed = {
        each["name"]: str(each.get("example", each["schema"].get("default", "csv")))
        for each in operation.get("parameters", ())
        if each["in"] == "query" and each.get("required")
    }
    if known_by := _IDS_IN_QUERIES.get(operation["operationId"]):
        needed[known_by] = unknown[known_by]
    module = import_module(_handlers()[path])
    event = request_event(
        method,
        re.sub(r"{(\w+)}", lambda name: quote(unknown[name[1]], safe=""), path),
        body=body,
        query=needed or None,
        headers={"Content-Type": media_type} if media_type else {},
        identity={"subject": "alice", "roles": role},
        resource=path,
        pathParameters={name: unknown[name] for name in names},
    )
    return int(answer_of(module.lambda_handler(event, LambdaContext())).status)


def test_a_stranger_learns_of_no_id_whether_it_is_one(deployed: None) -> None:
    """The role comes before the thing itself, whatever its id looks like."""
    wrong = [
        (operation["operationId"], wanted[:9])
        for method, path, operation in _with_ids()
        for wanted in ("", "x" * 300, "\x00é%2f..")
        if _asked(method, path, operation, "nobody", wanted) != 403
    ]
    assert wrong == []


def test_what_is_not_there_is_404_by_every_kind_of_id(deployed: None) -> None:
    """Well-formed, but there is no such thing; RFC 9110, 15.5.5."""
    asked = {
        operation["operationId"]: _asked(method, path, operation, Role.ADMIN) for method, path, operation in _with_ids()
    }
    assert {name: status for name, status in asked.items() if status != 404} == {}
    assert len(asked) > 60
