"""The store of analyses, with the answers to what was asked about them before."""

from collections.abc import MutableMapping
from typing import Any
from weakref import WeakKeyDictionary

from cachetools import LRUCache

from app.analysis.analyses import Analysis
from app.analysis.questions import AnswerType, Question, ResultType
from app.analysis.store import Store

Answers = dict[type[Question[Any, Any]], LRUCache[Question[Any, Any], Any]]


class AnswerCache:
    """Answers by analysis and question, for one event loop.

    An analysis's answers are dropped with it: when it has left its store and the last request for it has ended. Each
    class of questions has a bound of its own; the least recently used answer leaves first.
    """

    def __init__(self) -> None:
        self._answers: MutableMapping[Analysis, Answers] = WeakKeyDictionary()

    def __len__(self) -> int:
        """How many analyses have answers."""
        return len(self._answers)

    def find(self, analysis: Analysis, question: Question[ResultType, AnswerType]) -> AnswerType | None:
        """The answer that was kept, or None."""
        kept = self._answers.get(analysis, {}).get(type(question))
        answer: AnswerType | None = None if kept is None else kept.get(question)
        return answer

    def keep(self, analysis: Analysis, question: Question[ResultType, AnswerType], answer: AnswerType) -> None:
        """Keep an answer as long as its analysis, or until others of its class need the room."""
        by_class = self._answers.setdefault(analysis, {})
        by_class.setdefault(type(question), LRUCache(question.kept_answers))[question] = answer


class AnalysisStore(Store[Analysis]):
    """A store of whole analyses.

    Attributes:
        answers: to questions about the analyses.
    """

    def __init__(self, *, max_bytes: int, seconds: float) -> None:
        super().__init__(max_bytes=max_bytes, seconds=seconds)
        self.answers = AnswerCache()
