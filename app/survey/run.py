"""Comparison of many pictures on this machine, several at once, so that pictures of one shape share a pass."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.analysis.lens import Lens
from app.analysis.options import GeometryOptions, TargetOptions
from app.analysis.prepared import choose_resolution
from app.analysis.timing import Timings
from app.engine.loading import build_engine, load_chosen_lineup
from app.errors import InvalidOption, LensError
from app.output import figures
from app.settings import Settings
from app.survey.rows import Row, build_failed_row, build_row
from app.survey.sources import PictureSource
from app.survey.store import RowStore
from models.lineups.card import LineupCard
from models.lineups.lineup import Lineup
from models.progress import make_progress

ROWS_PER_PART = 256

BATCHES_AT_ONCE = 2
"""The number of batches in progress: one is computed while the next one is read."""

PART_SECONDS = 60.0
"""The time between two writes, which limits the work that a killed run loses."""


@dataclass(frozen=True, slots=True)
class SurveyOptions:
    """The options for every picture.

    Attributes:
        target: class, method and stage.
        geometry: how a picture becomes the input.
        directory: the folder of the rows.
        has_maps: whether each picture's maps are kept too.
        is_labelled: whether each picture has its own class to explain.
    """

    target: TargetOptions
    geometry: GeometryOptions
    directory: Path
    has_maps: bool = False
    is_labelled: bool = False

    def identify(self, card: LineupCard) -> dict[str, Any]:
        """The settings that rows must share to belong together."""
        return {
            **({"labelled": True} if self.is_labelled else {}),
            **self.target.model_dump(mode="json"),
            "geometry": self.geometry.geometry or card.preprocessing.geometry,
            "resolution": choose_resolution(card, self.geometry),
            "lineup": card.name,
            "weights": {name: network.sha256 for name, network in card.networks.items()},
            "temperatures": {name: card.find_temperature(name) for name in card.names},
        }


@dataclass(frozen=True, slots=True)
class SurveyReport:
    """The result of a run.

    Attributes:
        done: the number of rows written now.
        skipped: the number of pictures that already had a row.
        failed: the number of rows written now that have an error.
    """

    done: int
    skipped: int
    failed: int


class Surveyor:
    """Compares pictures; an error becomes the picture's row.

    Args:
        lens: the lineup's lens.
        options: the options for every picture.
        store: the store for maps.
        at_once: the number of pictures in progress at once.
    """

    def __init__(self, lens: Lens, options: SurveyOptions, store: RowStore, *, at_once: int) -> None:
        self._lens = lens
        self._options = options
        self._store = store
        self._at_once = at_once

    async def look_at_all(self, sources: Sequence[PictureSource], take: Callable[[Row], None]) -> None:
        """Make every picture's row, in the order in which they are finished.

        Args:
            sources: the pictures.
            take: called with each row.

        Raises:
            InvalidOption: for an invalid option.
            OSError: when maps cannot be written.
        """
        waiting: Iterator[PictureSource] = iter(sources)

        async def work() -> None:
            for source in waiting:
                take(await self.look(source))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._at_once):
                    group.create_task(work())
        except ExceptionGroup as several:
            # The first error stopped the other tasks.
            raise several.exceptions[0] from None

    async def look(self, source: PictureSource) -> Row:
        """Make the row of one picture.

        Raises:
            InvalidOption: for an invalid option.
        """
        try:
            data = await self._lens.run(source.read)
            target = self._options.target
            if source.target:
                target = target.model_copy(update={"target": source.target})
            comparison = await self._lens.compare_picture(data, self._options.geometry, target, Timings())
        except InvalidOption:
            raise
        except (LensError, OSError) as error:
            return build_failed_row(source.key, error)
        if self._options.has_maps:
            maps = await self._lens.run(figures.pack_maps, comparison)
            await self._lens.run(self._store.write_maps, source.key, maps)
        return build_row(source.key, comparison)


class RowWriter:
    """Collects rows and writes them in parts.

    Args:
        store: the store of the rows.
    """

    def __init__(self, store: RowStore) -> None:
        self._store = store
        self._rows: list[Row] = []
        self._begin = time.monotonic()
        self.done = self.failed = 0

    def add(self, row: Row) -> None:
        """Add a row; write the collected rows when they are many or old."""
        self._rows.append(row)
        self.done += 1
        self.failed += row["error"] is not None
        if len(self._rows) >= ROWS_PER_PART or time.monotonic() - self._begin >= PART_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write the collected rows."""
        self._store.write(self._rows)
        self._rows = []
        self._begin = time.monotonic()


