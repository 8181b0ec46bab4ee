"""Recipes: reading, refused values, and writing."""

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from models.training.recipes.recipe import DEFAULT_RECIPE, read_recipe
from models.training.records.toml_text import format_toml
from models.training.running.errors import TrainingError
from tests.models.training.conftest import make_recipe


def test_default_recipe_ends_at_the_shapes_of_whole() -> None:
    recipe = read_recipe()
    last = recipe.shapes_at(1)
    assert all(height % 32 == 0 and width % 32 == 0 for height, width in last)
    assert {(224, 448), (448, 224), (224, 288)} <= set(last)
    assert recipe.shapes_at(0) == recipe.phases[0].shapes
    assert recipe.shapes_at(0.29) == recipe.phases[0].shapes
    assert recipe.shapes_at(0.3) == recipe.phases[1].shapes


def test_recipe_is_the_same_after_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    recipe = read_recipe(DEFAULT_RECIPE, changes=["spatial_gate.kernel_weight_decay=0.01"])
    path.write_text(format_toml(recipe.model_dump(mode="json")))
    assert read_recipe(path) == recipe


def test_changes_reach_every_level() -> None:
    recipe = read_recipe(
        changes=["epochs=3", "optimiser.name=adamw", "phases=[{start=0, shapes=[[64, 96]]}]", "geometries=['whole']"]
    )
    assert (recipe.epochs, recipe.optimiser.name, recipe.phases[0].shapes) == (3, "adamw", ((64, 96),))
    assert recipe.geometries == ("whole",)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("epochs=0", "epochs: Input should be greater than or equal to 1"),
        ("epoch=3", "epoch: Extra inputs are not permitted"),
        ("epochs", "write FIELD=VALUE"),
        ("seed.x=3", "seed has no fields of its own"),
        ("mixing.mixup=0.9", "their sum must be at most 1"),
        ("phases=[{start=0.5, shapes=[[64, 64]]}]", "the first must start at 0"),
        ("phases=[{start=0, shapes=[[64, 16]]}]", "greater than or equal to 32"),
        ("resolution=200", "resolution: Input should be 28, 32, 64, 96, 128, 160, 224"),
        ("optimiser.learning_rate=nan", "optimiser.learning_rate"),
    ],
)
def test_recipe_refuses_a_change_and_says_why(change: str, reason: str) -> None:
    with pytest.raises(TrainingError, match=reason):
        read_recipe(changes=[change])


def test_recipe_refuses_what_is_no_toml(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("epochs = ")
    with pytest.raises(TrainingError, match="not a TOML file"):
        read_recipe(path)


def test_recipe_is_frozen() -> None:
    with pytest.raises(ValidationError):
        make_recipe().epochs = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    "table",
    [
        {"a": 1, "b": [1, 2.5e-7], "c": {"d": 'é "quoted"\n\x7f', "e": {"f": True}}, "g": [{"h": [[1, 2]]}, {"h": []}]},
        {"odd key": {"1.5": "x"}, "empty": {}},
        {"networks": {"baseline": {"rows": [{"x": 1}, {"x": 2}]}, "cbam": {"y": 2}}},
    ],
)
def test_toml_text_is_read_as_the_same_table(table: dict[str, object]) -> None:
    assert tomllib.loads(format_toml(table)) == table


def test_toml_text_leaves_out_what_is_none() -> None:
    assert tomllib.loads(format_toml({"a": None, "b": {"c": None, "d": 1}})) == {"b": {"d": 1}}


def test_frozen_statistics_are_not_taken_anew() -> None:
    with pytest.raises(ValidationError, match="choose one"):
        make_recipe(freeze_statistics=True, statistics_batches=3)
    with pytest.raises(ValidationError, match="choose one"):
        make_recipe(spatial_gate={"freeze_statistics": True}, statistics_batches=3)


def test_losses_do_not_fade_backwards() -> None:
    with pytest.raises(ValidationError, match="loss_fades_to must not be less than"):
        make_recipe(gates={"loss_fades_from": 0.9, "loss_fades_to": 0.8})


@pytest.mark.parametrize("path", sorted(DEFAULT_RECIPE.parent.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_is_one_and_has_its_files_name(path: Path) -> None:
    assert read_recipe(path).name == path.stem


def test_recipe_of_lite0_shows_many_shapes_and_frees_its_gates_for_the_last_tenth() -> None:
    recipe = read_recipe(DEFAULT_RECIPE.with_name("efficientnet_lite0.toml"))
    sides = {side for phase in recipe.phases for shape in phase.shapes for side in shape}
    assert (min(sides), max(sides)) == (160, 256)
    assert all((width, height) in phase.shapes for phase in recipe.phases for height, width in phase.shapes)
    assert recipe.gates.loss_share(0.9) == 0
    assert recipe.freeze_statistics
    # Of values in 0..1: 127 and 128 of 255.
    assert [round(255 * value) for value in (recipe.mean[0], recipe.standard_deviation[0])] == [127, 128]
