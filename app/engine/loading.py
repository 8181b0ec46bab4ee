"""The lineups, the engine and the device that the settings choose."""

import math
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence

import torch
from threadpoolctl import threadpool_limits

from app.engine.device_engine import DeviceEngine
from app.engine.memory import keep_memory
from app.settings import Settings
from models.errors import LineupError
from models.lineups.choice import parse_lineups
from models.lineups.lineup import Lineup, load_lineup

SWITCH_SECONDS = 0.0002
"""How long a thread that wants the interpreter waits before the one that has it must hand it over: Python's own is
0.005. The engine's helpers want it back after every operation of the networks, of which a lineup has hundreds, while
other threads read and write JSON. With 4 and 16 clients on two cores, the shipped lineup makes 7 to 13 % more pictures
per second by this."""


def load_chosen_lineups(settings: Settings) -> tuple[Lineup, ...]:
    """Load the settings' lineups, optimised for requests; raises `LineupError`.

    From then on the process keeps memory for its next pass, and its threads take turns more often; OpenBLAS computes
    with one thread, and torch likewise in every thread but the engine's, see `Cores`, and those that call
    `use_all_cores`.
    """
    keep_memory()
    sys.setswitchinterval(SWITCH_SECONDS)
    torch.set_num_threads(1)
    # Others would stay awake after each of our small products, on cores that the networks need.
    threadpool_limits(1, user_api="blas")
    device = choose_device(settings.device)
    choices = parse_lineups(settings.lineups, settings.labels, store=settings.weight_store)
    lineups = tuple(load_lineup(choice, device=device).optimise(settings.precision) for choice in choices)
    check_names(lineups)
    return lineups


def use_all_cores(settings: Settings) -> None:
    """Let torch compute with all of the settings' threads in this thread: for a command without an engine."""
    torch.set_num_threads(count_threads(settings))


def count_threads(settings: Settings) -> int:
    """The settings' number of threads; by default the machine's number of cores."""
    return settings.threads or os.cpu_count() or 1


def check_names(lineups: Sequence[Lineup]) -> None:
    """Refuse two lineups of one name, by which they are chosen; raises `LineupError`."""
    names = Counter(lineup.card.name for lineup in lineups)
    if twice := [name for name, count in names.items() if count > 1]:
        raise LineupError(f"two lineups are named {twice[0]}; give each lineup its own name")


def load_chosen_lineup(settings: Settings) -> Lineup:
    """Load the lineup of a command that takes only one; raises `LineupError`."""
    lineups = load_chosen_lineups(settings)
    if len(lineups) > 1:
        raise LineupError(f"{len(lineups)} lineups are chosen, but this command takes only one; give one --lineup")
    return lineups[0]


def build_engine(
    settings: Settings,
    observe_batch: Callable[[int], None] | None = None,
    *,
    queue_seconds: float = math.inf,
) -> DeviceEngine:
    """Build an engine with the settings' queue and batch sizes, not started.

    Args:
        settings: the server's settings.
        queue_seconds: the longest time for the queue and the networks; a command's own work may take any time.
        observe_batch: called with the number of jobs of each batch.
    """
    return DeviceEngine(
        queue_size=settings.queue_size,
        queue_seconds=queue_seconds,
        batch_size=settings.batch_size,
        batch_wait_seconds=settings.batch_wait_seconds,
        threads=count_threads(settings) if choose_device(settings.device).type == "cpu" else 1,
        observe_batch=observe_batch,
    )


def choose_device(name: str) -> torch.device:
    """The device of a setting; `auto` is CUDA if there is such a device, otherwise the CPU.

    Raises:
        LineupError: for a CUDA device that does not exist.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise LineupError(
            f"device is {name}, but torch sees {torch.cuda.device_count()} CUDA devices; choose cpu or auto"
        )
    return device
