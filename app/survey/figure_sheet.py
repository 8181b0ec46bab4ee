"""`cbam-lens compare --sheet`: all pictures in one figure."""

from collections.abc import Sequence
from pathlib import Path

from app.analysis.compared_sheets import ComparedRow
from app.analysis.comparison import Comparison
from app.analysis.options import SheetOptions
from app.analysis.sheets import clean_name, refuse_count
from app.errors import InvalidOption
from app.output.files import check_writable, write_whole
from app.output.sheet import draw_sheet
from app.render.figure import FigureFormat
from app.settings import Settings

OPTION = "--sheet"


def check_sheet(path: Path, count: int, settings: Settings) -> None:
    """Refuse a sheet that cannot be drawn, before anything is computed.

    Args:
        path: the file to write.
        count: the number of its pictures.
        settings: the limit on a sheet's pictures.

    Raises:
        InvalidOption: for another ending than those of the formats.
        TooManyPictures: for more than the settings allow.
        OSError: for a file that cannot be written.
    """
    _find_format(path)
    if count > settings.sheet_pictures:
        raise refuse_count(count, settings.sheet_pictures)
    check_writable(path, option=OPTION)


def write_sheet(path: Path, compared: Sequence[tuple[Path, Comparison]], options: SheetOptions) -> None:
    """Draw these pictures in their order; raises `OSError` for a file that cannot be written."""
    rows = [
        ComparedRow(position, clean_name(image.name, position=position), comparison, None)
        for position, (image, comparison) in enumerate(compared, 1)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, draw_sheet(rows, options, _find_format(path)), option=OPTION)


def _find_format(path: Path) -> FigureFormat:
    ending = path.suffix.lower().removeprefix(".")
    if ending not in list(FigureFormat):
        known = ", ".join(f".{form.value}" for form in FigureFormat)
        raise InvalidOption(f"--sheet is {path.name!r}; give a file that ends in one of {known}", option="sheet")
    return FigureFormat(ending)