@dataclass(frozen=True, slots=True)
class SurveyPlan:
    """The plan of a run.

    Attributes:
        store: the store of rows and maps.
        left: the pictures that have no row yet.
        skipped: the number of pictures that have one.
        title: the progress bar's title.
    """

    store: RowStore
    left: Sequence[PictureSource]
    skipped: int
    title: str = "comparing"


Survey = Callable[[Settings, Sequence[PictureSource], SurveyOptions], SurveyReport]
"""A function that makes rows of many pictures: `survey_sources`, or `survey_on_ray`."""


def plan_survey(card: LineupCard, sources: Sequence[PictureSource], options: SurveyOptions) -> SurveyPlan:
    """Find the pictures that have no row yet.

    Args:
        card: the lineup's card.
        sources: all pictures.
        options: the options for every picture.

    Raises:
        InvalidOption: for a directory with the rows of other options.
        OSError: for a directory that cannot be written.
    """
    store = RowStore(options.directory, options.identify(card), card.names)
    known = store.read_keys()
    left = [source for source in sources if source.key not in known]
    title = "evaluating" if options.is_labelled else "comparing"
    return SurveyPlan(store, left, skipped=len(sources) - len(left), title=title)


def survey_sources(settings: Settings, sources: Sequence[PictureSource], options: SurveyOptions) -> SurveyReport:
    """Compare the networks on each picture that has no row yet.

    Args:
        settings: the lineup, the device and the limits on pictures.
        sources: the pictures.
        options: the options for every picture.

    Raises:
        InvalidOption: for an invalid option, and for a directory with the rows of other options.
        OSError: for a directory that cannot be written.
        LineupError: when the networks cannot be loaded.
    """
    lineup = load_chosen_lineup(settings)
    plan = plan_survey(lineup.card, sources, options)
    with open_surveyor(settings, lineup, options, plan.store) as surveyor, write_rows(plan) as (writer, take):
        asyncio.run(surveyor.look_at_all(plan.left, take))
    return SurveyReport(done=writer.done, skipped=plan.skipped, failed=writer.failed)


@contextmanager
def open_surveyor(settings: Settings, lineup: Lineup, options: SurveyOptions, store: RowStore) -> Iterator[Surveyor]:
    """Open a surveyor with its own engine, which is closed with it."""
    at_once = BATCHES_AT_ONCE * settings.batch_size
    # The queue has room for all pictures in progress, as nobody else uses this engine.
    engine = build_engine(settings.model_copy(update={"queue_size": at_once}))
    engine.start()
    try:
        yield Surveyor(Lens(engine, lineup, max_pixels=settings.max_picture_pixels), options, store, at_once=at_once)
    finally:
        engine.close()


@contextmanager
def write_rows(plan: SurveyPlan) -> Iterator[tuple[RowWriter, Callable[[Row], None]]]:
    """Open a writer of rows with a progress bar; finished rows are kept when a run stops for any reason."""
    writer = RowWriter(plan.store)
    with make_progress() as progress:
        task = progress.add_task(plan.title, total=len(plan.left))

        def take(row: Row) -> None:
            writer.add(row)
            progress.advance(task)

        try:
            yield writer, take
        finally:
            writer.flush()
