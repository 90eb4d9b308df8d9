"""Names that services give to attachments, cleaned for print. They never become keys: those are made of the number."""

import html
import unicodedata

_LIMIT = 255
# Control characters, invisible format characters (those that reverse text among them), halves of surrogate pairs.
_REMOVED = frozenset({"Cc", "Cf", "Cs"})


def clean_name(text: str) -> str:
    """Return `text` as people should read it: one line of at most 255 characters, perhaps empty.

    HTML entities are decoded, Unicode normalised to NFKC, white space of any kind becomes one plain space, control and
    invisible characters go.
    """
    normal = unicodedata.normalize("NFKC", html.unescape(text))
    visible = "".join(
        " " if char.isspace() else char
        for char in normal
        if char.isspace() or unicodedata.category(char) not in _REMOVED
    )
    # What something invisible kept apart may compose now.
    return " ".join(unicodedata.normalize("NFKC", visible).split())[:_LIMIT].rstrip()
