"""The log's files."""

import sys
from pathlib import Path

import numpy as np
import pytest

from models.names import Geometry
from models.training.learning.log import LogRow, TrainingLog, read_log
from models.training.learning.validation import Score
from models.training.running.errors import TrainingError

ROW = LogRow(step=4, epoch=1, learning_rate=0.1, loss=1.25, height=32, width=64, pictures_per_second=9.5)
SCORE = Score(pictures=4, top1=0.5, top5=1.0)


def test_log_has_one_column_for_each_figure(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path / "log.csv", geometries=list(Geometry))
    log.add(ROW)
    log.add(ROW.model_copy(update={"step": 8, "scores": {Geometry.WHOLE: SCORE}}))
    log.close()
    first, second = read_log(tmp_path / "log.csv")
    assert first == {
        "step": "4", "epoch": "1.0", "learning_rate": "0.1", "loss": "1.25", "height": "32", "width": "64",
        "pictures_per_second": "9.5", "center_crop_top1": "", "center_crop_top5": "", "whole_top1": "",
        "whole_top5": "",
    }  # fmt: skip
    assert (second["whole_top1"], second["whole_top5"]) == ("0.5", "1.0")


def test_log_of_a_new_training_begins_anew(tmp_path: Path) -> None:
    for done, expected in ((0, []), (4, ["4"])):
        log = TrainingLog(tmp_path / "log.csv", geometries=[], done=done)
        assert [row["step"] for row in read_log(tmp_path / "log.csv")] == expected
        log.add(ROW)
        if done == 0:
            log.add(ROW.model_copy(update={"step": 8}))


def test_board_without_the_library_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(TrainingError, match="uv sync --extra train"):
        TrainingLog(tmp_path / "log.csv", geometries=[], board=tmp_path / "board")


def test_board_gets_the_same_figures(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is optional: uv sync --extra train")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415

    log = TrainingLog(tmp_path / "log.csv", geometries=[], board=tmp_path / "board")
    log.add(ROW)
    log.close()
    board = EventAccumulator(str(tmp_path / "board")).Reload()
    assert [(event.step, event.value) for event in board.Scalars("loss")] == [(4, 1.25)]


def test_board_gets_maps(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is optional: uv sync --extra train")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415

    log = TrainingLog(tmp_path / "log.csv", geometries=[], board=tmp_path / "board")
    log.add_maps(4, {"maps/1": np.full((6, 8, 3), 9, np.uint8)})
    log.close()
    (drawn,) = EventAccumulator(str(tmp_path / "board")).Reload().Images("maps/1")
    assert (drawn.step, drawn.width, drawn.height) == (4, 8, 6)
