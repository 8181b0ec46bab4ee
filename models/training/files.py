"""Files that are there whole or not at all."""

import os
import tempfile
from pathlib import Path

from models.checkpoints.writing import synchronise
from models.training.errors import TrainingError


def write_file(path: Path, content: bytes | str) -> None:
    """Write a file beside its place, wait until it is on the disk, and put it there in one step.

    Raises:
        TrainingError: where it cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as directory:
            draft = Path(directory) / path.name
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        synchronise(path.parent)
    except OSError as error:
        raise TrainingError(
            f"{path} cannot be written: {error.strerror}; make room or choose another place, then go on with --resume"
        ) from error
