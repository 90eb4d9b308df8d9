"""A transfer with a token alone: signed addresses that take one content, over HTTP as a client sends it."""

import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.functional.consignments.bench import Workbench, described

CONTENT = b"Minutes of the meeting"


def registered(bench: Workbench, **more: Any) -> dict[str, Any]:
    body = {"reference": "R", "files": [{**described("a.txt", CONTENT), **more}]}
    answer: dict[str, Any] = bench.ask("POST", "/consignments", body=body).json
    return answer


def test_an_address_is_bound_to_size_and_hash(bench: Workbench) -> None:
    [file] = registered(bench)["files"]
    upload = file["upload"]
    address = urlsplit(upload["url"])
    query = parse_qs(address.query)
    assert upload["method"] == "PUT"
    assert address.path.endswith(file["uploadKey"])
    # SigV4: a request whose signed headers are others has another signature.
    [signed] = query["X-Amz-SignedHeaders"]
    assert {"content-length", "x-amz-checksum-sha256", "x-amz-meta-sha256"} < set(signed.split(";"))
    assert upload["headers"]["Content-Length"] == str(len(CONTENT))
    assert upload["headers"]["x-amz-meta-sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert query["X-Amz-Expires"] == ["3600"]


@pytest.mark.parametrize("more", [{"sha256": ""}, {"size": (5 << 30) + 1}])
def test_what_no_address_can_be_bound_to_has_none(bench: Workbench, more: dict[str, Any]) -> None:
    [file] = registered(bench, **more)["files"]
    assert "upload" not in file
    assert file["uploadKey"]


def test_addresses_are_renewed_for_the_owner(bench: Workbench) -> None:
    made = registered(bench)
    [file] = made["files"]
    address = f"/consignments/{made['consignmentId']}/uploads"
    [again] = bench.ask("POST", address, body={"fileIds": [file["fileId"]]}).json["uploads"]
    assert (again["fileId"], again["uploadKey"], again["path"]) == (file["fileId"], file["uploadKey"], "a.txt")
    assert again["upload"]["headers"] == file["upload"]["headers"]
    assert bench.ask("POST", address, who="eve", body={"fileIds": [file["fileId"]]}).status == 403
    missing = "6f3d6c39-3a0e-5c55-9c0a-4f2d8b2a1d7e"
    assert bench.ask("POST", address, body={"fileIds": [missing]}).status == 404
    assert bench.ask("POST", address, body={"fileIds": []}).status == 400
    assert bench.ask("POST", address, body={"fileIds": ["nonsense"]}).status == 400


def test_an_answer_that_would_be_too_long_leaves_the_addresses_to_a_renewal(bench: Workbench) -> None:
    files = [described(f"{number:04}" + "x" * 4000, CONTENT) for number in range(501)]
    answer = bench.ask("POST", "/consignments", body={"reference": "R", "files": files})
    assert answer.status == 201
    assert not any("upload" in file for file in answer.json["files"])
