"""One row per picture and method, from which all summaries are made, and their CSV table."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.evaluation.results.metrics import Metric
from app.explain.methods import Method
from models.names import NetworkName, Stage


@dataclass(frozen=True, slots=True)
class MapRow:
    """One network on one picture.

    Attributes:
        is_right: whether it ranks the true class first.
        is_silent: whether its map has no positive evidence.
        values: each metric; None if it is undefined for a silent map.
    """

    is_right: bool
    is_silent: bool
    values: Mapping[Metric, float | None]


@dataclass(frozen=True, slots=True)
class FocusRow:
    """The networks on one picture, by one method at one stage.

    Attributes:
        file: the picture, CLASS/NAME.
        class_name: its true class, for which the maps were made.
        method, stage: the method, and the stage that it explains.
        height, width: the maps' size in positions.
        object_share: the object's share of the seen picture, 0..1.
        hidden_share: the share of the object that was not seen, 0..1.
        has_centre: whether the centre of the seen picture lies on the object.
        networks: each network's values, the baseline first.
    """

    file: str
    class_name: str
    method: Method
    stage: Stage
    height: int
    width: int
    object_share: float
    hidden_share: float
    has_centre: bool
    networks: Mapping[NetworkName, MapRow]

    @property
    def is_right_by_both(self) -> bool:
        """Whether all networks of the row rank the true class first."""
        return all(network.is_right for network in self.networks.values())

    def against_baseline(self, name: NetworkName) -> "FocusRow":
        """The same row with only the baseline and one other network."""
        baseline = next(iter(self.networks))
        return replace(self, networks={baseline: self.networks[baseline], name: self.networks[name]})

    def difference(self, metric: Metric) -> float | None:
        """In a row of two networks, the second's value minus the first's; None if either has none."""
        baseline, other = (network.values.get(metric) for network in self.networks.values())
        return None if baseline is None or other is None else other - baseline


PICTURE_COLUMNS = (
    "file", "class", "method", "stage", "height", "width", "object_share", "hidden_share", "has_centre",
)  # fmt: skip
NETWORK_COLUMNS = ("right", "silent", *(metric.value for metric in Metric))


def write_rows(rows: Sequence[FocusRow], path: Path) -> None:
    """Write the rows as CSV; a missing value is an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = list(rows[0].networks) if rows else []
        writer.writerow([*PICTURE_COLUMNS, *(f"{name}_{column}" for name in names for column in NETWORK_COLUMNS)])
        for row in rows:
            picture = (
                row.file, row.class_name, row.method.value, row.stage.value, row.height, row.width,
                _write(row.object_share), _write(row.hidden_share), int(row.has_centre),
            )  # fmt: skip
            writer.writerow([*picture, *(cell for name in names for cell in _write_network(row.networks[name]))])


def read_rows(path: Path) -> list[FocusRow]:
    """Read the rows that `write_rows` wrote, with its five decimal places."""
    with path.open(newline="", encoding="utf-8") as file:
        return [_read(cells) for cells in csv.DictReader(file)]


def _write_network(network: MapRow) -> list[str]:
    return [str(int(network.is_right)), str(int(network.is_silent))] + [
        _write(network.values.get(metric)) for metric in Metric
    ]


def _write(value: float | None) -> str:
    return "" if value is None else f"{value:.5f}".rstrip("0").rstrip(".")


def _list_networks(cells: Mapping[str, str]) -> list[NetworkName]:
    """The networks that have columns in a row."""
    end = f"_{NETWORK_COLUMNS[0]}"
    return [column.removesuffix(end) for column in cells if column.endswith(end)]


def _read(cells: Mapping[str, str]) -> FocusRow:
    return FocusRow(
        file=cells["file"],
        class_name=cells["class"],
        method=Method(cells["method"]),
        stage=Stage(int(cells["stage"])),
        height=int(cells["height"]),
        width=int(cells["width"]),
        object_share=float(cells["object_share"]),
        hidden_share=float(cells["hidden_share"]),
        has_centre=cells["has_centre"] == "1",
        networks={
            name: MapRow(
                is_right=cells[f"{name}_right"] == "1",
                is_silent=cells[f"{name}_silent"] == "1",
                values={
                    metric: float(text) if (text := cells[f"{name}_{metric.value}"]) else None for metric in Metric
                },
            )
            for name in _list_networks(cells)
        },
    )
