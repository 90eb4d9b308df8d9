"""The one pass: checksum, size, and what counts as empty."""

import hashlib
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.consignments.domain.checks.blocks import Blocks
from waybill.consignments.domain.checks.digest import CopyDigest, DigestBuilder, digested
from waybill.consignments.domain.checks.models import Digest


def passed(content: bytes, cuts: list[int] | None = None) -> Digest:
    builder = DigestBuilder()
    places = [0, *sorted(min(cut, len(content)) for cut in cuts or []), len(content)]
    for start, end in itertools.pairwise(places):
        builder.feed(content[start:end])
    return builder.digest()


@pytest.mark.parametrize(
    ("content", "sha256"),
    [
        (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"\xef\xbb\xbf\r\n", "f01a374e9c81e3db89b3a42940c4d6a5447684986a1296e42bf13f196eed6295"),
        (b"\xef\xbb\xbf", "f1945cd6c19e56b3c1c78943ef5ec18116907a4ca1efc40a57d48ab1db7adfc5"),
    ],
    ids=["no bytes", "mark and line end", "mark alone"],
)
def test_the_known_empty_files_are_blank(content: bytes, sha256: str) -> None:
    assert passed(content) == Digest(sha256, len(content), blank=True)


@pytest.mark.parametrize(
    "content",
    [b" ", b" \t\r\n\x0b\x0c" * 1000, "﻿ \r\n".encode("utf-16-le"), "﻿\n\n".encode("utf-16-be"), "﻿ ".encode("utf-32-le")],
    ids=["a blank", "white space", "UTF-16 LE", "UTF-16 BE", "UTF-32"],
)
def test_nothing_but_marks_and_white_space_is_blank(content: bytes) -> None:
    assert passed(content).blank


@pytest.mark.parametrize(
    "content",
    [b"a", b"  x  ", bytes(10), b"\xef\xbb\xbfa", "﻿a".encode("utf-16-le"), b"\xef\xbb", b" " * 5000 + b"."],
    ids=["a letter", "within blanks", "zeros", "mark and a letter", "UTF-16", "half a mark", "late"],
)
def test_anything_else_is_not(content: bytes) -> None:
    assert not passed(content).blank


@given(
    st.lists(st.sampled_from([b"\xef\xbb\xbf", b"\xff\xfe", b" ", b"\0", b"\n", b"x"]), max_size=8),
    st.lists(st.integers(0, 20)),
)
def test_where_the_chunks_are_cut_changes_nothing(parts: list[bytes], cuts: list[int]) -> None:
    content = b"".join(parts)
    assert passed(content, cuts) == passed(content)
    assert passed(content).sha256 == hashlib.sha256(content).hexdigest()


@given(st.data())
def test_whatever_fits_into_the_overlap_stands_whole_in_a_block(data: st.DataObject) -> None:
    content = data.draw(st.binary(min_size=1, max_size=300))
    size = data.draw(st.integers(2, 60))
    overlap = data.draw(st.integers(0, size - 1))
    cutter = Blocks(size, overlap)
    blocks: list[bytes] = []
    rest = content
    while rest:
        cut = data.draw(st.integers(1, len(rest)))
        blocks += map(b"".join, cutter.feed(rest[:cut]))
        rest = rest[cut:]
    blocks += map(b"".join, cutter.rest())
    assert all(len(block) <= size for block in blocks)
    assert blocks[0] + b"".join(block[overlap:] for block in blocks[1:]) == content
    for start in range(len(content) - overlap):
        assert any(content[start : start + overlap + 1] in block for block in blocks)


def test_an_overlap_as_long_as_a_block_would_never_end() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Blocks(10, 10)


@pytest.mark.parametrize("pieces", [0, 1, 2, 30])
def test_what_is_hashed_beside_is_whole_at_the_end_and_passes_in_order(pieces: int) -> None:
    content = [bytes([number]) * 5000 for number in range(pieces)]
    builder = DigestBuilder()
    assert list(digested(content, builder)) == content
    assert builder.digest().sha256 == hashlib.sha256(b"".join(content)).hexdigest()


# The last of more pieces than are kept in memory, so that some are read from the copy.
@pytest.mark.parametrize(("pieces", "length"), [(0, 0), (1, 700_000), (2, 700_000), (5, 700_000), (200, 49_999)])
def test_a_copy_is_hashed_behind_its_writer(tmp_path: Path, pieces: int, length: int) -> None:
    content = [bytes([number + 48]) * length for number in range(pieces)]
    copy = tmp_path / "copy"
    with copy.open("wb", buffering=0) as file:
        # Its length is told first, as that of copies is: what is not written yet reads as zeros, and is not hashed.
        file.truncate(10_000_000)
        found = CopyDigest(copy)
        for piece in content:
            file.write(piece)
            found.wrote(piece)
        file.truncate(file.tell())
    found.end()
    whole = b"".join(content)
    assert found.result() == Digest(hashlib.sha256(whole).hexdigest(), len(whole), blank=not whole)
    found.close()


def test_a_copy_that_is_given_up_is_hashed_no_further(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(b"half")
    found = CopyDigest(copy)
    found.wrote(b"half")
    # Its end never comes.
    found.close()
    assert found.result().size <= 4
