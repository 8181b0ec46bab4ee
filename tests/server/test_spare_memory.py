"""In a process of its own: free memory goes back to the system."""

import subprocess
import sys

import pytest

PROGRAM = """
import psutil
from app.server.spare_memory import give_back_memory

pieces = [bytearray(100_000) for _ in range(2_000)]
last = bytearray(100_000)
del pieces
before = psutil.Process().memory_info().rss
give_back_memory()
print(before - psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' C libraries cannot be asked")
def test_free_memory_goes_back_to_the_system() -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # our own program
    assert int(done.stdout) > 100_000_000
