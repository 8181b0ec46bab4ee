"""The benchmark's own analyses of lineups of two, three and five networks."""

import asyncio

import pytest

from app.analysis.options import GeometryOptions, TargetOptions
from app.analysis.timing import Timings
from app.bench.contestants.analysis import encode_gates, encode_heat_maps, open_lens
from app.render.overlay import Render
from app.settings import Settings
from models.names import GateKind
from tests.conftest import decode, encode, make_picture
from tests.lineups import NAMES, write_option

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("count", NAMES)
def test_every_networks_map_and_gates_are_encoded(count: int) -> None:
    settings = Settings(lineups=(write_option(count),), threads=1)
    with open_lens(settings) as lens:
        picture = encode(make_picture(64, 48), "JPEG")
        comparison = asyncio.run(lens.compare_picture(picture, GeometryOptions(), TargetOptions(), Timings()))
    assert comparison.names == NAMES[count]
    maps = encode_heat_maps(comparison, Render.VALUES)
    assert len(maps) == count
    gates = encode_gates(comparison.analysis)
    expected = sum(len(block.gates) for trace in comparison.analysis.traces.values() for block in trace.blocks)
    channel_gates = 8 * (count - 1)
    assert len(gates) == expected > channel_gates - 1
    assert all(GateKind.CHANNEL in block.gates for block in comparison.analysis.traces[NAMES[count][-1]].blocks)
    for content in (*maps, *gates):
        decode(content)
