import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.subject_access.domain.keys import attachment_key
from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.entries import entries
from waybill.subject_access.domain.upstream.errors import ServiceError
from waybill.subject_access.domain.upstream.names import clean_name

_HOSTILE = st.text() | st.sampled_from(
    ["../../x", "a\x00b", "\u202egpj.exe", "&lt;b&gt;", "😀.pdf", "a/b\\c", "\ud800"]
)


@pytest.mark.parametrize(
    ("given_name", "cleaned"),
    [
        ("Letter &amp; envelope", "Letter & envelope"),
        ("&lt;script&gt;", "<script>"),
        ("ﬁle №１", "file No1"),
        ("a\u00a0b\u2003c\td\ne", "a b c d e"),
        ("a\x00b\x07c", "abc"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("  padded  ", "padded"),
        ("\ud800x", "x"),
        ("e\u200b\u0301", "é"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("Łukasz 中文 😀.pdf", "Łukasz 中文 😀.pdf"),
        ("\x00\u202e", ""),
    ],
)
def test_names_are_cleaned(given_name: str, cleaned: str) -> None:
    assert clean_name(given_name) == cleaned


@given(_HOSTILE)
def test_a_cleaned_name_can_be_printed_on_one_line(text: str) -> None:
    cleaned = clean_name(text)
    assert len(cleaned) <= 255
    assert cleaned == cleaned.strip()
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in cleaned)
    assert cleaned.isspace() is False
    cleaned.encode()


@given(_HOSTILE, _HOSTILE, st.integers(0, 99_999))
def test_keys_hold_nothing_that_a_service_chose_but_the_number(name: str, filename: str, number: int) -> None:
    described = {"attachmentNumber": number, "name": name, "filename": filename, "url": "https://a.example/1"}
    (entry,) = entries([described], 10)
    key = attachment_key("6f0c6f5e-5f6b-4a51-9a55-0c4b5a3c1a11", 3, "keyworker-api", entry.number)
    assert re.fullmatch(r"work/[0-9a-f-]+/3/keyworker-api/attachments/[0-9]{5}", key)
    assert entry.name
    assert entry.filename


@given(st.sets(st.integers(0, 99_999), min_size=2, max_size=30))
def test_attachments_come_in_numeric_order_and_so_do_their_keys(numbers: set[int]) -> None:
    listed = [{"attachmentNumber": number, "url": "https://a.example/1"} for number in numbers]
    found = [entry.number for entry in entries(listed, 30)]
    keys = [attachment_key("id", 1, "service", number) for number in found]
    assert found == sorted(numbers)
    assert keys == sorted(keys)


@pytest.mark.parametrize("service", ["../x", "a/b", "", "a.b", ".", "a" * 65, "é"])
def test_no_key_is_made_of_another_name(service: str) -> None:
    with pytest.raises(ValueError, match="not the name of a service"):
        attachment_key("id", 1, service, 1)


_GOOD = {"attachmentNumber": 1, "name": "n", "contentType": "image/png", "url": "https://a.example/1", "filename": "f"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"attachmentNumber": "1"}, "attachments[1].attachmentNumber"),
        ({"attachmentNumber": True}, "attachments[1].attachmentNumber"),
        ({"attachmentNumber": -1}, "attachments[1].attachmentNumber"),
        ({"attachmentNumber": 100_000}, "attachments[1].attachmentNumber"),
        ({"attachmentNumber": 1.5}, "attachments[1].attachmentNumber"),
        ({"url": None}, "attachments[1].url"),
        ({"url": 7}, "attachments[1].url"),
        ({"name": ["x"]}, "attachments[1].name"),
        ({"filename": {}}, "attachments[1].filename"),
        ({"contentType": "nonsense"}, "attachments[1].contentType"),
        ({"contentType": "text/html\r\nX: y"}, "attachments[1].contentType"),
        ({"filesize": -1}, "attachments[1].filesize"),
        ({"filesize": "10"}, "attachments[1].filesize"),
        ({"headers": {"X": "y"}}, "attachments[1].headers"),
        ({"headers": [{"name": "X"}]}, "attachments[1].headers[0]"),
        ({"headers": [{"name": "Host", "value": "evil"}]}, "attachments[1].headers[0]"),
        ({"headers": [{"name": "X", "value": "a\r\nHost: evil"}]}, "attachments[1].headers[0]"),
        ({"headers": [{"name": "X:", "value": "a"}]}, "attachments[1].headers[0]"),
        ({"attachmentNumber": 0}, "attachments has a number twice"),
    ],
)
def test_a_malformed_entry_is_named_by_its_field(wrong: dict[str, object], field: str) -> None:
    first = _GOOD | {"attachmentNumber": 0}
    with pytest.raises(ServiceError) as raised:
        entries([first, _GOOD | {"attachmentNumber": 5} | wrong], 10)
    assert raised.value.code is Code.ATTACHMENT_LIST
    assert field in str(raised.value)


@pytest.mark.parametrize("listed", [{}, "x", 3, True, [1], [None], [_GOOD] * 11])
def test_a_list_of_another_shape_is_refused(listed: object) -> None:
    with pytest.raises(ServiceError):
        entries(listed, 10)


def test_an_entry_says_neither_its_address_nor_its_headers() -> None:
    (entry,) = entries([_GOOD | {"headers": [{"name": "X-Key", "value": "secret-of-theirs"}]}], 1)
    assert entry.headers == {"x-key": "secret-of-theirs"}
    assert "secret-of-theirs" not in repr(entry)
    assert "a.example" not in repr(entry)
