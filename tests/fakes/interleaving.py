"""Several functions at once, one step at a time, in an order that a test chooses."""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import pytest
from greenlet import getcurrent, greenlet

from tests.fakes.probe import Crash
from waybill.replication.domain import multipart


class Actor:
    """Someone who does one thing after another, and waits to be let on before each.

    Nothing of an actor runs while another or the test does: it is a greenlet, to which changing over costs
    a fraction of what it does to a thread. What it does is done in the one thread of the test: see `parts_in_turn`.
    """

    def __init__(self, name: str, work: Callable[["Actor"], None]) -> None:
        self.name = name
        self.waits_for = "start"
        self.error: BaseException | None = None
        self.ended = False
        self._crashes = False
        self._work = work
        self._turn = greenlet(self._live)
        self._turn.switch()

    def pause(self, name: str) -> None:
        """Wait to be let on with `name`."""
        assert getcurrent() is self._turn, f"{self.name} does {name} outside of its turn"
        self.waits_for = name
        self._turn.parent.switch()
        if self._crashes:
            self._crashes = False
            raise Crash(f"{self.name} before {name}")

    def go(self, *, crash: bool = False) -> None:
        """Let the actor on to its next pause or its end; with `crash` it dies instead of what it waits for."""
        self._crashes = crash
        self._turn.parent = getcurrent()
        self._turn.switch()

    def _live(self) -> None:
        try:
            self.pause("start")
            self._work(self)
        except BaseException as error:
            self.error = error
        finally:
            self.ended = True


class Stage:
    """The actors of one play."""

    def __init__(self) -> None:
        self.actors: list[Actor] = []
        self.story: list[str] = []

    def enter(self, name: str, work: Callable[[Actor], None]) -> None:
        """Let an actor on stage; it waits at its start."""
        self.actors.append(Actor(name, work))

    def waiting(self) -> list[Actor]:
        """The actors that have not ended."""
        return [actor for actor in self.actors if not actor.ended]

    def let_on(self, actor: Actor, *, crash: bool = False) -> None:
        """Let one actor do its next step."""
        self.story.append(f"{actor.name}: {'dies before ' if crash else ''}{actor.waits_for}")
        actor.go(crash=crash)
        if actor.error is not None:
            raise actor.error

    def clear(self) -> None:
        """End the actors that still wait."""
        for actor in self.waiting():
            while not actor.ended:
                actor.go(crash=True)


def parts_in_turn(patched: pytest.MonkeyPatch) -> None:
    """Let the parts of a file be copied by whoever waits for them, in the order in which a pool of one thread does."""
    patched.setattr(multipart, "ThreadPoolExecutor", _Turns)


class _Turns:
    """A pool of one thread without the thread: each task is done when it, or one behind it, is waited for."""

    def __init__(self, max_workers: int) -> None:
        assert max_workers == 1, "several parts at a time need threads"
        self._left: list[_Task] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        while self._left:
            self.do_next()

    def submit(self, work: Callable[..., Any], *given: Any) -> "_Task":
        task = _Task(self, work, given)
        self._left.append(task)
        return task

    def do_next(self) -> None:
        self._left.pop(0).do()


class _Task:
    def __init__(self, turns: _Turns, work: Callable[..., Any], given: tuple[Any, ...]) -> None:
        self._turns, self._work, self._given = turns, work, given
        self._done = False
        self._result: Any = None
        self._error: BaseException | None = None

    def do(self) -> None:
        self._done = True
        try:
            self._result = self._work(*self._given)
        except BaseException as error:
            self._error = error

    def result(self) -> Any:
        while not self._done:
            self._turns.do_next()
        if self._error is not None:
            raise self._error
        return self._result


class Choices:
    """Every way to choose, one after the other: `orders` yields once per way, `choose` picks within it."""

    def __init__(self) -> None:
        self.count = 0
        self._path: list[tuple[int, int]] = []
        self._depth = 0

    def orders(self) -> Iterator[None]:
        while True:
            self._depth = 0
            self.count += 1
            yield
            del self._path[self._depth :]
            while self._path and self._path[-1][0] + 1 == self._path[-1][1]:
                self._path.pop()
            if not self._path:
                return
            taken, of = self._path[-1]
            self._path[-1] = taken + 1, of

    def choose[T](self, options: list[T]) -> T:
        if self._depth == len(self._path):
            self._path.append((0, len(options)))
        taken, _ = self._path[self._depth]
        self._depth += 1
        return options[taken]
