"""Through many pictures on this machine: several at once, so that those of one shape share a pass."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.analysis.lens import Lens
from app.analysis.options import GeometryOptions, TargetOptions
from app.analysis.timing import Timings
from app.engine.loading import build_engine, load_chosen_lineup
from app.errors import InvalidOption, LensError
from app.output import images
from app.settings import Settings
from app.survey.rows import Row, build_failed_row, build_row
from app.survey.sources import PictureSource
from app.survey.store import RowStore
from models.lineups.card import LineupCard
from models.lineups.lineup import Lineup
from models.progress import make_progress

ROWS_PER_PART = 256

BATCHES_AT_ONCE = 2
"""One is computed while the next one is read."""

PART_SECONDS = 60.0
"""How much work is lost at most where a run is killed."""


@dataclass(frozen=True, slots=True)
class SurveyOptions:
    """The question about every picture.

    Attributes:
        target: class, method and stage.
        geometry: how a picture becomes the input.
        directory: of the rows.
        has_maps: whether each picture's maps are kept too.
        is_labelled: whether each picture is asked about a class of its own.
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
            "resolution": self.geometry.resolution or card.preprocessing.resolution,
            "lineup": card.name,
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
        lens: the lineup.
        options: what is asked.
        store: where maps go.
        at_once: how many pictures are under way together.
    """

    def __init__(self, lens: Lens, options: SurveyOptions, store: RowStore, *, at_once: int) -> None:
        self._lens = lens
        self._options = options
        self._store = store
        self._at_once = at_once

    async def look_at_all(self, sources: Sequence[PictureSource], take: Callable[[Row], None]) -> None:
        """Every picture's row, in the order in which they are done.

        Args:
            sources: the pictures.
            take: given each row.

        Raises:
            InvalidOption: for a question that no picture can answer.
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
            # The first one is what stopped the others.
            raise several.exceptions[0] from None

    async def look(self, source: PictureSource) -> Row:
        """The row of one picture.

        Raises:
            InvalidOption: for a question that no picture can answer.
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
            maps = await self._lens.run(images.pack_maps, comparison)
            await self._lens.run(self._store.write_maps, source.key, maps)
        return build_row(source.key, comparison)


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


@dataclass(frozen=True, slots=True)
class SurveyPlan:
    """The plan of a run.

    Attributes:
        store: where rows and maps go.
        left: the pictures that have no row yet.
        skipped: how many have one.
        title: what is done, on the progress bar.
    """

    store: RowStore
    left: Sequence[PictureSource]
    skipped: int
    title: str = "comparing"


Survey = Callable[[Settings, Sequence[PictureSource], SurveyOptions], SurveyReport]
"""A way through many pictures: `survey_sources`, or its like on a cluster."""


def plan_survey(card: LineupCard, sources: Sequence[PictureSource], options: SurveyOptions) -> SurveyPlan:
    """Find the pictures that have no row yet.

    Args:
        card: of the lineup that looks.
        sources: all pictures.
        options: what is asked.

    Raises:
        InvalidOption: for a directory with the rows of another question.
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
        settings: which lineup, where, and the limits on pictures.
        sources: the pictures.
        options: what is asked.

    Raises:
        InvalidOption: for a question that cannot be asked, and a directory with the rows of another one.
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
    """A surveyor with an engine of its own, which begins and ends with it."""
    at_once = BATCHES_AT_ONCE * settings.batch_size
    # Nobody else asks: the queue has room for all that are under way.
    engine = build_engine(settings.model_copy(update={"queue_size": at_once}))
    engine.start()
    try:
        yield Surveyor(Lens(engine, lineup, max_pixels=settings.max_picture_pixels), options, store, at_once=at_once)
    finally:
        engine.close()


@contextmanager
def write_rows(plan: SurveyPlan) -> Iterator[tuple[RowWriter, Callable[[Row], None]]]:
    """A writer of rows that shows its progress; finished rows are kept when a run stops for any reason."""
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
