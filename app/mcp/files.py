"""Picture files of this machine, by the paths that a client of the tools gives."""

from collections.abc import Sequence
from pathlib import Path

from app.errors import InvalidOption, InvalidPicture, PictureTooLarge

REMOTE_STARTS = ("\\\\", "//")
"""The starts of paths that Windows looks for on other machines."""


class PictureFiles:
    """Reads pictures, if asked from a few folders alone.

    Args:
        folders: the folders whose pictures may be read; none for any file that this process may read.
        most_bytes: the limit of a file's size.
    """

    def __init__(self, folders: Sequence[Path] = (), *, most_bytes: int) -> None:
        self._folders = tuple(folder.expanduser().resolve() for folder in folders)
        self._most_bytes = most_bytes

    def read(self, text: str) -> bytes:
        """Read a file.

        Args:
            text: its path; one that is not absolute begins in this process's folder.

        Raises:
            InvalidOption: for an address, a path outside of the folders, and what is no file or cannot be read.
            PictureTooLarge: for more bytes than the limit.
            InvalidPicture: for 0 bytes.
        """
        path = self._find(text)
        try:
            # A pipe or a device could be read for ever.
            if not path.is_file():
                kind = "a folder" if path.is_dir() else "no file" if path.exists() else "not there"
                raise InvalidOption(f"picture {path} is {kind}; give the path of a picture file", option="picture")
            with path.open("rb") as file:
                data = file.read(self._most_bytes + 1)
        except OSError as error:
            raise InvalidOption(
                f"picture {path} could not be read: {error.strerror}; give a file that this program may read",
                option="picture",
            ) from error
        if len(data) > self._most_bytes:
            size = max(path.stat().st_size, len(data))
            raise PictureTooLarge(
                f"{path} has {size / 1e6:.1f} MB; the limit is {self._most_bytes / 1e6:g} MB; save a smaller picture"
            )
        if not data:
            raise InvalidPicture(f"{path} has 0 bytes; choose another picture")
        return data

    def _find(self, text: str) -> Path:
        """The path without links, which must not lead out of the folders."""
        if "://" in text or text.startswith(("data:", *REMOTE_STARTS)):
            raise InvalidOption(
                f"picture is {text[:80]!r}; only files of this machine are read, and no addresses; give a file's path",
                option="picture",
            )
        try:
            path = Path(text).expanduser().resolve()
        except (OSError, RuntimeError, ValueError) as error:
            # A loop of links, the home of an unknown user, or a zero byte.
            raise InvalidOption(
                f"picture is {text[:80]!r}, which is no path: {error}; give a file's path", option="picture"
            ) from error
        if self._folders and not any(path.is_relative_to(folder) for folder in self._folders):
            allowed = [str(folder) for folder in self._folders]
            raise InvalidOption(
                f"picture {path} is outside of {' and '.join(allowed)}, the only folders that this server reads; "
                "choose a picture there",
                option="picture",
                allowed=allowed,
            )
        return path
