"""The rows per second of one core and the memory of an analysis, from which docs/ray.md sizes machines."""

import asyncio
import pickle
import time
from pathlib import Path

from app.analysis.lens import Lens
from app.analysis.options import GeometryOptions, TargetOptions
from app.analysis.timing import Timings
from app.bench.results.statistics import Samples
from app.engine.loading import build_engine, load_chosen_lineup
from app.settings import Settings
from app.survey.rows import Row
from app.survey.run import SurveyOptions, open_surveyor
from app.survey.sources import PictureSource
from app.survey.store import RowStore

ROUND_PICTURES = 32


def measure_capacity(settings: Settings, directory: Path, seconds: float) -> Samples:
    """Measure the rows per second of one core, and the megabytes of one kept analysis.

    Time is processor time, not wall time, so that other load on the machine changes it little.

    Args:
        settings: the lineup and the device.
        directory: the pictures' folder; rows would go below it.
        seconds: the wall time of the measurement.

    Raises:
        LineupError: when the networks cannot be loaded.
    """
    settings = settings.model_copy(update={"threads": 1})
    lineup = load_chosen_lineup(settings)
    options = SurveyOptions(TargetOptions(), GeometryOptions(), directory / "rows")
    paths = sorted(directory.glob("*.jpg"))
    sources = [PictureSource(str(number), paths[number % len(paths)]) for number in range(ROUND_PICTURES)]
    rates: list[float] = []
    with open_surveyor(settings, lineup, options, RowStore(options.directory, {}, lineup.names)) as surveyor:
        until = time.monotonic() + seconds
        # The first round fills memory and caches; it is not counted.
        while time.monotonic() < until or len(rates) < 2:
            rows: list[Row] = []
            begin = time.process_time()
            asyncio.run(surveyor.look_at_all(sources, rows.append))
            rates.append(len(rows) / (time.process_time() - begin))
    engine = build_engine(settings)
    engine.start()
    lens = Lens(engine, lineup, max_pixels=settings.max_picture_pixels)
    try:
        asked = lens.compare_picture(paths[0].read_bytes(), GeometryOptions(), TargetOptions(), Timings())
        analysis = asyncio.run(asked).analysis
    finally:
        engine.close()
    return {
        "capacity.rows": rates[1:],
        "capacity.kept": [analysis.size_bytes / 1e6],
        "capacity.sent": [len(pickle.dumps(analysis)) / 1e6],
    }
