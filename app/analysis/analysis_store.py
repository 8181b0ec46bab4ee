"""The store of analyses, with a cache of the answers to questions about them."""

import threading
from collections.abc import Callable, MutableMapping
from typing import Any
from weakref import WeakKeyDictionary

from cachetools import LRUCache

from app.analysis.analyses import Analysis
from app.analysis.questions import AnswerType, Question, ResultType
from app.analysis.sizes import measure_bytes
from app.analysis.store import Store

Answers = dict[type[Question[Any, Any]], LRUCache[Question[Any, Any], Any]]


class AnswerCache:
    """A cache of answers by analysis and question.

    The cache drops an analysis's answers when the analysis has left its store or the last request for it has ended.
    Each class of questions has its own limit; the least recently used answer leaves first.

    Args:
        make_room: called after each new answer.
    """

    def __init__(self, make_room: Callable[[], None] = lambda: None) -> None:
        self._answers: MutableMapping[Analysis, Answers] = WeakKeyDictionary()
        self._sizes: MutableMapping[Analysis, int] = WeakKeyDictionary()
        self._make_room = make_room
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """The number of analyses that have answers."""
        with self._lock:
            return len(self._answers)

    @property
    def size_bytes(self) -> int:
        """The approximate memory of all answers."""
        with self._lock:
            return sum(self._sizes.values())

    def find(self, analysis: Analysis, question: Question[ResultType, AnswerType]) -> AnswerType | None:
        """The cached answer, or None."""
        with self._lock:
            kept = self._answers.get(analysis, {}).get(type(question))
            answer: AnswerType | None = None if kept is None else kept.get(question)
            return answer

    def keep(self, analysis: Analysis, question: Question[ResultType, AnswerType], answer: AnswerType) -> None:
        """Keep an answer as long as its analysis, or until newer answers of its class replace it."""
        with self._lock:
            by_class = self._answers.setdefault(analysis, {})
            by_class.setdefault(type(question), LRUCache(question.kept_answers))[question] = answer
            self._sizes[analysis] = sum(measure_bytes(list(kept.values())) for kept in by_class.values())
        self._make_room()

    def drop(self, analysis: Analysis) -> None:
        """Drop an analysis's answers."""
        with self._lock:
            self._answers.pop(analysis, None)
            self._sizes.pop(analysis, None)


class AnalysisStore(Store[Analysis]):
    """A store of whole analyses; the answers about an analysis count as part of it.

    Attributes:
        answers: the answers to questions about the analyses.
    """

    def __init__(self, *, max_bytes: int, seconds: float) -> None:
        super().__init__(max_bytes=max_bytes, seconds=seconds)
        self.answers = AnswerCache(self._make_room)

    @property
    def size_bytes(self) -> float:
        """The approximate memory of all kept analyses and of the answers about them."""
        return super().size_bytes + self.answers.size_bytes

    def add(self, analysis: Analysis) -> None:
        """Keep an analysis, unless it is larger than the whole store."""
        super().add(analysis)
        self._make_room()

    def _make_room(self) -> None:
        """Drop the least recently used analyses, with their answers, until the others fit with theirs.

        The last one stays, whose answers are limited by their number.
        """
        with self._lock:
            self._analyses.expire()
            while (
                len(self._analyses) > 1 and self._analyses.currsize + self.answers.size_bytes > self._analyses.maxsize
            ):
                _, dropped = self._analyses.popitem()
                self.answers.drop(dropped)
