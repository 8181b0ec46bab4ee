"""The rows on the disk: Parquet files that are whole or not there, so that a run can be stopped anywhere.

rows/identity.json            what was asked; another question does not go into the same directory
rows/part-000001.parquet      some rows
rows/maps/KEY.npz             a picture's maps, where they are wanted; there before its row is
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
"""Of each other network, with the baseline; its name stands in front."""

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
"""Of each network; its name stands in front."""


def list_columns(networks: Sequence[NetworkName]) -> dict[str, str]:
    """Every column of a lineup's rows and its type; all but `file` may be null."""
    contrasts = {f"{name}_{column}": kind for name in networks[1:] for column, kind in CONTRAST_COLUMNS.items()}
    own = {f"{name}_{column}": kind for name in networks for column, kind in NETWORK_COLUMNS.items()}
    return PICTURE_COLUMNS | contrasts | own


class RowStore:
    """The rows of one question.

    Args:
        directory: where they go; made where it is not there.
        identity: what is asked of which networks.
        networks: their names, the baseline's first.

    Raises:
        InvalidOption: for the directory of another question, and without pyarrow.
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
        """The pictures that have a row."""
        return {
            key for part in self._list_parts() for key in self._read(part, columns=["file"]).column("file").to_pylist()
        }

    def read_rows(self) -> list[Row]:
        """Every row, in the order in which they were written."""
        return [row for part in self._list_parts() for row in self._read(part).to_pylist()]

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows; all of them are there afterwards, or none."""
        if not rows:
            return
        buffer = io.BytesIO()
        self._parquet.write_table(tabulate_rows(rows, self.networks), buffer)
        write_whole(self.directory / f"part-{self._last_part + 1:06d}.parquet", buffer.getvalue())
        self._last_part += 1

    def write_maps(self, key: str, content: bytes) -> None:
        """Keep a picture's maps."""
        path = self.directory / "maps" / f"{key}.npz"
        if not path.resolve().is_relative_to(self.directory.resolve()):
            raise InvalidOption(f"{key} leads out of {self.directory}; name pictures below their list", option="IMAGE")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)

    def _list_parts(self) -> list[Path]:
        return sorted(self.directory.glob("part-*.parquet"))

    def _read(self, part: Path, *, columns: list[str] | None = None) -> Any:  # noqa: ANN401  # pyarrow has no types
        try:
            return self._parquet.read_table(part, columns=columns)
        except (self._arrow.ArrowInvalid, self._arrow.ArrowNotImplementedError) as error:
            raise OSError(f"{part} is damaged: {error}; delete it, and its pictures are done again") from error

    def _check_identity(self, identity: Mapping[str, Any]) -> None:
        path = self.directory / IDENTITY
        mine = json.dumps(identity, indent=1, sort_keys=True)
        if not path.exists():
            write_whole(path, mine.encode())
            return
        theirs = json.loads(path.read_text())
        if theirs != json.loads(mine):
            different = ", ".join(
                f"{name} was {theirs.get(name)}, is {identity.get(name)}"
                for name in sorted(theirs.keys() | identity.keys())
                if theirs.get(name) != identity.get(name)
            )
            raise InvalidOption(
                f"{self.directory} has the rows of another question ({different}); give another directory",
                option="rows",
            )


def tabulate_rows(rows: Sequence[Row], networks: Sequence[NetworkName]) -> Any:  # noqa: ANN401  # pyarrow has no types
    """Rows as a `pyarrow.Table` of every column; what a row does not have is null."""
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
            "rows are Parquet files and want pyarrow, which is not installed: uv sync --extra survey", option="rows"
        ) from error
