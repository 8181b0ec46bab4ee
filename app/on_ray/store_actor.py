"""The actor that keeps analyses and sheets for all replicas of the application.

One place and not a route by id: Ray Serve sends a request to any replica, and replicas come and go with the load; an
analysis that lived in one of them would leave with it. The actor keeps bytes and never reads them. Where it
dies, Ray starts it again without what it kept; whoever asks for that is told to send the picture again.
"""

from dataclasses import dataclass

import ray

from app.analysis.sheets import Sheet, SheetStore
from app.analysis.store import Store
from app.errors import AnalysisGone, SheetGone
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Blob:
    """An analysis on its way, pickled by one of our own processes."""

    id: str
    data: bytes

    @property
    def size_bytes(self) -> int:
        """The memory that it takes."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """The number of kept analyses at present, and of requests for them."""

    bytes: float
    analyses: int
    hits: int
    misses: int


class StoreActor:
    """Keeps what any replica may be asked for.

    Args:
        settings: how much, and for how long.
    """

    def __init__(self, settings: Settings) -> None:
        self._analyses: Store[Blob] = Store(max_bytes=settings.cache_bytes, seconds=settings.cache_seconds)
        self._sheets = SheetStore(seconds=settings.cache_seconds)
        self._is_draining = False

    def add(self, blob: Blob) -> None:
        """Keep an analysis."""
        self._analyses.add(blob)

    def get(self, analysis_id: str) -> bytes | None:
        """An analysis; None for one that is not there."""
        try:
            return self._analyses.get(analysis_id).data
        except AnalysisGone:
            return None

    def has(self, analysis_id: str) -> bool:
        """Whether an analysis is there."""
        return self.get(analysis_id) is not None

    def remove(self, analysis_id: str) -> bool:
        """Drop an analysis; whether it was there."""
        try:
            self._analyses.remove(analysis_id)
        except AnalysisGone:
            return False
        return True

    def add_sheet(self, sheet: Sheet) -> None:
        """Keep a sheet."""
        self._sheets.add(sheet)

    def get_sheet(self, sheet_id: str) -> Sheet | None:
        """A sheet; None for one that is not there."""
        try:
            return self._sheets.get(sheet_id)
        except SheetGone:
            return None

    def read_figures(self) -> StoreFigures:
        """For the metrics."""
        store = self._analyses
        return StoreFigures(store.size_bytes, len(store), store.hits, store.misses)

    def drain(self) -> None:
        """Tell all replicas that the server is about to end."""
        self._is_draining = True

    def is_draining(self) -> bool:
        """Whether the server is about to end."""
        return self._is_draining


def start_store_actor(settings: Settings) -> "ray.actor.ActorHandle[StoreActor]":
    """Start the actor; calls that meet its death are repeated."""
    return ray.remote(StoreActor).options(num_cpus=0, max_restarts=-1, max_task_retries=3).remote(settings)
