"""Databases of both kinds, and studies of small pictures."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.study.database.opening import open_database
from app.study.database.store import Studies
from tests.conftest import skip_here
from tests.study.postgres import ROLE, find_programs, run_postgres

KINDS = ("sqlite", "postgres")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The folder of the socket of a Postgres server."""
    programs = find_programs()
    if programs is None:
        skip_here("Postgres is not installed: apt-get install postgresql")
    with run_postgres(programs) as folder:
        yield folder


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "folder" / "studies.sqlite")
    folder = request.getfixturevalue("postgres")
    name = f"study_{secrets.token_hex(4)}"
    with psycopg.connect(host=folder, user=ROLE, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql://{ROLE}@/{name}?host={folder}"


@pytest.fixture
def studies(address: str) -> Iterator[Studies]:
    """The studies of an empty database."""
    studies = open_database(address)
    yield studies
    studies.close()
