"""The memory of an analysis counts with all that it holds, and the least recently used one leaves first."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from app.analysis.analyses import Analysis
from app.analysis.analysis_store import AnalysisStore
from app.analysis.options import GeometryOptions
from app.analysis.prepared import prepare_picture
from app.analysis.questions import Question, ReadInput
from app.analysis.sizes import OBJECT_BYTES, measure_bytes
from app.engine.traces import NetworkTrace
from app.engine.work import Work
from app.errors import AnalysisGone
from app.explain.maps import HeatMap
from models.lineups.lineup import Lineup
from tests.conftest import encode, make_picture

STORE_BYTES = 1_000_000

ANSWER_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Number(Question[object, object]):
    kept_answers: ClassVar[int] = 3
    number: int

    async def make_work(self, lineup: Lineup, analysis: Analysis, _: ReadInput, /) -> Work[object]:
        raise NotImplementedError

    def read(self, _: Analysis, result: object, /) -> object:
        return result


@pytest.fixture
def store() -> AnalysisStore:
    return AnalysisStore(max_bytes=STORE_BYTES, seconds=60)


def add(store: AnalysisStore, lineup: Lineup) -> Analysis:
    prepared = prepare_picture(encode(make_picture(64, 48)), lineup.card, GeometryOptions(), max_pixels=1_000_000)
    analysis = prepared.complete({"baseline": NetworkTrace(np.zeros(2, dtype=np.float32), {}, ())})
    store.add(analysis)
    return analysis


def keep(store: AnalysisStore, analysis: Analysis, *numbers: int) -> None:
    for number in numbers:
        store.answers.keep(analysis, Number(number), np.zeros(ANSWER_BYTES, dtype=np.uint8))


def test_answers_count_as_part_of_their_analysis(store: AnalysisStore, lineup: Lineup) -> None:
    analysis = add(store, lineup)
    before = store.size_bytes
    keep(store, analysis, 1, 2)
    assert store.size_bytes - before >= 2 * ANSWER_BYTES
    # The oldest of four leaves.
    keep(store, analysis, 3, 4)
    assert 3 * ANSWER_BYTES <= store.size_bytes - before < 3.1 * ANSWER_BYTES
    store.remove(analysis.id)
    del analysis
    assert store.size_bytes == 0


def test_answers_push_out_the_analysis_that_was_used_the_longest_ago(store: AnalysisStore, lineup: Lineup) -> None:
    first, second, third = (add(store, lineup) for _ in range(3))
    keep(store, first, 1, 2)
    for used in (first, third):
        store.get(used.id)
    keep(store, third, 1, 2, 3)
    with pytest.raises(AnalysisGone):
        store.get(second.id)
    assert store.size_bytes <= STORE_BYTES
    assert store.get(third.id) is third


def test_new_analysis_pushes_out_others_with_their_answers(store: AnalysisStore, lineup: Lineup) -> None:
    full, other = add(store, lineup), add(store, lineup)
    keep(store, full, 1, 2, 3)
    keep(store, other, 1)
    room = STORE_BYTES - int(store.size_bytes)
    while len(store) > 1 and room >= 0 and full.id in store._analyses:
        room -= add(store, lineup).size_bytes
    assert store.size_bytes <= STORE_BYTES
    assert store.answers.find(full, Number(1)) is None


def test_picture_for_the_screen_counts_with_four_bytes_per_pixel(store: AnalysisStore, lineup: Lineup) -> None:
    analysis = add(store, lineup)
    assert analysis.source.size_bytes == len(analysis.source.data) + 4 * 64 * 48


def test_measure_bytes_finds_arrays_wherever_they_are() -> None:
    heat_map = HeatMap(np.zeros((5, 7), dtype=np.float32))
    assert measure_bytes(heat_map) == 2 * OBJECT_BYTES + 140
    assert measure_bytes({"a": [heat_map, (heat_map,)]}) == 2 * measure_bytes(heat_map) + 3 * OBJECT_BYTES
    assert measure_bytes("text") == 0
