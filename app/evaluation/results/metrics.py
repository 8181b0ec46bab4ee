"""The metrics of how well a map points at an object, and their meanings. Nothing here imports torch."""

from dataclasses import dataclass
from enum import StrEnum


class Metric(StrEnum):
    """A metric of a map, or of the network's answer."""

    PROBABILITY = "probability"
    POINTING = "pointing"
    SHARE_INSIDE = "share_inside"
    SHARE_RATIO = "share_ratio"
    IOU_15 = "iou_15"
    IOU_50 = "iou_50"
    IOU_60 = "iou_60"
    DELETION = "deletion"
    INSERTION = "insertion"


@dataclass(frozen=True, slots=True)
class MetricMeaning:
    """The meaning of a metric.

    Attributes:
        title: its name for people.
        explanation: one line on what it measures.
        is_share: whether it is shown in percent.
        is_higher_better: whether a higher value is better.
        counts_silent_as_zero: whether a map without positive evidence has the value 0; if not, its picture is skipped.
    """

    title: str
    explanation: str
    is_share: bool = True
    is_higher_better: bool = True
    counts_silent_as_zero: bool = False


IOU_THRESHOLDS = {Metric.IOU_15: 0.15, Metric.IOU_50: 0.5, Metric.IOU_60: 0.6}
"""Shares of the map's maximum: 0.15 is Grad-CAM's own for boxes (Selvaraju et al., 2017), 0.6 the page's overlap."""

MEANINGS: dict[Metric, MetricMeaning] = {
    Metric.PROBABILITY: MetricMeaning(
        "P of the true class", "Softmax probability for the whole picture. It says nothing about the map."
    ),
    Metric.POINTING: MetricMeaning(
        "Pointing game",
        "How often the map’s highest position lies on the object. A map without positive evidence counts as a miss.",
        counts_silent_as_zero=True,
    ),
    Metric.SHARE_INSIDE: MetricMeaning(
        "Share of heat inside",
        "The share of all heat on the object. For a flat map it is the object’s share of the picture.",
    ),
    Metric.SHARE_RATIO: MetricMeaning(
        "Share inside ÷ object’s share", "1 is no better than a flat map; small objects weigh more.", is_share=False
    ),
    Metric.IOU_15: MetricMeaning(
        "IoU at 0.15 of the maximum",
        "Overlap of the object with the area that reaches 0.15 of the map’s maximum. Without evidence it is 0.",
        counts_silent_as_zero=True,
    ),
    Metric.IOU_50: MetricMeaning(
        "IoU at 0.5 of the maximum", "The same for the area that reaches half the maximum.", counts_silent_as_zero=True
    ),
    Metric.IOU_60: MetricMeaning(
        "IoU at 0.6 of the maximum", "The same for the area that reaches 0.6 of it.", counts_silent_as_zero=True
    ),
    Metric.DELETION: MetricMeaning(
        "Deletion area",
        "Mean P of the class while the hottest positions are removed first. Low: the map found what matters.",
        is_share=False,
        is_higher_better=False,
    ),
    Metric.INSERTION: MetricMeaning(
        "Insertion area",
        "Mean P of the class while the hottest positions are put back first. High: the map found what matters.",
        is_share=False,
    ),
}
