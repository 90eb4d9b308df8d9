"""What is wrapped takes memory and time within the limits, however few bytes it is made of."""

import bz2
import io
import itertools
import struct
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from waybill.core.containers.models import (
    ContainerBudget,
    ContainerError,
    ContainerLimits,
    ContainerReader,
    UnopenedReason,
)
from waybill.core.containers.web_archive import web_archive_entries
from waybill.core.containers.wrapped import cms_entries, is_open_pgp_message, pgp_entries
from waybill.core.containers.zip_archive import unlisted_entries

ZEROS = bytes(64 << 20)


def raw(content: bytes) -> bytes:
    """Return content packed without a frame (RFC 1951)."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


PACKED: dict[int, Callable[[bytes], bytes]] = {1: raw, 2: zlib.compress, 3: bz2.compress}


def packet(tag: int, body: bytes) -> bytes:
    """Return a packet (RFC 9580, section 4.2.1.3)."""
    return bytes([0xC0 | tag, 255]) + struct.pack(">L", len(body)) + body


def literal(content: bytes) -> bytes:
    """Return a literal packet of a binary without a name and a date (RFC 9580, section 5.9)."""
    return packet(11, b"b\0\0\0\0\0" + content)


def read(reader: ContainerReader, file: bytes, budget: ContainerBudget) -> int:
    """Return how many bytes are in a container."""
    size = 0
    for entry in reader(io.BytesIO(file), budget):
        while plain := entry.read(1 << 20):
            size += len(plain)
    return size


@pytest.mark.parametrize("algorithm", PACKED)
def test_a_few_bytes_that_hold_gigabytes_are_not_unpacked_at_once(algorithm: int) -> None:
    """RFC 9580, section 9.4: ZIP, ZLIB, BZip2. 64 KB of the last hold up to 70 GB."""
    file = packet(8, bytes([algorithm]) + PACKED[algorithm](ZEROS))
    tracemalloc.start()
    assert not is_open_pgp_message(file[:4096])
    with pytest.raises(ContainerError) as raised:
        read(pgp_entries, file, ContainerBudget(ContainerLimits(ratio_free_bytes=8 << 20)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert raised.value.reason in {UnopenedReason.RATIO, UnopenedReason.MEMBER_BYTES, UnopenedReason.BROKEN}
    assert most < 16 << 20


@pytest.mark.parametrize("algorithm", PACKED)
@pytest.mark.parametrize("size", [0, 1, 262_144, 262_145, 3_000_000])
def test_all_that_is_packed_is_read(algorithm: int, size: int) -> None:
    file = packet(8, bytes([algorithm]) + PACKED[algorithm](literal(bytes(size))))
    assert read(pgp_entries, file, ContainerBudget()) == size
    assert is_open_pgp_message(file[:4096])
    cut = PACKED[algorithm](literal(bytes(size)))[:-5]
    with pytest.raises(ContainerError) as raised:
        read(pgp_entries, packet(8, bytes([algorithm]) + cut), ContainerBudget())
    assert raised.value.reason is UnopenedReason.TRUNCATED


@pytest.mark.parametrize("size", [1, 262_144, 3_000_000])
def test_all_that_a_server_has_packed_without_a_frame_is_read(size: int) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + raw(bytes(size))
    head = f"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
    assert read(web_archive_entries, head + answer + b"\r\n\r\n", ContainerBudget()) == size


SIGNED, DATA = bytes.fromhex("06092a864886f70d010702"), bytes.fromhex("06092a864886f70d010701")
MANY = {
    "parts of a string of octets": (
        cms_entries,
        b"\x30\x80" + SIGNED + b"\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80" + DATA + b"\xa0\x80\x24\x80",
        b"\x04\x00",
    ),
    "packets": (pgp_entries, b"", b"\xd5\x00"),
    "parts of a packet": (pgp_entries, b"\xcb", b"\xe0b"),
    "empty lines between records": (web_archive_entries, b"WARC/1.0\r\nContent-Length: 0\r\n\r\n", b"\n"),
}


@pytest.mark.parametrize("name", MANY)
def test_time_ends_what_is_made_of_many_small_pieces(name: str) -> None:
    reader, begin, piece = MANY[name]
    ticks = itertools.count()
    budget = ContainerBudget(ContainerLimits(seconds=100), clock=lambda: float(next(ticks)))
    with pytest.raises(ContainerError) as raised:
        read(reader, begin + piece * 100_000, budget)
    assert raised.value.reason is UnopenedReason.TIME
    # A look at the clock for each piece, and none behind the end.
    assert next(ticks) < 200


def test_of_a_header_no_more_is_kept_than_what_is_read() -> None:
    fields = b"".join(b"x-%d: %s\r\n" % (number, b"x" * 100_000) for number in range(200))
    file = b"WARC/1.0\r\n" + fields + b"WARC-Type: resource\r\nContent-Length: 3\r\n\r\nabc"
    tracemalloc.start()
    assert read(web_archive_entries, file, ContainerBudget()) == 3
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # BytesIO makes no copy of its own.
    assert most < 2_000_000


class CountedFile(io.BytesIO):
    """A file that knows how many bytes of it were read."""

    total = 0

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self.total += len(content)
        return content


def listed(members: int, apart: int) -> bytes:
    """Return a directory of members that are not there (APPNOTE 4.3.12 and 4.3.16), `apart` from each other."""
    entry = struct.Struct("<4s6H3L5H2L")
    entries = b"".join(
        entry.pack(b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, apart * number) + b"a"
        for number in range(1, members + 1)
    )
    content = bytes(apart * (members + 1))
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, members, members, len(entries), len(content), 0)
    return content + entries + end


def test_gaps_of_a_directory_are_read_once_and_not_each_to_the_end() -> None:
    file = CountedFile(listed(500, 1_000))
    assert list(unlisted_entries(file, ContainerBudget())) == []
    # Once the directory, which the library reads by itself, and once what lies between members.
    assert file.total < 2 * len(file.getvalue())


def test_headers_that_begin_no_member_take_no_longer_than_there_is_time() -> None:
    """APPNOTE 4.4.5: no method has the number 999."""
    header = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 999, 0, 0, 0, 0, 0, 0, 0)
    ticks = itertools.count()
    budget = ContainerBudget(ContainerLimits(seconds=10), clock=lambda: next(ticks))
    with pytest.raises(ContainerError) as refused:
        list(unlisted_entries(io.BytesIO(header * 100 + listed(1, 30)), budget))
    assert refused.value.reason is UnopenedReason.TIME
