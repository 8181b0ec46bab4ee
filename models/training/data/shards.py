"""Pictures in WebDataset shards: tar files in which a picture and its class have the same name with two suffixes."""

import tarfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib import import_module
from types import ModuleType
from typing import Any

from models.pictures.formats import PICTURE_SUFFIXES
from models.training.data.classes import ClassList
from models.training.data.listing import EncodedPicture, Exclusion
from models.training.running.errors import TrainingError

CLASS_SUFFIXES = ("cls", "txt")
"""Suffixes of a class's index and of a folder's name; without either, the key's folder is the class."""


def read_shards(patterns: Sequence[str], classes: ClassList, exclusion: Exclusion) -> Iterator[EncodedPicture]:
    """Yield the pictures of all shards, in the shards' order.

    Args:
        patterns: tar files, with braces for a range: `train-{0000..0009}.tar`; anything that WebDataset opens.
        classes: the list of classes; samples of other classes are skipped.
        exclusion: the held-out pictures, by the last two parts of a sample's key.

    Raises:
        TrainingError: webdataset is not installed, a shard cannot be read, or a sample has no picture or class.
    """
    library = _import_library()
    # Every process reads every shard: each step decides anew which process gets which pictures.
    for url in (url for pattern in patterns for url in library.shardlists.expand_urls(pattern)):
        try:
            # WebDataset's own datasets leave the files open.
            with closing(library.gopen(url)) as stream:
                files = library.tariterators.tar_file_expander([{"url": url, "stream": stream}])
                for sample in library.tariterators.group_by_keys(files):
                    picture = _parse_sample(sample, classes)
                    if picture is not None and not exclusion.covers(picture.key):
                        yield picture
        except (OSError, tarfile.TarError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise TrainingError(f"the shard {url} cannot be read: {reason}; check the path") from error


def _import_library() -> ModuleType:
    try:
        return import_module("webdataset")
    except ImportError as error:
        raise TrainingError("shards need webdataset, which is not installed: uv sync --extra train") from error


def _parse_sample(sample: dict[str, Any], classes: ClassList) -> EncodedPicture | None:
    name = str(sample["__key__"])
    suffix = next((suffix for suffix in sample if f".{suffix.lower()}" in PICTURE_SUFFIXES), None)
    if suffix is None:
        raise TrainingError(f"sample {name} of {sample['__url__']} has no picture; give it one, .jpg for example")
    class_index = _find_class(sample, name, classes)
    return None if class_index is None else EncodedPicture(f"{name}.{suffix}", class_index, bytes(sample[suffix]))


def _find_class(sample: dict[str, Any], name: str, classes: ClassList) -> int | None:
    """The index of a sample's class; None if it is not in the list."""
    told = next((sample[suffix].decode().strip() for suffix in CLASS_SUFFIXES if suffix in sample), None)
    if told is None and "/" not in name:
        raise TrainingError(
            f"sample {name} of {sample['__url__']} has no class; give it a .cls with its index, a .txt with its "
            "class, or a key with a folder"
        )
    folder = name.split("/")[-2] if told is None else told
    if folder in classes.folders:
        return classes.folders[folder]
    return int(folder) if folder.isdecimal() and int(folder) < len(classes) else None
