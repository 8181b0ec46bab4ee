"""The stores of a replica of the application: what they keep is kept for all replicas.

They are called from threads, as their plain likes are; each call waits for the keeper.
"""

import pickle
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from app.analysis.analyses import GONE, Analysis, AnalysisStore
from app.analysis.sheets import SHEET_GONE, Sheet, SheetStore
from app.errors import AnalysisGone, QueueFull, SheetGone
from app.on_ray.keeper import Blob, KeeperFigures

KEEPER_SECONDS = 10.0
RETRY_SECONDS = 5


class SharedAnalysisStore(AnalysisStore):
    """Analyses that are kept by the keeper; those that were used here lately have a copy here.

    The keeper is asked each time, so that what was deleted or has left is gone everywhere at once; a copy spares the
    way of its megabytes, and has the maps that were made of it here.

    Args:
        keeper: the actor.
        max_bytes: of copies.
        seconds: how long one is kept.
    """

    def __init__(self, keeper: Any, *, max_bytes: int, seconds: float) -> None:  # noqa: ANN401  # Ray's handle
        super().__init__(max_bytes=max_bytes, seconds=seconds)
        self._keeper = keeper

    def __len__(self) -> int:
        return self._read_figures().analyses

    @property
    def size_bytes(self) -> float:
        """The memory of all that are kept, for all replicas."""
        return self._read_figures().bytes

    def add(self, analysis: Analysis) -> None:
        """Keep an analysis; it is there for every replica when this returns."""
        wait(self._keeper.add.remote(Blob(analysis.id, pickle.dumps(analysis))))
        super().add(analysis)

    def get(self, analysis_id: str) -> Analysis:
        """The analysis; raises `AnalysisGone`."""
        if (copy := self._find_copy(analysis_id)) is not None and wait(self._keeper.has.remote(analysis_id)):
            self.hits += 1
            return copy
        data: bytes | None = wait(self._keeper.get.remote(analysis_id))
        if data is None:
            self.misses += 1
            self._drop_copy(analysis_id)
            raise AnalysisGone(GONE)
        self.hits += 1
        analysis: Analysis = pickle.loads(data)  # noqa: S301  # written by `add` of one of our own processes
        super().add(analysis)
        return analysis

    def remove(self, analysis_id: str) -> None:
        """Forget the analysis everywhere; raises `AnalysisGone`."""
        self._drop_copy(analysis_id)
        if not wait(self._keeper.remove.remote(analysis_id)):
            raise AnalysisGone(GONE)

    def _find_copy(self, analysis_id: str) -> Analysis | None:
        with self._lock:
            return self._analyses.get(analysis_id)

    def _drop_copy(self, analysis_id: str) -> None:
        with self._lock:
            self._analyses.pop(analysis_id, None)

    def _read_figures(self) -> KeeperFigures:
        figures: KeeperFigures = wait(self._keeper.read_figures.remote())
        return figures


class SharedSheetStore(SheetStore):
    """Sheets that are kept by the keeper.

    Args:
        keeper: the actor.
        seconds: how long one is kept.
    """

    def __init__(self, keeper: Any, *, seconds: float) -> None:  # noqa: ANN401  # Ray's handle
        super().__init__(seconds=seconds)
        self._keeper = keeper

    def add(self, sheet: Sheet) -> None:
        """Keep a sheet; it is there for every replica when this returns."""
        wait(self._keeper.add_sheet.remote(sheet))

    def get(self, sheet_id: str) -> Sheet:
        """The sheet; raises `SheetGone`."""
        sheet: Sheet | None = wait(self._keeper.get_sheet.remote(sheet_id))
        if sheet is None:
            raise SheetGone(SHEET_GONE)
        return sheet


def wait(reference: Any) -> Any:  # noqa: ANN401  # whatever the keeper answers
    """The keeper's answer; raises `QueueFull` where there is none."""
    try:
        return ray.get(reference, timeout=KEEPER_SECONDS)
    except (RayError, GetTimeoutError) as error:
        raise QueueFull(
            f"what keeps the analyses does not answer; try again in {RETRY_SECONDS} s",
            retry_after_seconds=RETRY_SECONDS,
        ) from error
