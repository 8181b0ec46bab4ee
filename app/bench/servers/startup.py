"""(i) Seconds from command to ready, beside the time to import the libraries and read the weights."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from app.bench.results.statistics import Samples, merge
from app.bench.servers.server import ServerProcess
from models.lineups.choice import LineupChoice
from models.lineups.members import LineupPlan

RUNS = 3
"""The best run counts, because the first one also reads the libraries from the disk."""

IMPORTS = "import sys, pathlib, torch, torchvision, fastapi; [pathlib.Path(name).read_bytes() for name in sys.argv[1:]]"


def measure_startup(command: Sequence[str], weights: Sequence[Path], advance: Callable[[], None]) -> Samples:
    """Measure both in turn, in seconds.

    Args:
        command: starts the server.
        weights: the files that the server reads.
        advance: called after each start.

    Raises:
        ChildProcessError: when the server does not start.
    """
    samples: Samples = {}
    for _ in range(RUNS):
        merge(samples, {"startup.imports": time_imports(weights)})
        advance()
        with ServerProcess(command) as server:
            merge(samples, {"startup.ready": server.ready_seconds})
        advance()
    return samples


def time_imports(weights: Sequence[Path]) -> float:
    """The seconds in which Python imports torch, torchvision and fastapi, and reads these files."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS, *map(str, weights)], check=True)  # noqa: S603  # our own command
    return time.perf_counter() - start


def list_weights(choice: LineupChoice) -> list[Path]:
    """The weights files of a lineup; none where its weights are in no file. Raises `LineupError`."""
    plan = LineupPlan.read(choice)
    paths = [plan.directory / source for _, source in plan.sources]
    return [path for path in paths if path.is_file()]
