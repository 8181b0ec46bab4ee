"""The live camera in a real browser, on Chromium's fake device: a green picture with a moving circle."""

import base64
import io
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Request, WebSocketRoute, expect

from tests.browser.pictures import find_overflow, list_data_requests
from tests.browser.site import ALLOWED, CHROMIUM_ARGUMENTS, FAKE_DEVICE, find_chromium
from tests.photographs import read_photograph

pytestmark = pytest.mark.slow

UPLOADS = 8


@contextmanager
def open_browser(browser: Browser, *arguments: str) -> Iterator[Browser]:
    """Another browser of the same kind, with arguments of its own."""
    other = browser.browser_type.launch(executable_path=find_chromium(), args=[*CHROMIUM_ARGUMENTS, *arguments])
    yield other
    other.close()


@pytest.fixture(scope="module")
def camera_browser(browser: Browser) -> Iterator[Browser]:
    """A browser with a camera that pages may use."""
    with open_browser(browser, FAKE_DEVICE, ALLOWED) as found:
        yield found


@pytest.fixture
def page(camera_browser: Browser, site: str) -> Iterator[Page]:
    context = camera_browser.new_context(base_url=site)
    yield context.new_page()
    context.close()


def start(page: Page) -> None:
    """Start the camera and wait until the page shows a rate of answered frames."""
    page.goto("/camera")
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("#camera-rate")).to_contain_text("frames per second", timeout=20_000)


def expect_sentence(page: Page, sentence: str) -> None:
    """Check that the camera does not start, and that the page gives the reason and offers another try."""
    page.get_by_role("button", name="Start the camera").click()
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    expect(page.get_by_role("button", name="Start the camera")).to_be_visible()
    expect(page.locator("#camera-maps")).to_be_hidden()


def keep_stream(page: Page) -> None:
    page.evaluate("() => { window.stream = document.querySelector('video').srcObject; }")


def read_track_states(page: Page) -> list[str]:
    states: list[str] = page.evaluate("() => window.stream.getTracks().map((track) => track.readyState)")
    return states


def wait_for_frames(page: Page, count: int) -> None:
    """Wait until a number of further frames were answered."""
    page.evaluate(
        """(count) => new Promise((resolve) => {
            const label = document.querySelector("[data-network=cbam] canvas");
            let seen = 0;
            const observer = new MutationObserver(() => {
                seen += 1;
                if (seen >= count) {
                    observer.disconnect();
                    resolve();
                }
            });
            observer.observe(label, { attributes: true, attributeFilter: ["aria-label"] });
        })""",
        count,
    )


