"""A progress bar with the remaining time, shown by one process."""

from types import TracebackType

from models.progress import make_progress


class ProgressBar:
    """A bar on standard error.

    Args:
        title: the name of the task.
        total: the number of steps; None if not known.
        done: the number of steps already done.
        is_shown: False for no bar.
    """

    def __init__(self, title: str, *, total: int | None, done: int = 0, is_shown: bool = True) -> None:
        self._progress = make_progress(is_shown=is_shown)
        self._task = self._progress.add_task(title, total=total, completed=done)

    def __enter__(self) -> "ProgressBar":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def advance(self, title: str | None = None) -> None:
        """Advance the bar by one step."""
        self._progress.update(self._task, advance=1, description=title)
