"""The data of a training: classes, pictures, held-out pictures and the store."""

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.networks.zoo import build_network
from models.pictures.decoding import decode_picture
from models.pictures.fitting import fit_size
from models.training.data.classes import ClassList, make_class_list
from models.training.data.listing import EncodedPicture, Exclusion, list_pictures
from models.training.data.reading import Decoder
from models.training.data.soft_labels import read_soft_labels
from models.training.material import DataOptions, DataReader, TrainingData
from models.training.recipes.recipe import Recipe
from models.training.running.errors import TrainingError
from models.training.running.processes import Processes
from models.training.running.progress import ProgressBar
from tests.conftest import encode, make_picture
from tests.models.training.conftest import make_recipe, make_store, write_pictures

ALONE = Processes(torch.device("cpu"))


def read(options: DataOptions, recipe: Recipe | None = None, notes: list[str] | None = None) -> TrainingData:
    tell = (notes if notes is not None else []).append
    return DataReader(options, recipe or make_recipe(), processes=ALONE, tell=tell).read()


def classes_of(*folders: str, aliases: dict[str, str] | None = None) -> ClassList:
    return make_class_list(None, folders=folders, aliases=aliases or {}, card_aliases={})


def test_directories_are_merged_by_their_folders(pictures: Path, tmp_path: Path) -> None:
    more = write_pictures(tmp_path / "more", count=3, folders=("red",), start=50)
    data = read(DataOptions(directories=(pictures, more)))
    counts = np.bincount(data.lesson.sampler.store.classes)
    assert [label.id for label in data.classes.labels] == ["blue", "green", "red"]
    assert counts.tolist() == [16, 16, 19]


