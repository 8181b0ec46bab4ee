import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from app.errors import InvalidOption
from app.study.database.connections import WRITES, connect
from app.study.database.opening import open_database
from app.study.database.steps import bring_up_to_date, configure, find_newest_version
from app.study.database.tables import METADATA
from app.study.database.versions import NEWEST, read_version


def test_steps_make_exactly_the_tables_and_take_them_back(address: str) -> None:
    if "://" not in address:
        Path(address).parent.mkdir(parents=True)
    engine = connect(address)
    with engine.connect() as connection:
        assert read_version(connection) is None
    for _ in range(2):  # the second time nothing is left to do
        bring_up_to_date(engine)
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
            assert read_version(connection) == find_newest_version() == NEWEST
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        command.downgrade(configure(connection), "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    engine.dispose()


def test_tables_of_a_newer_program_are_left_alone(address: str) -> None:
    open_database(address).close()
    engine = connect(address)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InvalidOption, match="version 9999, and this program knows 0001; update the program"):
        open_database(address)
    with engine.connect() as connection:
        assert read_version(connection) == "9999"
    engine.dispose()


def test_database_that_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    path = str(tmp_path / "studies.sqlite")
    open_database(path).close()
    code = f"""
import sys
from app.study.database.opening import open_database
open_database({path!r}).close()
print("alembic" in sys.modules)
"""
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603  # our own
    assert told.stdout.strip() == "False"
