"""Archives that stand somewhere in other bytes: behind a picture or a page, or behind the program that unpacks them.

A ZIP archive is found from its end; these have their mark at the beginning alone. Each mark is so long that other
contents do not have it by chance. Imported in the scanners' process alone.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, BinaryIO

from waybill.consignments.domain.checks.malware_rules import scanned
from waybill.core.containers.archives import CHUNK, From, counted
from waybill.core.containers.models import ContainerBudget, ContainerEntry, ContainerError, UnopenedReason

if TYPE_CHECKING:
    import yara_x

# The signatures of 7-Zip and RAR, and that of cabinets with the reserved field behind it ([MS-CAB] 2.3). YARA-X finds
# them about fifty times as fast as Python's regular expressions do, which on a large file cost more than all else.
_MARKS = """
rule archive {
    strings:
        $seven_zip = { 37 7A BC AF 27 1C }
        $rar = { 52 61 72 21 1A 07 }
        $cabinet = { 4D 53 43 46 00 00 00 00 }
    condition:
        any of them
}
"""
# Who hides an archive behind more false beginnings is told that not all was opened.
_MOST = 32


def appended_places(file: BinaryIO) -> list[int]:
    """Return where the first archives begin in `file`, but for its own beginning: one more than are opened."""
    found = scanned(_scanner(), file)
    places = {
        match.offset for rule in found.matching_rules for pattern in rule.patterns for match in pattern.matches
    } - {0}
    return sorted(places)[: _MOST + 1]


def appended_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield everything from each such beginning on, to be opened as what it is."""
    for number, place in enumerate(appended_places(file)):
        if number >= _MOST:
            raise ContainerError(UnopenedReason.MEMBERS)
        budget.enter()
        yield ContainerEntry(f"from byte {place:,}", counted(From(file, place), budget, CHUNK))


@cache
def _scanner() -> "yara_x.Scanner":
    import yara_x

    scanner = yara_x.Scanner(yara_x.compile(_MARKS))
    # Of each mark: that at the beginning does not count, and one more than are opened has to be known.
    scanner.max_matches_per_pattern(_MOST + 2)
    return scanner
