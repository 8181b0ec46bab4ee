"""A store of analyses, limited in bytes and in time. Nothing here imports torch."""

import threading
from typing import Generic, Protocol, TypeVar

from cachetools import TTLCache

from app.errors import AnalysisGone

GONE = "no analysis has this id, or it is no longer on the server; send the picture again"


class Kept(Protocol):
    """An item of a store: an analysis, or its serialised form."""

    @property
    def id(self) -> str:
        """The unguessable id."""

    @property
    def size_bytes(self) -> int:
        """The approximate memory."""


KeptType = TypeVar("KeptType", bound=Kept)


class Store(Generic[KeptType]):
    """Analyses by id, limited in bytes and in time; the least recently used leaves first.

    Args:
        max_bytes: the memory for all of them.
        seconds: the time that an analysis is kept.

    Attributes:
        hits, misses: the number of lookups that found their analysis, and that did not.
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
        """The approximate memory of all kept analyses."""
        with self._lock:
            self._analyses.expire()
            return float(self._analyses.currsize)

    def add(self, analysis: KeptType) -> None:
        """Keep an analysis, unless it is larger than the whole store."""
        with self._lock:
            if analysis.size_bytes <= self._analyses.maxsize:
                self._analyses[analysis.id] = analysis

    def get(self, analysis_id: str) -> KeptType:
        """The analysis of an id; raises `AnalysisGone`."""
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
