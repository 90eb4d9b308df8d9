"""Several functions at once, one step at a time, in an order that a test chooses."""

import threading
from collections.abc import Callable, Iterator

from tests.fakes.probe import Crash

# Long enough for a loaded machine, short enough that a mistake in a test does not hang the suite.
_STEP_SECONDS = 20.0


class Actor:
    """Someone who does one thing after another, and waits to be let on before each."""

    def __init__(self, name: str, work: Callable[["Actor"], None]) -> None:
        self.name = name
        self.waits_for = "start"
        self.error: BaseException | None = None
        self.ended = False
        self._crashes = False
        # Locks that are handed over: whoever acquires waits for the other's release.
        self._go, self._waiting = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._waiting.acquire()
        self._thread = threading.Thread(target=self._live, args=(work,), daemon=True)
        self._thread.start()

    def pause(self, name: str) -> None:
        """Wait to be let on with `name`."""
        self.waits_for = name
        self._waiting.release()
        self._await(self._go)
        if self._crashes:
            self._crashes = False
            raise Crash(f"{self.name} before {name}")

    def go(self, *, crash: bool = False) -> None:
        """Let the actor on to its next pause or its end; with `crash` it dies instead of what it waits for."""
        self._crashes = crash
        self._go.release()
        self._await(self._waiting)

    def wait_for_start(self) -> None:
        self._await(self._waiting)

    def _live(self, work: Callable[["Actor"], None]) -> None:
        try:
            self.pause("start")
            work(self)
        except BaseException as error:
            self.error = error
        finally:
            self.ended = True
            self._waiting.release()

    def _await(self, handed_over: threading.Lock) -> None:
        if not handed_over.acquire(timeout=_STEP_SECONDS):
            raise TimeoutError(f"{self.name} at {self.waits_for}")


class Stage:
    """The actors of one play."""

    def __init__(self) -> None:
        self.actors: list[Actor] = []
        self.story: list[str] = []

    def enter(self, name: str, work: Callable[[Actor], None]) -> None:
        """Let an actor on stage; it waits at its start."""
        actor = Actor(name, work)
        actor.wait_for_start()
        self.actors.append(actor)

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
