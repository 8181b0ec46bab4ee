import numpy as np
import pytest

from app.evaluation.measures.calibration import measure_calibration, measure_corrected_error


def test_measure_calibration_gives_the_gap_of_each_bin_by_its_weight() -> None:
    # Three of P = 0.9, of which one is right, and one of P = 0.5 that is right: (3 * |1/3 - 0.9| + |1 - 0.5|) / 4.
    calibration = measure_calibration([0.9, 0.9, 0.9, 0.5], [True, False, False, True])
    assert calibration.error == pytest.approx((3 * (0.9 - 1 / 3) + 0.5) / 4)
    filled = {round(row.upper * 15): row for row in calibration.bins if row.pictures}
    assert [(index, row.pictures) for index, row in filled.items()] == [(8, 1), (14, 3)]
    assert filled[14].confidence == pytest.approx(0.9)
    assert filled[14].accuracy == pytest.approx(1 / 3)


def test_measure_calibration_is_zero_when_p_is_what_happens() -> None:
    calibration = measure_calibration([0.75] * 4 + [0.5] * 2, [True, True, True, False, True, False])
    assert calibration.error == pytest.approx(0)


def test_measure_calibration_puts_a_bound_into_the_bin_below_it() -> None:
    calibration = measure_calibration([0.2, 0.0, 1.0], [True, True, True])
    assert [index for index, row in enumerate(calibration.bins) if row.pictures] == [0, 2, 14]


def test_measure_calibration_is_torchmetrics() -> None:
    rng = np.random.default_rng(5)
    confidence = rng.random(400) ** 0.5
    right = rng.random(400) < confidence**1.5
    # From torchmetrics 1.9.0 with the same bins and norm l1.
    assert measure_calibration(confidence.tolist(), right.tolist()).error == pytest.approx(0.10244666355046268)


def test_measure_calibration_of_nothing_is_an_empty_table() -> None:
    calibration = measure_calibration([], [])
    assert calibration.error == 0
    assert all(row.confidence is None and row.accuracy is None for row in calibration.bins)


def test_measure_corrected_error_takes_off_the_variance_of_each_bins_accuracy() -> None:
    # One bin of three pictures: accuracy 2/3, mean P 0.1, and a variance of (2/9) / 2 = 1/9.
    expected = ((2 / 3 - 0.1) ** 2 - 1 / 9) ** 0.5
    assert measure_corrected_error([0.1] * 3, [True, True, False]) == pytest.approx(expected)


def test_measure_corrected_error_is_zero_where_chance_explains_the_gaps() -> None:
    assert measure_corrected_error([0.5, 0.5], [True, False]) == 0
    assert measure_corrected_error([0.5, 0.5], [True, True]) == 0.5


@pytest.mark.parametrize("gap", [0.0, 0.06])
def test_measure_corrected_error_of_few_pictures_is_the_error_of_many(gap: float) -> None:
    generator = np.random.default_rng(8)
    plain, corrected = [], []
    for _ in range(200):
        confidence = generator.uniform(0.3, 0.9, 300)
        right = (generator.random(300) < confidence - gap).tolist()
        plain.append(measure_calibration(confidence.tolist(), right).error)
        corrected.append(measure_corrected_error(confidence.tolist(), right))
    assert np.mean(plain) > 0.05
    # Where there is no gap, half of the estimates of its square are above 0 by chance.
    assert np.mean(corrected) == pytest.approx(gap, abs=0.025)
