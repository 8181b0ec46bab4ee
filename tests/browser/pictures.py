"""Pictures for the browser's tests, and what the tests ask of a page."""

import io
from typing import Any

from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from app.samples import read_sample

ANALYSIS_PATH = "**/analyses/*"

BLOCK_COUNT = 8


def make_payload(name: str = "rocket") -> FilePayload:
    """A gallery picture as a file to choose."""
    return {"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": read_sample(name)}


def make_striped_png(width: int, height: int) -> bytes:
    """A picture of any shape."""
    stripes = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    buffer = io.BytesIO()
    stripes.save(buffer, format="PNG")
    return buffer.getvalue()


def open_sample(page: Page, name: str = "rocket") -> None:
    """Compare a gallery picture."""
    page.goto("/")
    page.get_by_role("button", name=name.capitalize()).click()
    page.wait_for_url(ANALYSIS_PATH)


def expect_loaded(images: Locator, *, count: int) -> None:
    """Every image is there and has pixels, lazy ones after a scroll."""
    expect(images).to_have_count(count)
    for image in images.all():
        image.scroll_into_view_if_needed()
        expect(image).to_have_js_property("complete", value=True)
        assert image.evaluate("(image) => image.naturalWidth") > 0, image.get_attribute("src")


def read_image(image: Locator) -> bytes:
    """The bytes behind an image."""
    source = image.get_attribute("src")
    assert source is not None
    response = image.page.request.get(source)
    assert response.ok
    return response.body()


def hand_over(page: Page, event: str, selector: str, content: bytes, media_type: str) -> None:
    """Dispatch `drop` or `paste` with one file."""
    arguments: dict[str, Any] = {
        "event": event,
        "selector": selector,
        "content": list(content),
        "mediaType": media_type,
    }
    page.evaluate(
        """({ event, selector, content, mediaType }) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(content)], "picture", { type: mediaType }));
            const made = event === "paste"
                ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
                : new DragEvent(event, { dataTransfer: data, bubbles: true, cancelable: true });
            document.querySelector(selector).dispatchEvent(made);
        }""",
        arguments,
    )
