"""In a process of its own: free memory stays for the next pass of any thread, and results are kept outside of it."""

import subprocess
import sys

import numpy as np
import pytest

from app.engine.memory import allocate_kept

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems' C libraries cannot be told")

GIVE_BACK = """
import psutil
from app.engine.memory import give_back_memory

pieces = [bytearray(100_000) for _ in range(2_000)]
last = bytearray(100_000)
del pieces
before = psutil.Process().memory_info().rss
give_back_memory()
print(before - psutil.Process().memory_info().rss)
"""

KEEP = """
import resource
import sys
from app.engine.memory import keep_memory

if sys.argv[1] == "keep":
    keep_memory()

def count_faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    layers = [b"x" * 10_000_000 for _ in range(6)]
    del layers
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print([count_faults() for _ in range(5)][-1])
"""

KEEP_RESULTS = """
import threading
import psutil
from app.engine.memory import allocate_kept, keep_memory

keep_memory()

def compute(kept):
    for _ in range(200):
        layers = [b"x" * 3_000_000 for _ in range(6)]
        kept.append(allocate_kept([500, 100]))
        kept[-1][:] = 1
        del layers

kept = []
for _ in range(3):
    thread = threading.Thread(target=compute, args=(kept,))
    thread.start()
    thread.join()
before = psutil.Process().memory_info().rss
del kept[::2]
print(before - psutil.Process().memory_info().rss)
"""


def run(program: str, *arguments: str) -> int:
    """The number that a program prints."""
    command = [sys.executable, "-c", program, *arguments]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603  # our own program


def test_free_memory_goes_back_to_the_system() -> None:
    assert run(GIVE_BACK) > 100_000_000


def test_memory_of_one_pass_is_there_for_the_next() -> None:
    # 60 MB are 14,600 pages.
    assert run(KEEP, "default") > 1_000
    assert run(KEEP, "keep") < 100


def test_results_leave_their_memory_at_once_wherever_they_lie() -> None:
    # 300 of 0.2 MB; between those of a heap nothing would go back.
    assert run(KEEP_RESULTS) > 55_000_000


@pytest.mark.parametrize("shape", [(3, 4), (1000, 40)])
def test_allocated_arrays_are_as_wanted(shape: tuple[int, int]) -> None:
    array = allocate_kept(shape)
    array[:] = 1
    assert array.shape == shape
    assert array.dtype == np.float32
    assert array.sum() == shape[0] * shape[1]
    assert array.flags.c_contiguous
