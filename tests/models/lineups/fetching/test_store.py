"""What lies in the cache directory is the published file, whole, fetched once."""

import multiprocessing
import os
import stat
import struct
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from models.lineups.fetching.archive import BadFileError, unpack
from models.lineups.fetching.lock import hold_lock
from models.lineups.fetching.published import FetchError, PublishedFile
from models.lineups.fetching.store import WeightStore
from tests.models.lineups.fetching.publisher import PATH, WEIGHTS, Publisher, make_file, make_zip

FILE = make_file()


def list_kept(directory: Path) -> set[str]:
    """What is there beside the empty lock."""
    return {path.name for path in directory.iterdir()} - {f".{FILE.file}.lock"}


def test_file_is_fetched_unpacked_and_kept_alone(publisher: Publisher, tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "cache"
    path = publisher.open_store(directory).fetch(FILE)
    assert path == directory / FILE.file
    assert path.read_bytes() == WEIGHTS
    assert list_kept(directory) == {FILE.file}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_permissions_are_those_of_any_new_file_in_a_directory_of_ones_own(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "new").touch()
    path = publisher.open_store(tmp_path / "cache").fetch(FILE)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "new").stat().st_mode)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_second_call_asks_nobody(publisher: Publisher, tmp_path: Path) -> None:
    store = publisher.open_store(tmp_path)
    store.fetch(FILE)
    assert store.fetch(FILE) == store.locate(FILE)
    assert len(publisher.asked) == 1


def test_forced_call_replaces_what_is_there(publisher: Publisher, tmp_path: Path) -> None:
    store = publisher.open_store(tmp_path)
    store.place_of(FILE).write_bytes(b"damaged")
    with pytest.raises(
        FetchError, match=f"{store.place_of(FILE)}: the sha1 .* delete it, or fetch it again with --force"
    ):
        store.fetch(FILE)
    assert store.fetch(FILE, is_forced=True).read_bytes() == WEIGHTS


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip_may_be_stored_or_deflated(publisher: Publisher, tmp_path: Path, compression: int) -> None:
    publisher.files[PATH] = make_zip(compression=compression)
    assert publisher.open_store(tmp_path).fetch(FILE).read_bytes() == WEIGHTS


def test_wrong_hash_is_refused_and_nothing_is_kept(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files[PATH] = make_zip({FILE.file: WEIGHTS[:-1] + b"x"})
    with pytest.raises(FetchError, match=f"refused, and nothing of it is kept: the sha1 .* published is {FILE.sha1}"):
        publisher.open_store(tmp_path).fetch(FILE)
    assert list_kept(tmp_path) == set()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (make_zip({"other.pth": WEIGHTS}), "in it once and has it 0 times; it has 'other.pth'"),
        (make_zip({f"../{FILE.file}": WEIGHTS}), "has it 0 times"),
        (make_zip({f"/etc/{FILE.file}": WEIGHTS}), "has it 0 times"),
        (make_zip({FILE.file: bytes(FILE.most_bytes + 1)}), "is 1,600,001 bytes in .*; at most 1,600,000 fit"),
        (make_zip({f"{number:05}": b"" for number in range(2000)}), "its directory has"),
        (make_zip()[:-30], "does not end as one"),
        (make_zip(compression=zipfile.ZIP_STORED).replace(WEIGHTS[:8], b"changed!"), "damaged zip file .*CRC"),
        (b"<html>Please log in</html>", "does not end as one"),
        (b"", "does not end as one"),
    ],
    ids=["other", "parent", "absolute", "large", "directory", "truncated", "changed", "page", "empty"],
)
def test_zip_that_is_not_the_published_one_is_refused(
    publisher: Publisher, tmp_path: Path, content: bytes, sentence: str
) -> None:
    publisher.files[PATH] = content
    with pytest.raises(FetchError, match=sentence):
        publisher.open_store(tmp_path / "cache").fetch(FILE)
    assert list_kept(tmp_path / "cache") == set()
    assert {path.name for path in tmp_path.iterdir()} == {"cache"}


def use_zip64(directory_bytes: int) -> bytes:
    """A zip whose usual end is harmless, and whose zip64 end claims another size of the directory."""
    whole = make_zip()
    end = whole[-22:]
    ours = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, directory_bytes, 0)
    return whole[:-22] + ours + struct.pack("<4sIQI", b"PK\x06\x07", 0, len(whole) - 22, 1) + end


def move_entry(content: bytes, *, by: int) -> bytes:
    """Change the offset of the entry's own header in the directory."""
    place = content.rfind(b"PK\x01\x02") + 42
    return content[:place] + struct.pack("<I", by) + content[place + 4 :]


