"""Which keys a backfill is about, by patterns: `*` any characters (slashes too), `?` one, `[a-c]` one of these."""

import fnmatch
import glob
import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class KeyFilter:
    """Keys that match one of `include`, where there is any, and none of `exclude`; upper and lower case differ."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def accepts(self, key: str) -> bool:
        """Return whether a backfill is about `key`."""
        wanted = not self._include or any(pattern.match(key) for pattern in self._include)
        return wanted and not any(pattern.match(key) for pattern in self._exclude)

    @cached_property
    def _include(self) -> list[re.Pattern[str]]:
        return [re.compile(fnmatch.translate(pattern)) for pattern in self.include]

    @cached_property
    def _exclude(self) -> list[re.Pattern[str]]:
        return [re.compile(fnmatch.translate(pattern)) for pattern in self.exclude]


def literal_pattern(prefix: str, suffix: str) -> KeyFilter:
    """Return the filter of the keys that begin and end like this, whatever characters that are."""
    if not prefix and not suffix:
        return KeyFilter()
    return KeyFilter((f"{glob.escape(prefix)}*{glob.escape(suffix)}",))
