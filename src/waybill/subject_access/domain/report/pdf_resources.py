"""Leaves each page of an attached PDF what it draws with, and nothing that other pages alone draw with.

Many programs give all pages of a document one list of resources (ISO 32000-1, 7.8.3). Where a page is taken out, its
pictures would stay in the file, listed by a page that stays and shows none of them.
"""

import re
from collections.abc import Iterator

import pikepdf
from pikepdf import Dictionary, Name, Object, Stream

from waybill.subject_access.domain.report.pdf_streams import is_of_a_page

# Names as they stand in what draws a page (ISO 32000-1, 7.3.5), and, which does no harm, what looks like one.
_NAME = re.compile(rb"/([^\x00\t\n\f\r ()<>\[\]{}/%]*)")
_NUMBERED = re.compile(rb"#([0-9A-Fa-f]{2})")


def without_unused_resources(pdf: pikepdf.Pdf) -> None:
    """Take resources that it does not name from each page, and from each form and pattern that it is made of."""
    for page in pdf.pages:
        resources = page.resources
        # Forms of before PDF 1.2 may use what their page lists.
        if all("/Resources" in form for form in _forms(resources)):
            page.obj.Resources = _used(resources, _content(page))
    for found in pdf.objects:
        if isinstance(found, Stream) and isinstance(found.get("/Resources"), Dictionary) and _draws(found):
            found.Resources = _used(found.Resources, [found])


def _draws(stream: Stream) -> bool:
    return stream.get("/Subtype") == Name.Form or stream.get("/PatternType") == 1


def _forms(resources: Object) -> Iterator[Object]:
    listed = resources.get("/XObject")
    for _, one in listed.items() if isinstance(listed, Dictionary) else ():
        if isinstance(one, Stream) and one.get("/Subtype") == Name.Form:
            yield one


def _content(page: pikepdf.Page) -> list[Object]:
    content = page.obj.get("/Contents")
    return list(content) if isinstance(content, pikepdf.Array) else [content] if content is not None else []


def _used(resources: Object, content: list[Object]) -> Object:
    streams = [one for one in content if isinstance(one, Stream)]
    # What is too large to be read keeps what it has.
    if not all(map(is_of_a_page, streams)):
        return resources
    named = {name for one in streams for name in _names(one.read_bytes())}
    return Dictionary({kind: _named(listed, named) for kind, listed in resources.items()})


def _named(listed: Object, named: set[str]) -> Object:
    if not isinstance(listed, Dictionary):
        return listed
    # Names that are not ASCII may be written in several ways.
    return Dictionary({name: one for name, one in listed.items() if name in named or not name.isascii()})


def _names(content: bytes) -> Iterator[str]:
    for found in _NAME.finditer(content):
        plain = _NUMBERED.sub(lambda number: bytes([int(number[1], 16)]), found[1])
        yield "/" + plain.decode("utf-8", "replace")
