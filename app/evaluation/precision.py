"""`cbam-lens precision`: probabilities, heat maps and time in bf16 and fp16, compared with fp32."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel
from rich.table import Table

from app.analysis.comparison import Comparison
from app.analysis.lens import Lens
from app.analysis.options import GeometryOptions, TargetOptions
from app.analysis.timing import Timings
from app.engine.loading import build_engine, load_chosen_lineup
from app.errors import InvalidOption
from app.settings import Settings
from models.names import NetworkName, Precision
from models.pictures.folders import choose_pictures
from models.progress import track


class PrecisionEffect(BaseModel):
    """The changes by one precision against fp32, over all pictures, for the class that fp32 ranks first.

    Attributes:
        same_first_class: the share of pictures whose likeliest class stays the same.
        mean_probability_change, largest_probability_change: the absolute change of P.
        mean_map_change, largest_map_change: the largest change within a heat map, as a share of its fp32 maximum.
        time_ratio: the median time in the networks, divided by that of fp32.
    """

    same_first_class: float
    mean_probability_change: float
    largest_probability_change: float
    mean_map_change: float
    largest_map_change: float
    time_ratio: float


class PrecisionReport(BaseModel):
    """The effects by precision and network."""

    lineup: str
    pictures: int
    effects: dict[Precision, dict[NetworkName, PrecisionEffect]]


Answers = Mapping[Precision, list[tuple[Comparison, float]]]


def measure_precision(settings: Settings, directory: Path, *, limit: int | None) -> PrecisionReport:
    """Compare bf16 and fp16 with fp32 on the pictures of a directory, with a progress bar on standard error.

    Args:
        settings: the lineup and the device.
        directory: the pictures' folder; folders below it are searched too.
        limit: the largest number of pictures.

    Raises:
        InvalidOption: when there are no pictures.
        LensError: for a picture that cannot be read.
        LineupError: when the networks cannot be loaded.
    """
    paths = choose_pictures(directory.rglob("*"))[:limit]
    if not paths:
        raise InvalidOption(f"{directory} contains no pictures; give a directory with pictures", option="DIR")
    lenses = {precision: _open_lens(settings, precision) for precision in Precision}
    try:
        answers = asyncio.run(_ask_all(lenses, paths))
    finally:
        for lens in lenses.values():
            lens.engine.close()
    return PrecisionReport(
        lineup=lenses[Precision.FP32].lineup.card.name,
        pictures=len(paths),
        effects={
            precision: {name: _summarise(answers, precision, name) for name in lenses[Precision.FP32].lineup.names}
            for precision in Precision
            if precision is not Precision.FP32
        },
    )


def tabulate_precision(report: PrecisionReport) -> Table:
    """Make a table of a report for the terminal."""
    table = Table(
        "precision",
        "network",
        "same first class",
        "change of P, mean / largest",
        "change of the map, mean / largest",
        "time",
        title=f"{report.lineup}, {report.pictures:,} pictures, against fp32",
    )
    for precision, networks in report.effects.items():
        for name, effect in networks.items():
            table.add_row(
                precision.value,
                name,
                f"{effect.same_first_class:.1%}",
                f"{effect.mean_probability_change:.5f} / {effect.largest_probability_change:.4f}",
                f"{effect.mean_map_change:.2%} / {effect.largest_map_change:.1%}",
                f"x {effect.time_ratio:.2f}",
            )
    return table


def _open_lens(settings: Settings, precision: Precision) -> Lens:
    chosen = settings.model_copy(update={"precision": precision})
    lineup = load_chosen_lineup(chosen)
    engine = build_engine(chosen)
    engine.start()
    return Lens(engine, lineup, max_pixels=settings.max_picture_pixels)


async def _ask_all(lenses: Mapping[Precision, Lens], paths: Sequence[Path]) -> Answers:
    answers: dict[Precision, list[tuple[Comparison, float]]] = {precision: [] for precision in lenses}
    for path in track(paths, "comparing"):
        data, target = path.read_bytes(), ""
        for precision, lens in lenses.items():
            timings = Timings()
            comparison = await lens.compare_picture(data, GeometryOptions(), TargetOptions(target=target), timings)
            answers[precision].append((comparison, timings.milliseconds["networks"]))
            # All precisions explain the class that fp32, the first, has chosen.
            target = str(comparison.target.label.index)
    return answers


def _summarise(answers: Answers, precision: Precision, name: NetworkName) -> PrecisionEffect:
    pairs = list(zip(answers[Precision.FP32], answers[precision], strict=True))
    same, probability, maps = [], [], []
    for (exact, _), (rough, _) in pairs:
        same.append(exact.predictions(name, count=1)[0].label == rough.predictions(name, count=1)[0].label)
        probability.append(abs(exact.target_probability(name) - rough.target_probability(name)))
        change = np.abs(exact.heat_maps[name].values - rough.heat_maps[name].values).max()
        maps.append(change / max(exact.heat_maps[name].maximum, np.finfo(np.float32).tiny))
    exact_time, rough_time = (
        np.median([duration for _, duration in answers[chosen]]) for chosen in (Precision.FP32, precision)
    )
    return PrecisionEffect(
        same_first_class=float(np.mean(same)),
        mean_probability_change=float(np.mean(probability)),
        largest_probability_change=float(np.max(probability)),
        mean_map_change=float(np.mean(maps)),
        largest_map_change=float(np.max(maps)),
        time_ratio=float(rough_time / exact_time),
    )
