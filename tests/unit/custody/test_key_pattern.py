"""`CustodyIdentifierPattern`: which patterns are taken, and what a key that one finds something in is linked with."""

import re

import pytest

from scripts.template import load_template
from tests.fakes.custody import Custody
from tests.unit.custody.samples import assigned, copied
from waybill.custody.domain.key_pattern import KeyPattern
from waybill.custody.domain.tracing import ByIdentifier
from waybill.custody.errors import BadKeyPatternError
from waybill.custody.models import FileState, Place

# The design's example, 4.3.
PATTERN = "^images/([a-z][a-z0-9]{7,8})/"
IMAGE = FileState(Place("source", "images/kx7dn2ph/1.jpg"), "v1", None, 3)
COPY = FileState(Place("copies", "images/kx7dn2ph/1.jpg"), "w1", None, 3)


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("images/kx7dn2ph/1.jpg", "kx7dn2ph"),
        ("images/kx7dn2ph4/", "kx7dn2ph4"),
        ("images/kx7dn2ph45/1.jpg", None),
        ("more/images/kx7dn2ph/1.jpg", None),
        ("images/kx7dn2p\u0663/1.jpg", None),
        ("images/kx7dn2ph\n/1.jpg", None),
        ("IMAGES/kx7dn2ph/1.jpg", None),
        ("", None),
    ],
)
def test_a_key_names_an_identifier(key: str, found: str | None) -> None:
    pattern = KeyPattern.of(PATTERN)
    assert pattern is not None
    assert pattern.canonical_id_in(key) == found


def test_what_has_another_form_than_an_identifier_is_none() -> None:
    pattern = KeyPattern.of("^(images/[a-z]{1,40})")
    assert pattern is not None
    assert pattern.canonical_id_in("images/a") is None


@pytest.mark.parametrize(
    "text",
    [
        "images/([a-z]{8})/",
        "^images/",
        "^([a-z]{4})([a-z]{4})",
        "^(([a-z]{8}))",
        "^([a-z]+)",
        "^([a-z]*)/",
        "^([a-z]{8,})/",
        "^(.*)",
        "^(a|b)",
        "^(?P<n>[a-z]{8})",
        "^([^/]{8})",
        r"^(\w{8})",
        "^([a-z]{8})$",
        "^([a-z]{8})\n",
        "^" + "a" * 200 + "([a-z]{8})",
    ],
)
def test_a_form_that_is_not_known_is_refused_by_the_template_and_by_the_function(text: str) -> None:
    with pytest.raises(BadKeyPatternError):
        KeyPattern.of(text)
    parameter = load_template()["Parameters"]["CustodyIdentifierPattern"]
    assert len(text) > parameter["MaxLength"] or not re.fullmatch(parameter["AllowedPattern"], text)


def test_the_template_takes_what_the_function_takes() -> None:
    allowed = load_template()["Parameters"]["CustodyIdentifierPattern"]["AllowedPattern"]
    for text in ("", PATTERN, "^b([0-9]{8})", "^[A-Z]{1,3}/([a-z0-9]{8,9})[_-]"):
        assert re.fullmatch(allowed, text)
        assert (KeyPattern.of(text) is None) == (not text)


@pytest.mark.parametrize("text", ["^([a-z]{9,2})", "^([a-z]{2}{3})", "^{2}(a)", "^([a-z]{0,99}[a-z]{0,99}[a-z]{0,99})"])
def test_what_is_no_pattern_or_takes_long_is_refused(text: str) -> None:
    with pytest.raises(BadKeyPatternError):
        KeyPattern.of(text)


def linking() -> Custody:
    custody = Custody()
    custody.pattern = KeyPattern.of(PATTERN)
    return custody


def test_a_file_and_the_identifier_in_its_key_are_found_by_each_other() -> None:
    custody = linking()
    custody.recorder.record([assigned(), copied(1, IMAGE, COPY)], [], "a")
    asked = ByIdentifier("kx7dn2ph")
    found = custody.tracer.whole(asked).events
    kinds = ["identifier assignment", "metadata modification", "replication"]
    assert sorted(str(one.said["type"]) for one in found) == kinds
    detail = {"canonicalId": "kx7dn2ph", "evidence": "its key names it, by CustodyIdentifierPattern"}
    assert detail in [one.said["detail"] for one in found]
    # Told again, and of another run: linked once.
    before = dict(custody.ledger.kept)
    custody.recorder.record([copied(1, IMAGE, COPY)], [], "b")
    assert custody.ledger.kept == before
    custody.recorder.record([copied(2, IMAGE, COPY)], [], "c")
    assert len(custody.ledger.kept) == len(before) + 1
    custody.wait(hours=1)
    custody.seal()
    assert custody.verify().findings == []


def test_what_a_person_has_taken_back_is_not_linked_again() -> None:
    custody = linking()
    custody.recorder.record([assigned(), copied(1, IMAGE, COPY)], [], "a")
    custody.linker.unlink(IMAGE.place, "kx7dn2ph", by="jo", reason="another's")
    custody.recorder.record([copied(2, IMAGE, COPY)], [], "b")
    found = custody.tracer.whole(ByIdentifier("kx7dn2ph")).events
    assert [one.said["type"] for one in found] == ["identifier assignment"]


def test_a_word_that_only_looks_like_an_identifier_is_linked_with_nothing() -> None:
    custody = linking()
    holidays = FileState(Place("source", "images/holidays/1.jpg"))
    custody.recorder.record([assigned(), copied(1, holidays, COPY)], [], "a")
    assert not any(pk == "I#holidays" for pk, _ in custody.ledger.kept)
    assert "I#holidays" not in custody.ledger.linked


def test_a_batch_that_dies_anywhere_links_once() -> None:
    class Death(Exception):
        pass

    for writes in range(20):
        left = writes

        def count() -> None:
            nonlocal left
            left -= 1
            if left == -1:
                raise Death

        custody = Custody(count)
        custody.pattern = KeyPattern.of(PATTERN)
        try:
            custody.recorder.record([assigned(), copied(1, IMAGE, COPY)], [], "a")
        except Death:
            custody.recorder.record([assigned(), copied(1, IMAGE, COPY)], [], "b")
        assert len(custody.tracer.whole(ByIdentifier("kx7dn2ph")).events) == 3
