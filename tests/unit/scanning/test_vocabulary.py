"""Words of a text that detectors are asked for: none is missed, whatever it stands in."""

from hypothesis import given
from hypothesis import strategies as st

from waybill.scanning.domain.detection import vocabulary
from waybill.scanning.domain.detection.gates import HyperscanGate
from waybill.scanning.domain.detection.vocabulary import Vocabulary

PARTS = {b"card": 1, b"pan": 2, b"driver's": 4, b"s.s.n.": 8, b"cf": 16, b"\xd0": 32}


@given(
    st.lists(
        st.sampled_from([*PARTS, b"Card", b"x", b"company", b"-", b" ", b"\n", b"q" * 70, b"\xe9", "егн".encode()])
    )
)
def test_whatever_word_is_in_a_text_has_its_bits(parts: list[bytes]) -> None:
    text, known = b"".join(parts), Vocabulary(PARTS)
    bits = known.bits(text)
    found = HyperscanGate(["x"]).words(known.letters)(text)
    for part, bit in PARTS.items():
        assert bits & bit or part not in text.lower()
        assert (found | known.wordless(text)) & bit or part not in text.lower()


def test_what_is_no_word_of_ascii_is_in_no_text_of_it() -> None:
    known = Vocabulary(PARTS)
    assert (known.bits("ЕГН".encode()), known.bits(b"EGN")) == (8 | 32, 8)


def test_what_is_in_no_word_has_none() -> None:
    known = Vocabulary(PARTS)
    for _ in range(2):
        assert known.bits(b"2025-11-21 INFO companion [c0ffee] car d") == 2 | 8
        assert known.bits(b"nothing") == 8


def test_so_many_words_are_kept_and_no_more() -> None:
    known = Vocabulary(PARTS)
    letters = b"bdeghijklmnoqtuvwxyz"
    words = [bytes([first, second, third, 0x62]) for first in letters for second in letters for third in letters]
    for word in words * 2:
        assert known.bits(word) == 8
    assert len(known._of) + len(known._of.silent) <= vocabulary._KEPT
    assert known.bits(b"a card") == 9
