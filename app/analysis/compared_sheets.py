"""A sheet's pictures through the networks: each analysed by itself, each compared by itself, none stops the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from app.analysis.analysis_store import AnalysisStore
from app.analysis.comparison import Comparison
from app.analysis.lenses import Lenses
from app.analysis.options import PictureOptions, TargetOptions
from app.analysis.sheets import Sheet, SheetRow
from app.analysis.timing import Timings
from app.errors import AnalysisGone, InvalidOption, LensError

GONE = "This picture’s analysis has left the cache; send the picture again."


@dataclass(frozen=True, slots=True, eq=False)
class ComparedRow:
    """A row with what the networks say, or why they say nothing.

    Attributes:
        position: from 1.
        name: the file's name.
        comparison: None where `problem` says why.
        problem: None where there is a comparison.
    """

    position: int
    name: str
    comparison: Comparison | None
    problem: str | None


class SheetLens:
    """Looks at several pictures, each by itself.

    Args:
        lenses: the lineups.
        store: where the analyses are kept.
        timings: what is added to.
    """

    def __init__(self, lenses: Lenses, store: AnalysisStore, timings: Timings) -> None:
        self._lenses = lenses
        self._store = store
        self._timings = timings

    async def analyse(self, name: str, data: bytes, options: PictureOptions) -> SheetRow:
        """One picture through every network; what is wrong with it becomes the row's problem."""
        try:
            lens = self._lenses.choose(options.lineup)
            # The maps of the class that the sheet shows first come with the same job.
            comparison = await lens.compare_picture(data, options, TargetOptions(), self._timings)
        except LensError as error:
            return SheetRow(name, problem=str(error))
        await run_in_threadpool(self._store.add, comparison.analysis)
        return SheetRow(name, analysis_id=comparison.analysis.id)

    async def compare(self, sheet: Sheet, options: TargetOptions) -> list[ComparedRow]:
        """Every row's comparison, one after the other: a sheet must not fill the queue.

        Raises:
            InvalidOption: for a class or a gate that there is not.
        """
        return [await self._compare(row, position, options) for position, row in enumerate(sheet.rows, 1)]

    async def _compare(self, row: SheetRow, position: int, options: TargetOptions) -> ComparedRow:
        if row.analysis_id is None:
            return ComparedRow(position, row.name, None, row.problem)
        try:
            analysis = await run_in_threadpool(self._store.get, row.analysis_id)
            comparison = await self._lenses.of(analysis).compare(analysis, options, self._timings)
        except AnalysisGone:
            return ComparedRow(position, row.name, None, GONE)
        except InvalidOption:
            # Not the picture's fault.
            raise
        except LensError as error:
            return ComparedRow(position, row.name, None, str(error))
        return ComparedRow(position, row.name, comparison, None)


def list_comparisons(rows: Sequence[ComparedRow]) -> list[Comparison]:
    """The rows to show."""
    return [row.comparison for row in rows if row.comparison is not None]
