"""The order, the filter and the classes of a sheet's rows."""

from dataclasses import dataclass

import numpy as np
import pytest

from app.analysis.compared_sheets import ComparedRow
from app.analysis.options import SheetFilter, SheetOptions, SheetSort
from app.analysis.sheet_view import arrange_rows, move_row, read_row_targets
from app.errors import InvalidOption
from app.explain.metrics import MapComparison


@dataclass(frozen=True)
class FakeTrace:
    probabilities: np.ndarray


class FakeCard:
    names = ("baseline", "cbam")


class FakeAnalysis:
    def __init__(self, *traces: FakeTrace) -> None:
        self.card = FakeCard()
        self.traces = dict(zip(FakeCard.names, traces, strict=True))


class FakeComparison:
    """P of class 0 by both networks, and the overlap of their maps."""

    def __init__(self, baseline: float, cbam: float, overlap: float | None) -> None:
        traces = [FakeTrace(np.array([value, 1 - value], dtype=np.float32)) for value in (baseline, cbam)]
        self.analysis = FakeAnalysis(*traces)
        self._overlap = overlap

    def target_probability(self, name: str) -> float:
        return float(self.analysis.traces[name].probabilities[0])

    def compare_maps(self, _: object) -> MapComparison:
        return MapComparison(correlation=None, overlap=self._overlap, peak_distance=None)


ROWS = [
    ComparedRow(position, f"{position}.jpg", comparison, None if comparison else "broken")  # type: ignore[arg-type]
    for position, comparison in enumerate(
        [
            FakeComparison(0.9, 0.8, 0.7),
            None,
            FakeComparison(0.9, 0.1, 0.5),
            FakeComparison(0.7, 0.75, None),
            FakeComparison(0.6, 0.4, 0.9),
        ],
        1,
    )
]


@pytest.mark.parametrize(
    ("options", "positions"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"sort": SheetSort.OVERLAP}, [3, 1, 5, 4, 2]),
        ({"sort": SheetSort.OVERLAP_HIGH}, [5, 1, 3, 4, 2]),
        ({"sort": SheetSort.CHANGE}, [3, 5, 1, 4, 2]),
        ({"sort": SheetSort.GUESS}, [3, 5, 1, 4, 2]),
        ({"only": SheetFilter.DISAGREE}, [3, 5]),
        ({"without": "1,3"}, [2, 4, 5]),
        ({"rows": ["5", "2"]}, [2, 5]),
        ({"rows": "1,2,3", "without": "2", "sort": SheetSort.OVERLAP}, [3, 1]),
        ({"sort": SheetSort.HAND, "order": "4,2"}, [4, 2, 1, 3, 5]),
        ({"sort": SheetSort.HAND, "order": "4,2,3", "without": "2"}, [4, 3, 1, 5]),
        ({"sort": SheetSort.HAND, "order": "4,4,4,1"}, [4, 1, 2, 3, 5]),
        ({"sort": SheetSort.HAND, "order": "200"}, [1, 2, 3, 4, 5]),
        ({"sort": SheetSort.UPLOAD, "order": "4,2"}, [1, 2, 3, 4, 5]),
    ],
)
def test_rows_are_chosen_and_sorted(options: dict[str, object], positions: list[int]) -> None:
    assert [row.position for row in arrange_rows(ROWS, SheetOptions.model_validate(options))] == positions


@pytest.mark.parametrize(
    ("options", "position", "places", "moved"),
    [
        ({}, 2, -1, (2, 1, 3, 4, 5)),
        ({}, 2, 1, (1, 3, 2, 4, 5)),
        ({}, 1, -1, (1, 2, 3, 4, 5)),
        ({}, 5, 1, (1, 2, 3, 4, 5)),
        ({}, 9, 1, (1, 2, 3, 4, 5)),
        ({"sort": SheetSort.HAND, "order": "5,4,3,2,1"}, 5, 1, (4, 5, 3, 2, 1)),
        # Past the next row that is shown; the hidden ones keep their places.
        ({"sort": SheetSort.HAND, "order": "5,4,3,2,1", "without": "4"}, 5, 1, (4, 3, 5, 2, 1)),
        ({"sort": SheetSort.HAND, "order": "5,4,3,2,1", "only": SheetFilter.DISAGREE}, 3, -1, (3, 5, 4, 2, 1)),
        ({"sort": SheetSort.OVERLAP}, 1, -1, (1, 3, 5, 4, 2)),
    ],
)
def test_row_moves_past_its_neighbour(
    options: dict[str, object], position: int, places: int, moved: tuple[int, ...]
) -> None:
    assert move_row(ROWS, SheetOptions.model_validate(options), position, places=places) == moved


def test_row_targets_are_read_by_row() -> None:
    assert read_row_targets(["2:panda", "1:7"], 2) == {2: "panda", 1: "7"}
    assert read_row_targets([], 2) == {}


@pytest.mark.parametrize("text", ["panda", "3:panda", "0:panda", "x:panda", ":panda"])
def test_row_target_without_a_row_is_refused(text: str) -> None:
    with pytest.raises(InvalidOption, match="give a row from 1 to 2 and a class"):
        read_row_targets([text], 2)
