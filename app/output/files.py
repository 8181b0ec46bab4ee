"""Atomic writing of the commands' files."""

import tempfile
from pathlib import Path

from models.whole_files import draft_beside

OUTPUT = "--output"


def write_whole(path: Path, content: bytes, *, option: str = OUTPUT) -> None:
    """Write a file; an old file of that name stays until the new one is complete.

    Args:
        path: the file, in an existing directory.
        content: all of it.
        option: the command's option that names the file or its directory.

    Raises:
        OSError: when it cannot be written; the message has the remedy.
    """
    try:
        with draft_beside(path) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise _explain(path, error, option) from error


def check_writable(path: Path, *, option: str = OUTPUT) -> None:
    """Find out whether a file can be written, before it is computed; nothing is left.

    Args:
        path: the file; its directory need not exist yet.
        option: as in `write_whole`.

    Raises:
        OSError: when it cannot be written; the message has the remedy.
    """
    ancestor = next(folder for folder in path.absolute().parents if folder.exists())
    try:
        with tempfile.TemporaryDirectory(dir=ancestor):
            pass
    except OSError as error:
        raise _explain(path, error, option) from error


def _explain(path: Path, error: OSError, option: str) -> OSError:
    return OSError(f"{path} cannot be written: {error.strerror}; free some space or choose another {option}")
