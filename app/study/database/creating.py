"""Studies on their way into the database, and out of it."""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, text

from app.errors import TooManyStudies
from app.study.database.tables import IMAGES, QUESTIONS, STUDIES, VOTES
from app.study.drafts import DraftImage, DraftStudy
from app.study.people import digest_admin_key, make_admin_key, make_key

SECRET_BYTES = 32

CREATION_LOCK = 20181009
"""The name of the lock in Postgres under which one process at a time creates a study on a page."""


@dataclass(frozen=True, slots=True)
class StudyKeys:
    """The secrets of a new study's two links; the second one is stored nowhere."""

    key: str
    admin_key: str


def check_room(connection: Connection, max_studies: int) -> None:
    """Refuse another study beyond a limit; raises `TooManyStudies`."""
    if connection.dialect.name == "postgresql":
        # Two that are created at once must not both be the last one; SQLite has one writer at a time.
        connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": CREATION_LOCK})
    count = connection.execute(select(func.count()).select_from(STUDIES)).scalar_one()
    if count >= max_studies:
        raise TooManyStudies(
            f"this server keeps {count:,} studies, and its page creates no other beyond {max_studies:,}; delete one by "
            "its second link, or ask the server's operator"
        )


def insert_study(connection: Connection, draft: DraftStudy, now: int, *, is_open: bool) -> StudyKeys:
    """Insert a study with its questions and images."""
    keys = StudyKeys(make_key(), make_admin_key())
    study_id = _insert_one(
        connection,
        insert(STUDIES).values(
            key=keys.key,
            admin_digest=digest_admin_key(keys.admin_key),
            secret=secrets.token_hex(SECRET_BYTES),
            plan=draft.plan.model_dump_json(),
            created_at=now,
            opened_at=now if is_open else None,
        ),
    )
    stored: dict[int, int] = {}

    def store(image: DraftImage) -> int:
        if id(image) not in stored:
            stored[id(image)] = _insert_one(
                connection,
                insert(IMAGES).values(study_id=study_id, media_type=image.media_type, content=image.content),
            )
        return stored[id(image)]

    for question in draft.questions:
        connection.execute(
            insert(QUESTIONS).values(
                study_id=study_id,
                kind=question.kind.value,
                name=question.name,
                class_name=question.class_name,
                first_image=store(question.first),
                second_image=store(question.second),
                width=question.width,
                height=question.height,
            )
        )
    return keys


def delete_study(connection: Connection, study_id: int) -> None:
    """Delete a study with its votes, questions and images."""
    for table in (VOTES, QUESTIONS, IMAGES):
        connection.execute(delete(table).where(table.c.study_id == study_id))
    connection.execute(delete(STUDIES).where(STUDIES.c.id == study_id))


def _insert_one(connection: Connection, statement: object) -> int:
    key = connection.execute(statement).inserted_primary_key  # type: ignore[call-overload]
    return int(key[0])
