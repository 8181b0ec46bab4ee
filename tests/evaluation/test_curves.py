import numpy as np
import pytest
import torch

from app.evaluation.measures.curves import LARGEST_STEPS, Removable, fill_picture, measure_curves, order_positions
from app.evaluation.results.metrics import Metric
from app.evaluation.results.options import Fill
from models.networks.staged import StagedNetwork
from tests.evaluation.makers import make_map


class Looker(StagedNetwork):
    """A network that is sure of class 0 if the picture's square at (32, 64) is white, and of class 1 if not."""

    def __init__(self) -> None:
        super().__init__()
        self.sureness = torch.nn.Parameter(torch.tensor(60.0), requires_grad=False)
        self.batches: list[int] = []

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(batch))
        light = batch[:, :, 32:64, 64:96].mean(dim=(1, 2, 3))  # (N,)
        return torch.stack((self.sureness * (light - 0.5), torch.zeros_like(light)), dim=1)


@pytest.fixture
def picture() -> Removable:
    """A white square on black, in the second row and third column of 5 x 5 positions."""
    white = torch.ones(3, 160, 160)
    return Removable(name="a/b.jpg", values=white, filling=torch.zeros_like(white), class_index=0)


def point_at(position: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    values = np.full(25, 0.1, dtype=np.float32)
    values[position] = 1
    return values.reshape(5, 5)


def test_measure_curves_of_a_map_that_finds_what_matters(picture: Removable) -> None:
    # P is 1 for the whole picture and 0 from the first of 25 steps on; the other way round it is 0 and then 1.
    values = measure_curves(Looker(), picture, make_map(point_at(7)))
    assert values == {Metric.DELETION: pytest.approx(0.02), Metric.INSERTION: pytest.approx(0.98)}


def test_measure_curves_follow_p_at_the_networks_temperature(picture: Removable) -> None:
    # Logits of 30 and -30 become log(3) and -log(3), so P is 3/4 and 1/4 in place of 1 and 0.
    values = measure_curves(Looker(), picture, make_map(point_at(7)), temperature=30 / np.log(3))
    assert values == {Metric.DELETION: pytest.approx(0.26), Metric.INSERTION: pytest.approx(0.74)}


def test_measure_curves_of_a_map_that_finds_it_last(picture: Removable) -> None:
    values = measure_curves(Looker(), picture, make_map(1 - point_at(7)))
    assert values == {Metric.DELETION: pytest.approx(0.98), Metric.INSERTION: pytest.approx(0.02)}


def test_measure_curves_asks_for_each_mixture_once(picture: Removable) -> None:
    network = Looker()
    measure_curves(network, picture, make_map(point_at(7)))
    assert network.batches == [50]


def test_measure_curves_takes_several_positions_of_a_large_map_at_a_step(picture: Removable) -> None:
    network = Looker()
    large = np.kron(point_at(7), np.ones((8, 8), dtype=np.float32))
    values = measure_curves(network, picture, make_map(large))
    assert network.batches == [2 * LARGEST_STEPS]
    # The square has 64 of 1,600 positions. The first of 32 steps takes 50 of these; the rest is too little.
    assert values[Metric.DELETION] == pytest.approx(0.5 / LARGEST_STEPS)


def test_measure_curves_of_a_map_without_evidence_are_none(picture: Removable) -> None:
    assert measure_curves(Looker(), picture, make_map(np.zeros((5, 5)))) == {
        Metric.DELETION: None,
        Metric.INSERTION: None,
    }


def test_order_positions_puts_the_hottest_first_and_draws_the_rest() -> None:
    heat_map = make_map([[0, 3, 0], [0, 0, 5]])
    order = order_positions(heat_map, name="a/b.jpg").tolist()
    assert order[:2] == [5, 1]
    assert sorted(order[2:]) == [0, 2, 3, 4]
    assert order == order_positions(heat_map, name="a/b.jpg").tolist()
    others = {tuple(order_positions(heat_map, name=f"{number}.jpg")[2:].tolist()) for number in range(40)}
    # Nearly all of the 24 orders of the positions without evidence occur.
    assert len(others) > 15


def test_fill_picture_blurs_or_clears() -> None:
    picture = torch.zeros(3, 160, 192)
    picture[:, ::2] = 1
    blurred = fill_picture(picture, Fill.BLURRED)
    assert blurred.shape == picture.shape
    assert float((blurred - 0.5).abs().max()) < 0.01
    assert not fill_picture(picture, Fill.MEAN).any()
