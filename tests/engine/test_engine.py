import asyncio
import copy
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from app.engine.computation import move_pictures, trace_network
from app.engine.device_engine import DeviceEngine
from app.engine.traces import GradientTarget, LineupTrace
from app.engine.work import GradientWork, PictureWork, TracedPicture, Work
from app.errors import EngineFailed, QueueFull
from models.lineups.lineup import Lineup, load_lineup
from models.names import Stage
from tests.engine.holding import PATIENCE_SECONDS, hold

TOLERANCE = 1e-5
"""The tolerance of values: batching and the memory layout change the order of sums."""


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[list[tuple[int, ...]]]:
    """The shapes of the pictures of each forward pass, filled while engines work."""
    found: list[list[tuple[int, ...]]] = []
    compute = PictureWork.compute_together

    def record(batch: Sequence[PictureWork]) -> Sequence[TracedPicture]:
        found.append([work.values.shape for work in batch])
        return compute(batch)

    monkeypatch.setattr(PictureWork, "compute_together", record)
    return found


@pytest.fixture
def engine(lineup: Lineup) -> Iterator[DeviceEngine]:
    engine = DeviceEngine(queue_size=4)
    engine.start()
    yield engine
    engine.close()


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((3, 96, 64)).astype(np.float32)


async def trace(engine: DeviceEngine, lineup: Lineup, values: np.ndarray) -> LineupTrace:
    return (await engine.submit(PictureWork(lineup, values))).traces


def test_trace_equals_the_networks_own(engine: DeviceEngine, lineup: Lineup, values: np.ndarray) -> None:
    traces = asyncio.run(trace(engine, lineup, values))
    for name in ("baseline", "cbam"):
        with torch.no_grad():
            expected = lineup.networks[name].trace(torch.from_numpy(values)[None])
        assert np.abs(traces[name].logits - expected.logits[0].numpy()).max() <= TOLERANCE
        for stage in Stage:
            assert np.abs(traces[name].features[stage] - expected.features[stage][0].numpy()).max() <= TOLERANCE
        assert [block.name for block in traces[name].blocks] == list(expected.attentions)


def test_trace_size_counts_every_array(engine: DeviceEngine, lineup: Lineup, values: np.ndarray) -> None:
    baseline = asyncio.run(trace(engine, lineup, values))["baseline"]
    floats = 110 + 64 * 24 * 16 + 128 * 12 * 8 + 256 * 6 * 4 + 512 * 3 * 2
    assert baseline.size_bytes == 4 * floats


def test_differentiate_without_a_class_asks_about_the_class_of_the_highest_mean_probability(
    engine: DeviceEngine, lineup: Lineup, values: np.ndarray
) -> None:
    traces, gradient = asyncio.run(engine.submit(PictureWork(lineup, values, Stage.THREE)))
    shares = [np.exp(trace.logits) / np.exp(trace.logits).sum() for trace in traces.values()]
    first = int(np.mean(shares, axis=0).argmax())
    features = {name: trace.features[Stage.THREE] for name, trace in traces.items()}
    asked = asyncio.run(engine.submit(GradientWork(lineup, features, GradientTarget(Stage.THREE, first))))
    assert gradient.class_index == asked.class_index == first
    for name in ("baseline", "cbam"):
        assert np.array_equal(gradient.gradients[name], asked.gradients[name])
        assert np.abs(gradient.gradients[name]).max() > 0


def test_many_callers_get_their_own_answers(engine: DeviceEngine, lineup: Lineup) -> None:
    rng = np.random.default_rng(2)
    inputs = [rng.standard_normal((3, 64, 64)).astype(np.float32) for _ in range(4)]

    async def ask_all() -> list[np.ndarray]:
        traces = await asyncio.gather(*(trace(engine, lineup, values) for values in inputs))
        return [trace["cbam"].logits for trace in traces]

    together = asyncio.run(ask_all())
    alone = [asyncio.run(trace(engine, lineup, values))["cbam"].logits for values in inputs]
    for first, second in zip(together, alone, strict=True):
        assert np.abs(first - second).max() <= TOLERANCE
    assert len({logits.tobytes() for logits in together}) == len(inputs)


def test_works_that_come_together_share_a_pass_and_fail_alone(
    lineup: Lineup, values: np.ndarray, batches: list[list[tuple[int, ...]]]
) -> None:
    engine = DeviceEngine(queue_size=3)
    engine.start()
    broken = np.full_like(values, np.nan)
    works = [PictureWork(lineup, each) for each in (values, broken, -values)]

    async def ask() -> list[TracedPicture | BaseException]:
        return await asyncio.gather(*engine.submit_together(works), return_exceptions=True)

    answers = asyncio.run(ask())
    engine.close()
    assert [values.shape] * 3 in batches
    assert isinstance(answers[1], EngineFailed)
    for answer, each in zip((answers[0], answers[2]), (values, -values), strict=True):
        assert isinstance(answer, tuple)
        with torch.no_grad():
            expected = lineup.networks["cbam"](torch.from_numpy(each)[None])[0].numpy()
        assert np.abs(answer[0]["cbam"].logits - expected).max() <= TOLERANCE


