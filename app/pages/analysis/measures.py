"""The numbers that compare the maps, with their meanings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.api.schemas import AnalysisAnswer, HeatMapAnswer
from app.numbers import format_evidence, format_hundredths, format_probability, format_share
from app.pages.doubts import begin_sentence, name_networks
from models.lineups.card import FEWEST_NETWORKS
from models.networks.titles import join_words


@dataclass(frozen=True, slots=True)
class Measure:
    """One number that compares the maps; if `value` is None, `reason` says why."""

    title: str
    value: str | None
    explanation: str
    reason: str | None = None


def list_measures(answer: AnalysisAnswer) -> tuple[Measure, ...]:
    """List the numbers that compare the maps, with their meanings or the reason why they are missing."""
    networks = list(answer.networks.values())
    shares = [network.heat_map.share_above_half for network in networks]
    peaks = [explain_peak(network.heat_map) for network in networks]
    every = " | ".join(network.title for network in networks) + "."
    silent = _name_silent(answer)
    return (
        Measure(
            "P of the class",
            " | ".join(format_probability(network.target_probability) for network in networks),
            f"{every} How probable each network finds ‘{answer.target.class_name}’, from 0 to 1.",
        ),
        Measure(
            "Peak",
            None if not any(peaks) else " | ".join("none" if peak is None else peak.split(" ")[0] for peak in peaks),
            f"{every} {_explain_peaks(peaks)}",
            silent,
        ),
        *_compare_with_baseline(answer, silent),
        Measure(
            "Share above half maximum",
            _list_shares(shares),
            f"{every} The share of the evidence where the map reaches half its maximum. High: one compact spot, "
            "or an even map.",
            silent,
        ),
    )


def _compare_with_baseline(answer: AnalysisAnswer, silent: str | None) -> tuple[Measure, ...]:
    """Compare each other map with the baseline's."""
    rows = list(answer.comparisons.values())
    others = ""
    if len(rows) > 1:
        others = " | ".join(answer.networks[name].title for name in answer.comparisons) + ", each with the baseline. "
    return (
        Measure(
            "Correlation",
            _list_values([row.correlation for row in rows], format_hundredths),
            f"{others}Pearson’s r over all positions: 1 means the same pattern, 0 no relation, −1 the opposite.",
            silent or "One of the maps has the same value everywhere.",
        ),
        Measure(
            "Overlap",
            _list_values([row.overlap for row in rows], format_hundredths),
            f"{others}Intersection over union of the areas where each map reaches 0.6 of its maximum: 1 means the same "
            "area, 0 no overlap.",
            silent,
        ),
        Measure(
            "Peak distance",
            _list_values([row.peak_distance for row in rows], format_share),
            f"{others}Distance between the two peaks, as a share of the picture’s diagonal.",
            silent,
        ),
    )


def explain_peak(heat_map: HeatMapAnswer) -> str | None:
    """A map's highest value and its position in the picture's pixels; None without positive evidence."""
    if heat_map.peak_x is None or heat_map.peak_y is None:
        return None
    return f"{format_evidence(heat_map.max)} at x {heat_map.peak_x:.0f}, y {heat_map.peak_y:.0f}"


def _explain_peaks(peaks: Sequence[str | None]) -> str:
    if len(peaks) > FEWEST_NETWORKS:
        return "Each map’s highest value; its place is written below the map."
    return f"Each map’s highest value, {' and '.join(_locate(peak) for peak in peaks)}."


def _name_silent(answer: AnalysisAnswer) -> str | None:
    names = name_networks(answer)
    silent = [names[name] for name, network in answer.networks.items() if network.heat_map.max == 0]
    if not silent:
        return None
    return f"{begin_sentence(join_words(silent))} found no positive evidence for ‘{answer.target.class_name}’."


def _locate(peak: str | None) -> str:
    return "nowhere" if peak is None else peak.split(" ", 1)[1]


def _list_shares(shares: Sequence[float | None]) -> str | None:
    return _list_values(shares, lambda share: format_share(share, 0))


def _list_values(values: Sequence[float | None], form: Callable[[float], str]) -> str | None:
    """`0.93 | 0.88`; None if there are no values."""
    if all(value is None for value in values):
        return None
    return " | ".join("none" if value is None else form(value) for value in values)
