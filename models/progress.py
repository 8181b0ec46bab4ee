"""The one look of every progress bar: what goes on, how far, for how long, and the time that is left."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


def make_progress(*, is_shown: bool = True) -> Progress:
    """A bar for each task that is added, on standard error.

    Args:
        is_shown: whether there is anything to see at all.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not is_shown,
    )
