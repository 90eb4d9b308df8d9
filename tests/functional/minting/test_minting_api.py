"""The routes of the ID minter."""

from typing import Any

import pytest

from tests.fakes.api import Answer, answer_of, request_event
from tests.functional.minting.conftest import TABLE, Aws
from waybill.minting.api import app
from waybill.minting.handlers.minting_api import lambda_handler


@pytest.fixture
def ask(aws: Aws, context: Any):
    def asked(method: str, path: str, roles: str = "minting", **more: Any) -> Answer:
        event = request_event(method, path, identity={"subject": "alice", "roles": roles}, **more)
        return answer_of(lambda_handler(event, context))

    return asked


@pytest.fixture
def minted(ask) -> str:
    body = {"sourceIdentifiers": ["Work[s/a/b]", "Work[s/heir]"], "predecessors": {"Work[s/heir]": "Work[s/a/b]"}}
    return str(ask("POST", "/identifiers", body=body).json["identifiers"]["Work[s/a/b]"])


def test_minting_answers_200_whatever_it_holds(ask) -> None:
    assert ask("POST", "/identifiers", body={"sourceIdentifiers": ["a"], "jobId": "j"}).json["successes"] == ["a"]
    claimed = {"failures": [], "identifiers": {"a": "aaaaaaaa"}}
    wrong: list[dict[str, Any]] = [{}, {"sourceIdentifiers": []}, {"sourceIdentifiers": ["a"] * 101}]
    for body in (*wrong, {"sourceIdentifiers": ["a"], "earlier": claimed}):
        refused = ask("POST", "/identifiers", body=body)
        assert refused.status == 200
        assert refused.json["failures"][0]["code"] == "INVALID_INPUT"


@pytest.mark.parametrize("fold", [str.lower, str.upper])
def test_a_canonical_id_shows_its_original_first(ask, minted: str, fold: Any) -> None:
    found = ask("GET", f"/identifiers/{fold(minted)}")
    assert found.status == 200
    assert found.json["sourceIdentifier"] == "Work[s/a/b]"
    assert [(each["sourceIdentifier"], each["isAlias"]) for each in found.json["identifiers"]] == [
        ("Work[s/a/b]", False),
        ("Work[s/heir]", True),
    ]


@pytest.mark.parametrize("path", ["/identifiers/{id}", "/identifiers/by-source/s/heir"])
def test_who_knows_the_etag_gets_304(ask, minted: str, path: str) -> None:
    first = ask("GET", path.format(id=minted))
    assert first.headers["etag"].startswith('W/"')
    again = ask("GET", path.format(id=minted), headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status, again.text) == (304, "")
    assert again.headers["etag"] == first.headers["etag"]


def test_by_source(ask, minted: str) -> None:
    assert ask("GET", "/identifiers/by-source/s/heir").json["canonicalId"] == minted
    assert ask("GET", "/identifiers/by-source/s/heir", query={"type": "Item"}).status == 404
    siblings = ask("GET", "/identifiers/by-source/s/heir", query={"include": "siblings"}).json["identifiers"]
    assert len(siblings) == 2


@pytest.mark.parametrize("source", ["Work[s/a/b]", "s/a/b", " s/a/b\n"])
def test_by_any_request_string(ask, minted: str, source: str) -> None:
    assert ask("GET", "/identifiers", query={"source": source}).json["canonicalId"] == minted


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/identifiers/short", None, 400),
        ("/identifiers/0bcdefgh", None, 400),
        ("/identifiers/zzzzzzzz", None, 404),
        ("/identifiers/by-source/s/unknown", None, 404),
        ("/identifiers/by-source/s/unknown", {"type": ""}, 400),
        ("/identifiers/by-source/s/unknown", {"type": "No Type"}, 400),
        ("/identifiers", {"source": "unknown"}, 404),
        ("/identifiers", {"source": "  "}, 400),
        ("/identifiers", {"source": "a\x00"}, 400),
        ("/identifiers", None, 400),
    ],
)
def test_malformed_and_unknown(ask, path: str, query: dict[str, str] | None, status: int) -> None:
    refused = ask("GET", path, query=query)
    assert refused.status == status
    assert refused.headers["content-type"] == "application/problem+json"


def test_only_its_role_may(ask) -> None:
    assert ask("GET", "/identifiers/zzzzzzzz", roles="replication").status == 403


def test_a_missing_table_is_our_fault(aws: Aws, ask) -> None:
    aws.dynamodb.delete_table(TableName=TABLE)
    assert ask("POST", "/identifiers", body={"sourceIdentifiers": ["a"]}).status == 500


def test_every_route_has_the_role() -> None:
    assert {tuple(operation.roles) for operation in app.operations()} == {("minting",)}
