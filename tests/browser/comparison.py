"""Helpers for the tests of the comparison view."""

import io
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page

from app.render.colour_scale import colour_table
from tests.browser.pictures import read_canvas, read_query, show_panel

PANELS = ("picture", "baseline", "cbam", "difference")

STEPS = 2
"""The largest difference between the browser's and the server's colours, of 255: two roundings."""


def expect_same_colours(drawn: np.ndarray, expected: np.ndarray, colormap: str, opacity: float) -> None:
    """Colours agree within two steps; a value between two colours of the table may have either."""
    distance = np.abs(drawn - expected)
    assert (distance <= STEPS).mean() > 0.99
    neighbours = np.abs(np.diff(colour_table(colormap).astype(int), axis=0)).max()
    assert distance.max() <= STEPS + neighbours * opacity


def read_all(page: Page) -> list[np.ndarray]:
    """The panels' canvases, each (H, W, 3) int16."""
    return [read_canvas(page, kind) for kind in PANELS]


def name_of(canvas: Locator) -> str:
    """A canvas's name for screen readers."""
    return canvas.get_attribute("aria-label") or ""


def say(page: Page, kind: str, *, row: int = 0) -> str:
    """The line with a panel's value under the pointer."""
    return page.locator(f"[data-row='{row}'] [data-readout={kind}]").inner_text()


def place(canvas: Locator, x: float, y: float) -> tuple[float, float]:
    """Show a panel and scroll to a place of its canvas, given in shares; returns its position in the window."""
    frame = canvas.locator("xpath=ancestor::*[@data-map]")
    if frame.count():
        show_panel(canvas.page, str(frame.get_attribute("data-map")))
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def read_answer(page: Page) -> dict[str, Any]:
    """The server's JSON about the class that the page shows."""
    target = read_query(page).get("target", "")
    answer: dict[str, Any] = page.request.get(f"/api/v1{urlsplit(page.url).path}", params={"target": target}).json()
    return answer


def draw_on_server(page: Page, kind: str, **options: str) -> np.ndarray:
    """The server's drawing of the panel, (H, W, 3)."""
    name = "difference.png" if kind == "difference" else f"heatmaps/{kind}.png"
    path = f"/api/v1{urlsplit(page.url).path}/{name}"
    response = page.request.get(path, params={"max_side": "640", **options})
    return np.asarray(Image.open(io.BytesIO(response.body())).convert("RGB"), dtype=np.int16)


def set_slider(page: Page, name: str, value: str) -> None:
    """Move a slider of the form to a value at once, as the keyboard does."""
    page.locator(f"#{name}").fill(value)


def expect_change(page: Page, before: list[np.ndarray]) -> None:
    """Check that a network's map changes within twenty frames."""
    for _ in range(20):
        after = read_all(page)
        # The stronger map's own scale is the shared one.
        if (after[1] != before[1]).any() or (after[2] != before[2]).any():
            return
    raise AssertionError("the maps did not change")


def expect_same(page: Page, wanted: list[np.ndarray]) -> None:
    """Check that all panels are as expected within twenty frames."""
    for _ in range(20):
        if all((found == expected).all() for found, expected in zip(read_all(page), wanted, strict=True)):
            return
    raise AssertionError("the maps are others")
