"""All numbers of a sheet as CSV."""

import csv
import io
from collections.abc import Iterator, Sequence

from app.analysis.compared_sheets import ComparedRow
from app.analysis.comparison import Comparison, Difference

COLUMNS = (
    "row",
    "picture",
    "lineup",
    "network",
    "class_index",
    "class_name",
    "method",
    "stage",
    "probability",
    "first_guess",
    "first_guess_probability",
    "map_maximum",
    "map_mean",
    "overlap_with_baseline",
    "correlation_with_baseline",
    "peak_distance_from_baseline",
    "probability_minus_baseline",
    "fits",
    "problem",
)

FORMULA_STARTS = ("=", "+", "-", "@")
"""A spreadsheet would compute a text that begins with one of these."""


def write_sheet_numbers(rows: Sequence[ComparedRow]) -> bytes:
    """Write one line per picture and network; a picture with a problem has one line that says it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for row in rows:
        name = _quote_formula(row.name)
        if row.comparison is None:
            writer.writerow([row.position, name, *[""] * (len(COLUMNS) - 3), _quote_formula(row.problem or "")])
        else:
            writer.writerows([row.position, name, *numbers, ""] for numbers in _list_numbers(row.comparison))
    # The mark at the beginning tells Excel that this is UTF-8.
    return buffer.getvalue().encode("utf-8-sig")


def _list_numbers(comparison: Comparison) -> Iterator[list[object]]:
    card, label = comparison.analysis.card, comparison.target.label
    fits = "" if comparison.fit is None else str(comparison.fit.is_good).lower()
    for name in comparison.names:
        guess = comparison.predictions(name, count=1)[0]
        statistics = comparison.statistics(name)
        probability = comparison.target_probability(name)
        compared: list[object] = ["", "", "", ""]
        if name != card.baseline:
            numbers = comparison.compare_maps(Difference(name, card.baseline))
            change = probability - comparison.target_probability(card.baseline)
            compared = [_write(numbers.overlap), _write(numbers.correlation), _write(numbers.peak_distance), change]
        yield [
            card.name,
            name,
            label.index,
            _quote_formula(label.name),
            comparison.method.value,
            comparison.stage.value,
            probability,
            _quote_formula(guess.label.name),
            guess.probability,
            statistics.maximum,
            statistics.mean,
            *compared,
            fits,
        ]


def _write(value: float | None) -> float | str:
    return "" if value is None else value


def _quote_formula(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
