import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.names import Geometry, Resolution
from models.pictures.placement import SMALL_STEPS, STEP, place

SIDES = st.integers(min_value=1, max_value=20_000)


@pytest.mark.parametrize(
    ("size", "box", "input_size"),
    [
        # Landscape, portrait: the shorter side becomes 224, the longer a multiple of 32.
        ((500, 375), (0, 0, 500, 375), (288, 224)),
        ((375, 500), (0, 0, 375, 500), (224, 288)),
        ((224, 224), (0, 0, 224, 224), (224, 224)),
        # A panorama is capped at 448 and cropped from the centre.
        ((1000, 100), (400, 0, 600, 100), (448, 224)),
        ((100, 1000), (0, 400, 100, 600), (224, 448)),
    ],
)
def test_place_whole_follows_the_rule(
    size: tuple[int, int], box: tuple[float, float, float, float], input_size: tuple[int, int]
) -> None:
    placement = place(*size, geometry=Geometry.WHOLE, resolution=Resolution.PIXELS_224)
    assert placement.box == box
    assert (placement.input_width, placement.input_height) == input_size


@pytest.mark.parametrize(
    ("size", "input_size"),
    [((32, 32), (32, 32)), ((640, 480), (40, 32)), ((480, 640), (32, 40)), ((900, 300), (64, 32))],
)
def test_place_whole_at_32_pixels_rounds_to_a_multiple_of_8(size: tuple[int, int], input_size: tuple[int, int]) -> None:
    placement = place(*size, geometry=Geometry.WHOLE, resolution=Resolution.PIXELS_32)
    assert (placement.input_width, placement.input_height) == input_size


def test_place_center_crop_is_the_square_at_the_centre() -> None:
    placement = place(400, 200, geometry=Geometry.CENTER_CROP, resolution=Resolution.PIXELS_160)
    assert placement.box == (100, 0, 300, 200)
    assert (placement.input_width, placement.input_height) == (160, 160)
    assert placement.is_cropped


@given(width=SIDES, height=SIDES, geometry=st.sampled_from(Geometry), resolution=st.sampled_from(Resolution))
def test_place_stays_inside_the_picture_at_its_centre(
    width: int, height: int, geometry: Geometry, resolution: Resolution
) -> None:
    placement = place(width, height, geometry=geometry, resolution=resolution)
    left, upper, right, lower = placement.box
    assert 0 <= left < right <= width
    assert 0 <= upper < lower <= height
    step = max(width, height) / max(resolution, int(resolution * max(width, height) / min(width, height)))
    assert (left + right) / 2 == pytest.approx(width / 2, abs=step)
    assert (upper + lower) / 2 == pytest.approx(height / 2, abs=step)
    assert min(placement.input_width, placement.input_height) == resolution
    assert max(placement.input_width, placement.input_height) <= 2 * resolution
    step = SMALL_STEPS.get(resolution, STEP)
    assert placement.input_width % step == placement.input_height % step == 0


@given(width=SIDES, height=SIDES, resolution=st.sampled_from(Resolution))
def test_place_whole_shows_all_of_a_picture_up_to_two_to_one(width: int, height: int, resolution: Resolution) -> None:
    placement = place(width, height, geometry=Geometry.WHOLE, resolution=resolution)
    if max(width, height) <= 2 * min(width, height):
        assert not placement.is_cropped
    # The aspect is kept up to the rounding to a multiple of 32, or of 8 at 32 pixels.
    seen_aspect = (placement.right - placement.left) / (placement.lower - placement.upper)
    input_aspect = placement.input_width / placement.input_height
    rounding = 1 + SMALL_STEPS.get(resolution, STEP) / 2 / resolution
    assert 1 / rounding <= seen_aspect / input_aspect <= rounding


@pytest.mark.parametrize("size", [(500, 375), (333, 640), (256, 256), (2000, 1100)])
def test_centre_crop_of_a_share_lies_where_torchvision_crops(size: tuple[int, int]) -> None:
    """Resize(256), then CenterCrop(224)."""
    width, height = size
    resized = min(size)
    across, down = (max(256, int(256 * side / resized)) for side in size)
    placement = place(width, height, geometry=Geometry.CENTER_CROP, resolution=Resolution.PIXELS_224, crop_share=0.875)
    assert (placement.input_width, placement.input_height) == (224, 224)
    left, upper = round((across - 224) / 2), round((down - 224) / 2)
    expected = (
        left * width / across,
        upper * height / down,
        (left + 224) * width / across,
        (upper + 224) * height / down,
    )
    assert placement.box == pytest.approx(expected)
    assert placement.is_cropped


def test_share_of_a_crop_is_nothing_to_the_whole_picture() -> None:
    options = {"geometry": Geometry.WHOLE, "resolution": Resolution.PIXELS_224}
    assert place(500, 375, **options, crop_share=0.875) == place(500, 375, **options)  # type: ignore[arg-type]
