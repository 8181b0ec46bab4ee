"""In a process of its own: free memory stays for the next pass, and goes back to the system when it is told to."""

import subprocess
import sys

import pytest

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
