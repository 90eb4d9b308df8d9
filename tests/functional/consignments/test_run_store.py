"""The documents of runs: one line is one line to every reader."""

import pytest

from tests.functional.consignments.bench import RESULTS, Workbench
from waybill.consignments import runtime
from waybill.core.aws.clients import client

NAME = "a\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029ä😀.txt"


@pytest.fixture
def written(bench: Workbench) -> str:
    """A document of two lines, as it is stored."""
    documents = runtime.documents("id", "run")
    with documents.writing("names.jsonl") as lines:
        lines.add({"path": NAME})
        lines.add({"path": "b"})
    body = client("s3").get_object(Bucket=RESULTS, Key=f"{documents.prefix}names.jsonl")["Body"].read()
    return str(body.decode())


def test_no_name_ends_a_line(written: str) -> None:
    # Step Functions reads the groups, and does not say what it takes for an end of line.
    assert len(written.splitlines()) == 2
    assert "ä😀" in written


def test_names_come_back_as_they_were(written: str) -> None:
    assert [line["path"] for line in runtime.documents("id", "run").reading("names.jsonl")] == [NAME, "b"]
