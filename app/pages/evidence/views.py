"""The contents of the evidence page: numbers as text, verdicts as words."""

from dataclasses import dataclass
from typing import Literal

Tone = Literal["better", "worse", "open"]


@dataclass(frozen=True, slots=True)
class Remark:
    """A number for comparison: the value of a map without any knowledge."""

    title: str
    explanation: str
    value: str


@dataclass(frozen=True, slots=True)
class MetricView:
    """One metric of the baseline and another network.

    Attributes:
        title, explanation: its name, and a line on what it measures.
        baseline, other: the means.
        difference: the other network minus the baseline, with its interval.
        verdict: the interval's verdict, in words.
        tone: the verdict in one word.
    """

    title: str
    explanation: str
    baseline: str
    other: str
    difference: str
    verdict: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class SubsetView:
    """The metrics over some of the pictures; `remarks` are numbers to compare them with."""

    title: str
    remarks: tuple[Remark, ...]
    metrics: tuple[MetricView, ...]


@dataclass(frozen=True, slots=True)
class AccuracyView:
    """One network's accuracy and calibration on these pictures."""

    title: str
    top1: str
    top5: str
    calibration: str


@dataclass(frozen=True, slots=True)
class GateRow:
    """One block's gates in numbers; `none` for a gate that this attention does not have.

    Attributes:
        name: the block's name, `layer1.0`.
        spatial_deviation, spatial_explained: the deviation from flat, and the share that is the same for all pictures.
        pointing, share_inside, excess: the spatial gate's measures against the object.
        channel_deviation, channel_explained: the same for the channel gate.
    """

    name: str
    spatial_deviation: str
    spatial_explained: str
    pointing: str
    share_inside: str
    excess: str
    channel_deviation: str
    channel_explained: str


@dataclass(frozen=True, slots=True)
class PictureView:
    """One of the pictures that differ most; `baseline` and `other` are shares of heat inside.

    `address` names the picture to this server, DATA/FILE; None where the picture is not at hand.
    """

    file: str
    address: str | None
    class_name: str
    object_share: str
    baseline: str
    other: str
    difference: str
    probabilities: str
    right: str


@dataclass(frozen=True, slots=True)
class SeedRow:
    """One metric over several seeds.

    Attributes:
        title: the metric's name.
        differences: the network minus the baseline, one per seed.
        mean: the mean of these differences.
        luck: the standard deviation of one network's metric over the seeds, the larger of both networks'.
        verdict: whether all seeds agree on the difference's sign.
    """

    title: str
    differences: tuple[str, ...]
    mean: str
    luck: str
    verdict: str


@dataclass(frozen=True, slots=True)
class SeedTable:
    """One network compared with the baseline over several seeds: its name for people, and one row per metric."""

    title: str
    rows: tuple[SeedRow, ...]


@dataclass(frozen=True, slots=True)
class SeedsView:
    """The results of the same training with other seeds.

    Attributes:
        names: the seeds' names.
        pictures: the number of pictures of each measurement.
        condition: the geometry and resolution in words.
        tables: one per network that is compared with the baseline.
    """

    names: tuple[str, ...]
    pictures: str
    condition: str
    tables: tuple[SeedTable, ...]


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One number of a forest plot.

    Attributes:
        title: the number's name.
        difference: the difference with its interval, as text.
        y: the top of its row.
        low, mean, high: the places of the interval's ends and of the mean; a higher place is better.
        is_open: whether the interval includes 0.
    """

    title: str
    difference: str
    y: int
    low: float
    mean: float
    high: float
    is_open: bool


@dataclass(frozen=True, slots=True)
class ForestPlot:
    """A forest plot in its own units; 0 is in the middle of its width."""

    rows: tuple[ForestRow, ...]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ContrastView:
    """One network compared with the baseline.

    Attributes:
        name: its name in the lineup.
        title: its name for people.
        answer: the page's question answered in one sentence, by the share of heat on the object.
        verdict: the result by every number, in one sentence.
        plot: the differences over the pictures that both networks get right; None without intervals.
        subsets: the pictures that both networks get right, then all pictures.
        failures: sentences on where the claim fails.
        gains: a sentence on the classes in which the network gains; None if there are none.
        gates: every block's gates; empty for a network without gates.
        gate_sentences: the gates' numbers in sentences.
        helped, hurt: the pictures that differ most.
        extremes: sentences on how these pictures were chosen.
        pictures_note: whose pictures these are, or how to see them.
    """

    name: str
    title: str
    answer: str
    verdict: str
    plot: ForestPlot | None
    subsets: tuple[SubsetView, ...]
    failures: tuple[str, ...]
    gains: str | None
    gates: tuple[GateRow, ...]
    gate_sentences: tuple[str, ...]
    helped: tuple[PictureView, ...]
    hurt: tuple[PictureView, ...]
    extremes: str
    pictures_note: str

    @property
    def has_pictures(self) -> bool:
        """Whether any of the pictures that differ most is at hand."""
        return any(picture.address for picture in (*self.helped, *self.hurt))


@dataclass(frozen=True, slots=True)
class RecordView:
    """Everything that was recorded of one lineup.

    Attributes:
        name: the lineup's name.
        title: its name for people.
        protocol: sentences on the pictures and the method.
        pictures: the number of pictures.
        accuracy: every network's accuracy on them.
        contrasts: every other network compared with the baseline.
        limits: sentences on the limits of the numbers.
        command: the command that repeats the measurement.
    """

    name: str
    title: str
    protocol: tuple[str, ...]
    pictures: str
    accuracy: tuple[AccuracyView, ...]
    contrasts: tuple[ContrastView, ...]
    limits: tuple[str, ...]
    command: str


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One network of a trial against the baseline.

    Attributes:
        title: its name for people.
        differences: how much more often it is right than the baseline, one per seed, with the interval over pictures.
        mean: the mean of these differences, with the interval over seeds.
        tone: the verdict in one word.
        verdict: the verdict in words.
    """

    title: str
    differences: tuple[str, ...]
    mean: str
    tone: Tone
    verdict: str


@dataclass(frozen=True, slots=True)
class TrialView:
    """A lineup that was trained with one or more seeds, and measured on held-out pictures.

    Attributes:
        title: the lineup's name for people.
        answers: the result of each network, one sentence each.
        protocol: sentences on the pictures, the seeds and the intervals.
        seeds: the seeds' names.
        accuracy: each network's name, and its top-1 accuracy with each seed.
        rows: each other network against the baseline.
    """

    title: str
    answers: tuple[str, ...]
    protocol: tuple[str, ...]
    seeds: tuple[str, ...]
    accuracy: tuple[tuple[str, tuple[str, ...]], ...]
    rows: tuple[TrialRow, ...]


@dataclass(frozen=True, slots=True)
class MissingView:
    """A lineup without a recorded evaluation: the reason, and the command that measures it."""

    name: str
    title: str
    reason: str
    command: str
