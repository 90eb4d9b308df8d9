"""Which tests pytest-xdist runs in one worker, so that they share what is costly to make."""

from xdist.scheduler import LoadScopeScheduling

# The longest name that a test's begins with says which group it belongs to.
_GROUPS = {
    "tests/functional/core/test_cold_imports.py": "cold imports",  # a program for each handler, for three tests
    "tests/template/": "template",  # mapping the code takes seconds, the tests themselves nothing
    # Each an embedded AWS with the whole application. Most of the time they wait, and two wait beside each other.
    "tests/workflow/": "application",
    "tests/workflow/custody/": "second application",
    "tests/workflow/operations/": "second application",
    "tests/workflow/replication/": "second application",
    "tests/workflow/local/": "local",
}


class SharedWork(LoadScopeScheduling):  # type: ignore[misc]
    """Sends the tests of a group to one worker, largest group first, and every other test to any.

    pytest-xdist's own `--dist loadgroup` does the same by renaming the tests, which pytest 9.2 no longer lets it do.
    """

    def _split_scope(self, nodeid: str) -> str:
        names = [name for name in _GROUPS if nodeid.startswith(name)]
        return _GROUPS[max(names, key=len)] if names else nodeid
