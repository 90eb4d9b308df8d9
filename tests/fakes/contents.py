"""Files of many kinds, made when they are needed: what is malware, encrypted or broken lies in no folder."""

import io
import secrets
import struct
import zipfile
import zlib

import pikepdf

from waybill.consignments.domain.checks.self_test import eicar  # noqa: F401 - one of the contents

_FREE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_CRC_TABLE = [0] * 256
for _byte in range(256):
    _value = _byte
    for _ in range(8):
        _value = _value >> 1 ^ (0xEDB88320 if _value & 1 else 0)
    _CRC_TABLE[_byte] = _value


def pdf(*, password: str | None = None, owner: str | None = None) -> bytes:
    """Return a PDF of one empty page, encrypted if there is a password to open it or one of the owner."""
    file = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        if password is None and owner is None:
            document.save(file)
        else:
            document.save(file, encryption=pikepdf.Encryption(user=password or "", owner=owner or "owner"))
    return file.getvalue()


def pdf_that_mentions_encryption(text: bytes = b"the key /Encrypt of a trailer") -> bytes:
    """Return a PDF whose text, but not its structure, has `text`."""
    file = io.BytesIO()
    with pikepdf.new() as document:
        page = document.add_blank_page()
        page.Contents = document.make_stream(b"BT (%b) Tj ET" % text)
        document.save(file, compress_streams=False)
    return file.getvalue()


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return file.getvalue()


def docx() -> bytes:
    """Return what PRONOM's container signature takes for a Word document."""
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    types = f'<Types><Override PartName="/word/document.xml" ContentType="{kind}"/></Types>'
    return zipped({"[Content_Types].xml": types.encode(), "word/document.xml": b"<w:document/>"})


def encrypted_odt() -> bytes:
    """Return a text document with a password (OpenDocument 1.3, part 2, section 3.4): all members but two are noise."""
    kind = "application/vnd.oasis.opendocument.text"
    space = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    manifest = (
        f'<manifest:manifest xmlns:manifest="{space}" manifest:version="1.3">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">'
        '<manifest:encryption-data manifest:checksum="x"/></manifest:file-entry></manifest:manifest>'
    )
    noise = bytes(range(256))
    return zipped({"mimetype": kind.encode(), "content.xml": noise, "META-INF/manifest.xml": manifest.encode()})


def encrypted_zip(name: str, content: bytes, password: bytes) -> bytes:
    """Return a ZIP archive whose one member is encrypted (APPNOTE 6.3.10, section 6.1)."""
    cipher = _ZipCipher(password)
    crc = zlib.crc32(content)
    body = cipher.encrypt(secrets.token_bytes(11) + bytes([crc >> 24]) + content)
    encoded = name.encode()
    common = struct.pack("<HHHHHLLLHH", 20, 1, 0, 0, 33, crc, len(body), len(content), len(encoded), 0)
    local = b"PK\x03\x04" + common + encoded + body
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHLL", 0, 0, 0, 0, 0) + encoded
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 1, 1, len(entry), len(local), 0)
    return local + entry + end


