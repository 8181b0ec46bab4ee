from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.errors import InvalidOption
from app.evaluation.measures.objects import BoxTable, MaskFolder
from app.evaluation.measures.pictures import LabelledPicture
from tests.conftest import encode, make_picture

HEADER = "file,synset,xmin,ymin,xmax,ymax\n"


@pytest.fixture
def picture(tmp_path: Path) -> LabelledPicture:
    """A picture of 40 x 30 pixels with its mask beside it."""
    folder = tmp_path / "ant"
    folder.mkdir()
    (folder / "one.jpg").write_bytes(encode(make_picture(40, 30), "JPEG"))
    mask = Image.new("1", (40, 30))
    mask.paste(1, (10, 0, 20, 30))
    mask.save(folder / "one.png")
    return LabelledPicture(folder / "one.jpg", 0)


def test_mask_folder_reads_a_1_bit_mask(picture: LabelledPicture, tmp_path: Path) -> None:
    masks = MaskFolder(tmp_path)
    masks.check([picture])
    mask = masks.read(picture, 40, 30)
    assert mask.shape == (30, 40)
    assert mask[:, 10:20].all()
    assert mask.sum() == 300


def test_mask_folder_takes_any_gray_that_is_not_black(picture: LabelledPicture, tmp_path: Path) -> None:
    gray = np.zeros((30, 40), dtype=np.uint8)
    gray[0, :2] = (1, 255)
    Image.fromarray(gray).save(picture.path.with_suffix(".png"))
    assert MaskFolder(tmp_path).read(picture, 40, 30).sum() == 2


def test_mask_folder_compares_sizes_of_upright_pictures(picture: LabelledPicture, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.path.write_bytes(encode(make_picture(30, 40), "JPEG", exif=exif))
    MaskFolder(tmp_path).check([picture])


def test_mask_folder_leaves_an_unreadable_picture_to_the_reader(picture: LabelledPicture, tmp_path: Path) -> None:
    picture.path.write_bytes(b"broken")
    MaskFolder(tmp_path).check([picture])


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (None, r"1 masks are missing, the first is .*one\.png; each picture CLASS/NAME\.jpg needs CLASS/NAME\.png"),
        (b"broken", r"one\.png is not a picture; write a PNG"),
        (encode(make_picture(41, 30)), r"one\.png has 41 x 30 pixels and its picture 40 x 30"),
    ],
)
def test_mask_folder_refuses_what_does_not_fit(
    picture: LabelledPicture, tmp_path: Path, mask: bytes | None, sentence: str
) -> None:
    path = picture.path.with_suffix(".png")
    path.unlink()
    if mask is not None:
        path.write_bytes(mask)
    with pytest.raises(InvalidOption, match=sentence):
        MaskFolder(tmp_path).check([picture])


def test_mask_folder_names_a_mask_that_is_cut_off(picture: LabelledPicture, tmp_path: Path) -> None:
    path = picture.path.with_suffix(".png")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InvalidOption, match=r"one\.png is damaged"):
        MaskFolder(tmp_path).read(picture, 40, 30)


def test_box_table_joins_the_boxes_of_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text(f"{HEADER}a.jpg,n1,0.4,0,2.4,2\na.jpg,n1,2,1,9,9\nb.jpg,n2,0,0,1,1\na.jpg,n2,0,0,4,4\n")
    table = BoxTable.open(path)
    pictures = table.list_pictures(tmp_path, {"n1": 3}, ["a.jpg", "b.jpg"])
    assert pictures == [LabelledPicture(tmp_path / "a.jpg", 3)]
    # Pixels whose centre is inside, and none beyond the picture; the box of another class does not count.
    mask = table.read(pictures[0], 4, 3)
    assert mask.tolist() == [[True, True, False, False], [True, True, True, True], [False, False, True, True]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("file,xmin\n", "has no column synset, ymin, xmax, ymax"),
        (f"{HEADER}a.jpg,n1,1,2,x,4\n", "line 2: a box needs four numbers"),
        (f"{HEADER}a.jpg,n1,1,2\n", "line 2: a box needs four numbers"),
        (f"{HEADER}a.jpg,n1,5,2,5,4\n", "line 2: the box 5, 2, 5, 4 is empty"),
    ],
)
def test_box_table_explains_a_table_that_is_none(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text(content)
    with pytest.raises(InvalidOption, match=sentence):
        BoxTable.open(path)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["a.jpg"], "none of the 1 pictures is of a class that the lineup knows.*--class-map"),
        (["a.jpg", "z.jpg"], "1 pictures of the list have no box, the first is z.jpg"),
    ],
)
def test_box_table_refuses_pictures_that_it_has_no_use_for(tmp_path: Path, names: list[str], sentence: str) -> None:
    table = BoxTable({"a.jpg": ((0, 0, 1, 1),)}, {"a.jpg": "n1"})
    with pytest.raises(InvalidOption, match=sentence):
        table.list_pictures(tmp_path, {}, names)
