"""The plan of each epoch: its pictures, their order and the shapes."""

import numpy as np
import pytest
import torch

from models.pictures.preparation import Preprocessing
from models.training.data.batches import Loader
from models.training.data.sampling import Sampler
from models.training.data.variation import draw_variation
from models.training.recipes.recipe import AugmentationRecipe, Phase
from tests.models.training.conftest import make_recipe, make_sampler, make_store, shapes_of

CPU = torch.device("cpu")


def test_plan_without_balance_shows_every_picture_once() -> None:
    sampler = Sampler(make_recipe(balance=0.0, batch_size=6), make_store((20, 3, 7)), 3)
    rows = sampler.plan(0).rows
    assert sorted(rows.flat) == list(range(30))


@pytest.mark.parametrize(("balance", "expected"), [(0.0, (80, 10, 10)), (1.0, (33.3, 33.3, 33.3))])
def test_plan_shows_classes_as_often_as_the_balance_says(balance: float, expected: tuple[float, ...]) -> None:
    store = make_store((80, 10, 10))
    rows = Sampler(make_recipe(balance=balance, batch_size=10), store, 3).plan(3).rows
    assert np.bincount(store.classes[rows.reshape(-1)]) == pytest.approx(expected, abs=4)


def test_half_a_balance_lies_between() -> None:
    store = make_store((80, 10, 10))
    rows = Sampler(make_recipe(balance=0.5, batch_size=10), store, 3).plan(0).rows
    weights = np.sqrt([80, 10, 10])
    assert np.bincount(store.classes[rows.reshape(-1)]) == pytest.approx(100 * weights / weights.sum(), abs=4)


def test_plan_is_the_same_again_and_another_for_another_epoch_or_seed() -> None:
    first, again, other = make_sampler(), make_sampler(), make_sampler(make_recipe(seed=6))
    assert np.array_equal(first.plan(1).rows, again.plan(1).rows)
    assert first.plan(1).shapes == again.plan(1).shapes
    assert not np.array_equal(first.plan(1).rows, first.plan(0).rows)
    assert not np.array_equal(first.plan(1).rows, other.plan(1).rows)


def test_every_shape_appears_and_only_those_of_the_phase() -> None:
    phases = (Phase(start=0, shapes=((32, 32),)), Phase(start=0.5, shapes=((32, 64), (64, 32), (64, 64))))
    sampler = make_sampler(make_recipe(phases=phases, epochs=20, batch_size=4))
    early = {shape for epoch in range(10) for shape in sampler.plan(epoch).shapes}
    late = {shape for epoch in range(10, 20) for shape in sampler.plan(epoch).shapes}
    assert early == {(32, 32)}
    assert late == {(32, 64), (64, 32), (64, 64)}


@pytest.mark.parametrize(("matching", "is_matched"), [(0.0, False), (1.0, True)])
def test_wide_pictures_go_into_wide_batches_when_asked_for(matching: float, *, is_matched: bool) -> None:
    recipe = make_recipe(
        batch_size=4, augmentation={"aspect_matching": matching}, phases=shapes_of((32, 64), (64, 32)), balance=0
    )
    sampler = make_sampler(recipe, make_store((40, 40, 40)))
    plan = sampler.plan(0)
    aspects = sampler.store.widths / sampler.store.heights
    mean = {shape: np.mean([aspects[rows] for rows, s in zip(plan.rows, plan.shapes, strict=True) if s == shape])
            for shape in set(plan.shapes)}  # fmt: skip
    assert bool(mean[32, 64] > mean[64, 32] + 0.3) is is_matched
    assert sorted(plan.rows.flat) == list(range(120))


def test_batches_of_one_step_are_the_same_pictures_for_any_number_of_processes() -> None:
    sampler = make_sampler()
    whole = list(Loader(sampler, CPU, slice(0, 8), Preprocessing()).load(1))
    parts = [list(Loader(sampler, CPU, part, Preprocessing()).load(1)) for part in (slice(0, 4), slice(4, 8))]
    assert [batch.shape for batch in whole] == list(sampler.plan(1).shapes)
    for step, batch in enumerate(whole):
        assert torch.cat([part[step].rows for part in parts]).equal(batch.rows)
        loader = Loader(sampler, CPU, slice(0, 8), Preprocessing())
        members = torch.cat([loader.augment(part[step]) for part in parts])
        assert members == pytest.approx(loader.augment(batch), abs=1e-4)


def test_loader_goes_on_from_any_step() -> None:
    loader = Loader(make_sampler(), CPU, slice(0, 8), Preprocessing())
    whole, rest = list(loader.load(0)), list(loader.load(0, first_step=2))
    assert [batch.step for batch in rest] == [2, 3]
    for late, batch in zip(rest, whole[2:], strict=True):
        assert loader.augment(late).equal(loader.augment(batch))


@pytest.mark.parametrize("shape", [(32, 32), (32, 64), (96, 32)])
def test_crops_lie_in_their_pictures(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    heights, widths = random.integers(1, 90, 500), random.integers(1, 90, 500)
    recipe = AugmentationRecipe(smallest_area=0.2)
    drawn = draw_variation(random, heights=heights, widths=widths, shape=shape, recipe=recipe)
    tops, lefts, crop_heights, crop_widths = drawn.boxes.T
    assert (np.minimum(tops, lefts) >= 0).all()
    assert (crop_heights >= 1).all()
    assert (crop_widths >= 1).all()
    assert (tops + crop_heights <= heights).all()
    assert (lefts + crop_widths <= widths).all()
    assert 0.4 < drawn.flips.mean() < 0.6


def test_crop_of_all_the_area_at_the_batchs_aspect_is_the_whole_picture() -> None:
    recipe = AugmentationRecipe(smallest_area=1, aspect=1)
    sizes = np.array([40, 60]), np.array([80, 120])
    drawn = draw_variation(np.random.default_rng(0), heights=sizes[0], widths=sizes[1], shape=(224, 448), recipe=recipe)
    assert drawn.boxes.tolist() == [[0, 0, 40, 80], [0, 0, 60, 120]]
