"""The recorded evaluations: `cbam-lens evaluate --focus --json`, one file or more per lineup, beside the weights."""

from functools import cache
from pathlib import Path

from app.evaluation.results.report import Evaluation
from models.lineups.card import SHIPPED_LINEUP

DIRECTORY = SHIPPED_LINEUP.parent / "evidence"

SEEDS = "seeds"
"""The folder of the evaluations of lineups that differ only in their seed, one file per seed."""


@cache
def read_record(path: Path) -> Evaluation | None:
    """Read a recorded evaluation; None if there is none."""
    return Evaluation.model_validate_json(path.read_bytes()) if path.is_file() else None


def find_records(lineup: str, *, directory: Path = DIRECTORY) -> list[Evaluation]:
    """Find the records of a lineup: `NAME.json`, then `NAME+DATA.json` for further data.

    A lineup's name is always a valid file name, and never has a plus sign.
    """
    paths = [directory / f"{lineup}.json", *sorted(directory.glob(f"{lineup}+*.json"))]
    return [record for path in paths if (record := read_record(path)) is not None]


def read_seeds(*, directory: Path = DIRECTORY) -> list[Evaluation]:
    """Read the evaluations of the short trainings, in the order of their file names."""
    found = [read_record(path) for path in sorted((directory / SEEDS).glob("*.json"))]
    return [evaluation for evaluation in found if evaluation is not None]
