"""What can go wrong while a report is made, for good: what a report can say in words on a page is no error."""

from typing import ClassVar

from waybill.core.errors import PermanentError


class TemplateError(PermanentError):
    """A service's template uses something that templates may not use, or does not close what it opens."""

    code: ClassVar[str] = "TEMPLATE_INVALID"


class AnswerUnreadableError(PermanentError):
    """A service's stored answer is not a JSON object."""

    code: ClassVar[str] = "ANSWER_UNREADABLE"


class PartUnreadableError(PermanentError):
    """A part that should go into the report is not a PDF, or has another number of pages than its summary says."""

    code: ClassVar[str] = "PART_UNREADABLE"


class PartTooLargeError(PermanentError):
    """A part takes more pages or time than a part may; the text says which, and nothing of the data."""

    code: ClassVar[str] = "PART_TOO_LARGE"
