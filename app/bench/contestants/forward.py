"""(a) The bare forward passes, in the fastest plain PyTorch setting."""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from app.bench.results.statistics import Samples, median
from app.explain.maps import FloatArray
from models.lineups.lineup import Lineup
from models.networks.staged import StagedNetwork

MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
BATCH_SIZES = (1, 2, 4, 8, 16)


@dataclass(frozen=True, slots=True, eq=False)
class ForwardPasses:
    """A lineup's networks on one batch, one after the other, as plain PyTorch runs them.

    Attributes:
        memory_format: the memory format's name.
        networks: the networks in that format, with their batch normalisation not folded.
        batch: the same picture N times, (N, 3, H, W), in that format and on the networks' device.
    """

    memory_format: str
    networks: Sequence[StagedNetwork]
    batch: torch.Tensor

    @property
    def key(self) -> str:
        """The key of its figure."""
        return f"forward.{self.memory_format}.{len(self.batch)}"

    @property
    def setting(self) -> str:
        """The setting in words, for the report."""
        return f"{self.memory_format}, batch {len(self.batch)}"

    def time(self) -> Mapping[str, float]:
        """Milliseconds of all passes."""
        return {self.key: time_milliseconds(self.run, self.batch.device)}

    def run(self) -> None:
        """Run all passes, without a graph."""
        with torch.inference_mode():
            for network in self.networks:
                network(self.batch)

    def loop(self, seconds: float) -> float:
        """Lineups of passes per second, measured over that many seconds."""
        start = time.perf_counter()
        lineups = 0
        while (elapsed := time.perf_counter() - start) < seconds or not lineups:
            self.run()
            synchronise(self.batch.device)
            lineups += len(self.batch)
        return lineups / elapsed


def build_forward_passes(lineup: Lineup, values: FloatArray) -> list[ForwardPasses]:
    """Build the passes of every setting that is tried.

    Args:
        lineup: the trained lineup, with its batch normalisation not folded.
        values: a normalised picture, (3, H, W).
    """
    passes = []
    for name, memory_format in MEMORY_FORMATS.items():
        networks = [copy.deepcopy(network).to(memory_format=memory_format) for network in lineup.networks.values()]
        for size in BATCH_SIZES:
            batch = torch.from_numpy(values)[None].repeat(size, 1, 1, 1)  # (N, 3, H, W)
            placed = batch.to(lineup.device).contiguous(memory_format=memory_format)
            passes.append(ForwardPasses(name, networks, placed))
    return passes


def find_fastest(passes: Sequence[ForwardPasses], samples: Samples) -> tuple[ForwardPasses, ForwardPasses]:
    """The fastest setting for one picture, and the one with the most lineups per second."""
    single = min((one for one in passes if len(one.batch) == 1), key=lambda one: median(samples[one.key]))
    loop = min(passes, key=lambda one: median(samples[one.key]) / len(one.batch))
    return single, loop


def summarise_forward(passes: Sequence[ForwardPasses], samples: Samples) -> Samples:
    """The figures `forward`, in milliseconds, and `loop`, in lineups per second, of the fastest settings."""
    single, loop = find_fastest(passes, samples)
    lineups_per_second = [1000 * len(loop.batch) / milliseconds for milliseconds in samples[loop.key]]
    return {"forward": samples[single.key], "loop": lineups_per_second}


def time_milliseconds(work: Callable[[], object], device: torch.device) -> float:
    """The milliseconds of some work, until the device has finished it."""
    synchronise(device)
    start = time.perf_counter()
    work()
    synchronise(device)
    return (time.perf_counter() - start) * 1000


def synchronise(device: torch.device) -> None:
    """Wait until a CUDA device has finished its work; a CPU works synchronously."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
