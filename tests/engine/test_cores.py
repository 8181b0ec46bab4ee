"""Cores: who computes with how many of torch's threads, and how a batch is divided."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import pytest
import torch

from app.engine.cores import PASS_PICTURES, Cores

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


def read_thread(part: Sequence[int]) -> list[tuple[int, int, int]]:
    """For every piece: the size of its part, its thread, and torch's threads there."""
    return [(len(part), threading.get_ident(), torch.get_num_threads()) for _ in part]


def test_worker_has_all_cores_and_every_other_thread_what_it_had() -> None:
    usual = torch.get_num_threads()
    with entered(3) as call:
        assert call(lambda _: torch.get_num_threads()) == 3
        assert torch.get_num_threads() == usual
        with ThreadPoolExecutor(1) as other:
            assert other.submit(torch.get_num_threads).result() == usual


def test_batch_is_divided_between_helpers_of_one_core_each() -> None:
    with entered(2) as call:
        answers = call(lambda cores: cores.share(read_thread, range(5)))
        worker = call(lambda _: threading.get_ident())
    assert [size for size, _, _ in answers] == [PASS_PICTURES] * 4 + [1]
    assert {count for _, _, count in answers} == {1}
    assert worker not in {thread for _, thread, _ in answers}


@pytest.mark.parametrize(("count", "pieces"), [(2, 1), (4, 3), (1, 8)])
def test_batch_without_work_for_every_core_stays_with_the_worker(count: int, pieces: int) -> None:
    with entered(count) as call:
        answers = call(lambda cores: cores.share(read_thread, range(pieces)))
        assert answers == [(pieces, call(lambda _: threading.get_ident()), count)] * pieces


def test_every_core_has_a_part_of_a_small_batch() -> None:
    with entered(3) as call:
        answers = call(lambda cores: cores.share(read_thread, range(3)))
    assert [size for size, _, _ in answers] == [1, 1, 1]


def test_answers_keep_the_batchs_order() -> None:
    first_may_end = threading.Event()

    def double(part: Sequence[int]) -> list[int]:
        if 0 in part:
            assert first_may_end.wait(10)
        else:
            first_may_end.set()
        return [2 * piece for piece in part]

    with entered(2) as call:
        assert call(lambda cores: cores.share(double, range(6))) == [0, 2, 4, 6, 8, 10]


def test_error_of_a_part_comes_when_every_part_has_ended() -> None:
    ended: list[int] = []

    def fail_first(part: Sequence[int]) -> list[int]:
        if 0 in part:
            raise ValueError("the first part")
        ended.extend(part)
        return list(part)

    with entered(2) as call, pytest.raises(ValueError, match="the first part"):
        call(lambda cores: cores.share(fail_first, range(8)))
    assert sorted(ended) == [2, 3, 4, 5, 6, 7]
