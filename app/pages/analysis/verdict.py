"""The verdict above the maps: the networks' guesses, how far their maps agree, and every reason for doubt."""

from dataclasses import dataclass

from app.api.schemas import AnalysisAnswer, LineupDescription
from app.numbers import format_hundredths, format_percentage
from app.pages.analysis.wording import warn_of_geometry
from app.pages.doubts import explain_doubt


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer in one line, and the doubts about it, which come before the maps.

    Attributes:
        guesses: each network's title, its likeliest class and that class's P in percent.
        agreement: how far the maps agree.
        doubt: a sentence where the networks are not sure, or None.
        warnings: warnings about a geometry that is not the lineup's default, and about the lineup itself.
    """

    guesses: tuple[tuple[str, str, str], ...]
    agreement: str
    doubt: str | None
    warnings: tuple[str, ...]


def build_verdict(answer: AnalysisAnswer, lineup: LineupDescription, *, class_count: int) -> Verdict:
    """Build the verdict on a comparison.

    Args:
        answer: the comparison.
        lineup: its lineup.
        class_count: the number of classes that the networks choose from.
    """
    # That nothing was learned says more than what is odd about the weights.
    oddities = lineup.warnings if lineup.trained else ()
    first = [
        (network.title + (", gates changed" if network.alteration is not None else ""), network.predictions[0])
        for network in answer.networks.values()
    ]
    return Verdict(
        guesses=tuple((title, guess.class_name, format_percentage(guess.probability)) for title, guess in first),
        agreement=explain_map_agreement(answer),
        doubt=explain_doubt(answer, class_count=class_count),
        warnings=(*warn_of_geometry(answer.geometry, lineup), *oddities),
    )


def explain_map_agreement(answer: AnalysisAnswer) -> str:
    """Say how far each map agrees with the baseline's: their correlation over all positions."""
    values = {name: row.correlation for name, row in answer.comparisons.items()}
    if len(values) == 1:
        (value,) = values.values()
        return "maps cannot be compared" if value is None else f"maps agree {format_hundredths(value)}"
    parts = [
        f"{answer.networks[name].title} {'cannot be compared' if value is None else format_hundredths(value)}"
        for name, value in values.items()
    ]
    return f"maps agree with the baseline’s: {', '.join(parts)}"
