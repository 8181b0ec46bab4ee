"""Files are read from this machine alone, within folders and limits; whatever else is refused with a reason."""

import os
from pathlib import Path

import pytest

from app.errors import InvalidOption, InvalidPicture, PictureTooLarge
from app.mcp.files import PictureFiles

FILES = PictureFiles(most_bytes=10)


def test_read_gives_the_bytes_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(b"0123456789")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for text in (str(tmp_path / "a.png"), "a.png", "~/a.png"):
        assert FILES.read(text) == b"0123456789"


@pytest.mark.parametrize(
    "address",
    ["https://example.org/a.png", "file:///etc/passwd", "data:image/png;base64,AAAA", r"\\host\share\a.png", "//h/a"],
)
def test_read_refuses_addresses(address: str) -> None:
    with pytest.raises(InvalidOption, match="only files of this machine are read"):
        FILES.read(address)


def test_read_says_why_a_path_is_no_picture(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, reason in (("gone.png", "is not there"), (".", "is a folder"), ("pipe", "is no file"), ("a\0b", "path")):
        with pytest.raises(InvalidOption, match=reason):
            FILES.read(f"{tmp_path}/{name}")
    with pytest.raises(InvalidOption, match=r"no path|not there|could not be read"):
        FILES.read(str(tmp_path / "loop"))
    with pytest.raises(InvalidOption, match="is no path"):
        FILES.read("~nobody-of-this-name/a.png")


def test_read_refuses_too_many_bytes_and_none(tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(b"0" * 11)
    (tmp_path / "empty.png").touch()
    with pytest.raises(PictureTooLarge, match="the limit is"):
        FILES.read(str(tmp_path / "large.png"))
    with pytest.raises(InvalidPicture, match="has 0 bytes"):
        FILES.read(str(tmp_path / "empty.png"))


def test_read_stays_in_its_folders(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "inside-too.png"
    inside.mkdir()
    outside.write_bytes(b"secret")
    (inside / "a.png").write_bytes(b"a")
    (inside / "link.png").symlink_to(outside)
    files = PictureFiles([inside], most_bytes=10)
    assert files.read(str(inside / "a.png")) == b"a"
    for text in (str(outside), f"{inside}/../inside-too.png", str(inside / "link.png"), "/no/such/file"):
        with pytest.raises(InvalidOption, match="is outside of") as caught:
            files.read(text)
        assert caught.value.allowed == (str(inside),)
