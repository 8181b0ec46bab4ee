"""One process at a time: two that want the same file do not fetch it twice."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def _try(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _wait_for(file: IO[bytes]) -> None:
        while not _try(file):
            time.sleep(0.1)
else:
    import fcntl

    def _try(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait_for(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)


@contextmanager
def hold_lock(path: Path, tell_of_waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Wait until nobody else holds the lock, and hold it meanwhile.

    The operating system releases it with the process, however that ends. The empty file stays: removing it would let
    two hold two locks of one name.

    Args:
        path: of the empty file.
        tell_of_waiting: called before waiting, where somebody else holds the lock.
    """
    with path.open("ab") as file:
        if not _try(file):
            tell_of_waiting()
            _wait_for(file)
        yield
