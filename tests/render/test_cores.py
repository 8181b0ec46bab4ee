"""Parts that are shared out come back in order, each done once, whoever is busy."""

import threading
from collections import Counter

import pytest

from app.render.cores import HELPERS, share_out


@pytest.mark.parametrize("count", [1, 2, 40])
def test_each_part_is_done_once_and_in_order(count: int) -> None:
    done: Counter[int] = Counter()
    lock = threading.Lock()

    def double(part: int) -> int:
        with lock:
            done[part] += 1
        return 2 * part

    assert share_out(double, range(count)) == [2 * part for part in range(count)]
    assert done == Counter(range(count))


def test_an_idle_core_helps() -> None:
    meeting = threading.Barrier(2)

    def meet(_part: int) -> None:
        meeting.wait(20)

    share_out(meet, range(2))


def test_caller_waits_for_no_busy_core() -> None:
    release = threading.Event()
    busy = [HELPERS.submit(release.wait, 20) for _ in range(HELPERS._max_workers)]
    try:
        assert share_out(str, range(3)) == ["0", "1", "2"]
    finally:
        release.set()
    assert all(task.result() for task in busy)


@pytest.mark.parametrize("wrong", ["first", "last"])
def test_error_of_a_part_is_raised(wrong: str) -> None:
    def fail(part: str) -> None:
        if part == wrong:
            raise ValueError(part)

    with pytest.raises(ValueError, match=wrong):
        share_out(fail, ["first", "second", "last"])
