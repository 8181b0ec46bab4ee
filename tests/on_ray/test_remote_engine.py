"""An application on Ray and the results of its replicas, with a fake handle and without a cluster."""

import asyncio
from collections import deque

import numpy as np
import pytest

pytest.importorskip("ray", reason="Ray is not installed: uv sync --extra ray")

from ray.exceptions import ActorDiedError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

from app.engine.service_times import FIRST_GUESS_SECONDS
from app.engine.work import PictureWork
from app.errors import EngineFailed, InvalidOption, QueueFull
from app.on_ray.remote_engine import ATTEMPTS, RECOVERY_SECONDS, RemoteEngine
from app.on_ray.wire import PackedWork
from models.lineups.lineup import Lineup

TASK_ERROR = RayTaskError("answer", "Traceback", RuntimeError("CUDA"), proctitle="replica", pid=1, ip="127.0.0.1")

UNAVAILABLE = DeploymentUnavailableError("networks")


class Played:
    """A fake deployment handle with one method and known outcomes."""

    def __init__(self, *outcomes: object) -> None:
        self.outcomes = deque(outcomes)
        self.sent: list[PackedWork] = []

    @property
    def answer(self) -> "Played":
        return self

    @property
    def is_ready(self) -> "Played":
        return self

    async def remote(self, packed: PackedWork | None = None) -> object:
        if packed is not None:
            self.sent.append(packed)
        outcome = self.outcomes.popleft()
        if isinstance(outcome, Late):
            await asyncio.sleep(outcome.seconds)
        if isinstance(outcome, Raised):
            raise outcome.error
        return outcome


class Raised:
    """An error of Ray itself, not of a replica's answer."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class Late:
    """An answer that takes its time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


def make_work(lineup: Lineup) -> PictureWork:
    return PictureWork(lineup, np.zeros((3, 32, 32), dtype=np.float32))


def ask(lineup: Lineup, *outcomes: object) -> tuple[object, Played]:
    """The answer to a picture, and the requests to the replicas."""
    played = Played(*outcomes)
    engine = RemoteEngine(played, queue_size=4)
    answer = asyncio.run(engine.submit(make_work(lineup)))
    assert engine.waiting == 0
    return answer, played


def test_answer_is_a_copy_that_leaves_rays_memory(lineup: Lineup) -> None:
    theirs = [np.ones(3)]
    answer, played = ask(lineup, theirs)
    assert isinstance(answer, list)
    assert not np.shares_memory(answer[0], theirs[0])
    assert [packed.lineup for packed in played.sent] == [lineup.card.name]


def test_full_queue_is_refused_in_the_plain_servers_words(lineup: Lineup) -> None:
    with pytest.raises(QueueFull, match="4 requests are waiting, the limit; try again in 1 s") as caught:
        ask(lineup, Raised(BackPressureError(4, 4)))
    assert caught.value.retry_after_seconds >= 1


def test_work_that_would_wait_too_long_is_refused(lineup: Lineup) -> None:
    async def ask_at_once(engine: RemoteEngine, count: int) -> list[object]:
        return await asyncio.gather(*(engine.submit(make_work(lineup)) for _ in range(count)), return_exceptions=True)

    engine = RemoteEngine(Played(*[Late(0.1)] * 14), queue_size=512, queue_seconds=1.45)
    answers = asyncio.run(ask_at_once(engine, 20))
    refused = [answer for answer in answers if isinstance(answer, QueueFull)]
    assert len(refused) == 20 - round(1.4 / FIRST_GUESS_SECONDS)
    for error in refused:
        assert str(error).startswith(
            "14 requests are waiting, and the answer would take about 2 s; the limit is 1.45 s"
        )
    assert engine.waiting == 0


def test_work_that_waits_for_nobody_is_not_refused(lineup: Lineup) -> None:
    engine = RemoteEngine(Played("answer"), queue_size=512, queue_seconds=0.01)
    answer: object = asyncio.run(engine.submit(make_work(lineup)))
    assert answer == "answer"


def test_work_that_waited_for_others_does_not_count_their_time(lineup: Lineup) -> None:
    async def ask_turns(engine: RemoteEngine, *, turns: int, count: int) -> None:
        for _ in range(turns):
            await asyncio.gather(*(engine.submit(make_work(lineup)) for _ in range(count)))

    work = make_work(lineup)
    engine = RemoteEngine(Played(*[Late(0.2)] * 45), queue_size=512)
    asyncio.run(ask_turns(engine, turns=5, count=1))
    assert engine._expect(work) <= FIRST_GUESS_SECONDS
    # Twenty together in a fifth of a second.
    asyncio.run(ask_turns(engine, turns=2, count=20))
    assert 0.2 / 20 <= engine._expect(work) < 0.2 / 5


def test_slow_work_is_expected_to_be_slow(lineup: Lineup) -> None:
    async def ask_together(engine: RemoteEngine) -> None:
        await asyncio.gather(*(engine.submit(make_work(lineup)) for _ in range(4)))

    engine = RemoteEngine(Played(*[Late(1.2)] * 4), queue_size=512)
    asyncio.run(ask_together(engine))
    assert engine._expect(make_work(lineup)) > 2 * FIRST_GUESS_SECONDS


@pytest.mark.parametrize("has_answered", [True, False])
def test_replica_that_is_busy_but_answers_is_ready(
    lineup: Lineup, monkeypatch: pytest.MonkeyPatch, has_answered: bool
) -> None:
    async def watch(engine: RemoteEngine) -> bool:
        if has_answered:
            await engine.submit(make_work(lineup))
        watching = asyncio.create_task(engine.watch())
        await asyncio.sleep(0.05)
        watching.cancel()
        return engine.is_ready

    monkeypatch.setattr("app.on_ray.remote_engine.WATCH_SECONDS", 60.0)
    outcomes = ["answer"] if has_answered else []
    engine = RemoteEngine(Played(*outcomes, Raised(TimeoutError())), queue_size=4)
    assert asyncio.run(watch(engine)) is has_answered


def test_work_of_a_lost_replica_is_sent_once_more(lineup: Lineup) -> None:
    answer, played = ask(lineup, Raised(ActorDiedError()), "answer")
    assert answer == "answer"
    assert len(played.sent) == ATTEMPTS


@pytest.mark.parametrize(
    "outcomes",
    [
        pytest.param([Raised(ActorDiedError())] * ATTEMPTS, id="replicas die"),
        pytest.param([Raised(UNAVAILABLE)], id="there is none"),
    ],
)
def test_no_replica_is_come_back_later(lineup: Lineup, outcomes: list[Raised]) -> None:
    with pytest.raises(QueueFull, match="the networks are restarting") as caught:
        ask(lineup, *outcomes)
    assert caught.value.retry_after_seconds == RECOVERY_SECONDS


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(Raised(TASK_ERROR), id="the replica's method raised"),
        pytest.param(ValueError("shapes"), id="a work's own error"),
    ],
)
def test_computation_that_went_wrong_is_no_retry(lineup: Lineup, outcome: object) -> None:
    with pytest.raises(EngineFailed, match="could not process"):
        ask(lineup, outcome)


def test_error_that_a_client_can_mend_arrives_as_itself(lineup: Lineup) -> None:
    with pytest.raises(InvalidOption, match="no such stage"):
        ask(lineup, InvalidOption("no such stage", option="stage"))
