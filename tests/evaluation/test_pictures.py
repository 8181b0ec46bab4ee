from pathlib import Path

import pytest

from app.errors import InvalidOption
from app.evaluation.measures.pictures import PictureReader, find_classes, list_pictures
from models.lineups.lineup import Lineup
from models.names import Geometry, Resolution
from tests.conftest import encode, make_picture


def test_list_pictures_takes_no_mask_for_a_picture_where_both_share_a_directory(lineup: Lineup, tmp_path: Path) -> None:
    (tmp_path / "ant").mkdir()
    for name in ("one.jpg", "one.png"):
        (tmp_path / "ant" / name).write_bytes(b"")
    assert [picture.path.name for picture in list_pictures(lineup, tmp_path, None, masks=tmp_path)] == ["one.jpg"]
    assert len(list_pictures(lineup, tmp_path, None)) == 2


def test_find_classes_knows_the_identifiers_of_a_map(lineup: Lineup, tmp_path: Path) -> None:
    path = tmp_path / "map.txt"
    path.write_text("n9 golf ball\nn8 7\n\n")
    classes = find_classes(lineup, path)
    assert classes["n9"] == classes["golf ball"]
    assert classes["n8"] == 7


@pytest.mark.parametrize("line", ["n9 unicorn", "n9 110", "n9"])
def test_find_classes_refuses_a_map_to_no_class(lineup: Lineup, tmp_path: Path, line: str) -> None:
    path = tmp_path / "map.txt"
    path.write_text(line)
    with pytest.raises(InvalidOption, match=r"maps n9 to .* which is no class of resnet18-110; give an index"):
        find_classes(lineup, path)


def test_picture_reader_keeps_picture_and_placement_together(lineup: Lineup, tmp_path: Path) -> None:
    (tmp_path / "ant").mkdir()
    for number, size in enumerate(((90, 60), (60, 90), (120, 60))):
        (tmp_path / "ant" / f"{number}.png").write_bytes(encode(make_picture(*size)))
    reader = PictureReader(lineup, Geometry.WHOLE, Resolution.PIXELS_160, 10_000)
    batches = list(reader.read_batches(list_pictures(lineup, tmp_path, None), 8))
    found = {}
    for batch in batches:
        for picture, placement, values in zip(batch.pictures, batch.placements, batch.values, strict=True):
            found[picture.path.name] = (placement.picture_width, placement.picture_height)
            assert values.shape == (3, placement.input_height, placement.input_width)
    assert found == {"0.png": (90, 60), "1.png": (60, 90), "2.png": (120, 60)}
