"""The routes of the ID minter."""

from typing import Any

import pytest

from tests.fakes.api import Answer, answer_of, request_event
from tests.functional.minting.conftest import TABLE, WORKFLOW, Aws, make_workflow
from waybill.core.settings import load
from waybill.minting import runtime
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
    wrong: list[dict[str, Any]] = [{}, {"sourceIdentifiers": []}, {"sourceIdentifiers": ["a"] * 101}]
    for body in wrong:
        refused = ask("POST", "/identifiers", body=body)
        assert refused.status == 200
        assert refused.json["failures"][0]["code"] == "INVALID_INPUT"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"predecesors": {"a": "b"}}, "predecesors"),
        ({"jobID": "j"}, "jobID"),
        ({"job_id": "j"}, "job_id"),
        ({"sourceIdentifier": "a"}, "sourceIdentifier"),
        ({"window": {}}, "window"),
        ({"earlier": {"failures": [], "identifiers": {"a": "aaaaaaaa"}}}, "earlier"),
        ({"jobId": 5}, "jobId"),
        ({"predecessors": {"a": 5}}, "predecessors.a"),
        ({"predecessors": [1]}, "predecessors"),
        ({"mode": "identifier"}, "mode"),
    ],
)
def test_an_unknown_or_wrong_field_is_named_and_nothing_is_minted(aws: Aws, ask, more, field: str) -> None:
    refused = ask("POST", "/identifiers", body={"sourceIdentifiers": ["a"], **more})
    assert (refused.status, refused.fields) == (400, [field])
    assert aws.items() == []


def test_a_name_given_twice_is_refused(aws: Aws, ask) -> None:
    refused = ask("POST", "/identifiers", body='{"sourceIdentifiers": ["a"], "sourceIdentifiers": ["b"]}')
    assert (refused.status, refused.fields) == (400, ["sourceIdentifiers"])
    assert aws.items() == []


def test_a_byte_order_mark_before_the_body_is_no_part_of_it(ask) -> None:
    body = b"\xef\xbb\xbf" + b'{"sourceIdentifiers": ["a"]}'
    assert ask("POST", "/identifiers", body=body).json["successes"] == ["a"]


def test_an_ignored_predecessor_is_said(ask) -> None:
    ask("POST", "/identifiers", body={"sourceIdentifiers": ["old-x", "new-x"]})
    late = ask("POST", "/identifiers", body={"sourceIdentifiers": ["new-x"], "predecessors": {"new-x": "old-x"}}).json
    assert late["successes"] == ["new-x"]
    assert late["identifiers"]["new-x"]["note"] == "PREDECESSOR_IGNORED"
    assert late["predecessorsIgnored"] == 1


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
    # RFC 9110, 13.1.2: weak comparison, for which a strong tag is the same (8.8.3.2, table 3).
    strong = first.headers["etag"].removeprefix("W/")
    assert ask("GET", path.format(id=minted), headers={"If-None-Match": strong}).status == 304
    assert ask("GET", path.format(id=minted), headers={"If-None-Match": strong.lower()[:-2] + '_"'}).status == 200


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


