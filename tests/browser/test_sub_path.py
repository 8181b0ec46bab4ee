"""The page below a path of a real nginx, and in a frame of another site."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Response, expect

from app.pages.gallery import SAMPLES
from app.settings import Settings
from tests.browser.pictures import open_tab
from tests.browser.site import serve
from tests.conftest import skip_here

CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location /lens/ {{
      proxy_pass {server}/;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Prefix /lens;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
    }}
    location = /frame.html {{
      default_type text/html;
      return 200 '<title>Another page</title><iframe src="/lens/" width="1200" height="800"></iframe>';
    }}
  }}
}}
"""

START_SECONDS = 20


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def run_nginx(server: str, folder: Path) -> Iterator[str]:
    """An nginx that shows the server below /lens/; its own address."""
    path = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if path is None:
        skip_here("no nginx in /usr/sbin; install it")
    port = find_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, server=server))
    with (folder / "output.txt").open("w") as output:
        process = subprocess.Popen([path, "-c", configuration, "-p", folder], stdout=output, stderr=output)  # noqa: S603
        try:
            until = time.monotonic() + START_SECONDS
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert time.monotonic() < until, (folder / "output.txt").read_text()
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture
def strange_page(browser: Browser) -> Iterator[Page]:
    """A page of no server of ours."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def test_page_works_below_a_path_of_nginx(strange_page: Page, site: str, tmp_path: Path) -> None:
    page = strange_page
    asked: list[Request] = []
    failed: list[Response] = []

    def note(answer: Response) -> None:
        asked.append(answer.request)
        if answer.status >= 400:
            failed.append(answer)

    page.on("response", note)
    with run_nginx(site, tmp_path) as proxy:
        page.goto(f"{proxy}/lens/")
        page.get_by_role("button", name=SAMPLES[0].title).click()
        page.wait_for_url(f"{proxy}/lens/analyses/*")
        expect(page.locator("#maps canvas").first).to_be_visible()
        open_tab(page, "Attention")
        page.get_by_role("link", name="CBAM in 60 seconds").click()
        page.wait_for_url(f"{proxy}/lens/analyses/*/cbam")
        for name in ("Camera", "Networks", "Evidence", "API"):
            page.get_by_role("navigation", name="Site").get_by_role("link", name=name).click()
            page.wait_for_load_state("networkidle")
            assert urlsplit(page.url).path.startswith("/lens/")
            if name != "API":
                expect(page.locator("h1")).to_be_visible()
        expect(page.locator("#swagger-ui .info")).to_be_visible()
    assert len(asked) > 20
    assert {urlsplit(request.url).path.split("/")[1] for request in asked if request.url.startswith("http")} == {"lens"}
    assert not [answer.url for answer in failed]


@pytest.mark.slow
def test_page_is_framed_where_its_owner_allows_it(strange_page: Page, site: str, tmp_path: Path) -> None:
    with run_nginx(site, tmp_path) as proxy:
        strange_page.goto(f"{proxy}/frame.html")
        expect(strange_page.frame_locator("iframe").locator("h1")).to_have_count(0)
    with serve(Settings(device="cpu", frame_ancestors=("self",))) as open_site, run_nginx(open_site, tmp_path) as proxy:
        strange_page.goto(f"{proxy}/frame.html")
        frame = strange_page.frame_locator("iframe")
        expect(frame.locator("h1")).to_be_visible()
        frame.get_by_role("button", name=SAMPLES[0].title).click()
        expect(frame.locator("#maps canvas").first).to_be_visible()
