"""The log of a training, as CSV and on request for TensorBoard."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from models.names import Geometry
from models.training.learning.validation import Score
from models.training.running.errors import TrainingError
from models.training.running.files import write_file

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class LogRow(BaseModel):
    """One row of the log.

    Attributes:
        step: the number of steps done.
        epoch: the number of epochs done, including the fraction of the current one.
        learning_rate: the learning rate of the last step.
        loss: the mean loss since the previous row.
        height, width: the size of the last step's batch in pixels.
        pictures_per_second: the rate since the previous row, of all processes together.
        scores: the accuracy on the validation pictures; empty except at the end of an epoch.
    """

    model_config = ConfigDict(frozen=True)

    step: int
    epoch: float
    learning_rate: float
    loss: float
    height: int
    width: int
    pictures_per_second: float
    scores: dict[Geometry, Score] = {}

    def flatten(self, geometries: Sequence[Geometry]) -> dict[str, float | int | str]:
        """The row's columns by name."""
        columns: dict[str, float | int | str] = self.model_dump(exclude={"scores"})
        for geometry in geometries:
            score = self.scores.get(geometry)
            columns[f"{geometry.value}_top1"] = "" if score is None else score.top1
            columns[f"{geometry.value}_top5"] = "" if score is None else score.top5
        return columns


class TrainingLog:
    """The CSV file of one training, and its curves for TensorBoard.

    Args:
        path: the CSV file.
        geometries: the geometries of validation, with two columns each.
        done: the number of steps done; rows of later steps are dropped, because these will be done again.
        board: the directory for TensorBoard's files, or None.

    Raises:
        TrainingError: TensorBoard is requested and not installed.
    """

    def __init__(self, path: Path, *, geometries: Sequence[Geometry], done: int = 0, board: Path | None = None) -> None:
        self.path = path
        self._geometries = geometries
        names = ["step", "epoch", "learning_rate", "loss", "height", "width", "pictures_per_second"]
        self._names = [*names, *(f"{geometry.value}_{top}" for geometry in geometries for top in ("top1", "top5"))]
        kept = [row for row in read_log(path) if int(row["step"]) <= done] if done else []
        write_file(path, self._format(kept, has_header=True))
        self._board = None if board is None else _open_board(board, done)

    def add(self, row: LogRow) -> None:
        """Write a row."""
        columns = row.flatten(self._geometries)
        with self.path.open("a", newline="", encoding="utf-8") as file:
            file.write(self._format([columns], has_header=False))
        if self._board is not None:
            for name, value in columns.items():
                if name not in ("step", "epoch") and value != "":
                    self._board.add_scalar(name, float(value), row.step)
            self._board.flush()

    def add_maps(self, step: int, maps: Mapping[str, NDArray[np.uint8]]) -> None:
        """Write drawn maps for TensorBoard, by their names; (H, W, 3) each."""
        if self._board is not None:
            for name, drawn in maps.items():
                self._board.add_image(name, drawn, step, dataformats="HWC")
            self._board.flush()

    def close(self) -> None:
        """Close TensorBoard's file."""
        if self._board is not None:
            self._board.close()

    def _format(self, rows: Sequence[dict[str, float | int | str]] | list[dict[str, str]], *, has_header: bool) -> str:
        text = io.StringIO()
        writer = csv.DictWriter(text, self._names, lineterminator="\n")
        if has_header:
            writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()


def read_log(path: Path) -> list[dict[str, str]]:
    """Read the rows of a log, by column; empty if there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _open_board(directory: Path, done: int) -> "SummaryWriter":
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  # optional
    except ImportError as error:
        raise TrainingError("--tensorboard needs tensorboard, which is not installed: uv sync --extra train") from error
    return SummaryWriter(str(directory), purge_step=done + 1)
