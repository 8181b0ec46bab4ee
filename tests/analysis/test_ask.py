"""`Lens.ask`: an answer is computed once, kept within bounds, and dropped with its analysis."""

import asyncio
import gc
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from app.analysis.analyses import Analysis
from app.analysis.analysis_store import AnalysisStore
from app.analysis.lens import Lens
from app.analysis.options import GeometryOptions, TargetOptions
from app.analysis.prepared import prepare_picture
from app.analysis.questions import Question, ReadInput
from app.analysis.timing import Timings
from app.engine.engine import Engine
from app.engine.traces import LineupGradient, NetworkTrace, find_first_class
from app.engine.work import AnswerType, PictureWork, TracedPicture, Work
from app.errors import AnalysisGone
from models.lineups.lineup import Lineup
from models.names import Stage
from tests.conftest import encode, make_picture


@dataclass(frozen=True, slots=True, eq=False)
class Double(Work[int]):
    """Work with a known answer."""

    number: int

    def compute(self) -> int:
        return 2 * self.number


@dataclass(frozen=True, slots=True)
class Doubled(Question[int, str]):
    kept_answers: ClassVar[int] = 2
    number: int

    async def make_work(self, lineup: Lineup, analysis: Analysis, _: ReadInput, /) -> Double:
        return Double(lineup, self.number)

    def read(self, _: Analysis, result: int, /) -> str:
        return f"twice {self.number} is {result}"


@dataclass(frozen=True, slots=True)
class SizeOfInput(Question[int, int]):
    """Work that needs the picture decoded again, and no map."""

    kept_answers: ClassVar[int] = 1
    makes_maps: ClassVar[bool] = False

    async def make_work(self, lineup: Lineup, analysis: Analysis, read_input: ReadInput, /) -> Double:
        return Double(lineup, (await read_input(analysis)).size)

    def read(self, _: Analysis, result: int, /) -> int:
        return result // 2


