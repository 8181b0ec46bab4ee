"""Progress on standard error, one bar a phase with the time that is left of it."""

from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType

from models.progress import make_progress


class Phases:
    """The phases of a run; one that has begun shows the time that it still takes.

    Args:
        steps: of each phase, by its name.
    """

    def __init__(self, steps: Mapping[str, int]) -> None:
        self._progress = make_progress()
        self._tasks = {name: self._progress.add_task(name, total=count, start=False) for name, count in steps.items()}

    def __enter__(self) -> "Phases":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, name: str) -> Callable[[], None]:
        """Start a phase's clock; what it answers is called after each of its steps."""
        task = self._tasks[name]
        self._progress.start_task(task)
        return partial(self._progress.advance, task)
