"""Files that are there whole or not at all."""

import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and put it there in one step; what was there before stays until then.

    Raises:
        OSError: where it cannot be written; the message says what to do.
    """
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as directory:
            draft = Path(directory) / path.name
            draft.write_bytes(content)
            draft.replace(path)
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror}; make room or choose another --output") from error
