import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.pictures.fitting import find_ratio, fit_screen, fit_size, screen_size, shrink
from tests.conftest import make_picture

SIDES = st.integers(min_value=1, max_value=20_000)


@pytest.mark.parametrize(
    ("size", "longer", "fitted"),
    [
        ((4000, 3000), 640, (640, 480)),
        ((3000, 4000), 640, (480, 640)),
        ((500, 333), 100, (100, 67)),
        # A strip keeps one pixel.
        ((5000, 2), 100, (100, 1)),
        # A picture that fits keeps its size.
        ((300, 200), 300, (300, 200)),
        ((30, 20), 300, (30, 20)),
    ],
)
def test_fit_size_bounds_the_longer_side(size: tuple[int, int], longer: int, fitted: tuple[int, int]) -> None:
    assert fit_size(*size, longer=longer) == fitted


def test_fit_size_bounds_both_sides_by_the_tighter_one() -> None:
    assert fit_size(400, 100, longer=144, shorter=48) == (144, 36)
    assert fit_size(60, 90, longer=144, shorter=48) == (48, 72)


@given(width=SIDES, height=SIDES, longer=SIDES)
def test_fit_size_gives_the_longer_side_exactly(width: int, height: int, longer: int) -> None:
    fitted = fit_size(width, height, longer=longer)
    assert max(fitted) == min(longer, max(width, height))
    assert 1 <= min(fitted) <= min(width, height)


def test_find_ratio_never_enlarges() -> None:
    assert find_ratio(30, 20, longer=300) == 1
    assert find_ratio(30, 20) == 1
    assert find_ratio(30, 20, longer=15) == 0.5
    assert find_ratio(30, 20, shorter=5) == 0.25


def test_shrink_gives_back_what_fits() -> None:
    picture = make_picture(60, 40)
    assert shrink(picture, 60) is picture
    assert shrink(picture, 30).size == (30, 20)


@pytest.mark.parametrize(
    ("size", "longest", "shown"),
    [
        ((32, 32), 640, (640, 640)),
        ((32, 24), 640, (640, 480)),
        # Whole times: 13 x 48 = 624.
        ((48, 30), 640, (624, 390)),
        ((64, 2), 640, (640, 20)),
        ((65, 65), 640, (65, 65)),
        ((32, 32), 20_000, (1024, 1024)),
        ((32, 32), 40, (32, 32)),
        ((32, 16), 16, (16, 8)),
        ((741, 500), 640, (640, 432)),
    ],
)
def test_screen_size_enlarges_tiny_pictures_alone(size: tuple[int, int], longest: int, shown: tuple[int, int]) -> None:
    assert screen_size(*size, longest) == shown
    assert fit_screen(make_picture(*size), longest).size == shown


def test_an_enlarged_picture_has_its_own_pixels_as_squares() -> None:
    picture = make_picture(32, 20)
    enlarged = fit_screen(picture, 320)
    for place in ((0, 0), (31, 19), (7, 11)):
        corners = [(10 * place[0] + x, 10 * place[1] + y) for x in (0, 9) for y in (0, 9)]
        assert {enlarged.getpixel(corner) for corner in corners} == {picture.getpixel(place)}
