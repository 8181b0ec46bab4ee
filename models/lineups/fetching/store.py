"""The cache directory and what is to be done until a published file lies in it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from models.lineups.fetching.archive import BadFileError, check_file, unpack
from models.lineups.fetching.cache import CACHE_VARIABLE, find_cache_directory
from models.lineups.fetching.connection import mirror_url
from models.lineups.fetching.download import Download, FetchOptions, TransferError
from models.lineups.fetching.lock import hold_lock
from models.lineups.fetching.published import FetchError, PublishedFile
from models.progress import make_download_progress


@dataclass(frozen=True, slots=True)
class WeightStore:
    """Published files on this machine.

    Attributes:
        directory: where they are kept.
        folder: where they are looked for first; None for nowhere else.
        options: how they are fetched.
    """

    directory: Path = field(default_factory=find_cache_directory)
    folder: Path | None = None
    options: FetchOptions = field(default_factory=FetchOptions)

    def place_of(self, file: PublishedFile) -> Path:
        """Where the file is kept, be it there or not."""
        return self.directory / file.file

    def find(self, file: PublishedFile) -> Path | None:
        """The file, or the zip around it; not checked."""
        folders = [folder for folder in (self.folder, self.directory) if folder is not None]
        candidates = [folder / name for name in (file.file, file.archive) for folder in folders]
        return next((path for path in candidates if path.is_file()), None)

    def locate(self, file: PublishedFile) -> Path:
        """The file, whose hash is the published one; nothing is fetched.

        Raises:
            FetchError: where it is not on this machine, or is another one.
        """
        found = self.find(file)
        if found is None:
            raise FetchError(self.explain_missing([file]))
        try:
            if found.name == file.file:
                check_file(found, file)
                return found
            with self._writing(file), self._hold(file):
                unpack(found, file, self.place_of(file))
        except BadFileError as error:
            raise FetchError(f"{found}: {error}; delete it, or fetch it again with --force") from error
        return self.place_of(file)

    def fetch(self, file: PublishedFile, *, is_forced: bool = False, tell: Callable[[str], None] | None = None) -> Path:
        """The file, fetched unless it is on this machine.

        Two processes that want it at once fetch it once. A transfer that broke off goes on where it ended.

        Args:
            file: what is wanted.
            is_forced: fetch it in any case and from its first byte, and replace what is there.
            tell: told of a transfer, and of waiting for another process, before.

        Raises:
            FetchError: with a line that says which file is to be put where.
        """
        if not is_forced and self.find(file):
            return self.locate(file)
        if self.options.offline or file.url is None:
            raise FetchError(self.explain_missing([file]))
        tell = tell or (lambda _: None)
        with self._writing(file), self._hold(file, lambda: tell(f"waiting for another process that has {file.file}")):
            if is_forced or not self.find(file):
                if is_forced:
                    self._part_of(file).unlink(missing_ok=True)
                tell(f"fetching {file.file}, about {file.expected_bytes / 1e6:.0f} MB, into {self.directory}")
                self._download(file)
        return self.locate(file)

    def explain_missing(self, files: Iterable[PublishedFile]) -> str:
        """One line: which files are to be put where."""
        missing = tuple(files)
        names = ", ".join(file.file for file in missing)
        way = ", and nothing is fetched offline" if self.options.offline else ""
        advice = (f"get {self._mirror(file)} and put it {self._place(file)}" for file in missing)
        return f"not on this machine: {names}{way}; {', and '.join(advice)}"

    def _mirror(self, file: PublishedFile) -> str:
        """What to ask for: an address, or the file by the page that links to it."""
        return f"{file.file} from {file.page}" if file.url is None else mirror_url(file.url, self.options.mirror)

    def _place(self, file: PublishedFile) -> str:
        place = self.place_of(file)
        if file.url is None:
            return f"at {place}"
        return f"at {place.with_name(file.archive)} (or the file inside it at {place})"

    def _part_of(self, file: PublishedFile) -> Path:
        return self.directory / f"{file.archive}.part"

    def _download(self, file: PublishedFile) -> None:
        url = self._mirror(file)
        part = self._part_of(file)
        try:
            with make_download_progress() as progress:
                task = progress.add_task(file.file, total=None)
                Download(
                    url,
                    part,
                    file.most_bytes,
                    self.options,
                    lambda received, total: progress.update(task, completed=received, total=total),
                ).run()
        except TransferError as error:
            raise FetchError(
                f"{url} could not be fetched: {error}; else get it otherwise, and put it {self._place(file)}"
            ) from error
        try:
            unpack(part, file, self.place_of(file))
        except BadFileError as error:
            part.unlink(missing_ok=True)
            raise FetchError(f"{url} is refused, and nothing of it is kept: {error}") from error
        part.unlink()

    @contextmanager
    def _writing(self, file: PublishedFile) -> Iterator[None]:
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            yield
        except OSError as error:
            raise FetchError(
                f"{file.file} cannot be written into {self.directory}: {error.strerror or error}; make room there, or "
                f"choose another directory by {CACHE_VARIABLE}"
            ) from error

    def _hold(
        self, file: PublishedFile, tell_of_waiting: Callable[[], None] = lambda: None
    ) -> AbstractContextManager[None]:
        return hold_lock(self.directory / f".{file.file}.lock", tell_of_waiting)
