"""Opening the studies' database, with its tables up to date."""

from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from app.errors import InvalidOption
from app.study.database.connections import OPTION, connect
from app.study.database.store import Studies
from app.study.database.versions import NEWEST, read_version
from app.study.people import MOST_PEOPLE


def open_database(address: str, *, max_people: int = MOST_PEOPLE) -> Studies:
    """Open a database; its tables are made, or changed to this program's version.

    Args:
        address: see `connect`.
        max_people: the limit of people per study, for those who vote here.

    Raises:
        InvalidOption: for an address of another kind, and for a database that cannot be reached or written.
    """
    engine = connect(address)
    try:
        _prepare_file(engine)
        _prepare_tables(engine)
    except InvalidOption:
        engine.dispose()
        raise
    except (DBAPIError, OSError) as error:
        engine.dispose()
        place = engine.url.render_as_string(hide_password=True)
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise InvalidOption(
            f"CBAM_LENS_STUDY_DATABASE: {place} cannot be opened: {reason}; name a database that this user may write",
            option=OPTION,
        ) from error
    return Studies(engine, max_people=max_people)


def _prepare_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        version = read_version(connection)
    if version == NEWEST:
        return
    from app.study.database.steps import NewerTables, bring_up_to_date  # noqa: PLC0415  # see `versions`

    try:
        bring_up_to_date(engine)
    except NewerTables as error:
        raise InvalidOption(
            f"CBAM_LENS_STUDY_DATABASE: its tables have version {version}, and this program knows {NEWEST}; update the "
            "program, or name another database",
            option=OPTION,
        ) from error


def _prepare_file(engine: Engine) -> None:
    """Make SQLite's file for its owner alone; its log takes the same rights."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        path = Path(engine.url.database)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
