"""Pictures within an answer that templates print in place, with ``inlineAttachment``.

A service describes one by an object anywhere in its content, ``{contentType, url, filesize}``. It is fetched beside the
attachments and is told from them by its number; the object is found again by the SHA-256 of its address.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

# Beyond the numbers that attachments may have.
FIRST_INLINE: Final = 100_000
MOST_INLINE: Final = 99_999
# The helpers of templates, ``inlineAttachment`` and ``inlineAttachmentContent``, have this in their names.
HELPER: Final = "inlineAttachment"
# What is added to the object before redactions and templates come to it: its number.
MEMBER: Final = "@inline"
_KIND: Final = "image/"
# The members that describe a picture.
DESCRIPTION: Final = ("contentType", "url", "filesize")


def is_picture(value: Mapping[str, Any]) -> bool:
    """Return whether an object of an answer is such a picture."""
    kind, url = value.get("contentType"), value.get("url")
    return isinstance(kind, str) and kind.strip().lower().startswith(_KIND) and isinstance(url, str) and bool(url)


def address_hash(url: str) -> str:
    """Return what a picture's object is found by: addresses may hold what nobody else is to know."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()


def numbered(content: Any, numbers: Mapping[str, int], hidden: Mapping[int, str]) -> Any:
    """Return `content` with the number of each picture in its object, or what stands in its place where it is hidden.

    Parameters
    ----------
    content
        JSON, of a depth that was limited when it came.
    numbers
        By `address_hash`.
    """
    if isinstance(content, Sequence) and not isinstance(content, str):
        return [numbered(one, numbers, hidden) for one in content]
    if not isinstance(content, dict):
        return content
    number = numbers.get(address_hash(content["url"])) if is_picture(content) else None
    if number is not None and number in hidden:
        return hidden[number]
    found = {name: numbered(one, numbers, hidden) for name, one in content.items()}
    return found if number is None else {**found, MEMBER: number}
