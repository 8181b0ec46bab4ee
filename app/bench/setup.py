"""The machine and the versions of a benchmark."""

import os
import platform
import sys
from pathlib import Path

import torch

from app.bench.results.parts import BenchOptions
from app.bench.results.report import Setup
from app.engine.loading import count_threads
from app.explain.maps import FloatArray
from app.settings import Settings
from models.lineups.lineup import Lineup

CPU_DESCRIPTION = Path("/proc/cpuinfo")


def read_setup(settings: Settings, options: BenchOptions, lineup: Lineup, values: FloatArray) -> Setup:
    """Read the setup for the report.

    Args:
        settings: the settings of the server and of our engine.
        options: the benchmark's options.
        lineup: the networks.
        values: their input, (3, H, W).
    """
    height, width = values.shape[1:]
    return Setup(
        lineup=lineup.card.name,
        precision=settings.precision.value,
        input_size=(width, height),
        device=str(lineup.device),
        device_name=_name_device(lineup.device),
        cpu_count=os.cpu_count() or 1,
        threads=count_threads(settings),
        torch=torch.__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        writes_bytecode=not sys.dont_write_bytecode,
        rounds=options.rounds,
        seconds=options.seconds,
        requests=options.requests,
    )


def _name_device(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        lines = CPU_DESCRIPTION.read_text().splitlines()
    except OSError:
        # Not Linux.
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
