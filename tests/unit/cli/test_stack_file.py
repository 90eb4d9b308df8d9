"""`.local/stack.json` as the contract has it."""

import json
from pathlib import Path

import pytest

from waybill.cli.local.stack_file import StackFile, local_api_url

STACK = StackFile(
    endpoint="http://127.0.0.1:4566",
    region="eu-west-1",
    stack_name="waybill",
    api_url="http://127.0.0.1:4566/_aws/execute-api/abc/v1",
    outputs={"SourceBucketName": "source"},
)


def test_written_form_is_the_contract(tmp_path: Path) -> None:
    file = tmp_path / "state" / "stack.json"
    STACK.write(file)
    assert json.loads(file.read_text()) == {
        "endpoint": "http://127.0.0.1:4566",
        "region": "eu-west-1",
        "stackName": "waybill",
        "apiUrl": "http://127.0.0.1:4566/_aws/execute-api/abc/v1",
        "outputs": {"SourceBucketName": "source"},
    }
    assert StackFile.read(file) == STACK
    assert [each.name for each in file.parent.iterdir()] == ["stack.json"]


@pytest.mark.parametrize("content", [None, "", "[]", '{"endpoint": "x"}', '{"endpoint": 1, "outputs": null}'])
def test_missing_or_broken_file_is_no_stack(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "stack.json"
    if content is not None:
        file.write_text(content)
    assert StackFile.read(file) is None


@pytest.mark.parametrize(
    "on_aws",
    [
        "https://abc.execute-api.eu-west-1.amazonaws.com/v1",
        "https://abc.execute-api.eu-west-1.amazonaws.com/v1/",
    ],
)
def test_api_address_on_the_embedded_aws(on_aws: str) -> None:
    assert local_api_url(on_aws, "http://127.0.0.1:4566") == "http://127.0.0.1:4566/_aws/execute-api/abc/v1"


def test_environment_leads_to_the_embedded_aws_only() -> None:
    environment = STACK.environment()
    assert environment["AWS_ENDPOINT_URL"] == STACK.endpoint
    assert environment["AWS_DEFAULT_REGION"] == environment["AWS_REGION"] == "eu-west-1"
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == environment["AWS_CONFIG_FILE"] == "/dev/null"
