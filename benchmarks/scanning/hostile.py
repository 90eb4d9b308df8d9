"""Hostile objects of 1 MB: each of a kind that is dear for a careless reader."""

import base64
import io
import random
import zipfile
from collections.abc import Callable

SIZE = 1 << 20


def _again(part: bytes, size: int = SIZE) -> bytes:
    return part * (size // len(part) + 1)


def _each(part: Callable[[int], bytes]) -> bytes:
    parts, size = list[bytes](), 0
    while size < SIZE:
        parts.append(part(len(parts)))
        size += len(parts[-1])
    return b"".join(parts)


def _small_members() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(8000):
            archive.writestr(f"{number}.csv", b"ssn,a,b,c\n1,2,3,4\n")
    return file.getvalue()


def hostile_objects() -> dict[str, bytes]:
    """Return objects of 1 MB or so, by what is dear in them."""
    chance = random.Random(11)
    pairs = [bytes(pair) for pair in zip(*(chance.choices(range(97, 123), k=600) for _ in range(2)), strict=True)]
    rows = b"ssn is 219456789, card 4539 2147 1274 6634; "
    return {
        "COPY, empty names": _again(b"COPY t (" + b"," * 4090 + b") FROM stdin;\n"),
        "COPY, other names each": _each(
            lambda number: b"COPY t (%b) FROM stdin;\n" % b",".join(b"n%d" % (500 * number + at) for at in range(500))
        ),
        "COPY, rows of passwords": b"COPY t (a,password) FROM stdin;\n" + _each(lambda n: b"x\tXk29vTq%dz!\n" % n),
        "INSERT, one statement of passwords": b"INSERT INTO t (a,password) VALUES"
        + _each(lambda number: b"\n('x','Xk29vTq%dz!')," % number),
        "INSERT, a list of names each": _each(
            lambda number: b"INSERT INTO t (a%d,password) VALUES ('x','Xk29vTq81z!');\n" % number
        ),
        "INSERT, long lists": _each(
            lambda _: b"INSERT INTO t (%b) VALUES (1);\n" % b",".join(chance.sample(pairs, 600))
        ),
        "INSERT, strings without an end": _again(b"INSERT INTO t (password) VALUES ('"),
        "INSERT ALL of Oracle": _again(b"INSERT ALL INTO t (password) VALUES ('x') INTO t (password) VALUES ('y')\n"),
        "a million columns": _again(b"ssn,", SIZE // 2) + b"\n" + _again(b"219456789,", SIZE // 2),
        "CSV, quotes over lines": b"name,ssn,password\n" + _again(b'"\n219456789\n'),
        "JSON, deep": b'{"password":' * (SIZE // 12),
        "JSON, a key of 64 kB": _again(b'{"' + b"password_" * 7000 + b'":"Xk29vTq81z!"}\n'),
        "JSON, lone surrogates": _again(b'"\\ud800\\udc00\\ud800":"\\udfff",'),
        "XML, entities of entities": b"<!DOCTYPE a ["
        + _each(lambda n: b'<!ENTITY e%d "&e%d;&e%d;">' % (n, n - 1, n - 1)),
        "XML, namespaces": _again(b'<a:b xmlns:a="urn:x" xmlns:c="urn:y" password="x">'),
        "XML, elements in elements": _again(b"<card>4539214712746634"),
        "YAML, anchors": _each(lambda number: b"a%d: &a%d [*a%d, *a%d]\n" % (number, number, number - 1, number - 1)),
        "YAML, lists in lists": _each(lambda number: b" " * (2 * (number % 500)) + b"- password:\n"),
        "MIME, boundaries": b"Content-Type: multipart/mixed; boundary=a\nFrom: a@b.org\n\n" + _again(b"--a\n"),
        "percent in percent": _again(b"%25" * 40 + b"34539214712746634 "),
        "digits of digits": _again(rows.hex().encode().hex().encode().hex().encode() + b"\n"),
        "base64 of base64": _again(base64.b64encode(base64.b64encode(base64.b64encode(rows))) + b"\n"),
        "base64 over lines": base64.encodebytes(_again(rows, SIZE * 3 // 4)),
        "base64 in one line": base64.b64encode(_again(rows, SIZE * 3 // 4)),
        "words in one line": _again(b"card ssn iban password secret token phone passport "),
        "addresses outside of ASCII": _each(lambda number: f"jörg{number}@müller{number}-bau.de\n".encode()),
        "UTF-16, both orders": b"\xff\xfe" + _again("card 4539214712746634\n".encode("utf-16-le") + b"\0c\0a\0r\0d\0 "),
        "UTF-16, surrogates": b"\xff\xfe" + _again(b"\x00\xd8"),
        "ZIP, small members": _small_members(),
        "PDF, streams without an end": b"%PDF-1.4\n" + _again(b"1 0 obj<</Length 10>>stream\n"),
        "RTF, groups": b"{\\rtf1 " + _again(b"{\\object\\objdata "),
    }
