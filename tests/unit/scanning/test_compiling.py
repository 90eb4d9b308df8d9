"""A second process compiles and proves nothing again, and finds the same; what is kept broken is made again."""

import hyperscan
import pytest

from tests.fakes.hyperscan_databases import MemoryCache
from waybill.scanning.domain.detection import proof
from waybill.scanning.domain.detection.compiling import Compiler
from waybill.scanning.domain.detection.engine import Engine

_PATTERNS = {3: "abc", 7: "x[0-9]"}


def _found(database: hyperscan.Database) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    database.scan(b"abc x5", match_event_handler=lambda index, _, end, __, ___: found.append((index, end)))
    return found


def test_what_is_kept_finds_what_was_compiled() -> None:
    kept = MemoryCache()
    first = Compiler(kept).database(_PATTERNS)
    [content] = kept.values()
    assert _found(first) == _found(Compiler(kept).database(_PATTERNS)) == [(3, 3), (7, 6)]
    assert [*kept.values()] == [content]


def test_other_patterns_indices_and_flags_are_others() -> None:
    kept = MemoryCache()
    Compiler(kept).database(_PATTERNS)
    Compiler(kept).database({4: "abc", 7: "x[0-9]"})
    Compiler(kept).database({3: "abd", 7: "x[0-9]"})
    Compiler(kept).database(_PATTERNS, hyperscan.HS_FLAG_CASELESS)
    assert len(kept) == 4


@pytest.mark.parametrize("content", [b"", b"nothing", b"\0" * 6000])
def test_what_is_no_database_is_compiled_again(content: bytes) -> None:
    kept = MemoryCache()
    Compiler(kept).database(_PATTERNS)
    [name] = kept
    kept[name] = content
    assert _found(Compiler(kept).database(_PATTERNS)) == [(3, 3), (7, 6)]
    assert kept[name] != content


def test_rules_are_proved_once_for_a_cache_and_every_time_without(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, proved = MemoryCache(), list[Engine]()
    monkeypatch.setattr(proof, "prove", proved.append)
    proof.standard_engine(cache=kept)
    engine = proof.standard_engine(cache=kept, regions=("GB",))
    assert (len(proved), engine.regions) == (1, ("GB",))
    proof.standard_engine()
    # Some detectors of a caller's own are not what was proved.
    proof.standard_engine(engine.detectors[:2], cache=kept)
    assert len(proved) == 3


def test_another_set_of_rules_is_proved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, proved = MemoryCache(), list[Engine]()
    monkeypatch.setattr(proof, "prove", proved.append)
    proof.standard_engine(cache=kept)
    monkeypatch.setattr(proof, "ruleset", lambda: "another")
    proof.standard_engine(cache=kept)
    assert len(proved) == 2
