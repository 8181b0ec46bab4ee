"""Cores: who computes with how many of torch's threads."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TypeVar

import torch

from app.engine.cores import Cores
from tests.engine.holding import PATIENCE_SECONDS

Answer = TypeVar("Answer")


@contextmanager
def entered(count: int) -> Iterator[Callable[[Callable[[Cores], Answer]], Answer]]:
    """Some cores, whose worker calls functions."""
    cores, stack = Cores(count), ExitStack()
    with ThreadPoolExecutor(1) as worker:
        worker.submit(stack.enter_context, cores.taken()).result()
        try:
            yield lambda function: worker.submit(function, cores).result()
        finally:
            worker.submit(stack.close).result()


def test_worker_has_all_cores_and_every_other_thread_what_it_had() -> None:
    usual = torch.get_num_threads()
    with entered(3) as call:
        assert call(lambda _: torch.get_num_threads()) == 3
        assert torch.get_num_threads() == usual
        with ThreadPoolExecutor(1) as other:
            assert other.submit(torch.get_num_threads).result() == usual


def test_helpers_have_one_core_each_and_compute_side_by_side() -> None:
    both = threading.Barrier(2)
    found: list[tuple[int, int]] = []

    def compute() -> None:
        both.wait(PATIENCE_SECONDS)
        found.append((threading.get_ident(), torch.get_num_threads()))

    with entered(2) as call:
        for _ in range(2):
            call(lambda cores: cores.lend(compute))
        worker = call(lambda _: threading.get_ident())
    assert [count for _, count in found] == [1, 1]
    assert len({worker, *(thread for thread, _ in found)}) == 3


def test_worker_waits_for_a_free_core() -> None:
    may_end, ended = threading.Event(), threading.Event()

    def compute() -> None:
        may_end.wait(PATIENCE_SECONDS)
        ended.set()

    def lend_more(cores: Cores) -> bool:
        assert cores.free == 0
        threading.Timer(0.05, may_end.set).start()
        cores.wait()
        return ended.is_set()

    with entered(2) as call:
        for _ in range(2):
            call(lambda cores: cores.lend(compute))
        assert call(lend_more)


def test_more_work_than_cores_is_done_in_turn() -> None:
    done: list[int] = []
    with entered(3) as call:
        for number in range(9):
            work = partial(done.append, number)
            call(partial(Cores.lend, compute=work))
    assert sorted(done) == list(range(9))
