"""Atomic writing of the commands' files."""

from pathlib import Path

from models.whole_files import draft_beside


def write_whole(path: Path, content: bytes) -> None:
    """Write a file; an old file of that name stays until the new one is complete.

    Raises:
        OSError: when it cannot be written; the message has the remedy.
    """
    try:
        with draft_beside(path) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise OSError(
            f"{path} cannot be written: {error.strerror}; free some space or choose another --output"
        ) from error
