"""A workbench with the trained lineup, and a picture's file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.analysis.lens import Lens
from app.engine.engine import Engine
from app.engine.loading import build_engine
from app.mcp.files import PictureFiles
from app.mcp.workbench import Workbench
from app.settings import Settings
from models.lineups.lineup import Lineup


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    engine = build_engine(Settings())
    engine.start()
    yield engine
    engine.close()


@pytest.fixture
def workbench(engine: Engine, lineup: Lineup) -> Workbench:
    return Workbench(Lens(engine, lineup, max_pixels=1_000_000), PictureFiles(most_bytes=1_000_000))


@pytest.fixture
def picture(tmp_path: Path, motorcycle: bytes) -> Path:
    path = tmp_path / "bike.png"
    path.write_bytes(motorcycle)
    return path
