"""The function dies right after each of its effects, and runs again: the same end as of a run that does not die."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.subject_access import CATALOGUED
from tests.functional.subject_access.upstream.conftest import REQUEST, SubjectAccess
from waybill.cli.subject_access.stub_service import StubReply
from waybill.subject_access import runtime
from waybill.subject_access.adapters.health_table import HealthTable
from waybill.subject_access.adapters.parts import S3Parts

TEMPLATE = b"<h1>{{content.title}}</h1>\n"
_EFFECTS = 7


class Killed(BaseException):
    """The process is gone."""


class Executioner:
    """Lets the call with number `at` happen, and no other after it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 0
        self.names: list[str] = []
        for owner, name in (
            (S3Parts, "put"),
            (type(runtime.store()), "save_attachments"),
            (type(runtime.store()), "save_part"),
            (type(runtime.catalogue()), "publish_template"),
            (type(runtime.health()), "healthy"),
            (type(runtime.health()), "move"),
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


def _serve(subject_access: SubjectAccess, name: str) -> None:
    template = StubReply(body=TEMPLATE, headers={"Content-Type": "text/plain"})
    served = subject_access.service(name, template=template)
    entries = []
    for number in (1, 2):
        served.files[str(number)] = [StubReply(body=f"file {number}".encode())]
        url = f"{subject_access.stub.url(name)}/files/{number}"
        entries.append({"attachmentNumber": number, "contentType": "text/plain", "url": url, "filename": "f"})
    served.replies = [StubReply.data({"title": "x"}, entries)]
    runtime.catalogue().register_template(name, hashlib.sha256(TEMPLATE).hexdigest(), CATALOGUED)


def test_dying_after_any_effect_leaves_nothing_that_a_replay_does_not_mend(
    subject_access: SubjectAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"service-{at}" for at in range(_EFFECTS + 2)]
    for name in names:
        _serve(subject_access, name)
    subject_access.request(*names)
    executioner = Executioner(monkeypatch)
    deaths = []
    for at, name in enumerate(names):
        executioner.at, executioner.names = at, []
        try:
            subject_access.fetch(name, rank=at)
        except Killed as killed:
            deaths.append(str(killed))
            executioner.at = 0
            subject_access.fetch(name, rank=at)
    whole = subject_access.part(names[0])
    assert len(set(deaths)) == 5  # nothing moves the circuit of a service that answers
    assert len(deaths) == len(names) - 1
    for at, name in enumerate(names):
        part = subject_access.part(name, at)
        expected = replace(
            whole,
            service=name,
            label=name.title(),
            rank=at,
            answer_key=f"work/{REQUEST}/1/{name}/answer.json",
            bytes=part.bytes,
        )
        assert part == expected
        assert [subject_access.object(each.key) for each in subject_access.attachments(name)] == [b"file 1", b"file 2"]
        assert [each.status for each in runtime.catalogue().template_versions(name)] == ["PUBLISHED"]
    expected_objects = len(names) * 3 + 1
    assert len(subject_access.stored_keys()) == expected_objects


def test_who_dies_before_that_is_remembered_tells_people_again(
    subject_access: SubjectAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject_access.service("rendered", StubReply.data(1), template=StubReply(404))
    subject_access.request("rendered")
    told = HealthTable.told

    def killed(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(HealthTable, "told", killed)
    with pytest.raises(Killed):
        subject_access.fetch("rendered")
    monkeypatch.setattr(HealthTable, "told", told)
    for _ in range(3):
        assert subject_access.fetch("rendered") == "ERRORED"
    assert len(subject_access.news()) == 2
