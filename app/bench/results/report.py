"""The benchmark's report: `--json` prints it, table and plot draw it."""

from pydantic import BaseModel

from app.bench.results.parts import Part


class Figure(BaseModel):
    """One figure.

    Attributes:
        part: where it belongs.
        key: its name for machines.
        name: its name for people.
        unit: of value and samples.
        value: the samples in one number: their median; for start-up the least.
        samples: everything that was measured.
        ratio: value over the value of `relative_to`; None where that was not measured.
        relative_to: the key of that figure.
        target: what is to be reached, by the ratio where there is a `relative_to`, else by the value.
        is_met: whether it is; None without a target, or without what it needs.
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
    """On what was measured, and how.

    Attributes:
        lineup: its name.
        precision: in which our engine computes; everything else computes in fp32.
        input_size: width and height of the networks' input for the pictures used.
        device: as torch names it.
        device_name: the processor's or the graphics card's own name.
        cpu_count: cores that the system reports.
        threads: of torch.
        torch: its version.
        python: its version.
        platform: the system.
        writes_bytecode: whether Python keeps compiled modules; without, every start compiles all it imports.
        rounds, seconds, requests: as asked for.
        forward_setting, loop_setting: the fastest plain settings; None where they were not measured.
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
    """Setup, figures, and sentences about what was left out or went wrong."""

    setup: Setup
    figures: list[Figure]
    notes: list[str]
