"""RenderPart and RenderReport on moto: from answers in the bucket to the report, also when they die on the way."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.subject_access import BUCKET, CATALOGUED, a_part, a_service
from tests.functional.subject_access.conftest import SubjectAccess
from tests.functional.subject_access.drawing import SERVICE, Drawing, a_pdf
from waybill.subject_access.adapters.report_files import ReportFiles
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.endings import Delivery
from waybill.subject_access.domain.inline_pictures import address_hash
from waybill.subject_access.domain.keys import (
    names_key,
    part_key,
    summary_key,
    template_key,
)
from waybill.subject_access.domain.ports import Change
from waybill.subject_access.domain.rendering import (
    ANSWER_GONE,
    ANSWER_UNREADABLE,
    DRAWING_FAILED,
    PAGES_GONE,
    RULES_CHANGED,
    TEMPLATE_UNUSABLE,
)
from waybill.subject_access.domain.report import part as drawn_part
from waybill.subject_access.errors import ClaimLostError, PartsMissingError, RulesChangedError
from waybill.subject_access.models import Gap, PartStatus, RequestState
from waybill.subject_access.service_models import RedactionRule


@pytest.fixture
def drawing(sar: SubjectAccess) -> Drawing:
    return Drawing(sar)


def test_a_part_is_stored_with_its_summary_and_recorded(drawing: Drawing) -> None:
    drawing.answered({"name": "Ann", "note": "ཀ"})
    part = drawing.render_part()
    assert part == drawing.part()
    assert (part.render_status, part.pages, part.part_key) == (
        PartStatus.COMPLETE,
        1,
        part_key("request-1", 1, SERVICE),
    )
    body = drawing.get(part.part_key)
    assert part.sha256 == hashlib.sha256(body).hexdigest()
    assert json.loads(drawing.get(summary_key("request-1", 1, SERVICE)))["sha256"] == part.sha256
    (page,) = drawing.text(part.part_key)
    assert "Name: SMITH, John" in page
    assert "Name Ann" in page
    entry = drawing.sar.store.audit("request-1")[-1]
    assert (entry.detail["unprintable"], entry.detail["pages"], entry.detail["redacted"]) == ({"U+0F40": 1}, 1, 0)


def test_an_audit_entry_lists_no_more_characters_than_an_item_has_room_for(drawing: Drawing) -> None:
    # Each of them would take some 15 bytes of the 400 KB.
    letters = "".join(map(chr, range(0x12000, 0x12000 + 900)))
    drawing.answered({"note": f"{letters}ཀ"[::-1] + "ཀ"})
    drawing.render_part()
    detail = drawing.sar.store.audit("request-1")[-1].detail
    listed = detail["unprintable"]
    assert isinstance(listed, dict)
    assert (len(listed), listed["U+0F40"], detail["unprintableKinds"]) == (500, 2, 901)


def test_the_services_rules_of_redaction_are_applied(drawing: Drawing) -> None:
    rule = RedactionRule("contacts[].phone", "third party")
    service = replace(a_service(SERVICE), redactions=(rule,), version=1)
    assert drawing.sar.catalogue.save_service(service, CATALOGUED, new=False)
    drawing.answered({"contacts": [{"name": "Ann", "phone": "07700 900123"}]})
    part = drawing.render_part()
    (page,) = drawing.text(part.part_key)
    assert "[Redacted: third party]" in page
    assert "07700" not in page
    assert drawing.sar.store.audit("request-1")[-1].detail["redacted"] == 1


# ICO, "Right of access": what was redacted, when and why; a rule that comes later is not ignored.
@pytest.mark.parametrize("change", ["added", "removed"])
def test_pages_that_are_older_than_a_rule_are_made_again(drawing: Drawing, change: str) -> None:
    rules = (RedactionRule("victim", "third party", everywhere=True),)
    service = replace(drawing.sar.catalogue.services()[0], redactions=() if change == "added" else rules)
    drawing.sar.catalogue.save_service(service, CATALOGUED, new=False)
    drawing.answered({"victim": "John JONES", "note": "Mr Jones came"})
    drawing.render_part()
    service = replace(drawing.sar.catalogue.services()[0], redactions=rules if change == "added" else ())
    drawing.sar.catalogue.save_service(service, CATALOGUED, new=False)
    with pytest.raises(PartsMissingError, match="not right any more"):
        drawing.rendering.report(drawing.claim)
    # From the answer that is there: its service is not asked again.
    assert (drawing.part().render_status, drawing.part().error_code) == (PartStatus.FETCHED, RULES_CHANGED)
    assert drawing.render_all().pages


def test_a_report_that_is_older_than_a_rule_is_neither_approved_nor_delivered(drawing: Drawing) -> None:
    sar = drawing.sar
    drawing.answered({"victim": "John JONES"})
    stored = drawing.render_all()
    sar.fulfilment.save_report(drawing.claim, stored)
    assert sar.fulfilment.complete(drawing.claim)
    service = replace(sar.catalogue.services()[0], redactions=(RedactionRule("victim", "third party"),))
    sar.catalogue.save_service(service, CATALOGUED, new=False)
    with pytest.raises(RulesChangedError, match="restart"):
        sar.endings.deliver("request-1", "alice", Delivery())
    assert sar.decisions.restart("request-1", "alice", fresh=True).state is RequestState.PENDING


# CWE-755, CWE-209: whatever the data leads to is the end of its own part, and the data is not in what is said of it.
def test_an_error_that_nobody_foresaw_is_the_end_of_its_own_part(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise OverflowError("the number of A1234AA")

    drawing.answered({"name": "Ann"})
    monkeypatch.setattr("waybill.subject_access.domain.rendering.render_part", fails)
    part = drawing.render_part()
    assert (part.render_status, part.error_code, part.error_message) == (
        PartStatus.ERRORED,
        DRAWING_FAILED,
        "OverflowError",
    )


def test_a_template_decides_what_is_shown(drawing: Drawing) -> None:
    template = b"<p>Only {{name}}</p>"
    key = template_key(hashlib.sha256(template).hexdigest())
    drawing.put(key, template)
    drawing.answered({"name": "Ann", "internalId": "id-7"}, template_key=key, template_version=3)
    (page,) = drawing.text(drawing.render_part().part_key)
    assert "Only Ann" in page
    assert "id-7" not in page


def test_templates_print_the_names_that_are_stored(drawing: Drawing) -> None:
    template = b"<p>{{getUserLastName user}} {{getPrisonName prison}}</p>"
    key = template_key(hashlib.sha256(template).hexdigest())
    drawing.put(key, template)
    drawing.put(names_key(), b'{"surnames": {"JSMITH_GEN": "Smith"}}')
    drawing.answered({"user": "JSMITH_GEN", "prison": "MDI"}, template_key=key)
    assert "Smith MDI" in drawing.text(drawing.render_part().part_key)[0]


def test_attachments_follow_by_number_and_what_was_not_fetched_is_said(drawing: Drawing) -> None:
    drawing.sar.store.save_attachments(
        drawing.claim, [drawing.attached(10, None), drawing.attached(2, a_pdf("from the scan"))]
    )
    drawing.answered({"a": 1}, attachments=2)
    pages = drawing.text(drawing.render_part().part_key)
    assert len(pages) == 4
    assert "Attachment: 2" in pages[1]
    assert "from the scan" in pages[2]
    assert "could not be fetched" in pages[3].replace("\n", " ")
    assert drawing.sar.store.audit("request-1")[-1].detail["placeholders"] == [10]


@pytest.mark.parametrize(
    ("answer", "template", "code"),
    [(b"no JSON", None, ANSWER_UNREADABLE), ({"a": 1}, b"{{#a}}", TEMPLATE_UNUSABLE)],
)
def test_what_cannot_be_drawn_is_a_part_in_error(
    drawing: Drawing, answer: Any, template: bytes | None, code: str
) -> None:
    key = None
    if template:
        key = template_key(hashlib.sha256(template).hexdigest())
        drawing.put(key, template)
    drawing.answered(answer, template_key=key)
    part = drawing.render_part()
    assert (part.render_status, part.error_code) == (PartStatus.ERRORED, code)
    assert drawing.sar.now().missing.keys() == {SERVICE}


def test_a_service_whose_stored_answer_is_gone_is_asked_again(drawing: Drawing) -> None:
    drawing.answered({"a": 1})
    drawing.sar.s3.delete_object(Bucket=BUCKET, Key=drawing.part().answer_key)
    part = drawing.render_part()
    assert (part.render_status, part.error_code) == (PartStatus.ERRORED, ANSWER_GONE)
    drawing.answered({"name": "Ann"})
    assert drawing.render_part().render_status is PartStatus.COMPLETE


@pytest.mark.parametrize("damage", ["removed", "replaced", "without summary"])
def test_a_service_whose_stored_pages_are_gone_is_asked_again(drawing: Drawing, damage: str) -> None:
    drawing.answered({"name": "Ann"})
    key = drawing.render_part().part_key
    if damage == "replaced":
        drawing.put(str(key), b"%PDF-1.7 other pages")
    else:
        drawing.sar.s3.delete_object(Bucket=BUCKET, Key=key if damage == "removed" else str(key)[:-3] + "json")
    with pytest.raises(PartsMissingError, match=f"gone: {SERVICE}"):
        drawing.rendering.report(drawing.claim)
    assert (drawing.part().render_status, drawing.part().error_code) == (PartStatus.ERRORED, PAGES_GONE)
    assert drawing.sar.now().missing.keys() == {SERVICE}
    drawing.answered({"name": "Ann"})
    assert "Name Ann" in drawing.text(drawing.render_all().key)[4]


def test_a_service_whose_pages_only_an_outside_worker_had_is_asked_again(drawing: Drawing) -> None:
    drawing.sar.store.save_part(drawing.claim, a_part(SERVICE, 0, PartStatus.COMPLETE))
    with pytest.raises(PartsMissingError, match=f"gone: {SERVICE}"):
        drawing.rendering.report(drawing.claim)
    assert (drawing.part().render_status, drawing.part().error_code) == (PartStatus.ERRORED, PAGES_GONE)
    assert drawing.sar.keys("reports/") == []


@pytest.mark.parametrize("status", [PartStatus.PENDING, PartStatus.ERRORED, PartStatus.NO_DATA, PartStatus.COMPLETE])
def test_only_a_fetched_part_is_drawn(drawing: Drawing, status: PartStatus) -> None:
    drawing.sar.store.save_part(drawing.claim, a_part(SERVICE, 0, status))
    before = drawing.part()
    assert drawing.render_part() == before
    assert drawing.sar.keys() == []


def test_who_has_lost_the_claim_draws_nothing(drawing: Drawing) -> None:
    drawing.answered({"a": 1})
    drawing.sar.clock.advance(hours=1)
    newer = drawing.sar.claim()
    for work in (drawing.render_part, lambda: drawing.rendering.report(drawing.claim)):
        with pytest.raises(ClaimLostError):
            work()
    assert newer.generation == 2
    assert drawing.part().render_status is PartStatus.FETCHED


def test_the_report_has_all_parts_and_lies_under_the_claims_key(drawing: Drawing) -> None:
    drawing.answered({"name": "Ann"}, template_version=7)
    drawing.render_part()
    stored = drawing.rendering.report(drawing.claim)
    body = drawing.get(stored.key)
    assert (stored.key, stored.bytes, stored.sha256) == (
        f"reports/request-1/1-{hashlib.sha256(body).hexdigest()}.pdf",
        len(body),
        hashlib.sha256(body).hexdigest(),
    )
    pages = drawing.text(stored.key)
    assert len(pages) == stored.pages == 6
    assert "Total pages: 6" in pages[0]
    assert "No Data Held" in pages[3]
    assert "Name Ann" in pages[4]
    drawing.sar.fulfilment.save_report(drawing.claim, stored)
    assert drawing.sar.fulfilment.complete(drawing.claim)


def test_a_part_that_nobody_accepts_as_missing_makes_no_report(drawing: Drawing) -> None:
    with pytest.raises(PartsMissingError, match=SERVICE):
        drawing.rendering.report(drawing.claim)
    assert drawing.sar.keys("reports/") == []


def test_a_part_that_is_accepted_as_missing_is_named_with_the_reason(drawing: Drawing) -> None:
    gap = Gap("The service was closed in May", "JSMITH_GEN", drawing.sar.clock())
    drawing.sar.store.change(
        "request-1",
        lambda request: Change(replace(request, accepted_gaps={SERVICE: gap}), Action("JSMITH_GEN", "GAP", {})),
    )
    pages = drawing.text(drawing.rendering.report(drawing.claim).key)
    assert "Missing parts" in pages[3]
    assert "The service was closed in May" in pages[3]


def test_a_later_claim_uses_the_parts_of_an_earlier_one(drawing: Drawing) -> None:
    drawing.answered({"name": "Ann"})
    drawing.render_part()
    drawing.sar.clock.advance(hours=1)
    newer = drawing.sar.claim()
    stored = drawing.rendering.report(newer)
    assert stored.key == f"reports/request-1/2-{stored.sha256}.pdf"
    assert "Name Ann" in drawing.text(stored.key)[4]


def test_the_same_claim_gives_the_same_report_at_any_time(drawing: Drawing) -> None:
    drawing.answered({"name": "Ann"})
    drawing.render_part()
    first = drawing.rendering.report(drawing.claim)
    drawing.sar.clock.advance(minutes=10)
    assert drawing.rendering.report(drawing.claim) == first


class Killed(BaseException):
    """The process is gone."""


EFFECTS: list[tuple[type, str]] = [(ReportFiles, "keep"), (ReportFiles, "save_facts")]


@pytest.mark.parametrize("last", range(1, 7))
def test_a_function_that_dies_after_any_effect_is_repeated(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    drawing.answered({"name": "Ann"})
    done: list[str] = []

    def deadly(method: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*positional: Any, **named: Any) -> Any:
            result = method(*positional, **named)
            done.append(name)
            if len(done) == last:
                raise Killed
            return result

        return call

    owners = [*EFFECTS, (type(drawing.sar.store), "save_part")]
    with monkeypatch.context() as patched:
        for owner, name in owners:
            patched.setattr(owner, name, deadly(getattr(owner, name), name))
        with pytest.raises(Killed):
            drawing.render_all()
    assert done[-1] == ["keep", "save_facts", "save_part", "keep", "keep", "keep"][last - 1]
    drawing.sar.clock.advance(minutes=1)
    part = drawing.render_part()
    assert part.sha256 == hashlib.sha256(drawing.get(part.part_key)).hexdigest()
    stored = drawing.rendering.report(drawing.claim)
    assert stored.sha256 == hashlib.sha256(drawing.get(stored.key)).hexdigest()
    assert drawing.sar.actions().count("SERVICE_RESULT") == 3
    assert drawing.sar.keys("reports/") == sorted(one.key for one in stored.files)


def test_a_picture_of_the_answer_that_cannot_be_shown_stops_at_review_and_is_in_the_package(drawing: Drawing) -> None:
    url = "https://files.example/photo"
    drawing.put(template_key("x"), b"<p>{{inlineAttachment photo}}</p>")
    photo = replace(drawing.attached(100_001, b"no picture", "image/png"), inline=address_hash(url))
    drawing.sar.store.save_attachments(drawing.claim, [photo])
    drawing.answered({"photo": {"contentType": "image/png", "url": url}}, template_key=template_key("x"))
    report = drawing.render_all()
    part = drawing.part()
    assert [(one.number, one.reason) for one in part.withheld] == [(100_001, "the file is damaged")]
    assert report.package is not None
    with zipfile.ZipFile(io.BytesIO(drawing.get(report.package.key))) as package:
        assert [package.read(name) for name in package.namelist() if "100001" in name] == [b"no picture"]


def test_a_part_that_is_too_large_is_in_error_by_itself(drawing: Drawing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn_part, "MOST_PAGES", 2)
    drawing.answered([{"n": number} for number in range(1_000)])
    part = drawing.render_part()
    assert (part.render_status, part.error_code) == (PartStatus.ERRORED, DRAWING_FAILED)
    assert part.error_message == "it takes more than 2 pages"
