"""The studies in the database, for the server and for the command line."""

import hmac
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cachetools import LRUCache
from sqlalchemy import Connection, Engine, RowMapping, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from app.errors import StudiesUnavailable, StudyEnded, StudyGone
from app.study.ballots import Ballot, Vote
from app.study.database.connections import WRITES
from app.study.database.creating import StudyKeys, check_room, delete_study, insert_study
from app.study.database.tables import IMAGES, QUESTIONS, STUDIES, VOTES
from app.study.database.voting import VoteWriter, end
from app.study.drafts import DraftImage, DraftStudy
from app.study.kinds import Ending, QuestionKind
from app.study.people import digest_admin_key
from app.study.plan import StudyPlan
from app.study.statistics.votes import Outcome
from app.study.studies import NO_STUDY, Question, Study

logger = logging.getLogger(__name__)

ENDED = "this study has ended, and a study that has ended stays ended; create another one"

RETRY_SECONDS = 5

KEPT_STUDIES = 64
"""The studies whose plans and questions, which never change, stay in memory."""

KEPT_IMAGE_BYTES = 32_000_000


class Studies:
    """The studies.

    Args:
        engine: the connections to the database, whose tables are up to date.
        max_people: the limit of people per study.
    """

    def __init__(self, engine: Engine, *, max_people: int) -> None:
        self._engine = engine
        self._max_people = max_people
        self._writer = VoteWriter(engine, max_people=max_people)
        self._fixed: LRUCache[str, tuple[StudyPlan, tuple[Question, ...]]] = LRUCache(KEPT_STUDIES)
        self._images: LRUCache[tuple[str, int], DraftImage] = LRUCache(
            KEPT_IMAGE_BYTES, getsizeof=lambda image: len(image.content)
        )
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def create(self, draft: DraftStudy, *, is_open: bool = True, max_studies: int | None = None) -> StudyKeys:
        """Create a study.

        Args:
            draft: the study.
            is_open: whether it is open, or opened later.
            max_studies: the limit of studies in the database; None for no limit.

        Raises:
            TooManyStudies: beyond that limit.
        """
        with self._transaction(writes=True) as connection:
            if max_studies is not None:
                check_room(connection, max_studies)
            return insert_study(connection, draft, int(time.time()), is_open=is_open)

    def check_room(self, max_studies: int) -> None:
        """Refuse another study beyond a limit; raises `TooManyStudies`."""
        with self._transaction() as connection:
            check_room(connection, max_studies)

    def list_all(self) -> list[Study]:
        """Every study, the oldest first."""
        with self._transaction() as connection:
            rows = connection.execute(select(STUDIES).order_by(STUDIES.c.id)).mappings().all()
            return [self._build(connection, row) for row in rows]

    def find(self, key: str) -> Study:
        """The study of a voters' link; raises `StudyGone`."""
        with self._transaction() as connection:
            return self._build(connection, _find_row(connection, key))

    def find_for_admin(self, key: str, admin_key: str) -> Study:
        """The study of an admin link; raises `StudyGone` for a wrong one, too."""
        with self._transaction() as connection:
            row = _find_row(connection, key)
            if not hmac.compare_digest(digest_admin_key(admin_key), row["admin_digest"]):
                raise StudyGone(NO_STUDY)
            return self._build(connection, row)

    def open(self, study: Study) -> None:
        """Accept votes; raises `StudyEnded`."""
        now = int(time.time())
        if study.find_end(now) is not None:
            raise StudyEnded(ENDED)
        with self._transaction(writes=True) as connection:
            opened = update(STUDIES).where(STUDIES.c.key == study.key, STUDIES.c.opened_at.is_(None))
            connection.execute(opened.values(opened_at=now))

    def end(self, study: Study) -> None:
        """End a study by hand, unless it has ended."""
        if study.find_end(time.time()) is None:
            with self._transaction(writes=True) as connection:
                end(connection, study.id, Ending.HAND, int(time.time()))

    def delete(self, study: Study) -> None:
        """Delete a study, its votes and its images, also from the file's free pages."""
        with self._transaction(writes=True) as connection:
            row = connection.execute(select(STUDIES.c.id).where(STUDIES.c.key == study.key).with_for_update()).first()
            if row is None:
                raise StudyGone(NO_STUDY)
            delete_study(connection, row.id)
        with self._lock:
            self._fixed.pop(study.key, None)
            for name in [name for name in self._images if name[0] == study.key]:
                self._images.pop(name)
        if self._engine.dialect.name == "sqlite":
            self._empty_log()

    def vote(self, vote: Vote) -> bool:
        """Write a vote; see `VoteWriter.write`."""
        with _explained():
            return self._writer.write(vote)

    def find_answered(self, study: Study, person: str) -> frozenset[int]:
        """The questions that a person has answered, by their ids."""
        with self._transaction() as connection:
            asked = select(VOTES.c.question_id).where(VOTES.c.study_id == study.id, VOTES.c.person == person)
            return frozenset(connection.execute(asked).scalars())

    def list_ballots(self, study: Study) -> list[Ballot]:
        """Every vote of a study, by person and question."""
        with self._transaction() as connection:
            asked = (
                select(VOTES.c.person, VOTES.c.question_id, VOTES.c.outcome, VOTES.c.is_swapped)
                .where(VOTES.c.study_id == study.id)
                .order_by(VOTES.c.person, VOTES.c.question_id)
            )
            return [
                Ballot(row.person, row.question_id, Outcome(row.outcome), row.is_swapped)
                for row in connection.execute(asked)
            ]

    def read_image(self, study: Study, image_id: int) -> DraftImage:
        """An image of a study; raises `StudyGone`."""
        name = (study.key, image_id)
        with self._lock:
            found = self._images.get(name)
        if found is not None:
            return found
        with self._transaction() as connection:
            asked = select(IMAGES.c.content, IMAGES.c.media_type)
            row = connection.execute(asked.where(IMAGES.c.id == image_id, IMAGES.c.study_id == study.id)).first()
        if row is None:
            raise StudyGone(NO_STUDY)
        image = DraftImage(row.content, row.media_type)
        with self._lock:
            if len(image.content) <= self._images.maxsize:
                self._images[name] = image
        return image

    def count_people(self, study: Study) -> int:
        """The number of people with a vote."""
        with self._transaction() as connection:
            asked = select(func.count(VOTES.c.person.distinct())).where(VOTES.c.study_id == study.id)
            return connection.execute(asked).scalar_one()

    def count_votes(self, study: Study) -> int:
        """The number of votes."""
        with self._transaction() as connection:
            asked = select(func.count()).select_from(VOTES).where(VOTES.c.study_id == study.id)
            return connection.execute(asked).scalar_one()

    def is_full(self, study: Study) -> bool:
        """Whether a study has no room for another person."""
        return self.count_people(study) >= self._max_people

    def _build(self, connection: Connection, row: RowMapping) -> Study:
        with self._lock:
            fixed = self._fixed.get(row["key"])
        if fixed is None:
            fixed = StudyPlan.model_validate_json(row["plan"]), _read_questions(connection, row["id"])
            with self._lock:
                self._fixed[row["key"]] = fixed
        return Study(
            id=row["id"],
            key=row["key"],
            secret=row["secret"],
            plan=fixed[0],
            questions=fixed[1],
            opened_at=row["opened_at"],
            closed_at=row["closed_at"],
            closed_by=row["closed_by"] and Ending(row["closed_by"]),
        )

    def _empty_log(self) -> None:
        """Take what was deleted out of SQLite's log too, which the file's own pages no longer have."""
        with _explained():
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()

    @contextmanager
    def _transaction(self, *, writes: bool = False) -> Iterator[Connection]:
        connected = self._engine.connect
        with _explained(), connected().execution_options(**{WRITES: writes}) as connection, connection.begin():
            yield connection


