"""Attached pictures as something that a page can show: upright, on white, no larger than a page can use."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pi_heif import is_supported, open_heif
from PIL import Image, ImageOps

# The formats that are decoded (README, "Attachments"); the others of Pillow's stay shut.
FORMATS: Final = ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP")
# 80 million pixels take 240 MB while they are made smaller.
MOST_PIXELS: Final = 80_000_000
MOST_FRAMES: Final = 500
# All pages together: to decode so many takes some ten seconds.
MOST_PIXELS_IN_ALL: Final = 400_000_000
# 75 % of a page at 250 dots per inch; the longer side decides, as a picture may lie on its side.
_BOX: Final = (2200, 2200)
_PICTURES: Final = "pictures"


class UnreadablePicture(ValueError):
    """A picture that cannot be shown; the text says why."""


def frames(path: Path) -> Iterator[Image.Image]:
    """Return each page of a picture (TIFF files may have several), in grey or RGB.

    Of files of other formats with several pictures, such as those that move, the first; then it raises.
    Of all that files say beside their pixels only ``info["photograph"]`` is left: whether it was a JPEG file.

    Raises
    ------
    UnreadablePicture
        The file is damaged, or has too many pixels or pages.
    """
    with _as_unreadable(), _opened(path) as image:
        in_all = 0
        pictures = max(getattr(image, "n_frames", 1), image.info.get(_PICTURES, 1))
        count = pictures if image.format == "TIFF" else 1
        if count > MOST_FRAMES:
            raise UnreadablePicture(f"it has more than {MOST_FRAMES} pages")
        for number in range(count):
            if count > 1:
                image.seek(number)
            if image.width * image.height > MOST_PIXELS:
                raise UnreadablePicture(f"it has more than {MOST_PIXELS // 1_000_000} million pixels")
            in_all += image.width * image.height
            if in_all > MOST_PIXELS_IN_ALL:
                raise UnreadablePicture(f"it has more than {MOST_PIXELS_IN_ALL // 1_000_000} million pixels in all")
            prepared = _prepared(image)
            # Telephones put a second picture into theirs, which says the same.
            prepared.info = {"photograph": image.format in ("JPEG", "MPO")}
            yield prepared
        if pictures > count and image.format != "MPO":
            raise UnreadablePicture(f"it has {pictures} pictures, of which the first is shown")


def _opened(path: Path) -> Image.Image:
    if not is_supported(str(path)):
        return Image.open(path, formats=FORMATS)
    file = open_heif(path, convert_hdr_to_8bit=True)
    width, height = file.size
    if width * height > MOST_PIXELS:
        raise UnreadablePicture(f"it has more than {MOST_PIXELS // 1_000_000} million pixels")
    picture: Image.Image = file.to_pillow()
    picture.info[_PICTURES] = len(file)
    return picture


def _prepared(image: Image.Image) -> Image.Image:
    image.draft("RGB", _BOX)  # JPEG alone: decodes a half, a quarter or an eighth of each side
    if image.mode.startswith("I;16"):
        plain = image.point(lambda value: value / 256).convert("L")
    elif image.mode not in ("L", "RGB", "RGBA"):
        plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
    else:
        plain = image
    upright = ImageOps.exif_transpose(_smaller(plain))
    if upright.mode != "RGBA":
        return upright
    white = Image.new("RGB", upright.size, "white")
    white.paste(upright, mask=upright.getchannel("A"))
    return white


def _smaller(image: Image.Image) -> Image.Image:
    """Return a copy that is no larger than the page can use."""
    scale = min(1.0, max(_BOX) / max(image.size))
    if scale == 1.0:
        return image.copy()
    width, height = (max(1, round(side * scale)) for side in image.size)
    small = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    small.info["exif"] = image.info.get("exif", b"")
    return small


@contextmanager
def _as_unreadable() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's advice about odd metadata and large pictures
        try:
            yield
        except UnreadablePicture:
            raise
        # On damaged data Pillow's decoders raise more than OSError.
        except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, MemoryError) as error:
            raise UnreadablePicture("the file is damaged") from error
        except Image.DecompressionBombError as error:
            raise UnreadablePicture(f"it has more than {MOST_PIXELS // 1_000_000} million pixels") from error