DAMAGED = {
    "lzma": make_zip(compression=zipfile.ZIP_LZMA),
    "bzip2": make_zip(compression=zipfile.ZIP_BZIP2),
    "zip64": use_zip64(2**40),
    "header": move_entry(make_zip(), by=2**32 - 2),
    "start": move_entry(make_zip(), by=10),
    "short": make_zip()[-60:],
    "deflate": make_zip()[:60] + bytes(200) + make_zip()[260:],
}


def damage(content: bytes, seed: int) -> bytes:
    """Change bytes at random places: in the headers at the end, and in what is packed."""
    generator = np.random.default_rng(seed)
    damaged = bytearray(content)
    for place in (*generator.integers(0, 60, 2), *generator.integers(len(damaged) - 150, len(damaged), 3)):
        damaged[place] = generator.integers(256)
    return bytes(damaged)


@pytest.mark.parametrize("kind", DAMAGED)
def test_damage_is_one_line_and_nothing_of_it_is_kept(publisher: Publisher, tmp_path: Path, kind: str) -> None:
    publisher.files[PATH] = DAMAGED[kind]
    with pytest.raises(FetchError, match="is refused, and nothing of it is kept") as caught:
        publisher.open_store(tmp_path).fetch(FILE)
    assert len(str(caught.value).splitlines()) == 1
    assert list_kept(tmp_path) == set()


