"""The pictures of a new study: from a folder, or from a sheet that the server keeps."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.analysis.upload_folder import UploadFolder
from app.errors import InvalidOption
from app.evaluation.measures.pictures import list_pictures
from app.study.plan import ClassSource
from models.lineups.lineup import Lineup
from models.pictures.folders import choose_pictures

OPTION = "pictures"


@dataclass(frozen=True, slots=True)
class StudyPicture:
    """One picture.

    Attributes:
        name: its file name.
        read: reads its bytes; raises OSError.
        target: the index of its class; empty where the networks guess it.
    """

    name: str
    read: Callable[[], bytes]
    target: str = ""


@dataclass(frozen=True, slots=True)
class StudyPictures:
    """The pictures, and who names their classes."""

    pictures: tuple[StudyPicture, ...]
    class_source: ClassSource


def find_pictures(text: str, lineup: Lineup, folder: UploadFolder | None) -> StudyPictures:
    """Find the pictures of a new study.

    Args:
        text: a folder of class folders, a folder of pictures, or a sheet's id or address.
        lineup: the lineup that knows the classes.
        folder: the uploads on disk, which have the sheets; None without any.

    Raises:
        InvalidOption: for no pictures, and for a folder that is not a class of the lineup.
        SheetGone, AnalysisGone: for a sheet, or a picture of it, that is not kept.
        OSError: when a folder cannot be read.
    """
    path = Path(text).expanduser()
    if path.is_dir():
        return _find_in_folder(path, lineup)
    if folder is None:
        raise InvalidOption(
            f"{text} is no folder; give a folder of pictures, or a sheet's address with the server's CBAM_LENS_STORE",
            option=OPTION,
        )
    sheet_id = re.split(r"[?#]", text)[0].rstrip("/").rpartition("/")[2]
    rows = [row for row in folder.read_sheet(sheet_id).rows if row.analysis_id is not None]
    pictures = tuple(StudyPicture(row.name, partial(_read_upload, folder, str(row.analysis_id))) for row in rows)
    return StudyPictures(_refuse_none(pictures, text), "guess")


def _find_in_folder(path: Path, lineup: Lineup) -> StudyPictures:
    flat = choose_pictures(path.iterdir())
    if flat:
        pictures = tuple(StudyPicture(found.name, found.read_bytes) for found in flat)
        return StudyPictures(pictures, "guess")
    labelled = list_pictures(lineup, path, None)
    return StudyPictures(
        tuple(StudyPicture(found.path.name, found.path.read_bytes, str(found.class_index)) for found in labelled),
        "folders",
    )


def _read_upload(folder: UploadFolder, analysis_id: str) -> bytes:
    return folder.read(analysis_id)[1]


def _refuse_none(pictures: tuple[StudyPicture, ...], text: str) -> tuple[StudyPicture, ...]:
    if not pictures:
        raise InvalidOption(f"{text} has no pictures; give a folder or a sheet that has some", option=OPTION)
    return pictures
