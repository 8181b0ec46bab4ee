"""The progress of a map that takes many forward passes, in a terminal."""

from rich.progress import Progress, TaskID

from app.analysis.passes import Passes, PassWatcher
from models.progress import make_progress


class PassBar(PassWatcher):
    """A progress bar on standard error, if that is a terminal, for one map after the other."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def note(self, passes: Passes) -> None:
        """See `PassWatcher.note`."""
        if self._bar is None:
            self._bar = make_progress()
            self._task = self._bar.add_task("Score-CAM's passes", total=passes.total)
            self._bar.start()
        self._bar.update(self._task, completed=passes.done)

    def end(self) -> None:
        """See `PassWatcher.end`."""
        if self._bar is not None:
            self._bar.stop()
        self._bar = None
