"""(b), (c), (f) Our own analysis in this process, from the uploaded bytes to every PNG."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from app.analysis.analyses import Analysis
from app.analysis.comparison import Comparison
from app.analysis.lens import Lens
from app.analysis.options import AttentionOptions, GeometryOptions, MapOptions, TargetOptions
from app.analysis.timing import Timings
from app.bench.servers.load import stamp_jpeg
from app.engine.loading import build_engine, load_chosen_lineup
from app.output import gates, heat_maps
from app.render.overlay import Render
from app.settings import Settings

STEPS = ("decode", "networks", "maps", "encode")

_numbers = itertools.count()


@contextmanager
def open_lens(settings: Settings) -> Iterator[Lens]:
    """Open a lens with a running engine, as in the server; raises `LineupError`."""
    lineup = load_chosen_lineup(settings)
    engine = build_engine(settings)
    engine.start()
    try:
        yield Lens(engine, lineup, max_pixels=settings.max_picture_pixels)
    finally:
        engine.close()


@dataclass(frozen=True, slots=True, eq=False)
class PictureAnalysis:
    """From JPEG bytes to PNGs of all heat maps and all gates.

    Attributes:
        lens: the lens that analyses.
        jpeg: the picture.
        render: the rendering of the heat maps; gates are always drawn as values.
        key: the prefix of the figures' keys.
    """

    lens: Lens
    jpeg: bytes
    render: Render
    key: str

    async def measure(self) -> Mapping[str, float]:
        """Milliseconds of the whole analysis, of each step, and of networks and maps together."""
        data, timings = stamp_jpeg(self.jpeg, next(_numbers)), Timings()
        start = time.perf_counter()
        comparison = await self.lens.compare_picture(data, GeometryOptions(), TargetOptions(), timings)
        with timings.measure("encode"):
            await encode_everything(self.lens, comparison, self.render)
        total = (time.perf_counter() - start) * 1000
        steps = {step: timings.milliseconds.get(step, 0.0) for step in STEPS}
        core = steps["networks"] + steps["maps"]
        return {f"{self.key}.{name}": value for name, value in {"total": total, "core": core, **steps}.items()}


@dataclass(frozen=True, slots=True, eq=False)
class OtherClass:
    """Another class on a picture that was analysed before: all heat maps as values."""

    lens: Lens
    jpeg: bytes

    async def measure(self) -> Mapping[str, float]:
        """Milliseconds without the first analysis."""
        data = stamp_jpeg(self.jpeg, next(_numbers))
        first = await self.lens.compare_picture(data, GeometryOptions(), TargetOptions(), Timings())
        other = (first.target.label.index + 1) % len(self.lens.lineup.labels)
        start = time.perf_counter()
        comparison = await self.lens.compare(first.analysis, TargetOptions(target=str(other)), Timings())
        await self.lens.run(encode_heat_maps, comparison, Render.VALUES)
        return {"other_class": (time.perf_counter() - start) * 1000}


async def encode_everything(lens: Lens, comparison: Comparison, render: Render) -> None:
    """PNGs of all heat maps and gates, off the event loop."""
    if render is Render.VALUES:
        # Each takes microseconds; a thread per PNG would cost more time than it saves.
        await lens.run(encode_heat_maps, comparison, render)
        await lens.run(encode_gates, comparison.analysis)
        return
    # The page requests each panel by itself, so each is drawn in its own thread here.
    options = MapOptions(render=render)
    maps = [partial(heat_maps.encode_heat_map, comparison, name, options) for name in comparison.names]
    await asyncio.gather(*(lens.run(draw) for draw in maps), lens.run(encode_gates, comparison.analysis))


def encode_heat_maps(comparison: Comparison, render: Render) -> Sequence[bytes]:
    """Every network's heat map."""
    options = MapOptions(render=render)
    return [heat_maps.encode_heat_map(comparison, name, options) for name in comparison.names]


def encode_gates(analysis: Analysis) -> Sequence[bytes]:
    """Every gate of every block, as values."""
    options = AttentionOptions(render=Render.VALUES)
    blocks = [block for trace in analysis.traces.values() for block in trace.blocks]
    return [gates.encode_attention(analysis, gate, options) for block in blocks for gate in block.gates.values()]
