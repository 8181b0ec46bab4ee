"""Progress on standard error, with one bar per phase and the time left."""

from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType

from models.progress import make_progress


class Phases:
    """The phases of a run; a phase shows its remaining time once it has begun.

    Args:
        steps: the number of steps of each phase, by the phase's name.
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
        """Start a phase's clock, and return a function to call after each of its steps."""
        task = self._tasks[name]
        self._progress.start_task(task)
        return partial(self._progress.advance, task)
