"""One process at a time: two that want the same file do not fetch it twice."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def _wait_for(file: IO[bytes]) -> None:
        while True:
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                time.sleep(0.1)
            else:
                return
else:
    import fcntl

    def _wait_for(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Wait until nobody else holds the lock, and hold it meanwhile.

    The operating system releases it with the process, however that ends. The empty file stays: removing it would let
    two hold two locks of one name.
    """
    with path.open("ab") as file:
        _wait_for(file)
        yield
