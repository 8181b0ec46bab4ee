"""The queue by itself: fairness between clients, series after people, and admission by the expected wait."""

import threading
from contextlib import nullcontext

import pytest

from app.engine.callers import Caller, Urgency, in_series, present_caller
from app.engine.job_queue import Job, JobQueue
from app.engine.turns import SERIES_TURN
from models.lineups.lineup import Lineup
from tests.engine.holding import HoldingWork


def make_job(lineup: Lineup, client: str, *, ticket: str = "", series: bool = False) -> Job[bool]:
    token = present_caller.set(Caller(client, ticket))
    try:
        with in_series() if series else nullcontext():
            return Job(HoldingWork(lineup, threading.Event(), threading.Event()))
    finally:
        present_caller.reset(token)


def take_one(queue: JobQueue) -> str:
    (job,) = queue.take(batch_size=1, wait_seconds=0)
    return job.caller.client


def learn(queue: JobQueue, lineup: Lineup, seconds: float) -> None:
    queue.times.learn(make_job(lineup, "").work, seconds)


def test_clients_are_served_in_turn(lineup: Lineup) -> None:
    queue = JobQueue(16)
    queue.put(*[make_job(lineup, "greedy") for _ in range(4)])
    queue.put(make_job(lineup, "modest"))
    queue.put(make_job(lineup, "late"))
    assert [take_one(queue) for _ in range(6)] == ["greedy", "modest", "late", "greedy", "greedy", "greedy"]


def test_client_that_comes_back_does_not_pass_those_who_waited(lineup: Lineup) -> None:
    queue = JobQueue(16)
    queue.put(make_job(lineup, "a"), make_job(lineup, "a"), make_job(lineup, "b"))
    assert take_one(queue) == "a"
    queue.put(make_job(lineup, "a"))
    assert [take_one(queue) for _ in range(3)] == ["b", "a", "a"]


def test_series_wait_for_people_but_never_stand_still(lineup: Lineup) -> None:
    queue = JobQueue(64)
    queue.put(*[make_job(lineup, "sheet", series=True) for _ in range(2)])
    queue.put(*[make_job(lineup, f"person {number}") for number in range(2 * SERIES_TURN)])
    taken = [take_one(queue) for _ in range(2 * SERIES_TURN)]
    assert [place for place, client in enumerate(taken, 1) if client == "sheet"] == [SERIES_TURN, 2 * SERIES_TURN]
    assert taken[0] == "person 0"


def test_series_ends_with_its_block(lineup: Lineup) -> None:
    assert make_job(lineup, "", series=True).caller.urgency is Urgency.LATER
    assert make_job(lineup, "").caller.urgency is Urgency.NOW


def test_job_is_refused_only_when_it_would_come_too_late(lineup: Lineup) -> None:
    queue = JobQueue(1000, max_seconds=10)
    learn(queue, lineup, 0.5)
    accepted = [queue.put(make_job(lineup, f"client {number}")) for number in range(25)]
    assert accepted == [True] * 20 + [False] * 5
    assert len(queue) == 20
    assert queue.seconds == pytest.approx(10)


def test_newcomer_is_admitted_where_a_greedy_client_is_refused(lineup: Lineup) -> None:
    queue = JobQueue(1000, max_seconds=1)
    learn(queue, lineup, 0.25)
    assert [queue.put(make_job(lineup, "greedy")) for _ in range(5)] == [True] * 4 + [False]
    assert queue.put(make_job(lineup, "modest"))


def test_slow_job_is_admitted_to_an_empty_queue(lineup: Lineup) -> None:
    queue = JobQueue(8, max_seconds=1)
    learn(queue, lineup, 5)
    assert queue.put(make_job(lineup, "a"))
    assert not queue.put(make_job(lineup, "b"))


def test_running_pass_counts_as_wait(lineup: Lineup) -> None:
    queue = JobQueue(8, max_seconds=15)
    learn(queue, lineup, 10)
    queue.put(make_job(lineup, "a"))
    take_one(queue)
    assert queue.put(make_job(lineup, "b"))
    assert queue.seconds > 15
    assert not queue.put(make_job(lineup, "c"))


def test_place_is_told_by_the_ticket(lineup: Lineup) -> None:
    queue = JobQueue(8)
    learn(queue, lineup, 2)
    queue.put(make_job(lineup, "a"), make_job(lineup, "b"), make_job(lineup, "c", ticket="t" * 16))
    place = queue.find_place("t" * 16)
    assert place is not None
    assert place.before == 2
    assert place.seconds == pytest.approx(4)
    assert queue.find_place("unknown") is None
    assert queue.find_place("") is None, "a client without a ticket learns nothing of others"


def test_measured_time_follows_what_is_measured(lineup: Lineup) -> None:
    queue = JobQueue(8)
    learn(queue, lineup, 1)
    assert queue.times.expect(make_job(lineup, "").work) == 1
    learn(queue, lineup, 2)
    assert 1 < queue.times.expect(make_job(lineup, "").work) < 2
