"""The reported figures, each with its reference and its target."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.bench.contestants.analysis import STEPS
from app.bench.results.parts import Part
from app.bench.results.report import Figure
from app.bench.results.statistics import Samples, median, ratio
from app.bench.servers.ways import CLIENTS as WAY_CLIENTS
from app.bench.servers.ways import WAYS
from app.bench.service import CLIENTS, SHARES


class Bound(StrEnum):
    """The side of the limit on which a figure must lie."""

    AT_MOST = "at most"
    AT_LEAST = "at least"
    UNDER = "under"


HOLDS: dict[Bound, Callable[[float, float], bool]] = {
    Bound.AT_MOST: lambda number, limit: number <= limit,
    Bound.AT_LEAST: lambda number, limit: number >= limit,
    Bound.UNDER: lambda number, limit: number < limit,
}


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a figure: for its ratio if it has one, otherwise for its value."""

    bound: Bound
    limit: float

    def is_met(self, number: float) -> bool:
        """Whether this number meets the target."""
        return HOLDS[self.bound](number, self.limit)

    def __str__(self) -> str:
        return f"{self.bound.value} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Specification:
    """The definition of a figure.

    Attributes:
        part: the part that it belongs to.
        key: the key of its samples.
        name: its name for people.
        unit: the unit of its value.
        relative_to: the key of the figure that its ratio divides by.
        target: its target, if there is one.
        summarise: the function that makes one value from its samples.
    """

    part: Part
    key: str
    name: str
    unit: str = "ms"
    relative_to: str | None = None
    target: Target | None = None
    summarise: Callable[[list[float]], float] = median


VARIANTS = {
    "small.values": "0.5 MP, values",
    "small.overlay": "0.5 MP, overlays",
    "large.values": "12 MP, values",
    "large.overlay": "12 MP, overlays",
}
"""The variants of our analysis, by the prefix of their figures' keys."""


def specify() -> list[Specification]:
    """Define every figure, in the order of the report."""
    return [*_specify_forward(), *_specify_analysis(), *_specify_peers(), *_specify_http(), *_specify_process()]


def specify_cluster() -> list[Specification]:
    """Define the figures of the plain server and of Ray; each way is compared with the one before it."""
    found = [
        Specification(Part.CLUSTER, "capacity.rows", "rows (compare --rows), per core", "1/s"),
        Specification(Part.CLUSTER, "capacity.kept", "memory of an analysis", "MB"),
        Specification(Part.CLUSTER, "capacity.sent", "a serialised analysis, as sent to the store", "MB"),
    ]
    for before, way in zip((None, *WAYS), WAYS, strict=False):
        for clients in WAY_CLIENTS:
            key, name = f"{way.key}.{clients}", f"{way.name}, {clients} client{'s' if clients > 1 else ''}"
            relative = {
                unit: None if before is None else f"{before.key}.{clients}.{unit}"
                for unit in ("throughput", "p50", "cpu")
            }
            found += [
                Specification(Part.CLUSTER, f"{key}.throughput", name, "1/s", relative["throughput"]),
                Specification(Part.CLUSTER, f"{key}.p50", f"p50, {name}", "ms", relative["p50"]),
                Specification(Part.CLUSTER, f"{key}.cpu", f"processor time per picture, {name}", "ms", relative["cpu"]),
                Specification(Part.CLUSTER, f"{key}.p95", f"p95, {name}"),
                Specification(Part.CLUSTER, f"{key}.errors", f"errors, {name}", ""),
            ]
    return found


def build_figures(samples: Samples, specifications: Sequence[Specification] | None = None) -> list[Figure]:
    """Build the specified figures that were measured; the specifications of `specify` by default."""
    specifications = specify() if specifications is None else specifications
    values = {one.key: one.summarise(samples[one.key]) for one in specifications if samples.get(one.key)}
    return [_build_figure(one, samples[one.key], values) for one in specifications if one.key in values]


def _build_figure(one: Specification, samples: list[float], values: dict[str, float]) -> Figure:
    value = values[one.key]
    relative = ratio(value, values.get(one.relative_to)) if one.relative_to else None
    judged = relative if one.relative_to else value
    return Figure(
        part=one.part,
        key=one.key,
        name=one.name,
        unit=one.unit,
        value=value,
        samples=samples,
        ratio=relative,
        relative_to=one.relative_to,
        target=None if one.target is None else str(one.target),
        is_met=None if one.target is None or judged is None else one.target.is_met(judged),
    )


def _specify_forward() -> list[Specification]:
    return [
        Specification(Part.FORWARD, "forward", "both passes, batch 1"),
        Specification(Part.FORWARD, "loop", "at the best batch size", unit="lineups/s"),
    ]


def _specify_analysis() -> list[Specification]:
    core, whole = Target(Bound.AT_MOST, 1.15), Target(Bound.AT_MOST, 1.35)
    found = [
        Specification(Part.ANALYSIS, "small.values.core", "without decoding and encoding", "ms", "forward", core),
    ]
    for key, name in VARIANTS.items():
        target = whole if key.startswith("small") else None
        found.append(Specification(Part.ANALYSIS, f"{key}.total", f"whole, {name}", "ms", "forward", target))
    for key, name in VARIANTS.items():
        found += [Specification(Part.STEPS, f"{key}.{step}", f"{step}, {name}", "ms", f"{key}.total") for step in STEPS]
    return found


def _specify_peers() -> list[Specification]:
    # The reference is our whole analysis, although it also decodes and encodes, which the peers do not.
    ours, target = "small.values.total", Target(Bound.AT_LEAST, 5)
    return [
        Specification(Part.GRAD_CAM, "gradcam", "from prepared input", "ms", ours, target),
        Specification(Part.TORCHCAM, "torchcam", "from prepared input", "ms", ours),
        Specification(
            Part.OTHER_CLASS, "other_class", "both maps as values", "ms", "forward", Target(Bound.UNDER, 0.1)
        ),
    ]


def _specify_http() -> list[Specification]:
    found = [Specification(Part.HTTP, "loop.beside", "bare loop, between the levels", "lineups/s")]
    for clients in CLIENTS:
        key, name = f"http.{clients}", f"{clients} client{'s' if clients > 1 else ''}"
        target = Target(Bound.AT_LEAST, 0.8) if clients == max(CLIENTS) else None
        found.append(Specification(Part.HTTP, f"{key}.throughput", f"pictures, {name}", "1/s", "loop.beside", target))
        found += [Specification(Part.HTTP, f"{key}.p{share}", f"p{share}, {name}") for share in SHARES]
        found.append(Specification(Part.HTTP, f"{key}.errors", f"errors, {name}", ""))
    return found


def _specify_process() -> list[Specification]:
    growth, start = Target(Bound.UNDER, 50), Target(Bound.UNDER, 2)
    return [
        Specification(Part.MEMORY, "memory.start", "memory at start", "MB"),
        Specification(Part.MEMORY, "memory.early", "after the first requests", "MB"),
        Specification(Part.MEMORY, "memory.late", "after all requests", "MB"),
        Specification(Part.MEMORY, "memory.growth", "growth from first to all", "MB", target=growth),
        Specification(Part.MEMORY, "memory.errors", "errors meanwhile", ""),
        Specification(Part.STARTUP, "startup.imports", "imports and reading the weights", "s", summarise=min),
        Specification(Part.STARTUP, "startup.ready", "command to ready", "s", "startup.imports", start, min),
    ]
