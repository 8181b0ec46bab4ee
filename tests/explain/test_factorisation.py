"""Deep Feature Factorization: known answers, and a comparison with the grad-cam package's own function."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from pytorch_grad_cam.feature_factorization.deep_feature_factorization import dff

from app.explain.factorisation import Factors, factorise, match_places


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    rng = np.random.default_rng(4)
    parts = rng.random((3, 6, 5)) > 0.6
    directions = rng.normal(size=(40, 3))
    values = np.einsum("ck,khw->chw", directions, parts) + 0.01 * rng.normal(size=(40, 6, 5))
    single: np.ndarray = values.astype(np.float32)
    return single


def test_factors_equal_the_package_s(features: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it may stop before it has converged, and says so
        concepts, explanations = dff(features[None].copy(), n_components=4)
    ours = factorise(features, 4)
    np.testing.assert_allclose(ours.directions, concepts.T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours.places, explanations[0], rtol=1e-5, atol=1e-6)


def test_factors_are_the_same_each_time_and_leave_the_features(features: np.ndarray) -> None:
    frozen = features.copy()
    frozen.flags.writeable = False
    first, second = factorise(frozen, 3), factorise(frozen, 3)
    assert np.array_equal(first.places, second.places)
    assert np.array_equal(first.directions, second.directions)


def test_two_separate_parts_are_found_with_their_places_and_shares() -> None:
    features = np.zeros((4, 2, 4), dtype=np.float32)
    features[:2, :, :3] = 2.0  # three columns of one kind: six positions in two channels
    features[2, :, 3] = 4.0  # one column of another: two positions in one channel
    found = factorise(features, 2).sort()
    first, second = (place / place.max() for place in found.places)
    np.testing.assert_allclose(first, [[1, 1, 1, 0]] * 2, atol=1e-3)
    np.testing.assert_allclose(second, [[0, 0, 0, 1]] * 2, atol=1e-3)
    np.testing.assert_allclose(found.shares, [24 / 32, 8 / 32], atol=1e-3)


def test_places_are_matched_by_where_they_lie() -> None:
    first = np.eye(3, dtype=np.float32).reshape(3, 1, 3)
    second = 7 * first[[2, 0, 1]]
    order = match_places(first, second)
    assert order == [1, 2, 0]
    found = Factors(np.eye(3, dtype=np.float32), second, np.ones(3, dtype=np.float32)).take(order)
    assert np.array_equal(found.places, 7 * first)


@pytest.mark.slow
def test_scikit_learn_is_imported_by_the_first_division_alone() -> None:
    script = (
        "import sys, numpy; from app.explain.factorisation import factorise; before = 'sklearn' in sys.modules; "
        "factorise(numpy.ones((3, 2, 2), dtype='float32'), 2); print(before, 'sklearn' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert answer.stdout.split() == ["False", "True"]