def test_directory_is_limited_before_it_is_read_in_zip64_too(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZipFile", None)
    publisher.files[PATH] = DAMAGED["zip64"]
    with pytest.raises(FetchError, match="zip64"):
        publisher.open_store(tmp_path).fetch(FILE)


def try_to_unpack(content: bytes, folder: Path) -> Exception | None:
    """The error with which a damaged zip is refused; None where the damage does no harm."""
    path = folder / "damaged.zip"
    path.write_bytes(content)
    try:
        unpack(path, FILE, folder / "unpacked.pth")
    except BadFileError as error:
        return error
    assert (folder / "unpacked.pth").read_bytes() == WEIGHTS
    return None


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_any_damage_is_refused_or_does_no_harm(tmp_path: Path, compression: int) -> None:
    content = make_zip(compression=compression)
    errors = [try_to_unpack(damage(content, seed), tmp_path) for seed in range(300)]
    assert all(len(str(error).splitlines()) == 1 for error in errors)
    assert len([error for error in errors if error is not None]) > 100


@pytest.mark.parametrize("kind", DAMAGED)
def test_complete_but_damaged_part_is_judged_and_dropped(publisher: Publisher, tmp_path: Path, kind: str) -> None:
    """The server answers 416: all bytes are there already."""
    publisher.files[PATH] = DAMAGED[kind]
    (tmp_path / f"{FILE.archive}.part").write_bytes(DAMAGED[kind])
    with pytest.raises(FetchError, match="is refused, and nothing of it is kept"):
        publisher.open_store(tmp_path).fetch(FILE)
    assert publisher.sent_bytes == 0
    assert list_kept(tmp_path) == set()


def test_forced_call_asks_for_the_first_byte_again(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / f"{FILE.archive}.part").write_bytes(b"the beginning of another file")
    assert publisher.open_store(tmp_path).fetch(FILE, is_forced=True).read_bytes() == WEIGHTS
    assert [asked.range for asked in publisher.asked] == [None]


def test_entry_that_unpacks_to_more_than_it_says_is_refused(publisher: Publisher, tmp_path: Path) -> None:
    """Both headers of the entry say a hundred bytes."""
    large = bytes(FILE.most_bytes + 1)
    size, lie = len(large).to_bytes(4, "little"), (100).to_bytes(4, "little")
    publisher.files[PATH] = make_zip({FILE.file: large}).replace(size, lie)
    with pytest.raises(FetchError, match="refused"):
        publisher.open_store(tmp_path).fetch(FILE)
    assert list_kept(tmp_path) == set()


def test_other_members_are_not_unpacked(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files[PATH] = make_zip({"../evil": b"x", FILE.file: WEIGHTS, "readme.txt": b"y"})
    publisher.open_store(tmp_path / "cache").fetch(FILE)
    assert list_kept(tmp_path / "cache") == {FILE.file}
    assert {path.name for path in tmp_path.iterdir()} == {"cache"}


def test_nothing_is_fetched_offline_and_one_line_says_what_to_put_where(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught:
        publisher.open_store(tmp_path, offline=True).fetch(FILE)
    assert str(caught.value) == (
        f"not on this machine: {FILE.file}, and nothing is fetched offline; get {publisher.address}{PATH} and put it "
        f"at {tmp_path / FILE.archive} (or the file inside it at {tmp_path / FILE.file})"
    )
    assert publisher.asked == []


@pytest.mark.parametrize("is_zipped", [True, False])
@pytest.mark.parametrize("is_folder", [True, False])
def test_file_that_was_put_there_is_taken(
    publisher: Publisher, tmp_path: Path, is_zipped: bool, is_folder: bool
) -> None:
    cache, folder = tmp_path / "cache", tmp_path / "folder"
    cache.mkdir()
    folder.mkdir()
    place = folder if is_folder else cache
    if is_zipped:
        (place / FILE.archive).write_bytes(make_zip())
    else:
        (place / FILE.file).write_bytes(WEIGHTS)
    store = WeightStore(cache, folder, publisher.open_store(cache, offline=True).options)
    path = store.fetch(FILE)
    assert path.read_bytes() == WEIGHTS
    assert path.parent == (folder if is_folder and not is_zipped else cache)
    assert publisher.asked == []


@pytest.mark.parametrize(("name", "content"), [(FILE.file, b"other"), (FILE.archive, make_zip({FILE.file: b"other"}))])
def test_file_that_was_put_there_is_checked(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FetchError, match=f"{tmp_path / name}: the sha1 of {FILE.file} is"):
        WeightStore(tmp_path).locate(FILE)


def test_file_that_is_got_by_hand_is_found_and_never_fetched(tmp_path: Path) -> None:
    file = PublishedFile(file="theirs.pth", page="https://publisher.example/page", parameters=1)
    store = WeightStore(tmp_path)
    with pytest.raises(FetchError, match=f"get theirs.pth from {file.page} and put it at {tmp_path / 'theirs.pth'}$"):
        store.fetch(file)
    (tmp_path / "theirs.pth").write_bytes(b"anything")
    assert store.fetch(file) == tmp_path / "theirs.pth"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_full_disk_is_said_in_one_line(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / f"{FILE.archive}.part").symlink_to("/dev/full")
    with pytest.raises(FetchError, match=f"cannot be written into {tmp_path}: No space left on device; make room"):
        publisher.open_store(tmp_path).fetch(FILE)


def test_cache_directory_that_is_a_file_is_said_in_one_line(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FetchError, match=r"cannot be written into .* CBAM_LENS_CACHE_DIR"):
        publisher.open_store(tmp_path / "file").fetch(FILE)


def fetch_in_process(store: WeightStore, file: PublishedFile) -> int:
    return store.fetch(file).stat().st_size


@pytest.mark.slow
def test_processes_that_want_one_file_at_once_fetch_it_once(publisher: Publisher, tmp_path: Path) -> None:
    store = publisher.open_store(tmp_path)
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        sizes = pool.starmap(fetch_in_process, [(store, FILE)] * 6, chunksize=1)
    assert sizes == [len(WEIGHTS)] * 6
    assert len(publisher.asked) == 1
    assert list_kept(tmp_path) == {FILE.file}


def test_waiting_for_another_process_is_told_as_what_it_is(publisher: Publisher, tmp_path: Path) -> None:
    told: list[str] = []
    store = publisher.open_store(tmp_path)
    is_waiting = threading.Event()

    def tell(text: str) -> None:
        told.append(text)
        is_waiting.set()

    second = threading.Thread(target=store.fetch, args=(FILE,), kwargs={"tell": tell})
    with hold_lock(tmp_path / f".{FILE.file}.lock"):
        second.start()
        assert is_waiting.wait(60)
        store.place_of(FILE).write_bytes(WEIGHTS)
    second.join()
    assert told == [f"waiting for another process that has {FILE.file}"]
    assert not publisher.asked


def test_transfer_is_told_before_it_begins(publisher: Publisher, tmp_path: Path) -> None:
    told: list[str] = []
    publisher.open_store(tmp_path).fetch(FILE, tell=told.append)
    assert told == [f"fetching {FILE.file}, about 0 MB, into {tmp_path}"]


@pytest.mark.parametrize(
    "fields",
    [
        {"file": "../net.pth"},
        {"file": "net.zip"},
        {"url": "http://publisher.example/net.pth.zip"},
        {"sha1": None},
        {"url": None, "sha1": None},
        {"sha1": "abc"},
    ],
)
def test_published_file_refuses_what_could_not_be_checked_or_kept(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        PublishedFile.model_validate(FILE.model_dump() | fields)
