"""Data for the evaluations of lineups."""

from pathlib import Path

import pytest

from tests.conftest import encode, make_picture
from tests.evaluation.test_command import put_mask


@pytest.fixture
def masked_data(tmp_path: Path) -> Path:
    """Three pictures of two classes, with masks."""
    folder = tmp_path / "data"
    for number in range(3):
        path = folder / f"class {number % 2}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(make_picture(80, 64, seed=number), "JPEG"))
        put_mask(path.with_suffix(".png"), (80, 64), (10, 10, 50, 40 + number))
    return folder
