"""The pictures of a survey, from files, folders, lists and WebDataset shards, read only when needed."""

import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from app.errors import InvalidOption
from models.pictures.folders import choose_pictures
from models.pictures.formats import PICTURE_SUFFIXES

LIST_SUFFIXES = frozenset({".txt", ".lst"})

SHARD_SUFFIX = ".tar"

RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


@dataclass(frozen=True, slots=True)
class PictureSource:
    """The place of one picture.

    Attributes:
        key: the name of its row, which does not depend on where its folder lies.
        path: its file, or its shard.
        offset, size: its bytes within the file; a size of None for the whole file.
        target: the class to explain on this picture; empty for the class of all pictures.
    """

    key: str
    path: Path
    offset: int = 0
    size: int | None = None
    target: str = ""

    def read(self) -> bytes:
        """Read the picture's bytes; raises OSError."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read() if self.size is None else file.read(self.size)


def list_sources(inputs: Sequence[str]) -> list[PictureSource]:
    """List the pictures of inputs, in their order.

    Args:
        inputs: pictures; folders, with all folders below them; lists with one path per line, relative to the list;
            shards `NAME.tar`, also as `NAME-{0000..0009}.tar`.

    Raises:
        InvalidOption: for two pictures of one key, and when there are no pictures.
        OSError: for an input that cannot be read.
    """
    sources: dict[str, PictureSource] = {}
    for source in (source for text in inputs for source in _list_input(text)):
        if source.key in sources:
            raise InvalidOption(
                f"{source.path} and {sources[source.key].path} would both have the row {source.key}; rename one",
                option="IMAGE",
            )
        sources[source.key] = source
    if not sources:
        raise InvalidOption(f"{', '.join(inputs)}: no pictures found; give pictures or folders", option="IMAGE")
    return list(sources.values())


def expand_range(text: str) -> list[str]:
    """Expand `train-{08..11}.tar` to train-08.tar to train-11.tar; other texts stay as they are."""
    found = RANGE.search(text)
    if found is None:
        return [text]
    first, last = found.groups()
    numbers = range(int(first), int(last) + 1)
    return [f"{text[: found.start()]}{number:0{len(first)}d}{text[found.end() :]}" for number in numbers]


def _list_input(text: str) -> Iterator[PictureSource]:
    path = Path(text)
    if path.suffix == SHARD_SUFFIX:
        for shard in map(Path, expand_range(text)):
            yield from _list_shard(shard)
    elif path.is_dir():
        yield from _list_folder(path)
    elif path.suffix in LIST_SUFFIXES:
        for line in filter(None, map(str.strip, path.read_text(encoding="utf-8").splitlines())):
            yield PictureSource(line, path.parent / line)
    else:
        yield PictureSource(path.name, path)


def _list_folder(folder: Path) -> Iterator[PictureSource]:
    name = folder.resolve().name
    for path in choose_pictures(folder.rglob("*")):
        yield PictureSource(f"{name}/{path.relative_to(folder).as_posix()}", path)


def _list_shard(shard: Path) -> Iterator[PictureSource]:
    for file in list_shard_files(shard):
        if file.path_within.suffix.lower() in PICTURE_SUFFIXES:
            yield file.source


@dataclass(frozen=True, slots=True)
class ShardFile:
    """One file of a shard.

    Attributes:
        path_within: its path in the shard.
        source: the place of its bytes.
    """

    path_within: PurePosixPath
    source: PictureSource


def list_shard_files(shard: Path) -> Iterator[ShardFile]:
    """List every file of a shard; raises OSError for a file that is not a shard."""
    try:
        # Shards are not compressed, so that each file can be read by itself.
        with tarfile.open(shard, "r:") as file:
            for member in file:
                if member.isfile():
                    source = PictureSource(f"{shard.name}/{member.name}", shard, member.offset_data, member.size)
                    yield ShardFile(PurePosixPath(member.name), source)
    except tarfile.TarError as error:
        raise OSError(f"{shard} is not a shard: {error}; give an uncompressed tar file") from error
