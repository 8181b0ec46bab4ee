"""A lineup on the Hugging Face Hub: `hf:OWNER/REPOSITORY`, or `hf:OWNER/REPOSITORY@REVISION`.

Its repository has `lineup.toml`, the safetensors files that this names, and the class names; `cbam-lens push` sends
them. They are fetched by huggingface_hub, an extra, into its own cache, and only when somebody names the lineup to a
command. Nothing here imports torch.
"""

import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.errors import make_printable
from models.lineups.card import LineupCard, read_card
from models.lineups.fetching.published import FetchError

PREFIX = "hf:"

CARD_FILE = "lineup.toml"

SPELLING = re.compile(r"hf:(?P<repository>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(@(?P<revision>[\w.-]+))?", re.ASCII)

WEIGHTS_FILE = re.compile(r"[A-Za-z0-9][\w.-]*\.safetensors", re.ASCII)

LABELS_FILE = re.compile(r"[A-Za-z0-9][\w.-]*\.(json|txt|csv|tsv)", re.ASCII)

BUILT_IN_LABELS = "imagenet"

LENGTH_BYTES = 8

MISSING_LIBRARY = "the Hugging Face Hub needs huggingface_hub, which is not installed: uv sync --extra hub"


@dataclass(frozen=True, slots=True)
class HubLineup:
    """A lineup on the Hub that somebody chose.

    Attributes:
        repository: owner and name.
        revision: a branch, a tag or a commit; None for the newest.
        is_offline: fetch nothing.
    """

    repository: str
    revision: str | None = None
    is_offline: bool = False

    @classmethod
    def parse(cls, text: str, *, is_offline: bool) -> "HubLineup":
        """Read `hf:OWNER/REPOSITORY@REVISION`; raises `FetchError`."""
        if (found := SPELLING.fullmatch(text)) is None:
            raise FetchError(f"lineup is {text!r}; write hf:OWNER/REPOSITORY, or hf:OWNER/REPOSITORY@REVISION")
        return cls(found["repository"], found["revision"], is_offline)

    @property
    def name(self) -> str:
        """The spelling on a command line."""
        return f"{PREFIX}{self.repository}" + (f"@{self.revision}" if self.revision else "")

    def fetch(self, tell: Callable[[str], None]) -> None:
        """Fetch every file of the newest commit of the revision that is not on this machine.

        Args:
            tell: receives a note before anything is asked for.

        Raises:
            LineupError: a file cannot be had, or is none that is taken from the Hub.
        """
        if self.is_offline:
            self.locate()
            return
        with self._explaining():
            from huggingface_hub import hf_hub_download  # noqa: PLC0415  # an extra

            tell(f"asking the Hugging Face Hub for {self.repository}")
            path = Path(hf_hub_download(self.repository, CARD_FILE, revision=self.revision))
            for file in list_files(read_card(path), self.name):
                # The snapshot's folder is called by its commit: all files are of one.
                hf_hub_download(self.repository, file, revision=path.parent.name)
        self.locate()

    def locate(self) -> Path:
        """The lineup's card in huggingface_hub's cache, with its files beside it; nothing is fetched.

        Raises:
            LineupError: a file is not on this machine, or is none that is taken from the Hub.
        """
        with self._explaining():
            from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415  # an extra

            found = try_to_load_from_cache(self.repository, CARD_FILE, revision=self.revision)
        if not isinstance(found, str):
            raise FetchError(f"not on this machine: {CARD_FILE} of {self.name}; {self._advice}")
        path = Path(found)
        files = [path.with_name(file) for file in list_files(read_card(path), self.name)]
        if missing := [file.name for file in files if not file.is_file()]:
            raise FetchError(f"not on this machine: {', '.join(missing)} of {self.name}; {self._advice}")
        for file in files:
            if WEIGHTS_FILE.fullmatch(file.name):
                _refuse_pickle(file, self.name)
        return path

    @property
    def _advice(self) -> str:
        way = " without --offline" if self.is_offline else ""
        return f"run `cbam-lens fetch {self.name}`{way}"

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except ModuleNotFoundError as error:
            raise FetchError(MISSING_LIBRARY) from error
        except (OSError, ValueError) as error:
            # huggingface_hub's errors are OSErrors; a name that it does not allow is a ValueError.
            raise FetchError(f"{self.name} could not be fetched: {shorten(error)}") from error


def shorten(error: Exception) -> str:
    """One line of huggingface_hub's errors, which have several."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return make_printable(" ".join(lines) or type(error).__name__, most=300)


def list_files(card: LineupCard, name: str) -> tuple[str, ...]:
    """The files that a lineup on the Hub needs beside its card.

    Args:
        card: the lineup's card.
        name: the lineup's name, for messages.

    Raises:
        FetchError: a network is not in a safetensors file beside the card, has no checksum, or the class names are
            elsewhere.
    """
    for network_name, network in card.networks.items():
        if not WEIGHTS_FILE.fullmatch(network.file):
            raise FetchError(
                f"{name}: network {network_name} is in {network.file!r}; on the Hub it must be a safetensors file "
                f"beside {CARD_FILE}; write it with cbam-lens convert"
            )
        if network.sha256 is None:
            raise FetchError(
                f"{name}: network {network_name} has no sha256 in {CARD_FILE}; what is fetched is checked: add it"
            )
    files = [network.file for network in card.networks.values()]
    if card.labels in (None, BUILT_IN_LABELS):
        return tuple(dict.fromkeys(files))
    if not LABELS_FILE.fullmatch(card.labels):
        raise FetchError(
            f"{name}: its class names are in {card.labels!r}; on the Hub they must be a JSON or text file beside "
            f"{CARD_FILE}"
        )
    return (*dict.fromkeys(files), card.labels)


def _refuse_pickle(path: Path, name: str) -> None:
    """Refuse a file that is called safetensors and begins as something else: a pickle, or a zip of torch.save."""
    with path.open("rb") as file:
        start = file.read(LENGTH_BYTES + 1)
    (header_bytes,) = struct.unpack("<Q", start[:LENGTH_BYTES].ljust(LENGTH_BYTES, b"\0"))
    if header_bytes > path.stat().st_size - LENGTH_BYTES or start[LENGTH_BYTES:] != b"{":
        raise FetchError(
            f"{name}: {path.name} is no safetensors file, whatever its name says, and is not read; write it with "
            "cbam-lens convert, and push it again"
        )
