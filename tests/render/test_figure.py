import re

import numpy as np
import pytest

from app.render.colour_scale import ColourScale
from app.render.figure import FigureFormat, Panel, draw_figure
from tests.conftest import decode, make_picture

SHARED = ColourScale("viridis", 0.0, 2.5)


def make_panels(*scales: ColourScale, name: str = "dalmatian") -> list[Panel]:
    panels = [Panel("Picture", make_picture(90, 60), f"explained class: {name}")]
    return panels + [
        Panel(f"network {index}", make_picture(90, 60, seed=index), f"P = 0.{index}", scale)
        for index, scale in enumerate(scales, 1)
    ]


def draw(panels: list[Panel], file_format: FigureFormat) -> bytes:
    return draw_figure([panels], heading="gradcam, stage 4", units="evidence", file_format=file_format)


@pytest.mark.parametrize(
    ("file_format", "start"),
    [(FigureFormat.PNG, b"\x89PNG"), (FigureFormat.SVG, b"<?xml"), (FigureFormat.PDF, b"%PDF")],
)
def test_figure_is_a_file_of_its_format(file_format: FigureFormat, start: bytes) -> None:
    assert draw(make_panels(SHARED, SHARED), file_format).startswith(start)


def test_figure_png_is_wider_than_high_and_not_blank() -> None:
    picture = decode(draw(make_panels(SHARED, SHARED), FigureFormat.PNG))
    assert picture.width > 2 * picture.height
    assert np.asarray(picture.convert("L")).std() > 20


@pytest.mark.parametrize("file_format", FigureFormat)
def test_figure_is_the_same_in_every_run(file_format: FigureFormat) -> None:
    panels = make_panels(SHARED, SHARED)
    assert draw(panels, file_format) == draw(panels, file_format)


def test_figure_draws_one_colour_bar_for_a_shared_scale_and_two_for_own_ones() -> None:
    def count_bars(*scales: ColourScale) -> int:
        svg = draw(make_panels(*scales), FigureFormat.SVG).decode()
        return len(re.findall(r'<g id="axes_\d+">', svg)) - 3

    assert count_bars(SHARED, SHARED) == 1
    assert count_bars(SHARED, ColourScale("viridis", 0.0, 1.0)) == 2
    assert count_bars(ColourScale("viridis", 0.0, 0.0), ColourScale("viridis", 0.0, 0.0)) == 0


def test_figure_takes_class_names_as_they_are() -> None:
    """A dollar sign begins a formula in matplotlib's texts."""
    assert draw(make_panels(SHARED, SHARED, name=r"$\frac{"), FigureFormat.PDF).startswith(b"%PDF")


def test_figure_has_a_row_a_class_and_a_bar_of_its_own_for_the_difference() -> None:
    difference = Panel(
        "CBAM minus baseline", make_picture(60, 40), "", ColourScale("RdBu_r", -1.0, 1.0), is_difference=True
    )
    row = [*make_panels(SHARED, SHARED), difference]

    def draw_rows(count: int) -> str:
        content = draw_figure([row] * count, heading="", units="evidence", file_format=FigureFormat.SVG)
        return content.decode()

    def count_axes(svg: str) -> int:
        return len(re.findall(r'<g id="axes_\d+">', svg))

    assert [count_axes(draw_rows(count)) for count in (1, 2)] == [4 + 2, 2 * (4 + 2)]
    assert draw_rows(1).count("difference of evidence") == 1
