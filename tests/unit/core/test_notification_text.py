"""Subjects and bodies as SNS takes them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from waybill.core.notifications import BODY_LIMIT_BYTES, SUBJECT_LIMIT, ascii_subject, capped_body


@given(st.text())
@example("\ud800")
@example("\x00\x7f\n\r\t\u2028")
def test_a_subject_is_one_line_of_printable_ascii(text: str) -> None:
    subject = ascii_subject(text)
    assert 1 <= len(subject) <= SUBJECT_LIMIT
    assert all(" " <= char <= "~" for char in subject)
    assert subject == subject.strip()


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=SUBJECT_LIMIT))
def test_what_is_fine_stays_as_it_is(text: str) -> None:
    assert ascii_subject(text) == text


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("File Copy Failures: Zoë's büild.zip", "File Copy Failures: Zoe's build.zip"),
        ("❌ failed", "? failed"),
        ("two\nlines\r\n and  spaces", "two lines and spaces"),
        ("ﬁle №½", "file No1?2"),
        ("", "Waybill"),
        (" \n", "Waybill"),
    ],
)
def test_examples(text: str, subject: str) -> None:
    assert ascii_subject(text) == subject


@pytest.mark.parametrize("length", [100, 101, 1044])
def test_a_long_key_keeps_its_end(length: int) -> None:
    subject = ascii_subject("File Copy Failures: ".ljust(length - 10, "x") + "/build.zip")
    assert len(subject) == 100
    assert subject.endswith("/build.zip")
    assert ("..." in subject) is (length > 100)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5), st.integers(-3, 3))
def test_a_body_is_cut_between_characters_and_says_so(text: str, over: int) -> None:
    repeated = text * (BODY_LIMIT_BYTES // len(text.encode()) + over)
    body = capped_body(repeated)
    assert len(body.encode()) <= BODY_LIMIT_BYTES
    if len(repeated.encode()) <= BODY_LIMIT_BYTES:
        assert body == repeated
    else:
        kept, cut, _ = body.rpartition("\n… (cut: the whole list is in the records)")
        assert cut
        assert repeated.startswith(kept)
        assert len(kept.encode()) > BODY_LIMIT_BYTES - 60


def test_the_limit_itself_is_not_cut() -> None:
    assert capped_body("x" * BODY_LIMIT_BYTES) == "x" * BODY_LIMIT_BYTES
    assert capped_body("x" * (BODY_LIMIT_BYTES + 1)).endswith("is in the records)")
