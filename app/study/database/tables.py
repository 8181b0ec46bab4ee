"""The tables of the studies. A change of them needs a new step in `migrations`."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

STUDIES = Table(
    "study",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("admin_digest", String(64), nullable=False),
    Column("secret", String(64), nullable=False),
    Column("plan", Text, nullable=False),  # JSON of a `StudyPlan`
    Column("created_at", Integer, nullable=False),  # seconds since 1970, as all times here
    Column("opened_at", Integer),
    Column("closed_at", Integer),
    Column("closed_by", String(16)),
)

IMAGES = Table(
    "image",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("study_id", Integer, ForeignKey("study.id"), nullable=False, index=True),
    Column("media_type", String(32), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

QUESTIONS = Table(
    "question",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("study_id", Integer, ForeignKey("study.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("class_name", Text, nullable=False),
    Column("first_image", Integer, ForeignKey("image.id"), nullable=False),
    Column("second_image", Integer, ForeignKey("image.id"), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
)

# The key makes a vote that is sent twice count once.
VOTES = Table(
    "vote",
    METADATA,
    Column("study_id", Integer, ForeignKey("study.id"), primary_key=True),
    Column("person", String(32), primary_key=True),
    Column("question_id", Integer, ForeignKey("question.id"), primary_key=True),
    Column("outcome", SmallInteger, nullable=False),  # an `Outcome`
    Column("is_swapped", Boolean, nullable=False),
)
