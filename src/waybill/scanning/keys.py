"""Keys of objects: how long they may be, ranges of them, and what stands for one."""

from hashlib import sha1
from typing import NamedTuple

KEY_LIMIT_BYTES = 1024


class KeyRange(NamedTuple):
    """The keys behind `after` up to `upto`, that one included; an empty `upto` is no bound."""

    after: str = ""
    upto: str = ""

    def ends_before(self, key: str) -> bool:
        """Return whether `key` lies behind this range."""
        return bool(self.upto) and key > self.upto


def key_hash(key: str) -> str:
    """Return what stands for an object's key in sort keys, which keys may be too long for."""
    return sha1(key.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()
