"""Which rows of a sheet are shown, in what order, and the classes that single rows explain."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.analysis.compared_sheets import ComparedRow
from app.analysis.comparison import Comparison, Difference
from app.analysis.networks import choose_difference
from app.analysis.options import SheetFilter, SheetOptions, SheetSort
from app.errors import InvalidOption


@dataclass(frozen=True, slots=True)
class RowMeasures:
    """The numbers by which rows are sorted.

    Attributes:
        overlap: of the difference's two maps, 0..1; None where they cannot be compared.
        probability_change: P of the explained class by the one network minus P by the other, -1..1.
        first_guesses: the number of different likeliest classes of all networks.
    """

    overlap: float | None
    probability_change: float
    first_guesses: int


def measure_row(comparison: Comparison, difference: Difference) -> RowMeasures:
    """Measure a row by the two networks of a difference."""
    of, minus = (comparison.target_probability(name) for name in (difference.of, difference.minus))
    return RowMeasures(comparison.compare_maps(difference).overlap, of - minus, count_first_guesses(comparison))


def count_first_guesses(comparison: Comparison) -> int:
    """The number of different likeliest classes of all networks; 1 if they agree."""
    return len({int(trace.probabilities.argmax()) for trace in comparison.analysis.traces.values()})


def arrange_rows(rows: Sequence[ComparedRow], options: SheetOptions) -> list[ComparedRow]:
    """Leave out the rows that were removed, not chosen or filtered out, and sort the others.

    Where numbers sort them, rows without a comparison come last; equal ones stay in the order of the upload.
    """
    removed, chosen = set(options.without), set(options.rows)
    kept = [row for row in rows if row.position not in removed and (not chosen or row.position in chosen)]
    if options.only is SheetFilter.DISAGREE:
        kept = [row for row in kept if row.comparison is not None and count_first_guesses(row.comparison) > 1]
    if options.sort is SheetSort.UPLOAD:
        return kept
    if options.sort is SheetSort.HAND:
        places = {position: place for place, position in enumerate(dict.fromkeys(options.order))}
        return sorted(kept, key=lambda row: places.get(row.position, len(places)))
    return sorted(kept, key=lambda row: _rank(row, options))


def move_row(rows: Sequence[ComparedRow], options: SheetOptions, position: int, *, places: int) -> tuple[int, ...]:
    """The positions of all rows with one of them moved past its neighbour, at most to an end.

    Rows that are not shown keep their places among the others. A row that is not shown itself stays where it is.

    Args:
        rows: all rows of the sheet.
        options: which are shown, and in what order.
        position: the row to move.
        places: -1 for one place up, 1 for one down.
    """
    everything = options.model_copy(update={"only": SheetFilter.ALL, "rows": (), "without": ()})
    order = [row.position for row in arrange_rows(rows, everything)]
    shown = [row.position for row in arrange_rows(rows, options)]
    place = shown.index(position) + places if position in shown else -1
    if not 0 <= place < len(shown):
        return tuple(order)
    order.remove(position)
    order.insert(order.index(shown[place]) + (places > 0), position)
    return tuple(order)


def _rank(row: ComparedRow, options: SheetOptions) -> tuple[bool, float, float]:
    if row.comparison is None:
        return True, 0.0, 0.0
    difference = choose_difference(row.comparison.analysis.card, options.of, options.minus)
    numbers = measure_row(row.comparison, difference)
    change = -abs(numbers.probability_change)
    if options.sort is SheetSort.CHANGE:
        return False, change, 0.0
    if options.sort is SheetSort.GUESS:
        return False, -numbers.first_guesses, change
    # Maps that cannot be compared come after those that can.
    missing = numbers.overlap is None
    sign = 1 if options.sort is SheetSort.OVERLAP else -1
    return False, float(missing), sign * (numbers.overlap or 0.0)


def read_row_targets(texts: Sequence[str], count: int) -> dict[int, str]:
    """Read the classes of single rows.

    Args:
        texts: each a row's position and a class, as in `3:panda`.
        count: the number of rows.

    Returns:
        The classes by the rows' positions.

    Raises:
        InvalidOption: for a text of another form, and for a row that the sheet lacks.
    """
    targets = {}
    for text in texts:
        position, colon, target = text.partition(":")
        if not (colon and position.isascii() and position.isdigit() and 1 <= int(position) <= count):
            raise InvalidOption(
                f"row_target {text!r} names no row; give a row from 1 to {count} and a class, as in 1:panda",
                option="row_target",
            )
        targets[int(position)] = target
    return targets
