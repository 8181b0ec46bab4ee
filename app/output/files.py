"""Files that commands write, whole or not at all."""

from pathlib import Path

from models.whole_files import draft_beside


def write_whole(path: Path, content: bytes) -> None:
    """Write a file; what was there before stays until all of it is.

    Raises:
        OSError: where it cannot be written; the message says what to do.
    """
    try:
        with draft_beside(path) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror}; make room or choose another --output") from error
