"""Many calls at a time: in order and bounded."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest

from waybill.core.errors import PermanentError
from waybill.core.prefetch import in_order

WINDOW = 8


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def never(_: int) -> int | None:
    return None


def test_results_come_in_the_order_of_the_items(pool: ThreadPoolExecutor) -> None:
    released = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            released.wait(10)
        elif item == 3:
            released.set()
        return item * 10

    assert list(in_order(range(20), work, pool, window=WINDOW, trivial=never)) == [item * 10 for item in range(20)]


def test_items_are_taken_only_as_far_as_the_window(pool: ThreadPoolExecutor) -> None:
    taken: list[int] = []
    blocked = threading.Event()

    def items() -> Iterator[int]:
        for item in range(1000):
            taken.append(item)
            yield item

    def work(item: int) -> int:
        blocked.wait(10)
        return item

    results = in_order(items(), work, pool, window=WINDOW, trivial=never)
    first: list[int] = []
    reader = threading.Thread(target=lambda: first.append(next(results)))
    reader.start()
    reader.join(0.2)
    assert first == []
    assert len(taken) == WINDOW
    blocked.set()
    reader.join(10)
    assert first == [0]
    assert len(list(results)) == 999


def test_trivial_items_never_get_to_the_pool(pool: ThreadPoolExecutor) -> None:
    worked: list[int] = []

    def work(item: int) -> str:
        worked.append(item)
        return f"worked {item}"

    def trivial(item: int) -> str | None:
        return None if item % 3 == 0 else f"known {item}"

    found = list(in_order(range(6), work, pool, window=WINDOW, trivial=trivial))
    assert found == ["worked 0", "known 1", "known 2", "worked 3", "known 4", "known 5"]
    assert sorted(worked) == [0, 3]


def test_an_error_comes_where_its_result_would(pool: ThreadPoolExecutor) -> None:
    def work(item: int) -> int:
        if item == 5:
            raise PermanentError("no")
        return item

    results = in_order(range(20), work, pool, window=WINDOW, trivial=never)
    assert list(islice(results, 5)) == [0, 1, 2, 3, 4]
    with pytest.raises(PermanentError):
        next(results)
