"""The documents of runs: one line is one line to every reader, and a connection that breaks costs none."""

from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.consignments.bench import RESULTS, Workbench
from waybill.consignments import runtime
from waybill.consignments.adapters.runs import S3RunDocuments
from waybill.consignments.domain.ports import Document
from waybill.consignments.errors import RunBucketUnavailableError
from waybill.core.aws.clients import client

NAMES: Document[dict[str, str]] = Document("names.jsonl")
NAME = "a\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029ä😀.txt"


@pytest.fixture
def written(bench: Workbench) -> str:
    """A document of two lines, as it is stored."""
    documents = runtime.documents("id", "run")
    with documents.writing(NAMES) as lines:
        lines.add({"path": NAME})
        lines.add({"path": "b"})
    body = client("s3").get_object(Bucket=RESULTS, Key=documents.key(NAMES))["Body"].read()
    return str(body.decode())


def test_no_name_ends_a_line(written: str) -> None:
    # Step Functions reads the groups, and does not say what it takes for an end of line.
    assert len(written.splitlines()) == 2
    assert "ä😀" in written


def test_names_come_back_as_they_were(written: str) -> None:
    assert [line["path"] for line in runtime.documents("id", "run").reading(NAMES)] == [NAME, "b"]


class Breaking:
    """S3 whose first answer breaks off in the middle of a line; `replaced`: the document is another one by then."""

    def __init__(self, *, replaced: bool) -> None:
        self.replaced, self.asked = replaced, 0

    def get_object(self, **request: Any) -> dict[str, Any]:
        self.asked += 1
        content = b'{"path":"a"}\n{"path":"b"}\n'
        if "Range" in request and self.replaced:
            answer: Any = {"Error": {"Code": "PreconditionFailed"}, "ResponseMetadata": {"HTTPStatusCode": 412}}
            raise ClientError(answer, "GetObject")
        start = int(request.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        given = content[start:] if start else content[:17]
        return {"Body": BytesIO(given), "ETag": '"one"', "ContentLength": len(content) - start}


def test_a_document_whose_connection_breaks_is_read_to_its_end() -> None:
    # RFC 9110, 8.6: an answer that holds less than its Content-Length is incomplete, and no end of the document.
    s3 = Breaking(replaced=False)
    lines = S3RunDocuments(s3, RESULTS, "").reading(NAMES)  # type: ignore[arg-type]
    assert [line["path"] for line in lines] == ["a", "b"]
    assert s3.asked == 2


def test_two_states_of_a_document_are_not_joined() -> None:
    # RFC 9110, 14.2: ranges of two representations do not make one. A repeated step has written the document again.
    documents = S3RunDocuments(Breaking(replaced=True), RESULTS, "")  # type: ignore[arg-type]
    with pytest.raises(RunBucketUnavailableError, match="was replaced"):
        list(documents.reading(NAMES))
