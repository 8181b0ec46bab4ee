"""The actor that keeps analyses and sheets for all replicas of the application.

There is one store for all, not a route by id: Ray Serve sends a request to any replica, and replicas come and go with
the load, so an analysis in one of them would be lost with it. The actor keeps bytes and never unpickles them. If it
dies, Ray starts it again, empty; requests for lost analyses get an error that asks for the picture again.
"""

from dataclasses import dataclass

import ray

from app.analysis.sheets import Sheet, SheetStore
from app.analysis.store import Store
from app.errors import AnalysisGone, SheetGone
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Blob:
    """An analysis that one of our own processes pickled."""

    id: str
    data: bytes

    @property
    def size_bytes(self) -> int:
        """The memory of the pickle."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """The memory and number of the kept analyses, and the number of lookups that found theirs or did not."""

    bytes: float
    analyses: int
    hits: int
    misses: int


class StoreActor:
    """Keeps analyses and sheets for all replicas.

    Args:
        settings: the limits of memory and time.
    """

    def __init__(self, settings: Settings) -> None:
        self._analyses: Store[Blob] = Store(max_bytes=settings.cache_bytes, seconds=settings.cache_seconds)
        self._sheets = SheetStore(seconds=settings.cache_seconds)
        self._is_draining = False

    def add(self, blob: Blob) -> None:
        """Keep an analysis."""
        self._analyses.add(blob)

    def get(self, analysis_id: str) -> bytes | None:
        """The pickle of an analysis; None if it is gone."""
        try:
            return self._analyses.get(analysis_id).data
        except AnalysisGone:
            return None

    def has(self, analysis_id: str) -> bool:
        """Whether an analysis is kept."""
        return self.get(analysis_id) is not None

    def remove(self, analysis_id: str) -> bool:
        """Drop an analysis; returns whether it was kept."""
        try:
            self._analyses.remove(analysis_id)
        except AnalysisGone:
            return False
        return True

    def add_sheet(self, sheet: Sheet) -> None:
        """Keep a sheet."""
        self._sheets.add(sheet)

    def get_sheet(self, sheet_id: str) -> Sheet | None:
        """A sheet; None if it is gone."""
        try:
            return self._sheets.get(sheet_id)
        except SheetGone:
            return None

    def read_figures(self) -> StoreFigures:
        """Read the numbers for the metrics."""
        store = self._analyses
        return StoreFigures(store.size_bytes, len(store), store.hits, store.misses)

    def drain(self) -> None:
        """Tell all replicas that the server is about to end."""
        self._is_draining = True

    def is_draining(self) -> bool:
        """Whether the server is about to end."""
        return self._is_draining


def start_store_actor(settings: Settings) -> "ray.actor.ActorHandle[StoreActor]":
    """Start the actor; Ray restarts it if it dies, and repeats the calls."""
    return ray.remote(StoreActor).options(num_cpus=0, max_restarts=-1, max_task_retries=3).remote(settings)
