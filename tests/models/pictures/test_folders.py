import logging
from pathlib import Path

import pytest

from models.pictures.folders import choose_pictures, explain_skipped


def test_choose_pictures_takes_every_format_and_names_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a.HEIC", "b.tif", "c.jfif", "d.avif", "notes.txt", ".hidden"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    with caplog.at_level(logging.WARNING):
        chosen = choose_pictures(tmp_path.iterdir())
    assert [path.name for path in chosen] == ["a.HEIC", "b.tif", "c.jfif", "d.avif"]
    expected = "1 file is skipped: its suffix is not of a picture format that is read: notes.txt"
    assert [record.getMessage() for record in caplog.records] == [expected]


def test_explain_skipped_names_a_few_of_many() -> None:
    sentence = explain_skipped([Path(f"{number}.txt") for number in range(9)])
    assert sentence.startswith("9 files are skipped")
    assert sentence.endswith("0.txt, 1.txt, 2.txt, 3.txt, 4.txt, ...")
    assert explain_skipped([Path("a.jpg")]) == ""
