"""The function dies right after each of its effects, and runs again: the same end as of a run that does not die."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.disclosure import CATALOGUED
from tests.functional.disclosure.upstream.conftest import REQUEST, Disclosure
from waybill.cli.disclosure.stub_service import StubReply
from waybill.disclosure import wiring as disclosure_wiring
from waybill.disclosure.upstream import wiring

TEMPLATE = b"<h1>{{content.title}}</h1>\n"
_EFFECTS = 7


class Killed(BaseException):
    """The process is gone."""


class Executioner:
    """Lets the call with number `at` happen, and no other after it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 0
        self.names: list[str] = []
        parts = wiring.S3Parts
        for owner, name in (
            (parts, "put"),
            (type(disclosure_wiring.store()), "save_attachments"),
            (type(disclosure_wiring.store()), "save_part"),
            (type(disclosure_wiring.catalogue()), "publish_template"),
            (type(wiring.health()), "healthy"),
            (type(wiring.health()), "move"),
        ):
            monkeypatch.setattr(owner, name, self._deadly(name, getattr(owner, name)))

    def _deadly(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*positional: Any, **named: Any) -> Any:
            result = method(*positional, **named)
            self.names.append(name)
            if len(self.names) == self.at:
                raise Killed(name)
            return result

        return call


def _serve(disclosure: Disclosure, name: str) -> None:
    template = StubReply(body=TEMPLATE, headers={"Content-Type": "text/plain"})
    served = disclosure.service(name, template=template)
    entries = []
    for number in (1, 2):
        served.files[str(number)] = [StubReply(body=f"file {number}".encode())]
        url = f"{disclosure.stub.url(name)}/files/{number}"
        entries.append({"attachmentNumber": number, "contentType": "text/plain", "url": url, "filename": "f"})
    served.replies = [StubReply.data({"title": "x"}, entries)]
    disclosure_wiring.catalogue().register_template(name, hashlib.sha256(TEMPLATE).hexdigest(), CATALOGUED)


def test_dying_after_any_effect_leaves_nothing_that_a_replay_does_not_mend(
    disclosure: Disclosure, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"service-{at}" for at in range(_EFFECTS + 2)]
    for name in names:
        _serve(disclosure, name)
    disclosure.request(*names)
    executioner = Executioner(monkeypatch)
    deaths = []
    for at, name in enumerate(names):
        executioner.at, executioner.names = at, []
        try:
            disclosure.fetch(name, rank=at)
        except Killed as killed:
            deaths.append(str(killed))
            executioner.at = 0
            disclosure.fetch(name, rank=at)
    whole = disclosure.part(names[0])
    assert len(set(deaths)) == 5  # nothing moves the circuit of a service that answers
    assert len(deaths) == len(names) - 1
    for at, name in enumerate(names):
        part = disclosure.part(name, at)
        expected = replace(
            whole,
            service=name,
            label=name.title(),
            rank=at,
            answer_key=f"work/{REQUEST}/1/{name}/answer.json",
            bytes=part.bytes,
        )
        assert part == expected
        assert [disclosure.object(each.key) for each in disclosure.attachments(name)] == [b"file 1", b"file 2"]
        assert [each.status for each in disclosure_wiring.catalogue().template_versions(name)] == ["PUBLISHED"]
    expected_objects = len(names) * 3 + 1
    assert len(disclosure.stored_keys()) == expected_objects


def test_who_dies_before_that_is_remembered_tells_people_again(
    disclosure: Disclosure, monkeypatch: pytest.MonkeyPatch
) -> None:
    disclosure.service("rendered", StubReply.data(1), template=StubReply(404))
    disclosure.request("rendered")
    told = wiring.HealthTable.told

    def killed(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(wiring.HealthTable, "told", killed)
    with pytest.raises(Killed):
        disclosure.fetch("rendered")
    monkeypatch.setattr(wiring.HealthTable, "told", told)
    for _ in range(3):
        assert disclosure.fetch("rendered") == "ERRORED"
    assert len(disclosure.news()) == 2
