"""The newest results of each study: when a study ends, a whole class opens them at once."""

import threading
from collections.abc import Callable, Sequence

from cachetools import LRUCache

from app.study.ballots import Ballot
from app.study.report import StudyReport, build_report
from app.study.studies import Study

KEPT_REPORTS = 16

Version = tuple[object, ...]


class ReportCache:
    """Builds results, and keeps the newest ones of a few studies."""

    def __init__(self) -> None:
        self._kept: LRUCache[str, tuple[Version, StudyReport]] = LRUCache(KEPT_REPORTS)
        self._lock = threading.Lock()

    def find(
        self, study: Study, vote_count: int, list_ballots: Callable[[Study], Sequence[Ballot]], now: float
    ) -> StudyReport:
        """The results of a study; see `build_report`.

        Args:
            study: the study.
            vote_count: the number of its votes; as votes never change, this tells whether there are others.
            list_ballots: lists the votes, if they are needed.
            now: the time, in seconds since 1970.
        """
        version = vote_count, study.find_end(now), study.opened_at, study.closed_at
        with self._lock:
            kept = self._kept.get(study.key)
        if kept is not None and kept[0] == version:
            return kept[1]
        report = build_report(study, list_ballots(study), now)
        with self._lock:
            self._kept[study.key] = version, report
        return report

    def forget(self, study: Study) -> None:
        """Drop the results of a study that is deleted."""
        with self._lock:
            self._kept.pop(study.key, None)
