"""The stores of a replica of the application, which all replicas share.

They are called from threads, like the plain stores; each call waits for the actor.
"""

import pickle
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from app.analysis.analyses import Analysis
from app.analysis.analysis_store import AnalysisStore
from app.analysis.sheets import SHEET_GONE, Sheet, SheetStore
from app.analysis.store import GONE
from app.errors import AnalysisGone, QueueFull, SheetGone
from app.on_ray.store_actor import Blob, StoreFigures

ACTOR_SECONDS = 10.0
RETRY_SECONDS = 5


class SharedAnalysisStore(AnalysisStore):
    """Analyses in the store actor, with copies here of those that were used lately.

    The actor is asked each time, so that a deleted or expired analysis is gone everywhere at once. A copy saves sending
    megabytes; answers to questions are kept only here.

    Args:
        actor: the handle of the `StoreActor`.
        max_bytes: the memory for copies.
        seconds: the time that a copy is kept.
    """

    def __init__(self, actor: Any, *, max_bytes: int, seconds: float) -> None:  # noqa: ANN401  # Ray's handle
        super().__init__(max_bytes=max_bytes, seconds=seconds)
        self._actor = actor

    def __len__(self) -> int:
        return self._read_figures().analyses

    @property
    def size_bytes(self) -> float:
        """The memory of the actor's analyses."""
        return self._read_figures().bytes

    def add(self, analysis: Analysis) -> None:
        """Keep an analysis; every replica finds it when this returns."""
        wait(self._actor.add.remote(Blob(analysis.id, pickle.dumps(analysis))))
        super().add(analysis)

    def get(self, analysis_id: str) -> Analysis:
        """The analysis of an id; raises `AnalysisGone`."""
        if (copy := self._find_copy(analysis_id)) is not None and wait(self._actor.has.remote(analysis_id)):
            self.hits += 1
            return copy
        data: bytes | None = wait(self._actor.get.remote(analysis_id))
        if data is None:
            self.misses += 1
            self._drop_copy(analysis_id)
            raise AnalysisGone(GONE)
        self.hits += 1
        analysis: Analysis = pickle.loads(data)  # noqa: S301  # written by `add` of one of our own processes
        super().add(analysis)
        return analysis

    def remove(self, analysis_id: str) -> None:
        """Drop the analysis everywhere; raises `AnalysisGone`."""
        self._drop_copy(analysis_id)
        if not wait(self._actor.remove.remote(analysis_id)):
            raise AnalysisGone(GONE)

    def _find_copy(self, analysis_id: str) -> Analysis | None:
        with self._lock:
            return self._analyses.get(analysis_id)

    def _drop_copy(self, analysis_id: str) -> None:
        with self._lock:
            self._analyses.pop(analysis_id, None)

    def _read_figures(self) -> StoreFigures:
        figures: StoreFigures = wait(self._actor.read_figures.remote())
        return figures


class SharedSheetStore(SheetStore):
    """Sheets in the store actor.

    Args:
        actor: the handle of the `StoreActor`.
        seconds: the time that a sheet is kept.
    """

    def __init__(self, actor: Any, *, seconds: float) -> None:  # noqa: ANN401  # Ray's handle
        super().__init__(seconds=seconds)
        self._actor = actor

    def add(self, sheet: Sheet) -> None:
        """Keep a sheet; every replica finds it when this returns."""
        wait(self._actor.add_sheet.remote(sheet))

    def get(self, sheet_id: str) -> Sheet:
        """The sheet of an id; raises `SheetGone`."""
        sheet: Sheet | None = wait(self._actor.get_sheet.remote(sheet_id))
        if sheet is None:
            raise SheetGone(SHEET_GONE)
        return sheet


def wait(reference: Any) -> Any:  # noqa: ANN401  # whatever the actor answers
    """Wait for the actor's answer; raises `QueueFull` if there is none."""
    try:
        return ray.get(reference, timeout=ACTOR_SECONDS)
    except (RayError, GetTimeoutError) as error:
        raise QueueFull(
            f"the store of analyses does not answer; try again in {RETRY_SECONDS} s",
            retry_after_seconds=RETRY_SECONDS,
        ) from error
