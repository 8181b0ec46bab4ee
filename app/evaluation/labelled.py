"""A survey's sources with their true classes, from class folders or WebDataset shards."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from app.errors import InvalidOption
from app.evaluation.measures.pictures import find_classes, list_pictures
from app.survey.sources import SHARD_SUFFIX, PictureSource, expand_range, list_shard_files
from models.lineups.lineup import Lineup
from models.pictures.formats import PICTURE_SUFFIXES
from models.training.data.shards import CLASS_SUFFIXES


def list_labelled(lineup: Lineup, data: Path, listing: Path | None) -> list[PictureSource]:
    """List every picture with its true class.

    Args:
        lineup: the lineup that knows the classes.
        data: directory with one folder a class, or shards, NAME-{0000..0009}.tar, in which a .cls (an index) or .txt
            (a class) beside a picture says its class, or else its folder.
        listing: for a directory, a file that names the pictures, one CLASS/FILE a line.

    Raises:
        InvalidOption: for an unknown class, a picture without a class, and no pictures at all.
        OSError: when a directory, a list or a shard cannot be read.
    """
    if data.suffix != SHARD_SUFFIX:
        pictures = list_pictures(lineup, data, listing)
        return [
            PictureSource(
                f"{picture.path.parent.name}/{picture.path.name}", picture.path, target=str(picture.class_index)
            )
            for picture in pictures
        ]
    classes = find_classes(lineup)
    found = [source for shard in expand_range(str(data)) for source in _list_shard(Path(shard), classes)]
    if not found:
        raise InvalidOption(f"{data} contains no pictures; give shards with pictures", option="DATA")
    return found


def _list_shard(shard: Path, classes: Mapping[str, int]) -> list[PictureSource]:
    pictures: dict[PurePosixPath, PictureSource] = {}
    told: dict[PurePosixPath, str] = {}
    for file in list_shard_files(shard):
        suffix = file.path_within.suffix.lower()
        if suffix in PICTURE_SUFFIXES:
            pictures[file.path_within] = file.source
        elif suffix.removeprefix(".") in CLASS_SUFFIXES:
            told[file.path_within.with_suffix("")] = file.source.read().decode().strip()
    sources = []
    for path, source in pictures.items():
        name = told.get(path.with_suffix(""), path.parent.name)
        sources.append(replace(source, target=str(_find(name, source.key, classes))))
    return sources


def _find(name: str, key: str, classes: Mapping[str, int]) -> int:
    """Find the class of a name or an index."""
    if name in classes:
        return classes[name]
    if name.isdecimal() and int(name) in classes.values():
        return int(name)
    said = f"the class {name!r}, which the lineup does not know" if name else "no class"
    raise InvalidOption(
        f"{key} has {said}; put a .cls with an index or a .txt with a class beside it, or choose another --lineup",
        option="DATA",
    )
