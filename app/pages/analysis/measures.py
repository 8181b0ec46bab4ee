"""The numbers that compare two maps, each with its meaning."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.api.schemas import AnalysisAnswer, HeatMapAnswer
from app.numbers import format_evidence, format_hundredths, format_probability, format_share
from app.pages.analysis.wording import name_networks
from models.names import NetworkName
from models.networks.titles import ATTENTION_TITLES


@dataclass(frozen=True, slots=True)
class Measure:
    """One number that compares the maps; `reason` says why there is none where `value` is None."""

    title: str
    value: str | None
    explanation: str
    reason: str | None = None


def list_measures(answer: AnalysisAnswer) -> tuple[Measure, ...]:
    """The numbers that compare the two maps, each with its meaning, or why there is none."""
    comparison = answer.comparison
    networks = [answer.networks[name] for name in NetworkName]
    shares = [network.heat_map.share_above_half for network in networks]
    peaks = [explain_peak(network.heat_map) for network in networks]
    both = f"Baseline | {ATTENTION_TITLES[answer.attention]}."
    silent = _name_silent(answer)
    return (
        Measure(
            "P of the class",
            " | ".join(format_probability(network.target_probability) for network in networks),
            f"{both} How probable each network finds ‘{answer.target.class_name}’, from 0 to 1 (softmax).",
        ),
        Measure(
            "Peak",
            None if not any(peaks) else " | ".join("none" if peak is None else peak.split(" ")[0] for peak in peaks),
            f"{both} Each map’s highest value, {' and '.join(_locate(peak) for peak in peaks)}.",
            silent,
        ),
        Measure(
            "Correlation",
            None if comparison.correlation is None else format_hundredths(comparison.correlation),
            "Pearson’s r over all positions: 1 means the same pattern, 0 no relation, −1 the opposite.",
            silent or "One of the maps has the same value everywhere.",
        ),
        Measure(
            "Overlap",
            None if comparison.overlap is None else format_hundredths(comparison.overlap),
            "Intersection over union of the areas where each map reaches 0.6 of its maximum: 1 means the same area, "
            "0 no overlap.",
            silent,
        ),
        Measure(
            "Peak distance",
            None if comparison.peak_distance is None else format_share(comparison.peak_distance),
            "Distance between the two peaks, as a share of the picture’s diagonal.",
            silent,
        ),
        Measure(
            "Share above half maximum",
            _list_shares(shares),
            f"{both} How much of the evidence lies where the map reaches half its maximum. High: one compact spot, "
            "or an evenly lit picture.",
            silent,
        ),
    )


def explain_peak(heat_map: HeatMapAnswer) -> str | None:
    """A map's highest value and where it is, in the picture's pixels; None without positive evidence."""
    if heat_map.peak_x is None or heat_map.peak_y is None:
        return None
    return f"{format_evidence(heat_map.max)} at x {heat_map.peak_x:.0f}, y {heat_map.peak_y:.0f}"


def _name_silent(answer: AnalysisAnswer) -> str | None:
    names = name_networks(answer)
    silent = [names[name] for name in NetworkName if answer.networks[name].heat_map.max == 0]
    if not silent:
        return None
    who = " and ".join(silent)
    return f"{who[0].upper()}{who[1:]} found no positive evidence for ‘{answer.target.class_name}’."


def _locate(peak: str | None) -> str:
    return "nowhere" if peak is None else peak.split(" ", 1)[1]


def _list_shares(shares: Sequence[float | None]) -> str | None:
    if all(share is None for share in shares):
        return None
    return " | ".join("none" if share is None else format_share(share, 0) for share in shares)
