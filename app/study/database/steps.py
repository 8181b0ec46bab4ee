"""The steps from one version of the tables to the next, by Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, text

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


class NewerTables(Exception):
    """The tables were made by a newer version of the program."""


def bring_up_to_date(engine: Engine) -> None:
    """Make the tables, or change those of an earlier version; one process at a time does it.

    Raises:
        NewerTables: for tables of a version that is not known here.
    """
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": ADVISORY_LOCK})
        try:
            command.upgrade(configure(connection), "head")
        except CommandError as error:
            raise NewerTables(str(error)) from error


def find_newest_version() -> str:
    """The version after the last step."""
    return str(ScriptDirectory.from_config(configure()).get_current_head())
