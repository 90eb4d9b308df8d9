"""The order of an import."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.core.errors import InvalidInputError
from waybill.minting.domain.import_order import in_order


def line(name: int, before: int | None = None) -> str:
    predecessor = {} if before is None else {"predecessor": f"Work[s/{before}]"}
    return json.dumps({"sourceIdentifier": f"Work[s/{name}]", "canonicalId": "aaaaaaaa", **predecessor})


def ordered(lines: list[str]) -> list[int]:
    with in_order(lambda: lines) as checked:
        names = [int(proposal.source.source_id) for proposal in checked.proposals]
    assert checked.count == len(names) == len([one for one in lines if one.strip()])
    return names


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 30)), min_size=1, max_size=30).flatmap(
        lambda parents: st.tuples(st.just(parents), st.permutations(range(len(parents))))
    )
)
def test_heirs_come_after_their_predecessors(drawn: tuple[list[int | None], list[int]]) -> None:
    parents, places = drawn
    # A predecessor has a smaller number, so that there are no cycles; one beyond its own is not in the file.
    before = {name: parent if parent is None or parent < name else 1000 + parent for name, parent in enumerate(parents)}
    names = ordered([line(name, before[name]) for name in places])
    assert sorted(names) == sorted(before)
    for name, parent in before.items():
        if parent in before:
            assert names.index(parent) < names.index(name)


def test_cycles_come_last_and_nothing_is_left_out() -> None:
    assert ordered([line(1, 2), line(2, 1), "", line(5, 3), line(3), line(4, 4), line(5, 3)]) == [3, 5, 5, 1, 2, 4]


def test_nothing_is_yielded_of_a_file_with_a_wrong_line() -> None:
    with pytest.raises(InvalidInputError, match="line 2"), in_order(lambda: [line(1), "nonsense"]):
        pytest.fail("the file was taken for good")
