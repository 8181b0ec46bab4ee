"""The store of analyses, with a cache of the answers to questions about them."""

from collections.abc import MutableMapping
from typing import Any
from weakref import WeakKeyDictionary

from cachetools import LRUCache

from app.analysis.analyses import Analysis
from app.analysis.questions import AnswerType, Question, ResultType
from app.analysis.store import Store

Answers = dict[type[Question[Any, Any]], LRUCache[Question[Any, Any], Any]]


class AnswerCache:
    """A cache of answers by analysis and question, for one event loop.

    The cache drops an analysis's answers when the analysis has left its store and the last request for it has ended.
    Each class of questions has its own limit; the least recently used answer leaves first.
    """

    def __init__(self) -> None:
        self._answers: MutableMapping[Analysis, Answers] = WeakKeyDictionary()

    def __len__(self) -> int:
        """The number of analyses that have answers."""
        return len(self._answers)

    def find(self, analysis: Analysis, question: Question[ResultType, AnswerType]) -> AnswerType | None:
        """The cached answer, or None."""
        kept = self._answers.get(analysis, {}).get(type(question))
        answer: AnswerType | None = None if kept is None else kept.get(question)
        return answer

    def keep(self, analysis: Analysis, question: Question[ResultType, AnswerType], answer: AnswerType) -> None:
        """Keep an answer as long as its analysis, or until newer answers of its class replace it."""
        by_class = self._answers.setdefault(analysis, {})
        by_class.setdefault(type(question), LRUCache(question.kept_answers))[question] = answer


class AnalysisStore(Store[Analysis]):
    """A store of whole analyses.

    Attributes:
        answers: the answers to questions about the analyses.
    """

    def __init__(self, *, max_bytes: int, seconds: float) -> None:
        super().__init__(max_bytes=max_bytes, seconds=seconds)
        self.answers = AnswerCache()
