"""Rows on disk, in Parquet files that are written whole or not at all, so that a run can be stopped anywhere.

rows/identity.json            the options; rows of other options need another directory
rows/part-000001.parquet      some rows
rows/maps/KEY.npz             a picture's maps, if they are kept; written before its row
"""

import io
import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from app.errors import InvalidOption
from app.output.files import write_whole
from app.survey.rows import Row
from models.names import NetworkName

IDENTITY = "identity.json"

OPTION = "--rows"

TEXT, WHOLE, REAL, WHOLES, REALS = "string", "int32", "float64", "list<int32>", "list<float64>"

PICTURE_COLUMNS = {
    "file": TEXT,
    "error": TEXT,
    "problem": TEXT,
    "lineup": TEXT,
    "width": WHOLE,
    "height": WHOLE,
    "target_index": WHOLE,
    "target_name": TEXT,
    "method": TEXT,
    "stage": WHOLE,
}
CONTRAST_COLUMNS = {"correlation": REAL, "overlap": REAL, "peak_distance": REAL}
"""The columns of each other network compared with the baseline; its name comes first."""

NETWORK_COLUMNS = {
    "target_probability": REAL,
    "classes": WHOLES,
    "probabilities": REALS,
    "map_min": REAL,
    "map_max": REAL,
    "map_mean": REAL,
    "peak_x": REAL,
    "peak_y": REAL,
    "share_above_half": REAL,
}
"""The columns of each network; its name comes first."""


def list_columns(networks: Sequence[NetworkName]) -> dict[str, str]:
    """List every column of a lineup's rows with its type; all but `file` may be null."""
    contrasts = {f"{name}_{column}": kind for name in networks[1:] for column, kind in CONTRAST_COLUMNS.items()}
    own = {f"{name}_{column}": kind for name in networks for column, kind in NETWORK_COLUMNS.items()}
    return PICTURE_COLUMNS | contrasts | own


class RowStore:
    """The rows of one set of options.

    Args:
        directory: the folder of the rows; created if it does not exist.
        identity: the options, the lineup and its weights.
        networks: the networks' names, the baseline's first.

    Raises:
        InvalidOption: for a directory with the rows of other options, and without pyarrow.
        OSError: for a directory that cannot be read or written.
    """

    def __init__(self, directory: Path, identity: Mapping[str, Any], networks: Sequence[NetworkName]) -> None:
        self.directory = directory
        self.networks = networks
        self._arrow, self._parquet = _import_arrow()
        directory.mkdir(parents=True, exist_ok=True)
        self._check_identity(identity)
        self._last_part = max((int(part.stem.partition("-")[2]) for part in self._list_parts()), default=0)

    def read_keys(self) -> set[str]:
        """Read the keys of the pictures that have a row."""
        return {
            key for part in self._list_parts() for key in self._read(part, columns=["file"]).column("file").to_pylist()
        }

    def read_rows(self) -> list[Row]:
        """Read every row, in the order in which they were written."""
        return [row for part in self._list_parts() for row in self._read(part).to_pylist()]

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows, all of them or none."""
        if not rows:
            return
        buffer = io.BytesIO()
        self._parquet.write_table(tabulate_rows(rows, self.networks), buffer)
        write_whole(self.directory / f"part-{self._last_part + 1:06d}.parquet", buffer.getvalue(), option=OPTION)
        self._last_part += 1

    def write_maps(self, key: str, content: bytes) -> None:
        """Keep a picture's maps."""
        path = self.directory / "maps" / f"{key}.npz"
        if not path.resolve().is_relative_to(self.directory.resolve()):
            raise InvalidOption(
                f"{key} leads out of {self.directory}; list only pictures below the list's folder", option="IMAGE"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content, option=OPTION)

    def _list_parts(self) -> list[Path]:
        return sorted(self.directory.glob("part-*.parquet"))

    def _read(self, part: Path, *, columns: list[str] | None = None) -> Any:  # noqa: ANN401  # pyarrow has no types
        try:
            return self._parquet.read_table(part, columns=columns)
        except (self._arrow.ArrowInvalid, self._arrow.ArrowNotImplementedError) as error:
            raise OSError(f"{part} is damaged: {error}; delete it, and its pictures are compared again") from error

    def _check_identity(self, identity: Mapping[str, Any]) -> None:
        path = self.directory / IDENTITY
        mine = json.dumps(identity, indent=1, sort_keys=True)
        if not path.exists():
            write_whole(path, mine.encode(), option=OPTION)
            return
        theirs = json.loads(path.read_text())
        if theirs != json.loads(mine):
            different = ", ".join(
                f"{name} was {theirs.get(name)}, is {identity.get(name)}"
                for name in sorted(theirs.keys() | identity.keys())
                if theirs.get(name) != identity.get(name)
            )
            raise InvalidOption(
                f"{self.directory} has the rows of other options ({different}); give another directory",
                option="rows",
            )


def tabulate_rows(rows: Sequence[Row], networks: Sequence[NetworkName]) -> Any:  # noqa: ANN401  # pyarrow has no types
    """Make a `pyarrow.Table` of rows, with every column; missing values are null."""
    arrow, _ = _import_arrow()
    types = {TEXT: arrow.string(), WHOLE: arrow.int32(), REAL: arrow.float64()}
    types |= {WHOLES: arrow.list_(types[WHOLE]), REALS: arrow.list_(types[REAL])}
    schema = arrow.schema([(name, types[kind]) for name, kind in list_columns(networks).items()])
    return arrow.Table.from_pylist(list(rows), schema=schema)


def _import_arrow() -> tuple[ModuleType, ModuleType]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise InvalidOption(
            "rows are Parquet files and need pyarrow, which is not installed: uv sync --extra survey", option="rows"
        ) from error