@contextmanager
def _explained() -> Iterator[None]:
    """Turn a failure of the database into an error that says what to do, and log it."""
    try:
        yield
    except SQLAlchemyError as error:
        # Without the statement's values: they may be a person's.
        reason = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
        logger.error("the studies' database: %s", reason)  # noqa: TRY400  # a traceback would have the values
        raise StudiesUnavailable(
            f"the studies' database does not answer; try again in {RETRY_SECONDS} s, or ask the server's operator",
            retry_after_seconds=RETRY_SECONDS,
        ) from error


def _find_row(connection: Connection, key: str) -> RowMapping:
    row = connection.execute(select(STUDIES).where(STUDIES.c.key == key)).mappings().first()
    if row is None:
        raise StudyGone(NO_STUDY)
    return row


def _read_questions(connection: Connection, study_id: int) -> tuple[Question, ...]:
    asked = select(QUESTIONS).where(QUESTIONS.c.study_id == study_id).order_by(QUESTIONS.c.id)
    return tuple(
        Question(
            id=row["id"],
            kind=QuestionKind(row["kind"]),
            name=row["name"],
            class_name=row["class_name"],
            first_image=row["first_image"],
            second_image=row["second_image"],
            width=row["width"],
            height=row["height"],
        )
        for row in connection.execute(asked).mappings()
    )