def test_works_that_come_together_are_refused_as_one(lineup: Lineup, values: np.ndarray) -> None:
    engine = DeviceEngine(queue_size=2)
    engine.start()
    with pytest.raises(QueueFull):
        engine.submit_together([PictureWork(lineup, values)] * 3)
    assert engine.waiting == 0
    engine.close()


def test_traces_cannot_be_changed(engine: DeviceEngine, lineup: Lineup, values: np.ndarray) -> None:
    cbam = asyncio.run(trace(engine, lineup, values))["cbam"]
    with pytest.raises(ValueError, match="read-only"):
        cbam.features[Stage.FOUR][0, 0, 0] = 1


def test_engine_answers_the_next_job_after_one_failed(engine: DeviceEngine, lineup: Lineup, values: np.ndarray) -> None:
    with pytest.raises(EngineFailed, match="could not process"):
        asyncio.run(trace(engine, lineup, values[:2]))
    assert asyncio.run(trace(engine, lineup, values))["cbam"].logits.shape == (110,)


def test_engine_refuses_logits_that_are_not_finite(engine: DeviceEngine, lineup: Lineup) -> None:
    with pytest.raises(EngineFailed, match="not finite"):
        asyncio.run(trace(engine, lineup, np.full((3, 64, 64), np.nan, dtype=np.float32)))


def test_engine_refuses_jobs_after_it_closed(lineup: Lineup, values: np.ndarray) -> None:
    engine = DeviceEngine(queue_size=1)
    assert not engine.is_ready
    engine.start()
    assert engine.is_ready
    engine.close()
    assert not engine.is_ready
    with pytest.raises(QueueFull, match="shutting down"):
        asyncio.run(trace(engine, lineup, values))


def test_engine_answers_waiting_jobs_when_it_closes(lineup: Lineup, values: np.ndarray) -> None:
    engine = DeviceEngine(queue_size=4)
    engine.start()

    async def ask() -> list[int]:
        release = await hold(engine, lineup)
        jobs = [asyncio.create_task(trace(engine, lineup, values)) for _ in range(3)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(engine.close))
        while engine.is_ready:
            await asyncio.sleep(0)
        release()
        await closing
        return [len((await job)["baseline"].logits) for job in jobs]

    assert asyncio.run(ask()) == [110, 110, 110]


def test_job_of_a_caller_that_gave_up_is_skipped(
    lineup: Lineup, values: np.ndarray, batches: list[list[tuple[int, ...]]]
) -> None:
    engine = DeviceEngine(queue_size=2)
    engine.start()

    async def ask() -> None:
        release = await hold(engine, lineup)
        gone, kept = (asyncio.create_task(trace(engine, lineup, values)) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        release()
        await kept

    asyncio.run(ask())
    engine.close()
    assert [len(batch) for batch in batches] == [1]


def test_gone_callers_take_no_place_in_the_queue(lineup: Lineup, values: np.ndarray) -> None:
    engine = DeviceEngine(queue_size=1)
    engine.start()

    async def ask() -> int:
        release = await hold(engine, lineup)
        gone = asyncio.create_task(trace(engine, lineup, values))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull, match="1 requests are waiting, the limit"):
            await trace(engine, lineup, values)
        gone.cancel()
        await asyncio.sleep(0)
        kept = asyncio.create_task(trace(engine, lineup, values))
        await asyncio.sleep(0)
        release()
        return len((await kept)["cbam"].logits)

    assert asyncio.run(ask()) == 110
    engine.close()


@pytest.mark.parametrize(("threads", "sizes"), [(1, [1, 2, 3]), (2, [2, 2, 2])])
def test_waiting_pictures_of_one_shape_share_a_forward_pass(
    lineup: Lineup, batches: list[list[tuple[int, ...]]], threads: int, sizes: list[int]
) -> None:
    engine = DeviceEngine(queue_size=16, batch_size=3, threads=threads)
    engine.start()
    rng = np.random.default_rng(4)
    inputs = [rng.standard_normal((3, 64, width)).astype(np.float32) for width in (64, 64, 96, 64, 64, 96)]

    async def ask() -> list[np.ndarray]:
        release = await hold(engine, lineup)
        jobs = [asyncio.create_task(trace(engine, lineup, values)) for values in inputs]
        await asyncio.sleep(0)
        release()
        return [(await job)["cbam"].logits for job in jobs]

    together = asyncio.run(ask())
    assert sorted(len(batch) for batch in batches) == sizes
    assert all(len(set(batch)) == 1 for batch in batches)
    for logits, values in zip(together, inputs, strict=True):
        alone = asyncio.run(trace(engine, lineup, values))["cbam"].logits
        assert np.abs(logits - alone).max() <= 1e-5
    engine.close()


