import numpy as np
import pytest

from app.evaluation.measures.gates import FEWEST_PICTURES, GateStatistics, GateSurvey
from app.explain.maps import BlockMaps, FloatArray, GateMap
from tests.evaluation.makers import make_mask, see_whole


def summarise(gates: list[FloatArray]) -> float | None:
    statistics = GateStatistics()
    for gate in gates:
        statistics.add(gate)
    return statistics.summarise().explained


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_gate_statistics_give_known_numbers() -> None:
    statistics = GateStatistics()
    statistics.add(np.array([[0.25, 0.75], [0.25, 0.75]], dtype=np.float32))
    statistics.add(np.full((2, 2), 0.25, dtype=np.float32))
    result = statistics.summarise()
    assert (result.mean, result.deviation, result.share_above_mean) == (0.375, 0.125, 0.25)
    assert result.explained is None


def test_gate_statistics_explain_all_of_a_gate_that_is_the_same_for_every_picture(rng: np.random.Generator) -> None:
    gate = rng.random((6, 6)).astype(np.float32)
    assert summarise([gate] * 20) == pytest.approx(1)


def test_gate_statistics_explain_little_of_a_gate_that_looks_at_the_picture(rng: np.random.Generator) -> None:
    assert summarise([rng.random((6, 6)).astype(np.float32) for _ in range(200)]) == pytest.approx(1 / 200, abs=0.003)


def test_gate_statistics_explain_half_of_a_gate_that_is_half_a_habit(rng: np.random.Generator) -> None:
    habit = rng.normal(0, 1, 400)
    gates = [(habit + rng.normal(0, 1, 400)).astype(np.float32) for _ in range(200)]
    assert summarise(gates) == pytest.approx(0.5, abs=0.05)


def test_gate_statistics_keep_shapes_apart(rng: np.random.Generator) -> None:
    wide, tall = rng.random((4, 7)).astype(np.float32), rng.random((7, 4)).astype(np.float32)
    assert summarise([wide, tall] * FEWEST_PICTURES) == pytest.approx(1)
    assert summarise([wide] * FEWEST_PICTURES + [tall]) == pytest.approx(1)
    assert summarise([wide, tall]) is None


def test_gate_statistics_do_not_explain_a_gate_that_never_varies() -> None:
    assert summarise([np.full((3, 3), 0.5, dtype=np.float32)] * 20) is None


def test_gate_survey_compares_the_spatial_gate_with_the_object() -> None:
    """The object covers a quarter; one gate is open there and half open elsewhere, the other one the reverse."""
    mask = make_mask(8, 8, rows=slice(0, 4), columns=slice(0, 4))
    seen, placement = see_whole(mask)
    survey = GateSurvey(tolerance_pixels=0)
    channel = GateMap(np.array([0.5, 1], dtype=np.float32))
    for inside, outside in ((1.0, 0.5), (0.5, 1.0)):
        spatial = GateMap(np.where(mask, inside, outside).astype(np.float32))
        survey.add((BlockMaps("layer1.0", channel, spatial),), seen, placement)
    (block,) = survey.summarise()
    assert block.spatial is not None
    assert block.spatial.pointing == 0.5
    shares = [16 / (16 + 24), 8 / (8 + 48)]
    assert block.spatial.share_inside == pytest.approx(np.mean(shares))
    assert block.spatial.excess.mean == pytest.approx(np.mean(shares) - 0.25)
    assert block.channel is not None
    assert block.channel.deviation == 0.25


def test_gate_survey_measures_bams_joint_gate_where_others_have_a_spatial_one() -> None:
    mask = make_mask(8, 8, rows=slice(0, 4), columns=slice(0, 4))
    seen, placement = see_whole(mask)
    survey = GateSurvey(tolerance_pixels=0)
    branch, joint = (GateMap(np.where(mask, *ends).astype(np.float32)) for ends in ((0.25, 0.75), (1.0, 0.5)))
    survey.add((BlockMaps("layer1.bam", GateMap(np.array([0.5], dtype=np.float32)), branch, joint),), seen, placement)
    (block,) = survey.summarise()
    assert block.spatial is not None
    assert block.spatial.pointing == 1
    assert block.spatial.share_inside == pytest.approx(16 / (16 + 24))


def test_gate_survey_leaves_out_a_gate_that_the_attention_has_not() -> None:
    seen, placement = see_whole(make_mask(8, 8, rows=slice(0, 4), columns=slice(0, 4)))
    survey = GateSurvey(tolerance_pixels=0)
    survey.add((BlockMaps("layer1.0", GateMap(np.array([0.5], dtype=np.float32)), None),), seen, placement)
    (block,) = survey.summarise()
    assert block.spatial is None
    assert block.channel is not None
