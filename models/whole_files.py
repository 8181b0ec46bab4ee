"""Writing files completely or not at all."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def draft_beside(path: Path) -> Iterator[Path]:
    """Give a path for a draft of a file, and move it into place in one step at the end.

    Until then, an existing file stays. At the end, the new file is on the disk. If anything fails, no draft is left.

    Args:
        path: the file's final path, in an existing directory.

    Raises:
        OSError: the file cannot be written.
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
