"""The load that a running server can carry: `locust -f tests/load/locustfile.py --headless -u 16 -t 10m -H ADDRESS`.

Each user sends a picture, waits for the answer and sends the next one. Every fifth request asks further questions
about one picture. A full queue may answer 503 with Retry-After: this is counted separately, and the user waits as told.
If `CBAM_LENS_TOKEN` is set, every request carries it. On this machine each user has an address of its own, as people
have: the server is fair between addresses.
"""

import io
import os
import time
from itertools import count, cycle
from typing import Any

import numpy as np
from locust import HttpUser, constant, task
from locust.clients import ResponseContextManager
from PIL import Image
from requests.adapters import HTTPAdapter

SIZES = ((640, 480), (480, 640), (800, 600), (512, 512))

LONGEST_WAIT_SECONDS = 5

METHODS = ("gradcam", "gradcam++", "layercam", "hirescam")


def make_jpeg(seed: int) -> bytes:
    """A picture that differs from the others."""
    noise = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize(SIZES[seed % len(SIZES)], Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


class SourceAdapter(HTTPAdapter):
    """Connects from an address of this machine.

    Args:
        address: the address.
    """

    def __init__(self, address: str) -> None:
        self._source = (address, 0)
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """See requests."""
        super().init_poolmanager(*arguments, **options, source_address=self._source)


PICTURES = [make_jpeg(seed) for seed in range(16)]


class Visitor(HttpUser):
    """A user who compares one picture after another."""

    wait_time = constant(0)

    pictures = cycle(PICTURES)

    numbers = count()

    def on_start(self) -> None:
        """Add the token, if there is one, and take an address."""
        if token := os.environ.get("CBAM_LENS_TOKEN"):
            self.client.headers["Authorization"] = f"Bearer {token}"
        if (self.host or "").startswith("http://127."):
            number = next(self.numbers)
            self.client.mount("http://", SourceAdapter(f"127.0.{1 + number // 250}.{1 + number % 250}"))

    @task(4)
    def compare(self) -> None:
        """Request a heat map of a picture."""
        self.send("/api/v1/heatmap", {"render": "gray"})

    @task(1)
    def analyse(self) -> None:
        """Request an analysis, and ask two further questions about it."""
        answer = self.send("/api/v1/analyses", {})
        if answer is None:
            return
        address, name = f"/api/v1/analyses/{answer}", "/api/v1/analyses/{id}"
        for method in METHODS[1:3]:
            with self.client.get(address, params={"method": method}, name=name, catch_response=True) as other:
                self.judge(other)
        with self.client.delete(address, name=name, catch_response=True) as gone:
            self.judge(gone)

    def send(self, path: str, options: dict[str, str]) -> str | None:
        """Upload a picture; returns the analysis's id, if there is one."""
        picture = next(self.pictures)
        files = {"image": ("picture.jpg", picture)}
        with self.client.post(path, data=options, files=files, catch_response=True) as answer:
            is_taken = self.judge(answer)
            return str(answer.json()["id"]) if is_taken and path.endswith("analyses") else None

    def judge(self, answer: ResponseContextManager) -> bool:
        """Whether the request was answered; a refusal is counted separately and waited for; the rest are failures."""
        if answer.status_code == 503 and "Retry-After" in answer.headers:
            answer.request_meta["name"] += " refused"
            answer.success()
            time.sleep(min(float(answer.headers["Retry-After"]), LONGEST_WAIT_SECONDS))
            return False
        # 0 means no answer; `ok` would raise for it.
        if not 200 <= answer.status_code < 300:
            answer.failure(f"{answer.status_code}: {answer.error or (answer.text or '')[:200]}")
            return False
        return True