class CountingEngine(Engine):
    """Computes at once and records its arguments."""

    def __init__(self) -> None:
        self.done: list[Work[object]] = []

    is_ready, has_failed, waiting = True, False, 0

    def find_place(self, _: str, /) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing was started."""

    async def submit(self, work: Work[AnswerType]) -> AnswerType:
        self.done.append(work)  # type: ignore[arg-type]
        return work.compute()


@pytest.fixture
def engine() -> CountingEngine:
    return CountingEngine()


@pytest.fixture
def store() -> AnalysisStore:
    return AnalysisStore(max_bytes=1_000_000, seconds=60)


@pytest.fixture
def lens(engine: CountingEngine, lineup: Lineup, store: AnalysisStore) -> Lens:
    return Lens(engine, lineup, max_pixels=1_000_000, answers=store.answers)


def make_analysis(lineup: Lineup, *, logits: int = 110) -> Analysis:
    prepared = prepare_picture(encode(make_picture(64, 48)), lineup.card, GeometryOptions(), max_pixels=1_000_000)
    trace = NetworkTrace(np.zeros(logits, dtype=np.float32), {}, ())
    return prepared.complete(dict.fromkeys(("baseline", "cbam"), trace))


def ask(lens: Lens, analysis: Analysis, *numbers: int) -> list[str]:
    async def ask_all() -> list[str]:
        return [await lens.ask(analysis, Doubled(number), Timings()) for number in numbers]

    return asyncio.run(ask_all())


def test_ask_computes_an_answer_once(lens: Lens, engine: CountingEngine, lineup: Lineup) -> None:
    analysis = make_analysis(lineup)
    assert ask(lens, analysis, 3, 3, 4, 3) == ["twice 3 is 6", "twice 3 is 6", "twice 4 is 8", "twice 3 is 6"]
    assert [work.number for work in engine.done if isinstance(work, Double)] == [3, 4]


def test_ask_keeps_as_many_answers_as_the_question_says_and_the_least_used_leaves(
    lens: Lens, engine: CountingEngine, lineup: Lineup
) -> None:
    analysis = make_analysis(lineup)
    ask(lens, analysis, 1, 2, 1, 3, 1, 2)
    assert [work.number for work in engine.done if isinstance(work, Double)] == [1, 2, 3, 2]


def test_bounds_of_two_kinds_of_question_are_their_own(lens: Lens, engine: CountingEngine, lineup: Lineup) -> None:
    analysis = make_analysis(lineup)
    ask(lens, analysis, 1, 2)
    size = asyncio.run(lens.ask(analysis, SizeOfInput(), Timings()))
    assert size == 3 * analysis.placement.input_height * analysis.placement.input_width
    ask(lens, analysis, 1, 2)
    assert len(engine.done) == 3


def test_analyses_do_not_share_answers(lens: Lens, engine: CountingEngine, lineup: Lineup) -> None:
    for analysis in (make_analysis(lineup), make_analysis(lineup)):
        ask(lens, analysis, 1)
    assert len(engine.done) == 2


def test_failure_is_not_kept(lens: Lens, engine: CountingEngine, lineup: Lineup) -> None:
    analysis = make_analysis(lineup)
    for _ in range(2):
        with pytest.raises(TypeError):
            ask(lens, analysis, None)  # type: ignore[arg-type]
    assert ask(lens, analysis, 1) == ["twice 1 is 2"]
    assert len(engine.done) == 3


def test_steps_are_measured_when_an_answer_is_computed_and_not_when_it_is_kept(lens: Lens, lineup: Lineup) -> None:
    analysis = make_analysis(lineup)
    computed, kept, plain = Timings(), Timings(), Timings()

    async def ask_all() -> None:
        await lens.ask(analysis, Doubled(1), computed)
        await lens.ask(analysis, Doubled(1), kept)
        await lens.ask(analysis, SizeOfInput(), plain)

    asyncio.run(ask_all())
    assert list(computed.milliseconds) == ["networks", "maps"]
    assert list(kept.milliseconds) == []
    assert list(plain.milliseconds) == ["networks"]


@pytest.mark.parametrize("leave", ["removed", "no room"])
def test_answers_are_dropped_with_their_analysis(lens: Lens, store: AnalysisStore, lineup: Lineup, leave: str) -> None:
    # Two of them exceed the store's limit.
    first = make_analysis(lineup, logits=70_000)
    name = first.id
    store.add(first)
    ask(lens, first, 1)
    del first
    gc.collect()
    assert len(store.answers) == 1
    if leave == "removed":
        store.remove(name)
    else:
        store.add(make_analysis(lineup, logits=70_000))
    gc.collect()
    with pytest.raises(AnalysisGone):
        store.get(name)
    assert len(store.answers) == 0


def test_picture_and_its_first_class_are_one_piece_of_work(lens: Lens, engine: CountingEngine, lineup: Lineup) -> None:
    data = encode(make_picture(64, 48))
    options = TargetOptions(target="30", stage=Stage.THREE)
    timings = Timings()

    async def look() -> None:
        comparison = await lens.compare_picture(data, GeometryOptions(), options, timings)
        again = await lens.compare(comparison.analysis, options, timings)
        assert again.heat_maps is comparison.heat_maps

    asyncio.run(look())
    assert [type(work) for work in engine.done] == [PictureWork]
    assert list(timings.milliseconds) == ["decode", "networks", "maps"]


def test_trace_with_changed_gates_comes_with_their_heat_map(lens: Lens, engine: CountingEngine, lineup: Lineup) -> None:
    texts = ("all:spatial:neutral",)

    async def look() -> None:
        analysis = await lens.analyse(encode(make_picture(64, 48)), GeometryOptions(), Timings())
        changed = await lens.compare(analysis, TargetOptions(target="30", interventions=texts), Timings())
        before = len(engine.done)
        altered = await lens.alter(analysis, texts, Timings())
        assert len(engine.done) == before
        assert altered.traces["cbam"] is changed.analysis.traces["cbam"]
        assert altered.traces["cbam"].features == {}

    asyncio.run(look())


def test_trace_alone_explains_nothing(lineup: Lineup) -> None:
    traced = PictureWork(lineup, np.zeros((3, 32, 32), dtype=np.float32)).compute()
    assert isinstance(traced, TracedPicture)
    first = find_first_class(traced.traces)
    assert isinstance(traced.gradient, LineupGradient)
    assert (traced.gradient.class_index, traced.gradient.gradients) == (first, {})
