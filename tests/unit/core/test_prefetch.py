"""Reading ahead: in order, bounded, and nothing is lost or left open.

Source: what it is for, reading ahead in parallel, in order and in bounded memory; the
promises of each parameter in `Prefetch`.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.core.errors import PermanentError
from waybill.core.prefetch import Prefetch, prefetched

SECONDS = 20


def squares(items: Iterator[int] | range, **options: object) -> Prefetch[int, int]:
    return Prefetch(items, lambda item: item * item, **{"threads": 4, "depth": 8} | options)  # type: ignore[arg-type]


def test_so_many_run_at_a_time() -> None:
    together = threading.Barrier(4)
    # Whoever comes waits for three others: were fewer at work at a time, nobody would go on.
    with Prefetch(range(20), lambda _: together.wait(SECONDS), threads=4, depth=4) as ahead:
        assert len(list(ahead)) == 20


def test_results_come_in_the_order_of_the_items() -> None:
    second_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            second_done.wait(SECONDS)
        elif item == 3:
            second_done.set()
        return item

    with Prefetch(range(20), work, threads=4, depth=8) as ahead:
        assert list(ahead) == [(item, item) for item in range(20)]


def test_items_are_read_only_as_far_as_the_depth() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for item in range(1000):
            read.append(item)
            yield item

    with squares(items(), depth=8) as ahead:
        assert len(read) == 8
        ahead.take()
        assert len(read) == 9


def test_what_is_not_for_a_thread_is_left_to_the_caller() -> None:
    worked: list[int] = []
    with Prefetch(range(6), worked.append, threads=2, depth=4, ahead=lambda item: item % 3 == 0) as ahead:
        assert [item for item, _ in ahead] == [0, 1, 2, 3, 4, 5]
    assert sorted(worked) == [0, 3]


def test_a_fault_is_its_own_items_alone() -> None:
    def work(item: int) -> int:
        if item == 1:
            raise IndexError("of item 1")
        return item

    with Prefetch(range(3), work, threads=2, depth=3) as ahead:
        assert ahead.take() == 0
        with pytest.raises(IndexError, match="of item 1"):
            ahead.take()
        assert ahead.take() == 2


def test_a_fault_of_the_source_comes_behind_the_results_before_it() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2)
        raise OSError("the listing broke")

    with squares(items()) as ahead:
        results = iter(ahead)
        assert [next(results), next(results)] == [(1, 1), (2, 4)]
        with pytest.raises(OSError, match="the listing broke"):
            next(results)


def test_a_result_is_not_taken_for_another_items() -> None:
    with squares(range(3)) as ahead:
        ahead.take(0)
        with pytest.raises(ValueError, match="another item"):
            ahead.take(2)
        assert ahead.take(1) == 1


def test_there_is_nothing_behind_the_last() -> None:
    with squares(range(1)) as ahead:
        ahead.take()
        with pytest.raises(IndexError, match="no more items"):
            ahead.take()


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"depth": 0}])
def test_nothing_ahead_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        squares(range(1), **wrong)


def test_a_wait_that_is_interrupted_leaves_the_result_to_be_discarded() -> None:
    discarded: list[int] = []
    with squares(range(2), depth=2, discard=discarded.append) as ahead:
        _, future = ahead._line[0]
        assert future is not None
        future.exception = _interrupted  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            ahead.take()
    assert discarded == [0, 1]


def _interrupted(_timeout: float | None = None) -> BaseException:
    raise KeyboardInterrupt


@given(
    count=st.integers(0, 40),
    faulty=st.sets(st.integers(0, 39)),
    alone=st.sets(st.integers(0, 39)),
    taken=st.integers(0, 45),
    threads=st.integers(1, 4),
    depth=st.integers(1, 6),
)
def test_each_result_is_taken_or_discarded_once(
    count: int, faulty: set[int], alone: set[int], taken: int, threads: int, depth: int
) -> None:
    held, most, lock, discarded, made = 0, 0, threading.Lock(), [], []

    def work(item: int) -> int:
        nonlocal held, most
        if item in faulty:
            raise OSError(item)
        with lock:
            held += 1
            most = max(most, held)
            made.append(item)
        return item

    got = []
    with Prefetch(
        range(count), work, threads=threads, depth=depth, ahead=lambda item: item not in alone, discard=discarded.append
    ) as ahead:
        for item in range(min(count, taken)):
            if item in faulty - alone:
                with pytest.raises(OSError, match=rf"^{item}$"):
                    ahead.take(item)
                continue
            result = ahead.take(item)
            assert result == (None if item in alone else item)
            if result is not None:
                got.append(result)
                with lock:
                    held -= 1
    assert sorted(got + discarded) == sorted(made)
    assert set(got) & set(discarded) == set()
    # What is taken leaves room for one more before the taker counts it.
    assert most <= depth + 1


class TestPages:
    @pytest.fixture
    def pool(self) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(4) as pool:
            yield pool

    def test_the_next_page_is_read_while_one_is_used(self, pool: ThreadPoolExecutor) -> None:
        reading, read = [threading.Event() for _ in range(5)], []

        def pages() -> Iterator[list[int]]:
            for number, event in enumerate(reading):
                read.append(number)
                event.set()
                yield [number * 10, number * 10 + 1]

        listed = prefetched(pages(), pool)
        assert reading[0].wait(SECONDS), "the first page is read before anybody asks for it"
        assert next(listed) == 0
        assert reading[1].wait(SECONDS)
        assert len(read) == 2
        assert list(listed) == [1, 10, 11, 20, 21, 30, 31, 40, 41]

    def test_no_more_than_one_page_is_read_ahead(self) -> None:
        read = []

        def pages() -> Iterator[list[int]]:
            for number in range(1, 100):
                read.append(number)
                yield [number]

        with ThreadPoolExecutor(4) as pool:
            listed = prefetched(pages(), pool)
            assert [next(listed), next(listed)] == [1, 2]
        # The pool has ended, and with it all that was asked of it.
        assert read == [1, 2, 3]

    def test_empty_pages_end_nothing(self, pool: ThreadPoolExecutor) -> None:
        assert list(prefetched(iter([[], [1], [], [2]]), pool)) == [1, 2]
        assert list(prefetched(iter([]), pool)) == []

    @pytest.mark.parametrize("error", [OSError("no page"), PermanentError("no page")])
    def test_a_page_that_cannot_be_read_comes_behind_those_before(
        self, pool: ThreadPoolExecutor, error: Exception
    ) -> None:
        def pages() -> Iterator[list[int]]:
            yield [1]
            raise error

        listed = prefetched(pages(), pool)
        assert next(listed) == 1
        with pytest.raises(type(error), match="no page"):
            next(listed)
