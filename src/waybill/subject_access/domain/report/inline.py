"""Pictures of the answer where a template prints them, and in place of one that cannot be shown why."""

import time
from collections.abc import Iterable
from typing import Final

from PIL.Image import Image

from waybill.subject_access.domain.inline_pictures import FIRST_INLINE
from waybill.subject_access.domain.report.blocks import Inline
from waybill.subject_access.domain.report.errors import TemplateError
from waybill.subject_access.domain.report.flow import Flow
from waybill.subject_access.domain.report.models import Attachment, AttachmentOutcome
from waybill.subject_access.domain.report.pictures import UnreadablePicture, frames
from waybill.subject_access.domain.report.sheets import BOTTOM, LEFT, RIGHT, TOP

# What all pictures of a part may take; a template may print each any number of times.
_SECONDS: Final = 240.0
_MOST: Final = 2_000
_GAP: Final = 6.0
_POINTS: Final = 0.75
# The height of a caption, in points.
_CAPTION: Final = 21.0


class InlinePictures:
    """Draws pictures of one part.

    Parameters
    ----------
    flow : Flow
        Where to draw.
    pictures : Iterable[Attachment]
        Those that came with the answer.
    """

    def __init__(self, flow: Flow, pictures: Iterable[Attachment]) -> None:
        self._flow = flow
        self._known = {one.number: one for one in pictures}
        self._outcomes: dict[int, AttachmentOutcome] = {}
        self._until = time.monotonic() + _SECONDS
        self._drawn = 0

    @property
    def outcomes(self) -> tuple[AttachmentOutcome, ...]:
        """How each came out that the template prints, where it stands first."""
        return tuple(one for _, one in sorted(self._outcomes.items()))

    def draw(self, block: Inline) -> None:
        """Draw one.

        Raises
        ------
        TemplateError
            It did not come with the answer.
        """
        picture = self._known.get(block.number)
        if picture is None:
            raise TemplateError("the picture did not come with the answer")
        flow = self._flow
        problem = self._shown(picture, block)
        if problem:
            flow.paragraph(f"{picture.name} cannot be shown: {problem}.", bold=True)
        known = self._outcomes.get(block.number)
        if known is None or (problem and not known.problem):
            page = known.page if known else flow.sheets.pages
            self._outcomes[block.number] = AttachmentOutcome(block.number, page, 1, problem, name=picture.name)

    def _shown(self, picture: Attachment, block: Inline) -> str | None:
        if picture.path is None or picture.problem:
            return picture.problem or "the file is missing"
        try:
            for number, image in enumerate(frames(picture.path)):
                self._drawn += 1
                if self._drawn > _MOST or time.monotonic() > self._until:
                    return "the pictures of this part take too long to be drawn"
                told = block.alt or f"Picture {block.number - FIRST_INLINE}, without a description"
                self._set(image, block, f"{told}, page {number + 1}" if number else told)
        except UnreadablePicture as error:
            return str(error)
        return None

    def _set(self, image: Image, block: Inline, told: str) -> None:
        flow = self._flow
        page_width, page_height = flow.sheets.size
        asked = [
            box / (side * _POINTS) for box, side in ((block.width, image.width), (block.height, image.height)) if box
        ]
        most_width, most_height = page_width - LEFT - RIGHT, page_height - TOP - BOTTOM - _CAPTION - _GAP
        scale = min(
            min(asked, default=1.0) * _POINTS, most_width / image.width, most_height / image.height
        )  # never out of shape
        width, height = image.width * scale, image.height * scale
        caption = _CAPTION if block.caption else 0.0
        if flow.room < caption + height + _GAP:
            flow.page()
        if block.caption:
            flow.paragraph(block.caption, bold=True)
        with flow.sheets.marked("Figure") as mark:
            flow.sheets.picture(image, LEFT, flow.y - _GAP - height, width, height)
        flow.sheets.structure.leaf("Figure", [mark], {"Alt": told})
        flow.at(flow.y - height - 2 * _GAP)
