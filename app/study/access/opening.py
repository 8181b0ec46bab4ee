"""Access to the studies, opened when the first request or command asks for one: nobody else pays for SQLAlchemy."""

import logging
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING

from app.errors import InvalidOption, StudiesOff, StudiesUnavailable, StudyGone
from app.study.access.locations import find_study_file
from app.study.people import MOST_PEOPLE
from app.study.studies import NO_STUDY

if TYPE_CHECKING:
    from app.study.database.store import Studies

logger = logging.getLogger(__name__)

PACKAGES = ("sqlalchemy", "alembic", "segno")

RETRY_SECONDS = 5

MISSING = "studies need packages that are not installed: uv sync --extra study"


class StudyAccess:
    """The studies of a server or a command.

    Args:
        address: a path or a URL; None for the default file, which only `create` makes.
        max_people: the limit of people per study.
    """

    def __init__(self, address: str | None, *, max_people: int = MOST_PEOPLE) -> None:
        self._address = address
        self._max_people = max_people
        self._lock = threading.Lock()
        self._studies: Studies | None = None

    def check(self) -> None:
        """Open and close a database that was asked for by its address; raises `InvalidOption` if that fails."""
        if self._address:
            self.create()
            self.close()

    def find(self) -> "Studies":
        """The studies, for a server's request.

        Raises:
            StudyGone: if no study was ever created here.
            StudiesOff: if the packages are missing.
            StudiesUnavailable: if the database cannot be opened; the log says why.
        """
        if self._studies is not None:
            return self._studies
        if not self._address and not find_study_file().exists():
            raise StudyGone(NO_STUDY)
        return self.find_or_make()

    @property
    def is_possible(self) -> bool:
        """Whether the packages are there."""
        return _has_packages()

    def find_or_make(self) -> "Studies":
        """The studies, for a server's request that creates one.

        Raises:
            StudiesOff: if the packages are missing.
            StudiesUnavailable: if the database cannot be opened; the log says why.
        """
        if self._studies is not None:
            return self._studies
        if not self.is_possible:
            raise StudiesOff(MISSING)
        try:
            return self.create()
        except InvalidOption as error:
            logger.error("%s", error)  # noqa: TRY400  # the message has it all
            # The message has the file's path, which is no client's business.
            raise StudiesUnavailable(
                f"the studies' database cannot be opened; try again in {RETRY_SECONDS} s, or ask the server's operator",
                retry_after_seconds=RETRY_SECONDS,
            ) from error

    def create(self) -> "Studies":
        """The studies, in a database that is made if it is missing; raises `InvalidOption`."""
        with self._lock:
            if self._studies is None:
                self._studies = _open(self._address or str(find_study_file()), self._max_people)
            return self._studies

    def close(self) -> None:
        """Close the connections, if there are any."""
        with self._lock:
            if self._studies is not None:
                self._studies.close()
                self._studies = None


def _open(address: str, max_people: int) -> "Studies":
    if not _has_packages():
        raise InvalidOption(MISSING, option="study")
    # Late: half a second that a server without studies does not spend.
    from app.study.database.opening import open_database  # noqa: PLC0415

    return open_database(address, max_people=max_people)


def _has_packages() -> bool:
    return all(find_spec(name) is not None for name in PACKAGES)
