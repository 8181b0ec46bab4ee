"""Analyses as the routes find them: in memory, or computed anew from an upload on disk."""

import asyncio
from dataclasses import replace
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool

from app.analysis.analyses import Analysis
from app.analysis.analysis_store import AnalysisStore
from app.analysis.lenses import Lenses
from app.analysis.options import GeometryOptions
from app.analysis.sheets import Sheet, SheetStore
from app.analysis.timing import Timings
from app.analysis.upload_folder import UploadFolder
from app.errors import AnalysisGone, InvalidOption, SheetGone


class KeptAnalyses:
    """Analyses and sheets, in memory and, if there is a folder, on disk.

    Args:
        store: the analyses in memory.
        sheets: the sheets in memory.
        lenses: the lenses of all lineups.
        folder: the uploads on disk; None to keep nothing there.
    """

    def __init__(
        self, store: AnalysisStore, sheets: SheetStore, lenses: Lenses, folder: UploadFolder | None = None
    ) -> None:
        self._store = store
        self._sheets = sheets
        self._lenses = lenses
        self._folder = folder
        self._opening: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def add(self, analysis: Analysis) -> None:
        """Keep an analysis."""
        await run_in_threadpool(self._store.add, analysis)
        if self._folder is not None:
            await run_in_threadpool(self._folder.add, analysis)

    async def find(self, analysis_id: str, timings: Timings) -> Analysis:
        """The analysis of an id; it is computed anew if only its upload is left.

        Raises:
            AnalysisGone: if nothing is left, or its lineup is no longer served.
            LensError: see `Lens.analyse`.
        """
        try:
            return await run_in_threadpool(self._store.get, analysis_id)
        except AnalysisGone:
            if self._folder is None:
                raise
        # The page asks for several files of one analysis at once.
        async with self._opening.setdefault(analysis_id, asyncio.Lock()):
            try:
                return await run_in_threadpool(self._store.get, analysis_id)
            except AnalysisGone:
                return await self._reopen(self._folder, analysis_id, timings)

    async def remove(self, analysis_id: str) -> None:
        """Delete an analysis, and its upload on disk; raises `AnalysisGone`."""
        was_on_disk = self._folder is not None and await run_in_threadpool(self._folder.remove, analysis_id)
        try:
            await run_in_threadpool(self._store.remove, analysis_id)
        except AnalysisGone:
            if not was_on_disk:
                raise

    async def add_sheet(self, sheet: Sheet) -> None:
        """Keep a sheet."""
        await run_in_threadpool(self._sheets.add, sheet)
        if self._folder is not None:
            await run_in_threadpool(self._folder.add_sheet, sheet)

    async def find_sheet(self, sheet_id: str) -> Sheet:
        """The sheet of an id; raises `SheetGone`."""
        try:
            return await run_in_threadpool(self._sheets.get, sheet_id)
        except SheetGone:
            if self._folder is None:
                raise
            return await run_in_threadpool(self._folder.read_sheet, sheet_id)

    async def _reopen(self, folder: UploadFolder, analysis_id: str, timings: Timings) -> Analysis:
        kept, data = await run_in_threadpool(folder.read, analysis_id)
        try:
            lens = self._lenses.choose(kept.lineup)
            options = GeometryOptions(geometry=kept.geometry, resolution=kept.resolution)
            computed = await lens.analyse(data, options, timings)
        except InvalidOption as error:
            raise AnalysisGone(
                f"the picture is kept, but not what it was analysed with: {error}; or send the picture again"
            ) from error
        analysis = replace(computed, id=analysis_id, name=kept.name, made_at=kept.made_at)
        # It may have been deleted while it was computed.
        if await run_in_threadpool(folder.has, analysis_id):
            await run_in_threadpool(self._store.add, analysis)
        return analysis
