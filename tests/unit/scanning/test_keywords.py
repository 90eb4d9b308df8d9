"""Keywords are found where their definition says, in either case, whatever stands around them."""

import re
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from waybill.scanning.domain.detection.keywords import Keywords

WORDS = ["pan", "fed", "card number", "driver's_license", "phone"]
# As rules.py defines them: in either case; short ones are whole words, or stand behind an escape; a joint may miss.
DEFINED = re.compile(
    rb"(?i)(?:(?<![A-Za-z0-9])|(?<=\\[nrtbfv])|(?<=%[0-9A-Fa-f]{2}))(?:pan(?![A-Za-z])|fed(?![A-Za-z0-9]))"
    rb"|card[ ._-]?number|driver's[ ._-]?license|phone"
)
PARTS = [
    *chain.from_iterable((word, word.upper(), word.title(), word.replace(" ", "_")) for word in WORDS),
    *("cardnumber", "\\n", "\\N", "%20", "%zz", "x", "7", "-", " ", "\n", "é"),
]


@given(parts=st.lists(st.sampled_from(PARTS), max_size=12), reach=st.tuples(st.integers(0, 40), st.integers(0, 90)))
def test_they_stand_where_their_definition_says(parts: list[str], reach: tuple[int, int]) -> None:
    text, known = "".join(parts).encode(), Keywords(WORDS)
    defined = [found.span() for found in DEFINED.finditer(text, *reach)]
    assert [*known.spans(text, *reach)] == defined
    assert known.are_in(text) == (DEFINED.search(text) is not None)


def test_a_first_letter_may_be_written_in_every_way() -> None:
    """Unicode Standard Annex 15 (letters in parts); DIN 5007-2 (umlauts as two letters); ISO/IEC 8859-1."""
    known = Keywords(["über", "егн"])
    for written in ("über", "ÜBER", "ueber", "UEBER", "uber", "u\u0308ber", "ЕГН", "егн", "Егн"):
        assert known.are_in(f"1{written}2".encode()), written
    assert known.are_in("Über".encode("latin-1"))
    assert not known.are_in(b"ober")
