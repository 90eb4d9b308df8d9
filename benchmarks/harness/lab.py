"""Where figures are measured: an embedded AWS with the application, of the benchmarks' own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Self

from rich.console import Console, RenderableType

from benchmarks.harness.deployment import Deployment
from benchmarks.harness.runtime import Runtime
from waybill.cli.local.ministack import free_port
from waybill.cli.local.stack import LocalStack


class Lab:
    """What a benchmark works with; the embedded AWS is started by the first one that asks for it.

    Parameters
    ----------
    project : Path
        The project's folder.
    console : Console
        Where tables go.
    """

    def __init__(self, project: Path, console: Console) -> None:
        self.project = project
        self.state_dir = project / ".local" / "bench"
        self._console = console
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @cached_property
    def deployment(self) -> Deployment:
        """The application on an embedded AWS that all benchmarks share."""
        return self._closing.enter_context(self.fresh_deployment())

    @cached_property
    def runtime(self) -> Runtime:
        """Starts processes that are like those of Lambda."""
        return Runtime(self.project, self.state_dir)

    @contextmanager
    def fresh_deployment(self, name: str = "shared") -> Iterator[Deployment]:
        """Deploy the application, with its defaults, on an embedded AWS that nothing has used before.

        `name` tells deployments that run at the same time apart; all are built once.
        """
        stack = LocalStack(
            self.project,
            port=free_port(),
            state_dir=self.state_dir / name,
            build_dir=self.state_dir / "build",
            report=self.say,
        )
        stack.down()  # what an interrupted run has left
        with stack:
            yield Deployment(stack)

    def show(self, what: RenderableType) -> None:
        """Print a table."""
        self._console.print(what)

    def say(self, sentence: str) -> None:
        """Print a remark."""
        self._console.print(f"  {sentence}", style="dim", highlight=False)
