"""The parts of the benchmark and its options. Nothing here imports torch."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.errors import InvalidOption


class Part(StrEnum):
    """The parts by their letters."""

    FORWARD = "a"
    ANALYSIS = "b"
    STEPS = "c"
    GRAD_CAM = "d"
    TORCHCAM = "e"
    OTHER_CLASS = "f"
    HTTP = "g"
    MEMORY = "h"
    STARTUP = "i"
    CLUSTER = "j"


DESCRIPTIONS = {
    Part.FORWARD: "the two bare forward passes",
    Part.ANALYSIS: "our analysis, in process",
    Part.STEPS: "its steps",
    Part.GRAD_CAM: "grad-cam out of the box",
    Part.TORCHCAM: "torchcam out of the box",
    Part.OTHER_CLASS: "another class on a cached picture",
    Part.HTTP: "over HTTP",
    Part.MEMORY: "the server's memory",
    Part.STARTUP: "start",
    Part.CLUSTER: "on Ray",
}


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """The extent of a benchmark.

    Attributes:
        parts: the parts to measure.
        rounds: the number of turns of each contestant in this process.
        seconds: the seconds of load at each number of clients.
        requests: the number of requests before the server's memory is read for the last time.
        plot: the PNG file for the plot; None for no plot.
        are_chosen: whether the parts were named; otherwise those that a lineup cannot have are left out.
    """

    parts: frozenset[Part]
    rounds: int
    seconds: float
    requests: int
    plot: Path | None
    are_chosen: bool = True

    def has(self, *parts: Part) -> bool:
        """Whether any of these parts is to be measured."""
        return not self.parts.isdisjoint(parts)


def parse_parts(text: str) -> frozenset[Part]:
    """Read parts from a text such as `a,b,d`, all but Ray's for an empty text; raises `InvalidOption`."""
    letters = [letter.strip() for letter in text.split(",") if letter.strip()]
    allowed = [part.value for part in Part if part is not Part.CLUSTER]
    for letter in letters:
        if letter not in allowed:
            raise InvalidOption(
                f"only names the part {letter!r}; choose from {', '.join(allowed)}, for example a,b",
                option="only",
                allowed=allowed,
            )
    return frozenset(map(Part, letters or allowed))
