"""The steps from one version of the tables to the next, by Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from app.study.database.connections import WRITES

MIGRATIONS = Path(__file__).parent / "migrations"

ADVISORY_LOCK = 20181008
"""The name of the lock in Postgres under which one process at a time changes the tables."""


def configure(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without a file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def bring_up_to_date(engine: Engine) -> None:
    """Make the tables, or change those of an earlier version; one process at a time does it."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": ADVISORY_LOCK})
        command.upgrade(configure(connection), "head")


def read_version(connection: Connection) -> str | None:
    """The version of a database's tables; None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


def find_newest_version() -> str:
    """The version that this program's tables have."""
    return str(ScriptDirectory.from_config(configure()).get_current_head())
