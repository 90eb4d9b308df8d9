"""Which tests pytest-xdist runs in one worker, so that they share what is costly to make."""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

WORKFLOW_TESTS = "tests/workflow/"

# A worker that has more tests than this before it gets no others yet.
_AHEAD = 2

# The longest name that a test's begins with says which group it belongs to.
_GROUPS = {
    "tests/functional/core/test_cold_imports.py": "cold imports",  # a program for each handler, for three tests
    "tests/template/": "template",  # mapping the code takes seconds, the tests themselves nothing
    # Each an embedded AWS with the whole application. Most of the time they wait, and two wait beside each other.
    "tests/workflow/": "application",
    "tests/workflow/custody/": "second application",
    "tests/workflow/operations/": "second application",
    "tests/workflow/replication/": "second application",
    # Without the application, but for one test, which takes the first.
    "tests/workflow/local/": "local",
    "tests/workflow/local/test_benchmarks.py": "application",
}


# A run of all tests has this many workers for `tests/workflow/`, and they know no other tests.
WORKFLOW_WORKERS = len({group for name, group in _GROUPS.items() if name.startswith(WORKFLOW_TESTS)})
_OTHER_WORKERS = 2


def leaves_out(worker: str, workers: int) -> str | None:
    """Return which tests a worker of a run of all tests does not collect: "workflow", "other", or None.

    To collect all tests takes 10 s of the processor, and what they import some hundred megabytes.
    `worker` is its name for pytest-xdist. One that takes the place of a crashed one has a higher number than all.
    """
    number = int(worker.removeprefix("gw"))
    if workers < WORKFLOW_WORKERS + _OTHER_WORKERS or number >= workers:
        return None
    return "other" if number < WORKFLOW_WORKERS else "workflow"


class SharedWork(LoadScopeScheduling):  # type: ignore[misc]
    """Sends the tests of a group to one worker, largest group first, and every other test to any that has collected it.

    pytest-xdist's own `--dist loadgroup` does the same by renaming the tests, which pytest 9.2 no longer lets it do.
    With each test it goes through all that have run, which takes 20 s of 12,000 tests: here they are forgotten.
    """

    def __init__(self, session: pytest.Session, log: Any) -> None:
        super().__init__(session.config, log)
        self._session = session
        self._places: dict[WorkerController, dict[str, int]] = {}

    def add_node_collection(self, node: "WorkerController", collection: Sequence[str]) -> None:
        """Take the tests that a worker knows."""
        self.registered_collections[node] = list(collection)
        self._places[node] = {name: place for place, name in enumerate(collection)}

    def schedule(self) -> None:
        """Give each worker what it needs to begin; the first time, bring all that is to be done into an order."""
        if self.collection is None:
            self.collection = list(dict.fromkeys(chain.from_iterable(self.registered_collections.values())))
            self._session.testscollected = len(self.collection)
            groups: dict[str, dict[str, bool]] = {}
            for name in self.collection:
                groups.setdefault(self._split_scope(name), {})[name] = False
            self.workqueue.update(sorted(groups.items(), key=lambda group: -len(group[1])))
        for node in 2 * self.nodes:  # a worker begins a test when it knows the next one
            self._reschedule(node)

    def mark_test_complete(self, node: "WorkerController", item_index: int, duration: float = 0) -> None:
        """Forget a group whose last test has run, and see whether the worker needs more."""
        name = self.registered_collections[node][item_index]
        work, scope = self.assigned_work[node], self._split_scope(name)
        work[scope][name] = True
        if all(work[scope].values()):
            del work[scope]
        self._reschedule(node)

    def _reschedule(self, node: "WorkerController") -> None:
        if node.shutting_down or self._pending_of(self.assigned_work[node]) > _AHEAD:
            return
        places = self._places[node]
        scope = next((scope for scope, tests in self.workqueue.items() if next(iter(tests)) in places), None)
        if scope is None:
            node.shutdown()
            return
        tests = self.assigned_work[node][scope] = self.workqueue.pop(scope)
        node.send_runtest_some([places[name] for name, run in tests.items() if not run])

    def _split_scope(self, nodeid: str) -> str:
        return _group_of(nodeid)


@cache
def _group_of(test: str) -> str:
    names = [name for name in _GROUPS if test.startswith(name)]
    return _GROUPS[max(names, key=len)] if names else test
