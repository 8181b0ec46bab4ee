"""The comparisons of a sheet: each picture is analysed and compared by itself, so that one error stops no other."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import anyio

from app.analysis.analyses import Analysis
from app.analysis.comparison import Comparison
from app.analysis.kept_analyses import KeptAnalyses
from app.analysis.lenses import Lenses
from app.analysis.networks import check_networks
from app.analysis.options import PictureOptions, TargetOptions
from app.analysis.sheets import Sheet, SheetRow
from app.analysis.timing import Timings
from app.engine.callers import in_series
from app.errors import AnalysisGone, InvalidOption, LensError

GONE = "This picture’s analysis is no longer on the server; send the picture again."

LATE = "Not compared yet: this needs more time than one request has. Reload the page to go on."


@dataclass(frozen=True, slots=True, eq=False)
class ComparedRow:
    """A row with its comparison, or with the reason why it has none.

    Attributes:
        position: from 1.
        name: the file's name.
        comparison: the comparison; None if there is a problem.
        problem: the reason; None if there is a comparison.
    """

    position: int
    name: str
    comparison: Comparison | None
    problem: str | None


class SheetLens:
    """Analyses and compares several pictures, each by itself.

    Args:
        lenses: the lenses of all lineups.
        kept: where the analyses are kept.
        timings: the request's timings; the steps are added to them.
    """

    def __init__(self, lenses: Lenses, kept: KeptAnalyses, timings: Timings) -> None:
        self._lenses = lenses
        self._kept = kept
        self._timings = timings

    async def analyse(self, name: str, data: bytes, options: PictureOptions) -> SheetRow:
        """Analyse one picture with every network; an error becomes the row's problem."""
        try:
            lens = self._lenses.choose(options.lineup)
            # The same job computes the maps of the class that the sheet shows first.
            with in_series():
                comparison = await lens.compare_picture(data, options, TargetOptions(), self._timings)
        except LensError as error:
            return SheetRow(name, problem=str(error))
        await self._kept.add(replace(comparison.analysis, name=name))
        return SheetRow(name, analysis_id=comparison.analysis.id)

    async def compare(
        self,
        sheet: Sheet,
        options: TargetOptions,
        row_targets: Mapping[int, str] | None = None,
        *,
        seconds: float = math.inf,
    ) -> list[ComparedRow]:
        """Compare every row, one after the other: a sheet must not fill the queue.

        Args:
            sheet: the pictures.
            options: the class, method and stage.
            row_targets: the classes of single rows, by their positions; the others explain the options' class.
            seconds: the time for all rows; those that come too late get a problem. What is computed is kept.

        Raises:
            InvalidOption: for an unknown class or gate, and for a network that the lineup of any row lacks.
        """
        own = {} if row_targets is None else row_targets
        compared: list[ComparedRow] = []
        with anyio.move_on_after(seconds):
            # An analysis of which only the upload is left is computed here.
            analyses = [await self._find(row) for row in sheet.rows]
            # Before the first row is compared.
            for analysis in analyses:
                if analysis is not None:
                    check_networks(analysis.card, options)
            for position, (row, analysis) in enumerate(zip(sheet.rows, analyses, strict=True), 1):
                asked = options.model_copy(update={"target": own[position]}) if position in own else options
                compared.append(await self._compare(row, analysis, position, asked))
        late = enumerate(sheet.rows[len(compared) :], len(compared) + 1)
        return compared + [ComparedRow(position, row.name, None, row.problem or LATE) for position, row in late]

    async def _find(self, row: SheetRow) -> Analysis | None:
        """A row's analysis; None where there never was one, or it has left the cache."""
        if row.analysis_id is None:
            return None
        try:
            return await self._kept.find(row.analysis_id, self._timings)
        except AnalysisGone:
            return None

    async def _compare(
        self, row: SheetRow, analysis: Analysis | None, position: int, options: TargetOptions
    ) -> ComparedRow:
        if analysis is None:
            return ComparedRow(position, row.name, None, row.problem or GONE)
        try:
            with in_series():
                comparison = await self._lenses.of(analysis).compare(analysis, options, self._timings)
        except InvalidOption:
            # The option is wrong, not this picture.
            raise
        except LensError as error:
            return ComparedRow(position, row.name, None, str(error))
        return ComparedRow(position, row.name, comparison, None)


def list_comparisons(rows: Sequence[ComparedRow]) -> list[Comparison]:
    """The comparisons of the rows that have one."""
    return [row.comparison for row in rows if row.comparison is not None]
