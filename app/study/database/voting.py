"""Votes on their way into the database: those that wait for the disk together are written together."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.study.ballots import Vote
from app.study.database.connections import WRITES
from app.study.database.tables import STUDIES, VOTES
from app.study.kinds import Ending
from app.study.studies import Study


@dataclass(slots=True, eq=False)
class _Entry:
    """A vote that waits; afterwards whether it was accepted, or why it could not be written."""

    vote: Vote
    is_done: bool = False
    is_accepted: bool = False
    error: Exception | None = field(default=None)


class VoteWriter:
    """Writes votes, several in one transaction: each waits for the disk once, not once for each before it.

    Args:
        engine: the connections.
        max_people: the limit of people per study.
    """

    def __init__(self, engine: Engine, *, max_people: int) -> None:
        self._engine = engine
        self._max_people = max_people
        self._waiting: list[_Entry] = []
        self._waiting_lock = threading.Lock()
        self._writing_lock = threading.Lock()

    def write(self, vote: Vote) -> bool:
        """Write a vote; when this returns it is on the disk. The first of a person's votes on a question counts.

        Returns:
            Whether the study was open and had room for the person; a vote that was there before counts as accepted.
        """
        entry = _Entry(vote)
        with self._waiting_lock:
            self._waiting.append(entry)
        with self._writing_lock:
            # Another thread may have written it while this one waited.
            if not entry.is_done:
                self._write_waiting()
        if entry.error is not None:
            raise entry.error
        return entry.is_accepted

    def _write_waiting(self) -> None:
        with self._waiting_lock:
            entries, self._waiting = self._waiting, []
        error: Exception | None = None
        accepted: list[Vote] = []
        try:
            with self._engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
                accepted = _write_all(connection, [entry.vote for entry in entries], self._max_people)
        except Exception as failure:  # each of the waiting requests raises it
            error = failure
        for entry in entries:
            entry.is_done, entry.error, entry.is_accepted = True, error, entry.vote in accepted


def _write_all(connection: Connection, votes: Sequence[Vote], max_people: int) -> list[Vote]:
    """Write the votes of open studies, end those that are complete, and return the votes that were accepted."""
    now = int(time.time())
    studies = {vote.study.id: vote.study for vote in votes}
    # Locked, so that a study is neither ended nor deleted under its votes; in one order, so that no two processes wait
    # for each other. SQLite has one writer at a time anyway.
    rows = connection.execute(
        select(STUDIES.c.id, STUDIES.c.key, STUDIES.c.opened_at)
        .where(STUDIES.c.id.in_(studies), STUDIES.c.closed_at.is_(None))
        .order_by(STUDIES.c.id)
        .with_for_update()
    )
    open_ids = {
        row.id
        for row in rows
        # An id alone may be that of a new study, after the old one was deleted.
        if row.opened_at is not None and row.key == studies[row.id].key and studies[row.id].is_open(now)
    }
    accepted: list[Vote] = []
    for study_id in open_ids:
        accepted += _admit(connection, [vote for vote in votes if vote.study.id == study_id], max_people)
    if accepted:
        _insert(connection, accepted)
    for study_id in open_ids:
        study = studies[study_id]
        people = {vote.person for vote in accepted if vote.study.id == study_id}
        if study.plan.people is not None and _has_enough(connection, study, people):
            end(connection, study_id, Ending.PEOPLE, now)
    return accepted


def _admit(connection: Connection, votes: Sequence[Vote], max_people: int) -> list[Vote]:
    """The votes of one study without those of new people for whom it has no room."""
    mine = VOTES.c.study_id == votes[0].study.id
    people = dict.fromkeys(vote.person for vote in votes)
    known = set(connection.execute(select(VOTES.c.person).where(mine, VOTES.c.person.in_(people)).distinct()).scalars())
    strangers = [person for person in people if person not in known]
    if strangers:
        count = connection.execute(select(func.count(VOTES.c.person.distinct())).where(mine)).scalar_one()
        known |= set(strangers[: max(0, max_people - count)])
    return [vote for vote in votes if vote.person in known]


def _insert(connection: Connection, votes: Sequence[Vote]) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    rows = [
        {
            "study_id": vote.study.id,
            "person": vote.person,
            "question_id": vote.question_id,
            "outcome": int(vote.outcome),
            "is_swapped": vote.is_swapped,
        }
        for vote in votes
    ]
    connection.execute(insert(VOTES).on_conflict_do_nothing(), rows)


def _has_enough(connection: Connection, study: Study, people: set[str]) -> bool:
    """Whether one of these people is complete now, and with them as many as the stopping rule wants."""
    complete = (
        select(VOTES.c.person)
        .where(VOTES.c.study_id == study.id)
        .group_by(VOTES.c.person)
        .having(func.count() >= study.question_count)
    )
    if connection.execute(complete.where(VOTES.c.person.in_(people)).limit(1)).first() is None:
        return False
    count = connection.execute(select(func.count()).select_from(complete.subquery())).scalar_one()
    return study.plan.people is not None and count >= study.plan.people


def end(connection: Connection, study_id: int, ending: Ending, now: int) -> None:
    """End a study, unless it has ended."""
    connection.execute(
        update(STUDIES)
        .where(STUDIES.c.id == study_id, STUDIES.c.closed_at.is_(None))
        .values(closed_at=now, closed_by=ending.value)
    )