@pytest.mark.parametrize(
    ("path", "body"),
    [("/identifiers", {"sourceIdentifiers": ["new"]}), ("/identifiers/reserve", {"count": 1, "purpose": "book"})],
)
def test_parameters_that_leave_no_identifier_are_named(
    ask, path: str, body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORBIDDEN_WORDS", "a")
    monkeypatch.setenv("IDENTIFIER_PREFIX", "*=ca")
    load.cache_clear()
    refused = ask("POST", path, body=body)
    assert (refused.status, refused.json["code"]) == (500, "CONFIGURATION")
    assert "ForbiddenWords" in refused.json["detail"]
    assert "IdentifierPrefix" in refused.json["detail"]


def change(ask, path: str, body: Any, **more: Any) -> Answer:
    return ask("POST", f"/identifiers/{path}", body=body, **more)


def test_the_life_of_an_identifier_over_http(ask, minted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # RFC 9110, 15.4.2, 15.4.3 and 15.5.11.
    monkeypatch.setenv("RESOLVER_TEMPLATE", "https://example.org/works/{canonicalId}?view=full")
    load.cache_clear()
    other = ask("POST", "/identifiers", body={"sourceIdentifiers": ["Work[s/other]"]}).json["identifiers"][
        "Work[s/other]"
    ]

    def resolved(canonical_id: str) -> tuple[int, str | None]:
        answer = ask("GET", f"/id/{canonical_id}", roles="")
        return answer.status, answer.headers.get("location")

    assert resolved(minted) == (302, f"https://example.org/works/{minted}?view=full")
    before = ask("GET", f"/identifiers/{minted}")
    assert before.json["status"] == "active"
    changed = change(ask, f"{minted}/replace", {"by": other, "reason": "one book"})
    assert (changed.status, changed.json["status"], changed.json["replacedBy"]) == (200, "replaced", other)
    assert resolved(minted) == (301, other)
    after = ask("GET", f"/identifiers/{minted}", headers={"If-None-Match": before.headers["etag"]})
    assert (after.status, after.json["status"], after.json["replacedBy"], after.json["reason"]) == (
        200,
        "replaced",
        other,
        "one book",
    )
    by_source = ask("GET", "/identifiers", query={"source": "s/a/b"}).json
    assert (by_source["canonicalId"], by_source["status"]) == (minted, "replaced")
    again = ask("POST", "/identifiers", body={"sourceIdentifiers": ["Work[s/a/b]"]}).json
    assert again["identifiers"] == {"Work[s/a/b]": minted}

    assert change(ask, f"{other}/replace", {"by": minted, "reason": "back"}).status == 409
    assert change(ask, f"{other}/withdraw", {"reason": "a mistake"}).json["status"] == "withdrawn"
    gone = ask("GET", f"/id/{other}", roles="")
    assert (gone.status, gone.headers["content-type"]) == (410, "application/problem+json")
    assert "a mistake" in gone.json["detail"]

    kept = change(ask, "reserve", {"count": 2, "purpose": "for later"}, headers={"Idempotency-Key": "k"})
    assert kept.status == 201
    [first, second] = kept.json["canonicalIds"]
    repeated = change(ask, "reserve", {"count": 2, "purpose": "for later"}, headers={"Idempotency-Key": "k"})
    assert repeated.json == kept.json
    assert change(ask, "reserve", {"count": 1, "purpose": "x"}, headers={"Idempotency-Key": "k"}).status == 409
    assert resolved(first) == (404, None)
    shown = ask("GET", f"/identifiers/{second}").json
    assert (shown["status"], shown["purpose"], shown["identifiers"]) == ("reserved", "for later", [])
    found = ask("GET", "/identifiers/audit")
    assert (found.status, found.json["reserved"], found.json["violations"]) == (200, 2, [])
    load.cache_clear()


@pytest.mark.parametrize("path", ["/id/zzzzzzzz", "/id/short"])
def test_the_resolver_is_off_without_a_template(ask, minted: str, path: str) -> None:
    assert ask("GET", path, roles="").status == 404
    assert ask("GET", f"/id/{minted}", roles="").status == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "fields"),
    [
        ("reserve", {"count": 0, "purpose": "x"}, 400, ["count"]),
        ("reserve", {"count": "1", "purpose": "x"}, 400, ["count"]),
        ("reserve", {"count": 1}, 400, ["purpose"]),
        ("reserve", {"count": 1, "purpose": " "}, 400, ["purpose"]),
        ("zzzzzzzz/replace", {"by": "yyyyyyyy", "reason": "x"}, 404, None),
        ("short/replace", {"by": "yyyyyyyy", "reason": "x"}, 400, ["canonicalId"]),
        ("zzzzzzzz/replace", {"by": "short", "reason": "x"}, 400, ["by"]),
        ("zzzzzzzz/replace", {"by": "yyyyyyyy"}, 400, ["reason"]),
        ("zzzzzzzz/withdraw", {"reason": "x", "why": "y"}, 400, ["why"]),
        ("zzzzzzzz/withdraw", {"reason": "x"}, 404, None),
    ],
)
def test_changes_that_cannot_be_made(ask, path: str, body: Any, status: int, fields: list[str] | None) -> None:
    refused = change(ask, path, body)
    assert refused.status == status
    if fields:
        assert refused.fields == fields


def test_only_its_role_may(ask) -> None:
    assert ask("GET", "/identifiers/zzzzzzzz", roles="replication").status == 403


def test_a_missing_table_is_our_fault(aws: Aws, ask) -> None:
    aws.dynamodb.delete_table(TableName=TABLE)
    assert ask("POST", "/identifiers", body={"sourceIdentifiers": ["a"]}).status == 500


def test_every_route_has_the_role() -> None:
    assert {operation.path for operation in app.operations() if operation.public} == {"/id/{canonicalId}"}
    assert {tuple(operation.roles) for operation in app.operations() if not operation.public} == {("minting",)}


def test_an_id_is_followed_and_shown_with_hyphens(ask, minted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESOLVER_TEMPLATE", "https://example.org/{canonicalId}")
    load.cache_clear()
    typed = f"{minted[:4]}-{minted[4:]}".upper()
    assert ask("GET", f"/identifiers/{typed}").json["canonicalId"] == minted
    assert ask("GET", f"/id/{typed}").headers["location"] == f"https://example.org/{minted}"


def test_runs_and_counts_are_answered_like_those_of_the_command(ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Source: the contract, "Routes for what only the CLI had", and lists: `limit`, `cursor`, null at the end."""
    monkeypatch.setenv("ID_MINTER_WORKFLOW_ARN", WORKFLOW)
    load.cache_clear()
    make_workflow("first", "second")
    page = ask("GET", "/identifiers/runs", query={"limit": "1"}).json
    rest = ask("GET", "/identifiers/runs", query={"cursor": page["cursor"]}).json
    assert sorted(run["runId"] for run in page["runs"] + rest["runs"]) == ["first", "second"]
    assert rest["cursor"] is None
    assert ask("GET", "/identifiers/runs/first").json["status"] == "RUNNING"
    assert ask("GET", "/identifiers/runs/nobody").status == 404
    assert ask("GET", "/identifiers/runs", query={"cursor": "nonsense"}).status == 400
    ask("POST", "/identifiers", body={"sourceIdentifiers": ["a", "b"]})
    ask("POST", "/identifiers/reserve", body={"count": 2, "purpose": "next year"})
    counted = ask("GET", "/identifiers/statistics").json
    assert (counted["assignments"], counted["canonicalIds"], counted["reserved"]) == (2, 4, 2)
    monkeypatch.setattr(runtime, "AUDIT_LIMIT", 2)
    assert ask("GET", "/identifiers/statistics").status == 409
    assert ask("GET", "/identifiers/statistics", roles="replication").status == 403
