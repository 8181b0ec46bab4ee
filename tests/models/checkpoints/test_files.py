import os
import pickle
import stat
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from models.checkpoints.diagnosis import CheckpointError, Container
from models.checkpoints.files import read_file
from tests.models.checkpoints.hostile import Call, describe_floats, write_safetensors

MAX_BYTES = 1_000_000


def refuse(path: Path, sentence: str) -> None:
    with pytest.raises(CheckpointError, match=sentence) as caught:
        read_file(path, max_bytes=MAX_BYTES)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "an empty file; get it again"),
        (b"<!DOCTYPE html><html><title>Google Drive - Virus scan warning</title>", "a web page, saved in place"),
        (b"\xef\xbb\xbf\n  <html>", "a web page, saved in place"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 3\n", "a git-lfs pointer.*git lfs pull"),
        (b'{"error": "not found"}', 'a text file, begins with \'{"error"'),
        ("déjà vu ".encode() * 100, "a text file, begins with 'déjà vu"),
        (b"cposix\nsystem\n(S'true'\ntR.", "asks for posix.system"),
        (b"cposix\nsystem\nR.", "asks for posix.system"),
        (b'{"dat": {"a": 1}}', 'a text file, begins with \'{"dat"'),
        (b"\x80\x02}.", "a plain pickle, not a file of torch.save"),
        (b"N. a text that is a pickle as well", "a text file, begins with 'N. a text"),
        (b"\x1f\x8b\x08\0" + bytes(20), "compressed with gzip; unpack it first"),
        (b"\x89HDF\r\n\x1a\n" + bytes(20), "an HDF5 file"),
        (bytes(257) + b"ustar\0" + bytes(300), "a tar file"),
    ],
)
def test_read_file_says_what_a_file_is_that_is_none_of_weights(
    name: str, content: bytes, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    refuse(tmp_path / name, sentence)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (bytes(100), "its format is unknown; it begins with 00 00 00 00"),
        (b"\x80\x02}q\x00.", "a plain pickle, not a file of torch.save"),
        (
            pickle.dumps({"fc.weight": torch.ones(2)}),
            "a plain pickle, .* if you trust it, write its weights anew: python",
        ),
        (pickle.dumps({"fc.weight": np.ones(2)}), "a plain pickle, .* if you trust it, write its weights anew: python"),
        (pickle.dumps([torch.ones(2), Call(os.system, ("true",))]), "asks for torch.storage._load_from_bytes"),
        (b"\x80\x02}q\x00", "its pickle is damaged or truncated"),
    ],
)
def test_read_file_refuses_what_it_does_not_know(content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(content)
    refuse(tmp_path / "weights.pth", sentence)


def test_read_file_refuses_a_directory_a_device_and_nothing(tmp_path: Path) -> None:
    refuse(tmp_path, "a directory, not a file of weights")
    refuse(Path("/dev/zero"), "a device, not a file of weights")
    refuse(tmp_path / "nothing.pth", "cannot be read: No such file or directory; check the path")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_read_file_refuses_a_file_that_it_may_not_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.pth"
    path.write_bytes(b"x")
    path.chmod(stat.S_IWUSR)
    refuse(path, "cannot be read: Permission denied")


def test_read_file_refuses_a_file_beyond_the_limit_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.pth"
    with path.open("wb") as file:
        file.truncate(10**12)  # a sparse file: it takes no space on disk
    refuse(path, "1,000,000,000,000 bytes; the limit is 1,000,000")


FOUR_BYTES = {"a": describe_floats(0, 4)}


@pytest.mark.parametrize(
    ("header", "values", "sentence"),
    [
        ("{" + " " * 40, bytes(4), "damaged safetensors file: Expecting property name"),
        ("[" * 100_000, bytes(4), "damaged safetensors file"),
        ('{"a": {"dtype": "F32"}}', bytes(4), "damaged safetensors file.*missing field"),
        (FOUR_BYTES, b"", "damaged safetensors file.*IncompleteBuffer|incomplete|not fully covered"),
        (FOUR_BYTES, bytes(8), "damaged safetensors file.*IncompleteBuffer|incomplete|not fully covered"),
        ({"a": describe_floats(0, 400)}, bytes(4), "damaged safetensors file"),
        ({"a": describe_floats(4, 8)}, bytes(8), "damaged safetensors file"),
        ({"a": describe_floats(0, 4, shape=(2,))}, bytes(4), "damaged safetensors file"),
        ({"a": describe_floats(0, 4, kind="F64")}, bytes(4), "damaged safetensors file"),
        ({"a": describe_floats(0, 4, kind="F3")}, bytes(4), "damaged safetensors file.*unknown variant"),
        ({"a": describe_floats(0, 4, shape=(2**40, 2**40))}, bytes(4), "damaged safetensors file"),
        (
            '{"a":{"dtype":"F32","shape":[0,18446744073709551615],"data_offsets":[0,0]}}',
            b"",
            "damaged safetensors file",
        ),
        ({"a": describe_floats(0, 8), "b": describe_floats(4, 12)}, bytes(12), "damaged safetensors file"),
        ({"a": describe_floats(0, 4), "b": describe_floats(0, 4)}, bytes(4), "damaged safetensors file"),
        ('{"a":%s,"a":%s}' % (('{"dtype":"F32","shape":[1],"data_offsets":[0,4]}',) * 2), bytes(4), "names a twice"),
    ],
)
def test_read_file_refuses_a_safetensors_header_that_lies(
    header: dict[str, object] | str, values: bytes, sentence: str, tmp_path: Path
) -> None:
    refuse(write_safetensors(tmp_path / "liar.safetensors", header, values), sentence)


@pytest.mark.parametrize("header_bytes", [2**63, 2**40, 5000, 2**64 - 1])
def test_read_file_refuses_a_header_beyond_the_file(header_bytes: int, tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "liar.safetensors", FOUR_BYTES, bytes(4), header_bytes=header_bytes)
    refuse(path, f"claims a header of {header_bytes:,} bytes")


def test_read_file_refuses_a_safetensors_file_without_a_whole_length(tmp_path: Path) -> None:
    (tmp_path / "cut.safetensors").write_bytes(b"\1\2\3")
    refuse(tmp_path / "cut.safetensors", "claims a header of 197,121 bytes in a file of 3")


def test_read_file_says_how_numpys_arrays_become_weights(tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", weight=np.ones(2))
    refuse(tmp_path / "weights.npz", r"NumPy's arrays \(.npz\); write its weights anew: python -c")


def test_read_file_reads_no_more_of_a_pickle_than_it_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"\x80\x02" + b"]0" * 100 + b"}.")
    refuse(path, "a plain pickle, not a file of torch.save")
    monkeypatch.setattr("models.checkpoints.files.MAX_PICKLE_BYTES", 100)
    refuse(path, "its pickle is damaged or truncated")


def test_read_file_refuses_a_header_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_safetensors(tmp_path / "wide.safetensors", FOUR_BYTES, bytes(4))
    assert read_file(path, max_bytes=MAX_BYTES).container is Container.SAFETENSORS
    monkeypatch.setattr("models.checkpoints.safetensors_files.MAX_HEADER_BYTES", 10)
    refuse(path, "the limit is 10$")


@pytest.mark.parametrize("header_bytes", [0x80, 0x3C20, 0x0280])
def test_read_file_knows_safetensors_by_the_content_whatever_the_length_looks_like(
    header_bytes: int, tmp_path: Path
) -> None:
    # 0x80 begins a pickle too, and 0x20 0x3c is ' <'.
    header = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.ljust(header_bytes)
    path = write_safetensors(tmp_path / "weights.bin", header, b"\0\0\x80\x3f")
    content = read_file(path, max_bytes=MAX_BYTES)
    assert content.container is Container.SAFETENSORS
    assert isinstance(content.root, dict)
    assert torch.equal(content.root["a"], torch.ones(1))


def test_read_file_finds_a_twin_among_many_names_at_once(tmp_path: Path) -> None:
    def measure(name: str, last: int, sentence: str) -> float:
        entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
        header = "{" + ",".join(f'"{number}":{entry}' for number in (*range(40_000), last)) + "}"
        path = write_safetensors(tmp_path / name, header, bytes(4))
        begin = time.process_time()
        with pytest.raises(CheckpointError, match=sentence):
            read_file(path, max_bytes=10_000_000)
        return time.process_time() - begin

    without = measure("one.safetensors", 40_000, "damaged")
    assert measure("twins.safetensors", 39_999, "names 39999 twice") < 10 * without + 1
