"""A progress bar with the time that is left, for the one process that a person watches."""

from types import TracebackType

from models.progress import make_progress


class ProgressBar:
    """A bar on standard error.

    Args:
        title: what goes on.
        total: steps of it; None where that is not known.
        done: steps that are done already.
        is_shown: whether there is a bar at all.
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
        """One step is done."""
        self._progress.update(self._task, advance=1, description=title)
