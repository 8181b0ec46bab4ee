"""The replica with the networks, without a cluster: requests that come while it computes share a pass."""

import asyncio
import gc
import threading
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
import torch

pytest.importorskip("ray", reason="Ray is not installed: uv sync --extra ray")

from ray import serve

from app.engine.work import PictureWork, TracedPicture
from app.errors import EngineFailed
from app.on_ray import replica
from app.on_ray.replica import ROOM_BATCHES, LineupReplica
from app.on_ray.wire import pack
from app.settings import Settings
from models.lineups.lineup import Lineup
from models.names import Stage

pytestmark = pytest.mark.slow

BATCH = 4

ARRIVAL_SECONDS = 0.01

TOLERANCE = 1e-4
"""The tolerance of logits, for another order of sums and folded BatchNorm."""

Works = list[PictureWork]


class PassSizes:
    """A stand-in for Ray's metrics."""

    def __init__(self, *_: object, **__: object) -> None:
        self.sizes: list[int] = []

    def observe(self, size: float) -> None:
        self.sizes.append(int(size))


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> PassSizes:
    """The pictures of each forward pass, of a replica started without Ray Serve."""
    passes = PassSizes()
    monkeypatch.setattr(replica, "Histogram", lambda *_, **__: passes)
    limits = SimpleNamespace(max_ongoing_requests=ROOM_BATCHES * BATCH)
    monkeypatch.setattr(serve, "get_replica_context", lambda: SimpleNamespace(_deployment_config=limits))
    return passes


async def drop_queues(answers: Sequence[object]) -> None:
    """End what Ray made for the replicas of this loop, which are not used any more, while the loop runs.

    Collected anywhere else, the finaliser of Ray's queue makes a loop and leaves it open, which a later test is blamed
    for.
    """
    for answer in answers:
        if isinstance(answer, Exception):
            # Its frames hold the replica; on Ray it is sent to another process without them.
            answer.__traceback__ = None
    queues = asyncio.all_tasks() - {asyncio.current_task()}
    for queue in queues:
        queue.cancel()
    await asyncio.wait(queues)
    del queue, queues
    gc.collect()
    assert not any(type(thing) is LineupReplica for thing in gc.get_objects())


def answer(works: Works, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What a replica answers to works that come one after the other while it computes the first of them."""
    has_all = threading.Event()
    compute = PictureWork.compute_together

    def compute_when_all_are_there(batch: Sequence[PictureWork]) -> Sequence[TracedPicture]:
        assert has_all.wait(60)
        return compute(batch)

    async def ask_one() -> list[object]:
        one = LineupReplica(settings)
        await one.list_lineups()
        monkeypatch.setattr(PictureWork, "compute_together", compute_when_all_are_there)
        asked = []
        for work in works:
            asked.append(asyncio.ensure_future(one.answer(pack(work))))
            await asyncio.sleep(ARRIVAL_SECONDS)
        has_all.set()
        return list(await asyncio.gather(*asked))

    async def ask() -> list[object]:
        answers = await ask_one()
        await drop_queues(answers)
        return answers

    return asyncio.run(ask())


def make_works(lineup: Lineup, count: int, stage: Stage | None = None, class_index: int | None = None) -> Works:
    random = np.random.default_rng(3)
    pictures = [random.standard_normal((3, 64, 64)).astype(np.float32) for _ in range(count)]
    for values in pictures:
        # In the form that Ray delivers.
        values.flags.writeable = False
    return [PictureWork(lineup, values, stage, class_index) for values in pictures]


def read_logits(answer: object) -> np.ndarray:
    """The answer's logits of the network with CBAM, (K,)."""
    assert isinstance(answer, tuple)
    (traces, _) = answer
    return np.asarray(traces["cbam"].logits)


@pytest.mark.parametrize("wait_seconds", [0.0, 0.05])
def test_works_that_wait_share_a_pass(
    lineup: Lineup, passes: PassSizes, wait_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(batch_size=BATCH, batch_wait_seconds=wait_seconds, threads=1)
    works = make_works(lineup, ROOM_BATCHES * BATCH)
    together = answer(works, settings, monkeypatch)
    # The first pass has the requests that were waiting when it began, the others those that came meanwhile.
    assert sum(passes.sizes) == len(works)
    assert len(passes.sizes) <= ROOM_BATCHES + 1
    assert max(passes.sizes) == BATCH
    for work, found in zip(works, map(read_logits, together), strict=True):
        with torch.no_grad():
            expected = lineup.networks["cbam"](torch.tensor(work.values)[None])[0].numpy()
        assert np.abs(found - expected).max() <= TOLERANCE


@pytest.mark.usefixtures("passes")
def test_what_goes_wrong_with_a_work_is_its_own_answer(lineup: Lineup, monkeypatch: pytest.MonkeyPatch) -> None:
    works = [*make_works(lineup, 2), *make_works(lineup, 1, Stage.FOUR, 10_000)]
    good, other, bad = answer(works, Settings(batch_size=BATCH, threads=1), monkeypatch)
    assert not np.array_equal(read_logits(good), read_logits(other))
    assert isinstance(bad, EngineFailed)