def read_canvas(page: Page, network: str) -> np.ndarray:
    content: str = page.locator(f"[data-network={network}] canvas").evaluate("(canvas) => canvas.toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content.partition(",")[2]))).convert("RGB"))


def test_frames_are_answered_drawn_and_described(page: Page, complaints: list[str], requests: list[Request]) -> None:
    start(page)
    for network in ("baseline", "cbam"):
        figure = page.locator(f"[data-network={network}]")
        expect(figure.locator(".probability-value")).to_contain_text("P ")
        expect(figure.locator(".panel-note")).to_contain_text("Top guess: ")
        name = re.compile(r"^(Baseline|CBAM): heat map for .+, P [=<>] \d\.\d{3}\.")
        expect(figure.locator("canvas")).to_have_accessible_name(name)
        drawn = read_canvas(page, network)
        assert drawn.shape == (480, 640, 3)
        assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 100
    assert not np.array_equal(read_canvas(page, "baseline"), read_canvas(page, "cbam"))
    expect(page.locator("#camera-class")).not_to_be_empty()
    expect(page.locator("#camera-scale")).to_contain_text("One scale for all maps: 0 to ")
    expect(page.locator("#camera-status")).to_contain_text("Baseline P ")
    wait_for_frames(page, 3)
    assert complaints == []
    # Frames are not separate requests.
    answered = [path for path in list_data_requests(requests) if path.startswith("/api/")]
    assert answered == ["/api/v1/colormaps/viridis.png"]


def test_frozen_frame_stays_takes_another_class_and_is_analysed(page: Page, complaints: list[str]) -> None:
    start(page)
    page.get_by_role("button", name="Freeze").click()
    expect(page.locator("#camera-rate")).to_have_text("Frozen")
    before = read_canvas(page, "baseline")
    assert page.locator("video").evaluate("(video) => video.paused")
    page.get_by_label("Class").fill("ferry")
    page.get_by_label("Class").press("Enter")
    expect(page.locator("#camera-class")).to_have_text("ferry")
    expect(page.locator("#camera-reason")).to_have_text("as you asked")
    assert not np.array_equal(before, read_canvas(page, "baseline"))
    page.get_by_role("button", name="Analyse this frame").click()
    page.wait_for_url(re.compile("/analyses/.+target=ferry"))
    expect(page.get_by_text("camera.jpg").first).to_be_visible()
    assert complaints == []


def test_camera_is_frozen_while_it_waits_for_a_frame(page: Page) -> None:
    """A paused video brings no further frame: the wait for one has to end."""
    start(page)
    page.evaluate(
        """() => new Promise((resolve) => {
            HTMLVideoElement.prototype.requestVideoFrameCallback = () => { resolve(); return 0; };
        })"""
    )
    page.get_by_role("button", name="Freeze").click()
    expect(page.locator("#camera-rate")).to_have_text("Frozen")


def test_frozen_camera_goes_on(page: Page) -> None:
    start(page)
    page.get_by_role("button", name="Freeze").click()
    expect(page.locator("#camera-rate")).to_have_text("Frozen")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#camera-rate")).to_contain_text("frames per second", timeout=20_000)
    wait_for_frames(page, 2)


def test_other_camera_can_be_chosen(camera_browser: Browser, site: str) -> None:
    with open_browser(camera_browser, f"{FAKE_DEVICE}=device-count=2", ALLOWED) as browser:
        page = browser.new_page(base_url=site)
        start(page)
        choice = page.locator("#camera-device")
        expect(choice).to_be_visible()
        first = choice.input_value()
        choice.select_option(index=1)
        expect(page.locator("#camera-rate")).to_contain_text("frames per second", timeout=20_000)
        assert choice.input_value() != first
        device = "(video) => video.srcObject.getVideoTracks()[0].getSettings().deviceId"
        assert page.locator("video").evaluate(device) == choice.input_value()


def test_single_camera_leaves_no_choice(page: Page) -> None:
    start(page)
    expect(page.locator("#camera-device")).to_be_hidden()


def test_probabilities_and_colours_are_in_view_at_once(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    start(page)
    for place in (".probability-value", ".colour-bar-image"):
        for box in (part.bounding_box() for part in page.locator(f"#camera-maps {place}").all()):
            assert box is not None
            assert box["y"] + box["height"] < 900
    expect(page.locator("#camera-maps .colour-bar-highest")).not_to_be_empty()


KEEP_WORDS = """
window.words = {};
const fillText = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    const { network } = this.canvas.closest("[data-network]").dataset;
    window.words[network] = [...new Set([...(window.words[network] ?? []), text])];
    fillText.call(this, text, ...place);
};
"""
"""Keeps what is written on each network's canvas."""


def read_words(page: Page) -> dict[str, list[str]]:
    words: dict[str, list[str]] = page.evaluate("() => window.words")
    return words


def change_answers(page: Page, change: Callable[[dict[str, Any]], None]) -> None:
    """Have the server's messages to the camera changed on their way."""

    def change_message(route: WebSocketRoute, message: str | bytes) -> None:
        content = json.loads(message)
        change(content)
        route.send(json.dumps(content))

    def connect(route: WebSocketRoute) -> None:
        route.connect_to_server().on_message(lambda message: change_message(route, message))

    page.route_web_socket(re.compile("/api/v1/camera"), connect)


def test_trained_networks_with_evidence_have_no_words_on_their_maps(page: Page) -> None:
    page.add_init_script(KEEP_WORDS)
    start(page)
    assert read_words(page) == {}
    expect(page.locator("[data-network=cbam] .panel-note")).not_to_contain_text("No positive evidence")


def test_maps_of_untrained_networks_are_marked(page: Page) -> None:
    def forget(message: dict[str, Any]) -> None:
        if message["kind"] == "ready":
            message["trained"] = False

    page.add_init_script(KEEP_WORDS)
    change_answers(page, forget)
    start(page)
    assert read_words(page) == {"baseline": ["untrained"], "cbam": ["untrained"]}
    expect(page.locator("#camera-lineup")).to_contain_text("UNTRAINED (random weights)")


def test_map_without_evidence_says_so(page: Page) -> None:
    def silence(message: dict[str, Any]) -> None:
        if message["kind"] == "frame":
            message["class_name"] = message["maps"]["rows"][0]["class_name"] = "dalmatian"
            message["maps"]["rows"][0]["networks"]["cbam"] |= {"min": 0, "max": 0}

    page.add_init_script(KEEP_WORDS)
    change_answers(page, silence)
    start(page)
    assert read_words(page) == {"cbam": ["no positive evidence for dalmatian"]}
    silent, other = (page.locator(f"[data-network={network}]") for network in ("cbam", "baseline"))
    expect(silent.locator("canvas")).to_have_accessible_name(re.compile("No positive evidence for the class"))
    expect(silent.locator(".panel-note")).to_contain_text("No positive evidence for the class.")
    expect(other.locator(".panel-note")).not_to_contain_text("No positive evidence")


def test_stop_gives_the_camera_back_and_it_can_be_started_again(page: Page) -> None:
    start(page)
    keep_stream(page)
    assert read_track_states(page) == ["live"]
    page.get_by_role("button", name="Stop the camera").press("Enter")
    expect(page.get_by_role("button", name="Start the camera")).to_be_focused()
    assert read_track_states(page) == ["ended"]
    assert page.evaluate("() => document.querySelector('video').srcObject") is None
    expect(page.locator("#camera-maps")).to_be_hidden()
    expect(page.locator("#camera-status")).to_have_text("The camera is off.")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Stop the camera")).to_be_focused()
    expect(page.locator("#camera-rate")).to_contain_text("frames per second")


def test_leaving_the_page_gives_the_camera_back(page: Page) -> None:
    start(page)
    keep_stream(page)
    page.evaluate("() => window.dispatchEvent(new PageTransitionEvent('pagehide'))")
    expect(page.get_by_role("button", name="Start the camera")).to_be_visible()
    assert read_track_states(page) == ["ended"]


def test_class_and_stage_can_be_changed_while_the_camera_runs(page: Page) -> None:
    start(page)
    page.get_by_role("combobox", name="Class").fill("dalmatian")
    page.get_by_role("combobox", name="Class").press("Enter")
    expect(page.locator("#camera-class")).to_have_text("dalmatian")
    expect(page.locator("#camera-reason")).to_have_text("as you asked")
    page.get_by_role("combobox", name="Stage").select_option("3")
    wait_for_frames(page, 2)
    page.get_by_role("combobox", name="Class").fill("unicorn")
    page.get_by_role("combobox", name="Class").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Target 'unicorn' is not one of the 110 classes")


@pytest.mark.slow
def test_frames_and_uploads_are_answered_beside_each_other(page: Page, site: str) -> None:
    def upload(_: int) -> int:
        files = {"image": ("motorcycle.png", read_photograph("motorcycle"))}
        return httpx2.post(f"{site}/api/v1/analyses", files=files, timeout=60).status_code

    start(page)
    with ThreadPoolExecutor(UPLOADS) as pool:
        uploads = [pool.submit(upload, index) for index in range(UPLOADS)]
        wait_for_frames(page, 2)
        assert [answer.result() for answer in uploads] == [201] * UPLOADS
    wait_for_frames(page, 2)
    expect(page.get_by_role("alert")).to_be_hidden()


REFUSE = """navigator.mediaDevices.getUserMedia = () =>
  Promise.reject(new DOMException("Permission denied", "NotAllowedError"));"""
"""What a page is told when its reader refuses; a browser without windows of its own cannot ask one."""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param([FAKE_DEVICE], "This page was not allowed to use the camera", id="no permission"),
        pytest.param(
            [FAKE_DEVICE + "=device-count=0", ALLOWED], "No camera was found", id="no camera", marks=pytest.mark.slow
        ),
    ],
)
def test_sentence_says_why_there_is_no_picture(
    browser: Browser, site: str, arguments: list[str], sentence: str
) -> None:
    with open_browser(browser, *arguments) as other:
        page = other.new_page(base_url=site)
        if ALLOWED not in arguments:
            page.add_init_script(REFUSE)
        page.goto("/camera")
        expect_sentence(page, sentence)


