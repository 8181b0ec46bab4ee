"""Connections to the studies' database."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.errors import InvalidOption

OPTION = "study-database"

BUSY_SECONDS = 10
"""How long a process waits for another one's write to SQLite."""

POOL_CONNECTIONS = 16

WRITES = "writes"
"""The execution option of connections that write."""

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",  # readers do not wait for writers
    "PRAGMA synchronous=FULL",  # an answered vote is on the disk, whatever happens to the machine
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # a deleted study's pictures are overwritten
)


def connect(address: str) -> Engine:
    """Make the connections to a database; none is opened yet.

    Args:
        address: the path of an SQLite file, or a URL that begins with `sqlite:///` or `postgresql://`.

    Raises:
        InvalidOption: for another kind of address.
    """
    try:
        url = make_url(address if "://" in address else f"sqlite:///{Path(address).expanduser().absolute()}")
    except ArgumentError as error:
        raise refuse_address() from error
    if url.get_backend_name() == "sqlite":
        return _connect_sqlite(url.render_as_string(hide_password=False))
    if url.get_backend_name() in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
        return create_engine(url, pool_size=POOL_CONNECTIONS, pool_pre_ping=True)
    raise refuse_address()


def refuse_address() -> InvalidOption:
    """The error for an address of another kind; it may have a password in it, so it is not repeated."""
    return InvalidOption(
        "CBAM_LENS_STUDY_DATABASE is neither the path of an SQLite file nor postgresql://USER@HOST/NAME; give one of "
        "these",
        option=OPTION,
    )


def _connect_sqlite(url: str) -> Engine:
    engine = create_engine(
        url, pool_size=POOL_CONNECTIONS, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:  # noqa: ANN401  # SQLAlchemy's own
        # Python's driver would begin transactions by rules of its own.
        connection.isolation_level = None
        for pragma in SQLITE_PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later would fail at once if another one wrote meanwhile.
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
