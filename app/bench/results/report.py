"""The benchmark's report, which `--json`, the table and the plot show."""

from pydantic import BaseModel

from app.bench.results.parts import Part


class Figure(BaseModel):
    """One figure.

    Attributes:
        part: the part that it belongs to.
        key: its name for machines.
        name: its name for people.
        unit: the unit of value and samples.
        value: the median of the samples; for start-up the smallest.
        samples: all measured values.
        ratio: the value divided by that of `relative_to`; None if that was not measured.
        relative_to: the key of the other figure.
        target: the target of the ratio if there is a `relative_to`, otherwise of the value.
        is_met: whether the target is met; None if there is no target, or no ratio to judge.
    """

    part: Part
    key: str
    name: str
    unit: str
    value: float
    samples: list[float]
    ratio: float | None
    relative_to: str | None
    target: str | None
    is_met: bool | None

    @property
    def verdict(self) -> str:
        """The target's outcome in words."""
        if self.target is None:
            return ""
        return {None: "not measured", True: "met", False: "missed"}[self.is_met]


class Setup(BaseModel):
    """The machine, the versions and the options of a benchmark.

    Attributes:
        lineup: its name.
        precision: the precision of our engine; everything else computes in fp32.
        input_size: width and height of the networks' input for the pictures used.
        device: as torch names it.
        device_name: the processor's or the graphics card's own name.
        cpu_count: cores that the system reports.
        threads: torch's number of threads.
        torch: torch's version.
        python: Python's version.
        platform: the operating system.
        writes_bytecode: whether Python keeps compiled modules; otherwise every start compiles all imports again.
        rounds, seconds, requests: the options.
        forward_setting, loop_setting: the fastest plain settings; None if they were not measured.
    """

    lineup: str
    precision: str
    input_size: tuple[int, int]
    device: str
    device_name: str
    cpu_count: int
    threads: int
    torch: str
    python: str
    platform: str
    writes_bytecode: bool
    rounds: int
    seconds: float
    requests: int
    forward_setting: str | None = None
    loop_setting: str | None = None


class BenchReport(BaseModel):
    """The setup, the figures, and notes on omissions and errors."""

    setup: Setup
    figures: list[Figure]
    notes: list[str]