class _ZipCipher:
    def __init__(self, password: bytes) -> None:
        self._keys = [0x12345678, 0x23456789, 0x34567890]
        for byte in password:
            self._update(byte)

    def encrypt(self, plain: bytes) -> bytes:
        out = bytearray()
        for byte in plain:
            temporary = self._keys[2] & 0xFFFF | 2
            out.append(byte ^ (temporary * (temporary ^ 1) >> 8 & 0xFF))
            self._update(byte)
        return bytes(out)

    def _update(self, byte: int) -> None:
        first, second, third = self._keys
        first = first >> 8 ^ _CRC_TABLE[(first ^ byte) & 0xFF]
        second = ((second + (first & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        third = third >> 8 ^ _CRC_TABLE[(third ^ second >> 24) & 0xFF]
        self._keys = [first, second, third]


def zip_of_declared_size(unpacked: int, packed: int, members: int = 1) -> bytes:
    """Return an archive's directory whose members say these sizes, as a bomb's do."""
    name = b"a"
    entry = b"PK\x01\x02" + struct.pack(
        "<HHHHHHLLLHHHHHLL", 20, 20, 0, 8, 0, 33, 0, packed, unpacked, len(name), 0, 0, 0, 0, 0, 0
    )
    directory = (entry + name) * members
    count = min(members, 0xFFFF)
    return b"PK\x03\x04" + directory + b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, count, count, len(directory), 4, 0)


def ole2(*streams: str, ring: bool = False) -> bytes:
    """Return an OLE2 compound file with `streams` of 4,096 bytes each ([MS-CFB]); `ring`: its directory has no end."""
    per_stream = 8  # sectors; smaller streams would need the mini stream
    directory_sectors = -(-(len(streams) + 1) // 4)
    first_stream = 1 + directory_sectors
    table = [_TABLE, *range(2, first_stream), _END]
    if ring:
        table[-1] = 1
    for number in range(len(streams)):
        start = first_stream + number * per_stream
        table += [*range(start + 1, start + per_stream), _END]
    table += [_FREE] * (128 - len(table))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xLLLLLLLLL", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, _END, 0, _END, 0)
    header += struct.pack("<109L", 0, *[_FREE] * 108)
    entries = _ole2_entry("Root Entry", 5, _END, 0, child=1 if streams else _FREE)
    for number, name in enumerate(streams):
        right = number + 2 if number + 1 < len(streams) else _FREE
        entries += _ole2_entry(name, 2, first_stream + number * per_stream, per_stream * 512, right=right)
    entries = entries.ljust(directory_sectors * 512, b"\0")
    return header + struct.pack("<128L", *table) + entries + bytes(len(streams) * per_stream * 512)


def _ole2_entry(name: str, kind: int, start: int, size: int, *, child: int = _FREE, right: int = _FREE) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    links = struct.pack("<LLL", _FREE, right, child)
    return (
        encoded.ljust(64, b"\0")
        + struct.pack("<HBB", len(encoded), kind, 1)
        + links
        + bytes(36)
        + struct.pack("<LQ", start, size)
    )


def pdf_that_unpacks_to(size: int) -> bytes:
    """A small PDF that says that it is encrypted, whose table of objects unpacks to `size` bytes."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(min(1 << 20, size - done))) for done in range(0, size, 1 << 20))
    packed += packer.flush()
    table = b"<</Type/XRef/Size 3/W[1 2 1]/Root 2 0 R/Encrypt 9 0 R/Filter/FlateDecode/Length %d>>" % len(packed)
    head = b"%PDF-1.5\n"
    body = b"1 0 obj\n" + table + b"\nstream\n" + packed + b"\nendstream\nendobj\n"
    return head + body + b"startxref\n%d\n%%%%EOF\n" % len(head)


def compound(streams: dict[str, bytes]) -> bytes:
    """Return a compound file with these streams ([MS-CFB], version 3); those below 4,096 bytes lie in small sectors.

    One whose name is `storage/stream` lies in a storage of the root.
    """
    links, storages = _compound_links(list(streams))
    small = b"".join(
        content.ljust(-(-len(content) // 64) * 64, b"\0") for content in streams.values() if _is_small(content)
    )
    small_table = _small_chains([content for content in streams.values() if _is_small(content)])
    large = [content for content in streams.values() if not _is_small(content)]
    directory_sectors = -(-(len(streams) + len(storages) + 1) // 4)
    parts = [b"", b"".ljust(directory_sectors * 512), struct.pack(f"<{len(small_table)}L", *small_table), small, *large]
    table_sectors = 1
    while True:
        counts = [table_sectors, *(-(-len(part) // 512) for part in parts[1:])]
        if -(-sum(counts) // 128) <= table_sectors:
            break
        table_sectors += 1
    starts = [sum(counts[:number]) for number in range(len(counts))]
    table = [_TABLE] * table_sectors
    for start, count in zip(starts[1:], counts[1:], strict=True):
        table += [*range(start + 1, start + count), _END] if count else []
    table += [_FREE] * (table_sectors * 128 - len(table))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    small_start = starts[2] if small else _END
    header += struct.pack(
        "<HHHHH6xLLLLLLLLL",
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        0,
        table_sectors,
        starts[1],
        0,
        4096,
        small_start,
        counts[2],
        _END,
        0,
    )
    header += struct.pack("<109L", *range(table_sectors), *[_FREE] * (109 - table_sectors))
    entries = _ole2_entry("Root Entry", 5, starts[3] if small else _END, len(small), child=1 if streams else _FREE)
    large_starts, place = iter(starts[4:]), 0
    for number, (path, content) in enumerate(streams.items(), start=1):
        name, right = path.rpartition("/")[2], links[number]
        if _is_small(content):
            entries += _ole2_entry(name, 2, place if content else _END, len(content), right=right)
            place += -(-len(content) // 64)
        else:
            entries += _ole2_entry(name, 2, next(large_starts), len(content), right=right)
    for number, (name, child) in enumerate(storages.items(), start=len(streams) + 1):
        entries += _ole2_entry(name, 1, 0, 0, child=child, right=links[number])
    body = b"".join(part.ljust(-(-len(part) // 512) * 512, b"\0") for part in (*(parts[2:]),))
    return header + struct.pack(f"<{len(table)}L", *table) + entries.ljust(directory_sectors * 512, b"\0") + body


def _compound_links(paths: list[str]) -> tuple[dict[int, int], dict[str, int]]:
    """Return the next sibling of each entry, streams first, and the first child of each storage."""
    inside: dict[str, list[int]] = {}
    for number, path in enumerate(paths, start=1):
        inside.setdefault(path.rpartition("/")[0], []).append(number)
    storages = {name: numbers[0] for name, numbers in inside.items() if name}
    root = [*inside.get("", []), *range(len(paths) + 1, len(paths) + len(storages) + 1)]
    links = {}
    for siblings in (root, *(numbers for name, numbers in inside.items() if name)):
        links |= dict(zip(siblings, [*siblings[1:], _FREE], strict=True))
    return links, storages


def _is_small(content: bytes) -> bool:
    return len(content) < 4096


def _small_chains(pieces: list[bytes]) -> list[int]:
    table: list[int] = []
    for piece in pieces:
        count = -(-len(piece) // 64)
        table += [*range(len(table) + 1, len(table) + count), _END] if count else []
    return table + [_FREE] * (-len(table) % 128)
