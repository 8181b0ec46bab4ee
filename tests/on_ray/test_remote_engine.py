"""An application on Ray and the results of its replicas, with a fake handle and without a cluster."""

import asyncio
from collections import deque

import numpy as np
import pytest

pytest.importorskip("ray", reason="Ray is not installed: uv sync --extra ray")

from ray.exceptions import ActorDiedError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

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

    async def remote(self, packed: PackedWork) -> object:
        self.sent.append(packed)
        outcome = self.outcomes.popleft()
        if isinstance(outcome, Raised):
            raise outcome.error
        return outcome


class Raised:
    """An error of Ray itself, not of a replica's answer."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def ask(lineup: Lineup, *outcomes: object) -> tuple[object, Played]:
    """The answer to a picture, and the requests to the replicas."""
    played = Played(*outcomes)
    engine = RemoteEngine(played, queue_size=4)
    answer = asyncio.run(engine.submit(PictureWork(lineup, np.zeros((3, 32, 32), dtype=np.float32))))
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