@dataclass(frozen=True, slots=True, eq=False)
class MeetingWork(Work[int]):
    """Work that waits for others, and knows how many of torch's threads it had."""

    others: threading.Barrier

    def compute(self) -> int:
        self.others.wait(PATIENCE_SECONDS)
        return torch.get_num_threads()


def test_single_job_has_all_cores_and_waiting_ones_have_one_each_at_the_same_time(lineup: Lineup) -> None:
    engine = DeviceEngine(queue_size=16, threads=2)
    engine.start()

    async def ask(count: int) -> list[int]:
        release = await hold(engine, lineup)
        together = threading.Barrier(count)
        jobs = [asyncio.create_task(engine.submit(MeetingWork(lineup, together))) for _ in range(count)]
        await asyncio.sleep(0)
        release()
        return list(await asyncio.gather(*jobs))

    assert asyncio.run(ask(1)) == [2]
    assert asyncio.run(ask(2)) == [1, 1]
    engine.close()


class Died(BaseException):
    """What no code catches by mistake."""


@dataclass(frozen=True, slots=True, eq=False)
class DyingWork(Work[None]):
    """Work that ends its thread."""

    def compute(self) -> None:
        raise Died


def test_caller_of_work_that_dies_beside_others_is_answered(
    lineup: Lineup, values: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    engine = DeviceEngine(queue_size=16, threads=2)
    engine.start()

    async def ask() -> list[object]:
        release = await hold(engine, lineup)
        works: list[Work[Any]] = [DyingWork(lineup), PictureWork(lineup, values), PictureWork(lineup, values)]
        jobs = [asyncio.create_task(engine.submit(work)) for work in works]
        await asyncio.sleep(0)
        release()
        return list(await asyncio.gather(*jobs, return_exceptions=True))

    died, *others = asyncio.run(ask())
    engine.close()
    assert isinstance(died, EngineFailed)
    assert all(isinstance(other, TracedPicture) for other in others)
    assert "died" in caplog.text


def test_bad_picture_does_not_take_its_batch_with_it(lineup: Lineup, values: np.ndarray) -> None:
    engine = DeviceEngine(queue_size=4)
    engine.start()

    async def ask() -> list[object]:
        release = await hold(engine, lineup)
        jobs = [
            trace(engine, lineup, values),
            trace(engine, lineup, np.full_like(values, np.nan)),
            trace(engine, lineup, values),
        ]
        tasks = [asyncio.create_task(job) for job in jobs]
        await asyncio.sleep(0)
        release()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    first, bad, last = asyncio.run(ask())
    engine.close()
    assert isinstance(bad, EngineFailed)
    assert isinstance(first, dict)
    assert isinstance(last, dict)


def test_engine_leaves_no_gradient_and_no_graph(engine: DeviceEngine, lineup: Lineup, values: np.ndarray) -> None:
    # Unfrozen, because frozen parameters never get a gradient.
    networks = {name: copy.deepcopy(network).requires_grad_() for name, network in lineup.networks.items()}
    work = PictureWork(replace(lineup, networks=networks), values, Stage.ONE, 5)
    traces, gradient = asyncio.run(engine.submit(work))
    for name, network in networks.items():
        assert {parameter.grad for parameter in network.parameters()} == {None}
        # Arrays have no graph; tensors of such networks would have one.
        assert isinstance(traces[name].logits, np.ndarray)
        assert isinstance(gradient.gradients[name], np.ndarray)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_cuda_agrees_with_the_cpu(lineup: Lineup, values: np.ndarray) -> None:
    engine = DeviceEngine(queue_size=1)
    engine.start()
    answers = [asyncio.run(trace(engine, chosen, values)) for chosen in (lineup, load_lineup(device="cuda"))]
    engine.close()
    for name in ("baseline", "cbam"):
        assert np.abs(answers[0][name].logits - answers[1][name].logits).max() < 1e-2


def test_trace_of_one_picture_keeps_no_others_of_its_batch(lineup: Lineup, values: np.ndarray) -> None:
    traces = trace_network(lineup, "cbam", move_pictures(lineup, [values] * 4))
    for found in traces:
        for array in (found.logits, *found.features.values()):
            owner: Any = array
            while getattr(owner, "base", None) is not None:
                owner = owner.base
            assert memoryview(owner).nbytes == array.nbytes