def test_classes_keep_the_order_and_identifiers_of_their_list(pictures: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    entries = [{"index": 0, "id": "red", "name": "a red one"}, {"index": 1, "id": "sky", "name": "blue"}]
    labels.write_text(json.dumps(entries))
    notes: list[str] = []
    data = read(DataOptions(directories=(pictures,), labels=labels), notes=notes)
    store = data.lesson.sampler.store
    assert {key.split("/")[1] for key, index in zip(store.keys, store.classes, strict=True) if index == 1} == {"blue"}
    assert notes == ["1 folders are not in the list of classes and are skipped: green"]


def test_alias_puts_a_folder_into_another_class(pictures: Path) -> None:
    data = read(DataOptions(directories=(pictures,), aliases=("green=red",)))
    assert np.bincount(data.lesson.sampler.store.classes).tolist() == [16, 32]


def test_card_gives_its_aliases(pictures: Path, tmp_path: Path) -> None:
    shipped = Path("models/weights/resnet18_110.toml").read_text()
    card = tmp_path / "card.toml"
    card.write_text(shipped.replace('Faces_easy = "Faces"', 'green = "red"\nother = "nobody"'))
    data = read(DataOptions(directories=(pictures,), card=card))
    assert dict(data.classes.aliases) == {"green": "red"}


def test_held_out_pictures_are_in_no_epoch(pictures: Path, tmp_path: Path) -> None:
    listing = tmp_path / "test.txt"
    held_out = [f"{folder}/{number:03}.png" for folder in ("blue", "green", "red") for number in range(0, 16, 3)]
    listing.write_text("\n".join(held_out) + "\n")
    lesson = read(DataOptions(directories=(pictures,), exclusions=(listing,))).lesson
    shown = {lesson.sampler.store.keys[row] for epoch in range(5) for row in lesson.sampler.plan(epoch).rows.flat}
    assert shown
    assert not {f"colours/{entry}" for entry in held_out} & set(lesson.sampler.store.keys)
    assert not {"/".join(key.split("/")[-2:]) for key in shown} & set(held_out)


def test_exclusion_that_fits_nothing_is_refused(pictures: Path, tmp_path: Path) -> None:
    listing = tmp_path / "test.txt"
    listing.write_text("blue/000.png\nblue/nowhere.png\n")
    with pytest.raises(TrainingError, match=r"1 of 2 held-out pictures are not in the data, blue/nowhere\.png"):
        read(DataOptions(directories=(pictures,), exclusions=(listing,)))
    listing.write_text("colours/blue/000.png\n")
    with pytest.raises(TrainingError, match="is not FOLDER/FILE"):
        read(DataOptions(directories=(pictures,), exclusions=(listing,)))


def test_pictures_that_are_trained_on_are_not_validated_on(pictures: Path, tmp_path: Path) -> None:
    listing = tmp_path / "test.txt"
    listing.write_text("blue/000.png\nred/003.png\n")
    options = DataOptions(directories=(pictures,), validation=pictures, validation_list=listing)
    with pytest.raises(TrainingError, match="2 pictures are in both the training and the validation data"):
        read(options)


def test_validation_list_that_does_not_fit_is_refused(pictures: Path, tmp_path: Path) -> None:
    listing = tmp_path / "test.txt"
    listing.write_text("blue/000.png\nblue/x.png\nviolet/000.png\n")
    options = DataOptions(directories=(pictures,), validation=pictures, validation_list=listing, exclusions=())
    with pytest.raises(TrainingError, match="1 of its 2 pictures are not in"):
        read(options)


def test_two_pictures_of_one_key_are_refused(pictures: Path, tmp_path: Path) -> None:
    twin = shutil.copytree(pictures, tmp_path / "colours")
    with pytest.raises(TrainingError, match=r"colours/blue/000.png is in two of the directories"):
        list_pictures([pictures, twin], classes_of("blue", "red"), Exclusion())


def test_unreadable_pictures_are_named_counted_and_skipped(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "many", count=60)
    (folder / "red" / "000.png").write_bytes(b"\x89PNG\r\n\x1a\nand nothing else")
    notes: list[str] = []
    data = read(DataOptions(directories=(folder,)), notes=notes)
    assert len(data.lesson.sampler.store) == 179
    assert data.unreadable == 1
    assert notes[0].startswith("skipped many/red/000.png: the picture is damaged or truncated")


def test_more_than_one_percent_unreadable_is_an_error(pictures: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(pictures, tmp_path / "few")
    (folder / "red" / "000.png").write_bytes(b"")
    with pytest.raises(TrainingError, match=r"1 of 48 pictures cannot be read, more than 1%.*few/red/000.png"):
        read(DataOptions(directories=(folder,)))


def test_class_without_pictures_is_an_error(pictures: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("red\nblue\nviolet\n")
    with pytest.raises(TrainingError, match="1 of 3 classes have no picture: violet"):
        read(DataOptions(directories=(pictures,), labels=labels))


def test_fewer_pictures_than_a_batch_are_an_error(pictures: Path) -> None:
    with pytest.raises(TrainingError, match="48 pictures do not fill a batch of 64"):
        read(DataOptions(directories=(pictures,)), make_recipe(batch_size=64))


def test_stored_pictures_are_bounded_and_keep_their_aspect(tmp_path: Path) -> None:
    for folder, size in (("long", (400, 100)), ("small", (30, 60)), ("strip", (1200, 60))):
        (tmp_path / "sizes" / folder).mkdir(parents=True)
        make_picture(*size).save(tmp_path / "sizes" / folder / "a.png")
    store = read(DataOptions(directories=(tmp_path / "sizes",)), make_recipe(batch_size=2)).lesson.sampler.store
    assert list(zip(store.widths.tolist(), store.heights.tolist(), strict=True)) == [(144, 36), (30, 60), (144, 7)]


def test_stored_picture_is_upright_rgb_over_white(tmp_path: Path) -> None:
    clear, sideways = tmp_path / "x" / "clear", tmp_path / "x" / "sideways"
    clear.mkdir(parents=True)
    sideways.mkdir()
    Image.new("RGBA", (32, 32), (255, 0, 0, 0)).save(clear / "a.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    (sideways / "b.jpg").write_bytes(encode(Image.new("L", (40, 20), 7), "JPEG", exif=exif))
    store = read(DataOptions(directories=(tmp_path / "x",)), make_recipe(batch_size=2)).lesson.sampler.store
    assert (store.picture(0) == 255).all()
    assert store.picture(1).shape == (40, 20, 3)
    assert (store.picture(1) == 7).all()


def test_stored_picture_of_16_bits_is_what_a_request_sees(tmp_path: Path) -> None:
    data = encode(Image.fromarray(np.linspace(0, 65535, 32 * 32).reshape(32, 32).astype(np.uint16)))
    for folder in ("one", "two"):
        (tmp_path / "x" / folder).mkdir(parents=True)
        (tmp_path / "x" / folder / "a.png").write_bytes(data)
    store = read(DataOptions(directories=(tmp_path / "x",)), make_recipe(batch_size=2)).lesson.sampler.store
    expected = decode_picture(data, max_pixels=None)
    assert np.array_equal(store.picture(0), np.asarray(expected))
    assert (store.picture(0)[0, 0, 0], store.picture(0)[-1, -1, 0]) == (0, 255)


@pytest.mark.parametrize(("size", "scale"), [((320, 321), 2), ((321, 321), 2), ((160, 161), 1), ((640, 645), 4)])
def test_large_jpeg_is_stored_from_a_copy_whose_sides_are_rounded_to_the_nearest(
    size: tuple[int, int], scale: int
) -> None:
    """Sizes as in the recorded trainings; a request rounds up and takes a larger copy of the first picture."""
    data = encode(make_picture(*size), "JPEG")
    with Image.open(io.BytesIO(data)) as copy:
        copy.draft(None, (size[0] // scale, size[1] // scale))
        expected = copy.resize(fit_size(*copy.size, shorter=160), Image.Resampling.BILINEAR)
    decoder = Decoder(160)
    store = decoder.read([EncodedPicture("x", 0, data)], ProgressBar("", total=1, is_shown=False))
    assert np.array_equal(store.picture(0), np.asarray(expected))


def test_cache_gives_the_same_pictures_and_is_made_anew_for_others(pictures: Path, tmp_path: Path) -> None:
    options = DataOptions(directories=(pictures,), cache=tmp_path / "cache.safetensors")
    fresh = read(options).lesson.sampler.store
    written = options.cache.stat().st_mtime_ns if options.cache else 0
    again = read(options).lesson.sampler.store
    assert (tmp_path / "cache.safetensors").stat().st_mtime_ns == written
    assert again.digest == fresh.digest
    assert np.array_equal(again.pixels, fresh.pixels)
    other = read(options, make_recipe(stored_side=32)).lesson.sampler.store
    assert other.heights.max() < fresh.heights.max()


def test_damaged_cache_is_named(pictures: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache.safetensors"
    cache.write_bytes(b"nothing that was ever written")
    with pytest.raises(TrainingError, match=r"cache.safetensors is damaged.*delete it"):
        read(DataOptions(directories=(pictures,), cache=cache))


def test_cache_on_a_full_disk_says_what_to_do(pictures: Path) -> None:
    with pytest.raises(TrainingError, match="make room or leave --cache out"):
        read(DataOptions(directories=(pictures,), cache=Path("/proc/cache.safetensors")))


def test_soft_labels_are_found_by_key_and_softened(tmp_path: Path) -> None:
    store = make_store((2, 1))
    path = tmp_path / "soft.npz"
    np.savez(
        path,
        picture=np.array([store.keys[2], "another/x/y.png", store.keys[0]]),
        class_index=np.array([[0, 4], [1, 2], [3, 1]], dtype=np.int16),
        probability=np.array([[0.9, 0.1], [1, 0], [0.64, 0.36]], dtype=np.float16),
    )
    soft = read_soft_labels(path, store)
    assert (soft.class_count, soft.known) == (5, 2)
    softened = soft.soften(torch.arange(3), temperature=2)
    assert softened[0].tolist() == pytest.approx([0, 0.6 / 1.4, 0, 0.8 / 1.4, 0], abs=1e-3)
    assert softened[1].tolist() == [0] * 5
    assert softened[2].sum() == pytest.approx(1)


@pytest.mark.parametrize("broken", ["text", "names", "shapes", "strangers"])
def test_soft_labels_that_do_not_fit_are_refused(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "soft.npz"
    picture, indices = np.array(["a/b/c.png"]), np.zeros((1, 2), dtype=np.int16)
    if broken == "text":
        path.write_text("no arrays")
    elif broken == "names":
        np.savez(path, picture=picture)
    else:
        rows = 1 if broken == "strangers" else 2
        np.savez(path, picture=picture, class_index=indices, probability=np.zeros((rows, 2)))
    with pytest.raises(TrainingError, match=r"soft\.npz"):
        read_soft_labels(path, make_store())


class TestUnlabelled:
    """Pictures without a class, which a teacher labels."""

    @staticmethod
    def read_with(directory: Path, pictures: Path, **options: object) -> TrainingData:
        labels = directory / "labels.txt"
        labels.write_text("blue\nred\n")
        other = write_pictures(directory / "others", count=4, folders=("cups", "trees"))
        torch.save(build_network("resnet18", class_count=2).state_dict(), directory / "teacher.pth")
        fields: dict[str, object] = {"teachers": (str(directory / "teacher.pth"),)} | options
        return read(
            DataOptions(directories=(pictures,), labels=labels, unlabelled=(other,), **fields)  # type: ignore[arg-type]
        )

    def test_they_come_without_a_class(self, pictures: Path, tmp_path: Path) -> None:
        store = self.read_with(tmp_path, pictures).lesson.sampler.store
        found = dict(zip(store.keys, store.classes.tolist(), strict=True))
        assert {index for key, index in found.items() if key.startswith("others/")} == {-1}
        assert {index for key, index in found.items() if key.startswith("colours/")} == {0, 1}
        assert len(found) == 32 + 8

    def test_each_of_their_folders_is_balanced_like_a_class(self, pictures: Path, tmp_path: Path) -> None:
        sampler = self.read_with(tmp_path, pictures).lesson.sampler
        groups = replace(sampler, recipe=make_recipe(balance=1.0))._group()
        assert sorted(np.bincount(groups).tolist()) == [4, 4, 16, 16]
        rows = np.concatenate(
            [replace(sampler, recipe=make_recipe(balance=1.0))._draw(np.random.default_rng(seed)) for seed in range(20)]
        )
        counts = np.bincount(groups[rows])
        assert counts.min() > 0.9 * counts.mean()

    def test_held_out_ones_are_left_out_and_a_wrong_list_is_refused(self, pictures: Path, tmp_path: Path) -> None:
        listing = tmp_path / "test.txt"
        listing.write_text("cups/001.png\n")
        store = self.read_with(tmp_path, pictures, exclusions=(listing,)).lesson.sampler.store
        assert "others/cups/001.png" not in store.keys
        assert "others/cups/002.png" in store.keys
        listing.write_text("cups/nowhere.png\n")
        with pytest.raises(TrainingError, match=r"cups/nowhere\.png first"):
            self.read_with(tmp_path, pictures, exclusions=(listing,))

    def test_they_teach_nothing_without_a_teacher(self, pictures: Path, tmp_path: Path) -> None:
        with pytest.raises(TrainingError, match="unlabelled pictures need a --teacher"):
            self.read_with(tmp_path, pictures, teachers=())
