"""The version of the tables. Alembic is only imported where they have to change: that takes half a second."""

from sqlalchemy import Connection, inspect, text

NEWEST = "0001"
"""The version that this program's tables have: the last of Alembic's steps."""


def read_version(connection: Connection) -> str | None:
    """The version of a database's tables; None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version
