"""The common progress bar: the step, its progress, the time spent and the time left."""

from collections.abc import Collection, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

Item = TypeVar("Item")


def make_progress(*, is_shown: bool = True) -> Progress:
    """Make a progress display with a bar for each added task, on standard error if that is a terminal.

    Args:
        is_shown: False for no display.
    """
    return _make_bar(MofNCompleteColumn(), is_shown=is_shown)


def make_download_progress() -> Progress:
    """The same for bytes that come in, with their speed."""
    return _make_bar(DownloadColumn(), TransferSpeedColumn())


def _make_bar(*amounts: ProgressColumn, is_shown: bool = True) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *amounts,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not (is_shown and console.is_terminal),
    )


def track(items: Collection[Item], title: str) -> Iterator[Item]:
    """Iterate over the items with a bar that advances after each."""
    with make_progress() as progress:
        yield from progress.track(items, total=len(items), description=title)
