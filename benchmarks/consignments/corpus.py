"""Files to check: generated ones, and those of a corpus that is at hand."""

import io
import os
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

CORPUS = "WAYBILL_FORMAT_CORPUS"
_SMALL = 200_000
_WORDS = [
    "the",
    "minutes",
    "of",
    "last",
    "meeting",
    "were",
    "read",
    "and",
    "agreed",
    "coal",
    "paper",
    "accounts",
    "committee",
    "letter",
    "record",
]


def generated(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield `count` files of six kinds, of 0.1 to 150 KB."""
    chance = random.Random(11)
    kinds = (_text, _csv, _png, _pdf, _docx, _html)
    for number in range(count):
        extension, content = kinds[number % len(kinds)](chance)
        yield f"{number:05}.{extension}", content


def given() -> list[tuple[str, bytes]]:
    """Return the small files of the folder that the variable names; none without it."""
    place = os.environ.get(CORPUS)
    if not place:
        return []
    files = sorted(path for path in Path(place).rglob("*") if path.is_file())
    named = ((f"{number:05}{path.suffix}", path) for number, path in enumerate(files))
    return [(name, path.read_bytes()) for name, path in named if path.stat().st_size <= _SMALL]


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(_WORDS, k=count))


def _text(chance: random.Random) -> tuple[str, bytes]:
    return "txt", "\n".join(_words(chance, 12) for _ in range(chance.randint(3, 800))).encode()


def _csv(chance: random.Random) -> tuple[str, bytes]:
    rows = (f"{number},{_words(chance, 2)},{chance.random():.3f}" for number in range(chance.randint(5, 2000)))
    return "csv", "\r\n".join(rows).encode()


def _html(chance: random.Random) -> tuple[str, bytes]:
    paragraphs = "".join(f"<p>{_words(chance, 40)}</p>\n" for _ in range(chance.randint(2, 200)))
    return (
        "html",
        f"<!DOCTYPE html>\n<html><head><title>Minutes</title></head><body>{paragraphs}</body></html>".encode(),
    )


def _png(chance: random.Random) -> tuple[str, bytes]:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    side = chance.randint(16, 350)
    rows = b"".join(b"\0" + chance.randbytes(side) for _ in range(side))
    header = struct.pack(">LLBBBBB", side, side, 8, 0, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return "png", b"\x89PNG\r\n\x1a\n" + content


def _pdf(chance: random.Random) -> tuple[str, bytes]:
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    for _ in range(chance.randint(1, 8)):
        for line in range(40):
            canvas.drawString(60, 800 - 18 * line, _words(chance, 10))
        canvas.showPage()
    canvas.save()
    return "pdf", file.getvalue()


def _docx(chance: random.Random) -> tuple[str, bytes]:
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    body = "".join(f"<w:p><w:r><w:t>{_words(chance, 30)}</w:t></w:r></w:p>" for _ in range(chance.randint(5, 400)))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        override = f'<Override PartName="/word/document.xml" ContentType="{kind}"/>'
        archive.writestr("[Content_Types].xml", f'<?xml version="1.0" encoding="UTF-8"?><Types>{override}</Types>')
        archive.writestr("word/document.xml", f"<w:document><w:body>{body}</w:body></w:document>")
    return "docx", file.getvalue()