@pytest.mark.slow
def test_sentence_says_that_the_address_is_not_secure(browser: Browser, site: str) -> None:
    with open_browser(browser, FAKE_DEVICE, ALLOWED, "--host-resolver-rules=MAP camera.test 127.0.0.1") as other:
        page = other.new_page(base_url=site.replace("127.0.0.1", "camera.test"))
        page.goto("/camera")
        expect_sentence(page, "Browsers allow cameras only on pages over https or on localhost")


@pytest.mark.slow
@pytest.mark.parametrize(("host", "outcome"), [("127.0.0.1", "open"), ("localhost", 1006)])
def test_only_pages_of_this_server_may_connect(
    camera_browser: Browser, site: str, host: str, outcome: str | int
) -> None:
    # Without the page's own policy, which would forbid connections to other hosts.
    context = camera_browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{site.replace('127.0.0.1', host)}/api/v1/lineups")
    found = page.evaluate(
        """(address) => new Promise((resolve) => {
            const socket = new WebSocket(address);
            socket.onopen = () => resolve("open");
            socket.onclose = ({ code }) => resolve(code);
        })""",
        f"{site.replace('http', 'ws')}/api/v1/camera",
    )
    assert found == outcome
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_running_camera_fits_the_window(camera_browser: Browser, site: str, width: int) -> None:
    context = camera_browser.new_context(
        base_url=site, viewport={"width": width, "height": 800}, reduced_motion="reduce"
    )
    page = context.new_page()
    start(page)
    assert find_overflow(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    boxes = [page.locator(f"[data-network={network}]").bounding_box() for network in ("baseline", "cbam")]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert (boxes[0]["y"] == boxes[1]["y"]) == (width == 1280)
    context.close()


def test_page_says_without_javascript_that_it_is_needed(plain_page: Page) -> None:
    plain_page.goto("/camera")
    expect(plain_page.get_by_text("The camera needs JavaScript")).to_be_visible()
    expect(plain_page.locator("#camera")).to_be_hidden()
