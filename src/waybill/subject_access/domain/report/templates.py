"""A service's template: whether it may be registered, its hash, and what it makes of an answer."""

import hashlib
from collections.abc import Iterator

from waybill.core.errors import FieldError, InvalidInputError
from waybill.subject_access.domain.report.blocks import Block, Heading
from waybill.subject_access.domain.report.errors import TemplateError
from waybill.subject_access.domain.report.handlebars import Template
from waybill.subject_access.domain.report.helpers import helpers
from waybill.subject_access.domain.report.markup import check_markup, markup_blocks
from waybill.subject_access.domain.report.models import Json, Lookups


def check_template(text: str) -> None:
    """Check that a template can be filled, whatever the data: for its registration.

    Raises
    ------
    TemplateError
        Tags do not match, a helper is unknown, or mark-up is used that reports do not have.
    """
    Template(text)
    check_markup(text)


def check_registration(text: str) -> None:
    """Check a template that somebody sends.

    Raises
    ------
    InvalidInputError
        As `check_template` says, about the field `file`.
    """
    try:
        check_template(text)
    except TemplateError as error:
        raise InvalidInputError(FieldError("file", str(error))) from None


def template_hash(text: str) -> str:
    """Return the SHA-256 of a template, hexadecimal, by which it is registered."""
    return hashlib.sha256(text.encode()).hexdigest()


def template_blocks(text: str, content: Json, lookups: Lookups, title: str) -> Iterator[Block]:
    """Return the blocks that a template makes of `content`; its heading that repeats the section's `title` is left out.

    Raises
    ------
    TemplateError
        As `check_template`, for what concerns tags and helpers.
    """
    for block in markup_blocks(Template(text).fill(content, helpers(lookups))):
        if not (isinstance(block, Heading) and block.text.casefold() == title.casefold()):
            yield block
