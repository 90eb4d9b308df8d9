"""Attached PDFs: made safe to copy from, and their pages set on pages of the report.

Only what a page shows is taken over: no scripts, no actions, no embedded files. Annotations and what people filled into
forms become part of the page.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pikepdf

from waybill.subject_access.domain.report.pdf_resources import without_unused_resources
from waybill.subject_access.domain.report.pdf_streams import UnreadablePdf, check_size
from waybill.subject_access.domain.report.sheets import BOTTOM, LANDSCAPE, LEFT, PORTRAIT, RIGHT, TOP, Size

MOST_PAGES: Final = 5_000
# Files that are open at the same time while pages are copied.
_OPEN: Final = 100
_PLACED: Final = pikepdf.Name("/Attached")


@dataclass(frozen=True)
class CleanPdf:
    """A PDF that can be copied from, the page of the report that suits each of its pages, and which may have text."""

    path: Path
    sizes: Sequence[Size]
    texts: Sequence[bool]


@dataclass(frozen=True)
class Placement:
    """Puts `source_page` of `source` on page `page` of a part, both counted from 0, marked with a number."""

    page: int
    source: Path
    source_page: int
    mark: int


def cleaned(path: Path, copy: Path) -> CleanPdf:
    """Write what the pages of `path` show to `copy`.

    Raises
    ------
    UnreadablePdf
        The file is damaged, has a password, no pages, or too many.
    """
    try:
        with pikepdf.open(path, suppress_warnings=True) as pdf:
            if not 0 < len(pdf.pages) <= MOST_PAGES:
                raise UnreadablePdf("it has no pages" if not pdf.pages else f"it has more than {MOST_PAGES:,} pages")
            pdf.generate_appearance_streams()
            pdf.flatten_annotations("all")
            sizes = [_sheet(page) for page in pdf.pages]
            texts = [_may_have_text(page) for page in pdf.pages]
            for page in pdf.pages:
                check_size(page)
                page.contents_coalesce()
                page.as_form_xobject().read_bytes()  # what is read here does not fail when it is placed
            _without_all_but_pages(pdf)
            without_unused_resources(pdf)
            pdf.save(copy, encryption=False)
    except pikepdf.PasswordError as error:
        raise UnreadablePdf("it is protected by a password") from error
    except UnreadablePdf:
        raise
    # Damaged objects come up as whatever they are used for: the wrong type, a missing key, a wrong number.
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise UnreadablePdf("the file is damaged") from error
    return CleanPdf(copy, sizes, texts)


def place(part: Path, placements: Sequence[Placement], result: Path) -> None:
    """Write `part` to `result` with pages of other files set into its own, between the margins, centred.

    Pages are made smaller where they are too large, never larger.
    """
    before = part
    for number, batch in enumerate(_batches(placements)):
        after = result.with_suffix(f".{number}.pdf")
        with ExitStack() as files:
            pdf = files.enter_context(pikepdf.open(before))
            sources = {
                path: files.enter_context(pikepdf.open(path, suppress_warnings=True))
                for path in dict.fromkeys(one.source for one in batch)
            }
            for one in batch:
                _set(pdf.pages[one.page], sources[one.source].pages[one.source_page], one.mark)
            pdf.save(after, deterministic_id=True)
        if before != part:
            before.unlink()
        before = after
    before.rename(result)


def _batches(placements: Sequence[Placement]) -> Iterator[list[Placement]]:
    """Divide placements so that each batch is from few files, however many pages they have."""
    batch: list[Placement] = []
    sources: set[Path] = set()
    for one in placements:
        sources.add(one.source)
        if len(sources) > _OPEN:
            yield batch
            batch, sources = [], {one.source}
        batch.append(one)
    yield batch


def _set(page: pikepdf.Page, source: pikepdf.Page, mark: int) -> None:
    left, bottom, right, top = map(float, page.mediabox)
    room = pikepdf.Rectangle(left + LEFT, bottom + BOTTOM, right - RIGHT, top - TOP)
    # Other pages may have the same list of what they draw with (`merging`).
    page.obj.Resources = pikepdf.Dictionary(dict(page.obj.Resources.items()))
    # Not `add_overlay`: it gives what it places a random name, and no two files would be alike.
    name = page.add_resource(source.as_form_xobject(), pikepdf.Name.XObject, _PLACED)
    placed = page.calc_form_xobject_placement(
        page.resources[pikepdf.Name.XObject][name],
        name,
        room,
        invert_transformations=True,
        allow_shrink=True,
        allow_expand=False,
    )
    page.contents_add(b"/P <</MCID %d>> BDC\n%b\nEMC" % (mark, placed))


def _may_have_text(page: pikepdf.Page) -> bool:
    """Return whether a page has fonts, itself or in something that is set into it."""
    return bool(page.resources.get("/Font")) or any(
        one.get("/Subtype") == pikepdf.Name.Form
        for _, one in page.resources.get("/XObject", pikepdf.Dictionary()).items()
    )


def _sheet(page: pikepdf.Page) -> Size:
    left, bottom, right, top = map(float, page.trimbox)
    width, height = abs(right - left), abs(top - bottom)
    if page.rotation % 180:
        width, height = height, width
    if not (width and height):
        raise UnreadablePdf("a page has no size")
    return LANDSCAPE if width > height else PORTRAIT


def _without_all_but_pages(pdf: pikepdf.Pdf) -> None:
    for key in list(pdf.Root.keys()):
        if key not in ("/Type", "/Pages", "/Version", "/OCProperties"):
            del pdf.Root[key]
    for page in pdf.pages:
        for key in ("/AA", "/Annots", "/Thumb"):
            if key in page.obj:
                del page.obj[key]
    # Pictures and forms may say who made them and where, as whole documents do.
    for found in pdf.objects:
        if isinstance(found, (pikepdf.Dictionary, pikepdf.Stream)):
            for key in ("/Metadata", "/PieceInfo", "/LastModified"):
                if key in found:
                    del found[key]
