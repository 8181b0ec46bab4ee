import numpy as np
import pytest

from app.explain.maps import GateMap, HeatMap


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.array([[-0.1]], dtype=np.float32), "at least 0"),
        (np.array([[np.nan]], dtype=np.float32), "finite"),
        (np.array([[1.0]]), "float64"),
        (np.array([1.0], dtype=np.float32), "2 dimensions"),
        (np.zeros((0, 3), dtype=np.float32), "at least one value"),
    ],
)
def test_heat_map_refuses_values_out_of_its_range(values: np.ndarray, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        HeatMap(values)


@pytest.mark.parametrize("values", [[1.01], [-0.01], [np.nan]])
def test_gate_map_refuses_values_outside_0_to_1(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"0\.\.1|finite"):
        GateMap(np.array(values, dtype=np.float32))


def test_gate_map_refuses_three_dimensions() -> None:
    with pytest.raises(ValueError, match=r"\(C,\) or \(H, W\)"):
        GateMap(np.zeros((1, 2, 2), dtype=np.float32))


def test_maps_cannot_be_changed_after_they_were_checked() -> None:
    source = np.ones((2, 2), dtype=np.float32)
    heat_map = HeatMap(source)
    source[0, 0] = -5
    assert heat_map.values.min() == 1
    with pytest.raises(ValueError, match="read-only"):
        heat_map.values[0, 0] = 2


def test_gate_map_tells_how_far_from_flat_it_is() -> None:
    assert GateMap(np.full((3, 3), 0.5, dtype=np.float32)).standard_deviation == 0
    assert GateMap(np.array([0.0, 1.0], dtype=np.float32)).standard_deviation == 0.5
