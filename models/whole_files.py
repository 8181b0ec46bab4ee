"""Files that are there whole or not at all."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def draft_beside(path: Path) -> Iterator[Path]:
    """Where to write a file that then gets its place in one step; what was there before stays until then.

    Nobody ever sees half of it, and it is on the disk when this ends. Where something goes wrong, nothing is left.

    Args:
        path: the file's place, in a directory that exists.

    Raises:
        OSError: where it cannot be written.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as directory:
        draft = Path(directory) / path.name
        yield draft
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    if sys.platform == "win32":
        # Windows opens no directories, and writes their entries by itself.
        return
    # The directory's own entry too.
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
