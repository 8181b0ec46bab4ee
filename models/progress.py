"""The one look of every progress bar: the step, how far it is, for how long, and the time that is left."""

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
    """A bar for each task that is added, on standard error where that is a terminal; a log needs none.

    Args:
        is_shown: whether there is anything to see at all.
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
    """The items, with a bar that moves on after each."""
    with make_progress() as progress:
        yield from progress.track(items, total=len(items), description=title)
