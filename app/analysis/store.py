"""The store for later questions, bounded in bytes and in time. Nothing here imports torch."""

import threading
from typing import Generic, Protocol, TypeVar

from cachetools import TTLCache

from app.errors import AnalysisGone

GONE = "no analysis has this id, or it has left the cache; send the picture again"


class Kept(Protocol):
    """An item of a store: an analysis, or one on its way."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def size_bytes(self) -> int:
        """About the memory it takes."""


KeptType = TypeVar("KeptType", bound=Kept)


class Store(Generic[KeptType]):
    """Analyses by id, bounded in bytes and in time; the least recently used leaves first.

    Args:
        max_bytes: memory for all of them.
        seconds: how long one is kept after it was made.

    Attributes:
        hits, misses: how often one was asked for that was there, and that was not.
    """

    def __init__(self, *, max_bytes: int, seconds: float) -> None:
        self.hits = self.misses = 0
        self._analyses: TTLCache[str, KeptType] = TTLCache(
            max_bytes, seconds, getsizeof=lambda analysis: analysis.size_bytes
        )
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._analyses)

    @property
    def size_bytes(self) -> float:
        """About the memory of all that are kept."""
        with self._lock:
            self._analyses.expire()
            return float(self._analyses.currsize)

    def add(self, analysis: KeptType) -> None:
        """Keep an analysis; one that is larger than the whole store is not kept."""
        with self._lock:
            if analysis.size_bytes <= self._analyses.maxsize:
                self._analyses[analysis.id] = analysis

    def get(self, analysis_id: str) -> KeptType:
        """The analysis; raises `AnalysisGone`."""
        with self._lock:
            analysis = self._analyses.get(analysis_id)
            self.hits += analysis is not None
            self.misses += analysis is None
        if analysis is None:
            raise AnalysisGone(GONE)
        return analysis

    def remove(self, analysis_id: str) -> None:
        """Drop the analysis; raises `AnalysisGone`."""
        with self._lock:
            if self._analyses.pop(analysis_id, None) is None:
                raise AnalysisGone(GONE)
