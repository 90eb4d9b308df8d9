"""Labels above a value: Amazon Macie, "Keyword requirements"."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.scanning.conftest import Scan
from waybill.scanning.domain.detection.keywords import Keywords
from waybill.scanning.domain.detection.labels import Labels

NUMBER = "219456789"


@pytest.mark.parametrize(
    "text",
    [
        f"SSN:\n{NUMBER}\n",
        f"SSN:\n\n{NUMBER}\n",
        f"Social security number\n{NUMBER}\n",
        f'{{"ssn":\n "{NUMBER}"}}',
        f"<SSN>\n{NUMBER}\n</SSN>",
        f'<person>\n  <ssn kind="x">\n    <value>{NUMBER}</value>\n  </ssn>\n</person>',
        f'{{"ssn": {{"type": "x",\n    "value": "{NUMBER}"}}}}',
        f'{{\n  "ssn": {{\n    "kind": "x",\n    "value": "{NUMBER}"\n  }}\n}}',
        f"person:\n  ssn:\n    value: {NUMBER}\n",
        f"ssn:\n- 219456781\n- {NUMBER}\n",
        f"ssn:\n  - 219456781\n  - 219456782\n  - {NUMBER}\n",
        f"Quarter 4\nname,ssn\nbob,{NUMBER}\n",
        f"# made by hand\nname,ssn\nbob,{NUMBER}\n",
        f'"last, first",ssn\n"a, b",{NUMBER}\n',
        f'name,ssn\n"bob\nsmith",{NUMBER}\n',
        f"Our people:\nname\tssn\nann\tnone\nbob\t{NUMBER}\n",
        f"[ssn]\nvalue = {NUMBER}\n",
        f"[person.ssn]\n; by hand\nkind = x\n\nvalue={NUMBER}\n",
        f'x = 1\n[[people."ssn"]] # TOML\nkind = "x"\n  number = "{NUMBER}"\n',
        f"<table>\n<tr>\n<th>Name</th>\n<th>SSN</th>\n</tr>\n<tr>\n<td>Bob</td>\n<td>{NUMBER}</td>\n</tr>\n</table>",
    ],
)
def test_a_value_belongs_to_the_label_above_it(scan: Scan, text: str) -> None:
    found = [finding for finding in scan(text.encode()).findings if finding.detector == "US_SSN"]
    assert text.encode()[found[-1].byte_offset :].startswith(NUMBER.encode())


@pytest.mark.parametrize(
    "text",
    [
        f"invoice,ssn\n{NUMBER},\n",
        f"Our people:\ninvoice\tssn\n{NUMBER}\tnone\n",
        f"<table>\n<tr>\n<th>No.</th>\n<th>SSN</th>\n</tr>\n<tr>\n<td>{NUMBER}</td>\n<td>x</td>\n</tr>\n</table>",
        f"ssn:\n\n\n\n{NUMBER}\n",
        f"[ssn]\nkind = x\n[invoice]\nvalue = {NUMBER}\n",
        f"[ssn]\nkind = x\n\nThe invoice of last week is {NUMBER} and it is paid\n",
        "ssn: none\n" + "a: 1\n" * 9 + f"b: {NUMBER}\n",
        f"ssn:\ninvoice: {NUMBER}\n",
        f"person:\n  ssn:\n    kind: x\n  invoice: {NUMBER}\n",
        f"we never ask for the ssn of anybody here\n{NUMBER}\n",
        f'{{"ssn": "x",\n "invoice": {NUMBER}}}',
    ],
)
def test_a_number_elsewhere_is_none(scan: Scan, text: str) -> None:
    assert not scan(text.encode()).findings


PARTS = [
    "ssn\t",
    "a\t",
    "\t",
    "1",
    "    ",
    "  ",
    "- ",
    "ssn:",
    "key:",
    "\n",
    "\n\n",
    "[ssn]\n",
    "[x]\n",
    "a = ",
    '{"ssn": {',
    "}",
]
PARTS += ["<table><th>ssn</th>", "<tr><td>", "\x1c\n", "x" * 700, "</table>", '"name": ']


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(st.sampled_from(PARTS), max_size=60))
def test_what_was_read_before_says_what_reading_it_again_would_say(parts: list[str]) -> None:
    text = "".join(parts).encode()
    keywords, kept = Keywords(["ssn"]), Labels(text)
    for line in re.finditer(rb"[^\n]*\n?", text):
        for at in range(line.start(), line.end(), 3):
            asked = line.start(), at, keywords
            assert kept.stand_above(*asked) == Labels(text).stand_above(*asked), at


@pytest.mark.parametrize(
    "text",
    [
        b"ssn\tname\n" + b"219456789\tann\n" * 3000,
        b"<table><tr><th>ssn</th></tr>\n" + b"<tr><td>219456789</td></tr>\n" * 60,
    ],
)
def test_a_table_is_read_once(text: bytes) -> None:
    read: list[int] = []

    class Text(bytes):
        def __getitem__(self, key: object) -> object:  # type: ignore[override]
            found = bytes.__getitem__(self, key)  # type: ignore[index]
            read.append(len(found) if isinstance(found, bytes) else 1)
            return found

    labels, keywords = Labels(Text(text)), Keywords(["ssn"])
    places = [value.start() for value in re.finditer(rb"\d{9}", text)]
    found = [labels.stand_above(text.rfind(b"\n", 0, at) + 1, at, keywords) for at in places]
    assert found.count(True) >= 60
    assert sum(read) <= 4 * len(text)
