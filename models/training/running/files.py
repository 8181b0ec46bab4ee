"""Writing a training's files completely or not at all."""

from pathlib import Path

from models.training.running.errors import TrainingError
from models.whole_files import draft_beside


def write_file(path: Path, content: bytes | str) -> None:
    """Write a file; an existing one stays until the new one is on disk.

    Raises:
        TrainingError: the file cannot be written.
    """
    try:
        with draft_beside(path) as draft:
            draft.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise TrainingError(
            f"{path} cannot be written: {error.strerror}; make room or choose another place, then --resume"
        ) from error
