from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from app.study.database.connections import WRITES, connect
from app.study.database.steps import bring_up_to_date, configure, find_newest_version, read_version
from app.study.database.tables import METADATA


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
            assert read_version(connection) == find_newest_version()
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        command.downgrade(configure(connection), "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    engine.dispose()
