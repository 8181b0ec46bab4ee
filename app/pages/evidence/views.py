"""The contents of the evidence page: numbers as text, verdicts as words."""

from dataclasses import dataclass
from typing import Literal

Tone = Literal["better", "worse", "open"]


@dataclass(frozen=True, slots=True)
class Remark:
    """A number for comparison: what a map without any knowledge would have."""

    title: str
    explanation: str
    value: str


@dataclass(frozen=True, slots=True)
class MetricView:
    """One metric of the baseline and another network.

    Attributes:
        title, explanation: what it is.
        baseline, other: the means.
        difference: the other network minus the baseline, with its interval.
        verdict: what the interval says, in words.
        tone: the same in one word.
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
    """One block's gates in numbers; `none` where this attention has no such gate.

    Attributes:
        name: the block's name, `layer1.0`.
        spatial_deviation, spatial_explained: how far from flat, how much the same for all pictures.
        pointing, share_inside, excess: how the spatial gate points at the object.
        channel_deviation, channel_explained: the same of the channel gate.
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
    """One of the pictures that differ most; `baseline` and `other` are shares of heat inside."""

    file: str
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
        title: what it is.
        differences: CBAM minus baseline, one per seed.
        mean: of these.
        luck: standard deviation of one network's metric over the seeds, the larger of both networks'.
        verdict: whether the seeds agree on who is ahead.
    """

    title: str
    differences: tuple[str, ...]
    mean: str
    luck: str
    verdict: str


@dataclass(frozen=True, slots=True)
class SeedsView:
    """The results of the same training with other seeds.

    Attributes:
        names: of the seeds.
        pictures: how many each was measured on.
        condition: as what the networks saw them.
        rows: one a metric.
    """

    names: tuple[str, ...]
    pictures: str
    condition: str
    rows: tuple[SeedRow, ...]


@dataclass(frozen=True, slots=True)
class ContrastView:
    """One network against the baseline.

    Attributes:
        name: its name in the lineup.
        title: its name for people.
        verdict: what came out, one sentence.
        subsets: the pictures that both of the two get right, then all.
        failures: where the claim fails.
        gains: in which classes the network gains; None where there is no such class.
        gates: every block; none for a network without gates.
        gate_sentences: what the gates' numbers say.
        helped, hurt: the pictures that differ most.
        extremes: how these were chosen.
    """

    name: str
    title: str
    verdict: str
    subsets: tuple[SubsetView, ...]
    failures: tuple[str, ...]
    gains: str | None
    gates: tuple[GateRow, ...]
    gate_sentences: tuple[str, ...]
    helped: tuple[PictureView, ...]
    hurt: tuple[PictureView, ...]
    extremes: str


@dataclass(frozen=True, slots=True)
class RecordView:
    """Everything that was recorded of one lineup.

    Attributes:
        name: the lineup's name.
        title: its name for people.
        protocol: what was measured, on what and how.
        pictures: how many were read.
        accuracy: of every network on these.
        contrasts: every other network against the baseline.
        limits: what these numbers do not say.
        command: how to measure it again.
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
class MissingView:
    """A lineup that nothing was recorded of: why, and the command that measures it."""

    name: str
    title: str
    reason: str
    command: str
