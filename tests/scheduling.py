"""Which tests pytest-xdist runs in one worker, so that they share what is costly to make."""

from functools import cache, cached_property
from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

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


class SharedWork(LoadScopeScheduling):  # type: ignore[misc]
    """Sends the tests of a group to one worker, largest group first, and every other test to any.

    pytest-xdist's own `--dist loadgroup` does the same by renaming the tests, which pytest 9.2 no longer lets it do.
    With each test it goes through all that have run, which takes 20 s of 12,000 tests: here they are forgotten.
    """

    def mark_test_complete(self, node: "WorkerController", item_index: int, duration: float = 0) -> None:
        """Forget a group whose last test has run, and see whether the worker needs more."""
        name = self.registered_collections[node][item_index]
        work, scope = self.assigned_work[node], self._split_scope(name)
        work[scope][name] = True
        if all(work[scope].values()):
            del work[scope]
        self._reschedule(node)

    def _assign_work_unit(self, node: "WorkerController") -> None:
        scope, tests = self.workqueue.popitem(last=False)
        self.assigned_work[node][scope] = tests
        node.send_runtest_some([self._places[name] for name, run in tests.items() if not run])

    @cached_property
    def _places(self) -> dict[str, int]:
        """Where a test stands in what every worker has collected."""
        return {name: place for place, name in enumerate(self.collection)}

    def _split_scope(self, nodeid: str) -> str:
        return _group_of(nodeid)


@cache
def _group_of(test: str) -> str:
    names = [name for name in _GROUPS if test.startswith(name)]
    return _GROUPS[max(names, key=len)] if names else test
