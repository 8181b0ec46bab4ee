"""What lies in the cache directory is the published file, whole, fetched once."""

import multiprocessing
import os
import stat
import zipfile
from pathlib import Path

import pytest

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


def test_processes_that_want_one_file_at_once_fetch_it_once(publisher: Publisher, tmp_path: Path) -> None:
    store = publisher.open_store(tmp_path)
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        sizes = pool.starmap(fetch_in_process, [(store, FILE)] * 6, chunksize=1)
    assert sizes == [len(WEIGHTS)] * 6
    assert len(publisher.asked) == 1
    assert list_kept(tmp_path) == {FILE.file}


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
