"""Through many pictures on this machine: several at once, so that those of one shape share a pass."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from app import panels
from app.comparison import Lens
from app.errors import InvalidOption, LensError
from app.loading import build_engine, load_chosen_pair
from app.options import GeometryOptions, TargetOptions
from app.settings import Settings
from app.survey.rows import Row, describe_failure, describe_picture
from app.survey.sources import PictureSource, list_sources
from app.survey.store import RowStore
from app.timing import Timings
from models.card import PairCard

ROWS_PER_PART = 256

PART_SECONDS = 60.0
"""How much work is lost at most where a run is killed."""

console = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class SurveyOptions:
    """What is asked of every picture.

    Attributes:
        target: class, method and stage.
        geometry: how a picture becomes the input.
        directory: of the rows.
        has_maps: whether each picture's maps are kept too.
    """

    target: TargetOptions
    geometry: GeometryOptions
    directory: Path
    has_maps: bool = False

    def identify(self, card: PairCard) -> dict[str, Any]:
        """What must be the same for rows to belong together."""
        return {
            **self.target.model_dump(mode="json"),
            "geometry": self.geometry.geometry or card.preprocessing.geometry,
            "resolution": self.geometry.resolution or card.preprocessing.resolution,
            "pair": card.name,
            "weights": {name: network.sha256 for name, network in card.networks.items()},
        }


@dataclass(frozen=True, slots=True)
class SurveyReport:
    """How a run ended.

    Attributes:
        done: rows written now.
        skipped: pictures that had one before.
        failed: of those written now, how many tell an error.
    """

    done: int
    skipped: int
    failed: int


class Surveyor:
    """Compares pictures one by one; what is wrong with one becomes its row.

    Args:
        lens: the pair.
        options: what is asked.
        store: where maps go.
    """

    def __init__(self, lens: Lens, options: SurveyOptions, store: RowStore) -> None:
        self._lens = lens
        self._options = options
        self._store = store

    async def look(self, source: PictureSource) -> Row:
        """The row of one picture.

        Raises:
            InvalidOption: for a question that no picture can answer.
        """
        try:
            data = await self._lens.run(source.read)
            comparison = await self._lens.compare_picture(data, self._options.geometry, self._options.target, Timings())
        except InvalidOption:
            raise
        except (LensError, OSError) as error:
            return describe_failure(source.key, error)
        if self._options.has_maps:
            maps = await self._lens.run(panels.pack_maps, comparison)
            await self._lens.run(self._store.write_maps, source.key, maps)
        return describe_picture(source.key, comparison)


class RowWriter:
    """Collects rows and writes them in parts.

    Args:
        store: where they go.
    """

    def __init__(self, store: RowStore) -> None:
        self._store = store
        self._rows: list[Row] = []
        self._begin = time.monotonic()
        self.done = self.failed = 0

    def add(self, row: Row) -> None:
        """Take a row; write what there is when it is much or old."""
        self._rows.append(row)
        self.done += 1
        self.failed += row["error"] is not None
        if len(self._rows) >= ROWS_PER_PART or time.monotonic() - self._begin >= PART_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what there is."""
        self._store.write(self._rows)
        self._rows = []
        self._begin = time.monotonic()


def survey_files(settings: Settings, inputs: Sequence[str], options: SurveyOptions) -> SurveyReport:
    """Compare both networks on each picture that has no row yet.

    Args:
        settings: which pair, where, and the limits on pictures.
        inputs: see `list_sources`.
        options: what is asked.

    Raises:
        InvalidOption: for a question that cannot be asked, and a directory with the rows of another one.
        OSError: for inputs that are not there, and a directory that cannot be written.
        PairError: when the networks cannot be loaded.
    """
    sources = list_sources(inputs)
    pair = load_chosen_pair(settings)
    store = RowStore(options.directory, options.identify(pair.card))
    known = store.read_keys()
    left = [source for source in sources if source.key not in known]
    at_once = 2 * settings.batch_size
    # Nobody else asks: the queue has room for all that are under way.
    engine = build_engine(settings.model_copy(update={"queue_size": at_once}))
    engine.start()
    lens = Lens(engine, pair, max_pixels=settings.max_picture_pixels)
    writer = RowWriter(store)
    try:
        asyncio.run(_look_at_all(Surveyor(lens, options, store), left, writer, at_once=at_once))
    finally:
        # Whatever stops a run, what was done is kept.
        writer.flush()
        engine.close()
    return SurveyReport(done=writer.done, skipped=len(sources) - len(left), failed=writer.failed)


def make_progress() -> Progress:
    """A bar with the time that is left, where somebody looks."""
    columns = (TextColumn("comparing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


async def _look_at_all(
    surveyor: Surveyor, sources: Sequence[PictureSource], writer: RowWriter, *, at_once: int
) -> None:
    waiting: Iterator[PictureSource] = iter(sources)
    with make_progress() as progress:
        task = progress.add_task("comparing", total=len(sources))

        async def work() -> None:
            for source in waiting:
                writer.add(await surveyor.look(source))
                progress.advance(task)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(at_once):
                    group.create_task(work())
        except ExceptionGroup as several:
            # The first one is what stopped the others.
            raise several.exceptions[0] from None
