"""Sequencers order the events of one key: shorter ones are padded with zeros on the right, then compared as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.replication.models import pad_sequencer

_HEX = st.text("0123456789ABCDEF", min_size=1, max_size=80)


def order(first: str, second: str) -> int:
    """The rule of the S3 user guide, to the letter: 1, 0 or -1."""
    width = max(len(first), len(second))
    ours, theirs = first.upper().ljust(width, "0"), second.upper().ljust(width, "0")
    return (ours > theirs) - (ours < theirs)


@given(_HEX, _HEX)
def test_stored_sequencers_compare_as_s3_orders(first: str, second: str) -> None:
    ours, theirs = pad_sequencer(first), pad_sequencer(second)
    assert (ours > theirs) - (ours < theirs) == order(first, second)


@given(_HEX, st.integers(0, 9))
def test_zeros_at_the_end_and_lower_case_mean_nothing(sequencer: str, zeros: int) -> None:
    assert pad_sequencer(f"{sequencer}{'0' * zeros}") == pad_sequencer(sequencer.lower())


@given(_HEX, _HEX)
def test_a_longer_sequencer_is_never_before_its_own_beginning(sequencer: str, more: str) -> None:
    assert pad_sequencer(sequencer) <= pad_sequencer(sequencer + more)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E500A7"),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6"),
        ("0055AED6DCD90281E5FF", "0055AED6DCD90281E6"),
        ("9", "A"),
        ("00", "01"),
        ("A" * 64, "A" * 64 + "1"),
    ],
)
def test_examples(earlier: str, later: str) -> None:
    assert pad_sequencer(earlier) < pad_sequencer(later)


@pytest.mark.parametrize("sequencer", ["", "0x1", "G", " 1", "１２", "-1", "1\n"])
def test_anything_but_hexadecimal_is_refused(sequencer: str) -> None:
    with pytest.raises(ValueError, match="must be hexadecimal"):
        pad_sequencer(sequencer)
