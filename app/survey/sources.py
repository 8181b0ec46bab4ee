"""Which pictures: files, folders, lists and WebDataset shards. Nothing is read before it is needed."""

import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from app.errors import InvalidOption
from models.training.data.listing import PICTURE_SUFFIXES

LIST_SUFFIXES = frozenset({".txt", ".lst"})

SHARD_SUFFIX = ".tar"

RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


@dataclass(frozen=True, slots=True)
class PictureSource:
    """Where one picture is.

    Attributes:
        key: what its row is known by; the same wherever its folder lies.
        path: its file, or the shard that it is in.
        offset, size: its bytes within the file; None for all of them.
        target: the class that is asked about on this picture; empty for the one that is asked about on all.
    """

    key: str
    path: Path
    offset: int = 0
    size: int | None = None
    target: str = ""

    def read(self) -> bytes:
        """The picture's bytes; raises OSError."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read() if self.size is None else file.read(self.size)


def list_sources(inputs: Sequence[str]) -> list[PictureSource]:
    """Every picture of some inputs, in their order.

    Args:
        inputs: pictures; folders, with all that is below them; lists with one path a line, relative to the list; shards
            `NAME.tar`, also as `NAME-{0000..0009}.tar`.

    Raises:
        InvalidOption: for two pictures of one key, and where there is none.
        OSError: for what is not there.
    """
    sources: dict[str, PictureSource] = {}
    for source in (source for text in inputs for source in _list_input(text)):
        if source.key in sources:
            raise InvalidOption(
                f"{source.path} and {sources[source.key].path} would both be the row {source.key}; rename one of them",
                option="IMAGE",
            )
        sources[source.key] = source
    if not sources:
        raise InvalidOption(f"there is no picture in {', '.join(inputs)}; give pictures or folders", option="IMAGE")
    return list(sources.values())


def expand_range(text: str) -> list[str]:
    """`train-{08..11}.tar` is train-08.tar to train-11.tar; anything else is itself."""
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
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file():
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
        source: where its bytes are.
    """

    path_within: PurePosixPath
    source: PictureSource


def list_shard_files(shard: Path) -> Iterator[ShardFile]:
    """Every file of a shard; raises OSError for what is none."""
    try:
        # Uncompressed, as shards are: each file can be read by itself.
        with tarfile.open(shard, "r:") as file:
            for member in file:
                if member.isfile():
                    source = PictureSource(f"{shard.name}/{member.name}", shard, member.offset_data, member.size)
                    yield ShardFile(PurePosixPath(member.name), source)
    except tarfile.TarError as error:
        raise OSError(f"{shard} is no shard: {error}; give an uncompressed tar file") from error
