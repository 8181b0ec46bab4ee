"""A class votes while others analyse pictures: 200 voters at once beside two analyses per second.

    CBAM_LENS_STUDY_KEY=KEY locust -f tests/load/study_locustfile.py --headless -u 202 -r 50 -t 3m -H ADDRESS

A voter looks at each question for 2 to 6 seconds, loads both images, and answers with one tap; after the last question
the next person takes the seat. Give the study a stopping rule that it does not reach, such as `--people 5000`. The
run fails if the 95th percentile of a vote is 200 ms or more.
"""

import io
import os
import re

import numpy as np
from locust import FastHttpUser, HttpUser, between, constant_throughput, events, task
from locust.env import Environment
from PIL import Image

KEY = os.environ["CBAM_LENS_STUDY_KEY"]

LINK = f"/s/{KEY}"

VOTE = "/s/{key}/vote (answer)"

LONGEST_VOTE_MILLISECONDS = 200

ANALYSTS = 2

CHOICES = ("a", "b", "equal", "cannot-tell")

NUMBER = re.compile(r'name="number" value="(\d+)"')


def make_jpeg(seed: int) -> bytes:
    """A picture that differs from the others."""
    noise = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


class Voter(FastHttpUser):
    """A seat in the class, with one person after the other.

    The fast client takes a fifth of the other's processor time, which the server's machine may have to give: the
    phones of a class have processors of their own.
    """

    wait_time = between(2, 6)

    number: int | None = None

    def on_start(self) -> None:
        """Take the seat."""
        self.begin()

    @task
    def answer(self) -> None:
        """Answer the question that is on the phone, and look at the next one."""
        if self.number is None:
            self.begin()
            return
        form = {"number": str(self.number), "choice": CHOICES[self.number % len(CHOICES)]}
        # The vote and the next question are measured apart.
        with self.client.post(f"{LINK}/vote", data=form, name=VOTE, allow_redirects=False, catch_response=True) as sent:
            if sent.status_code == 303:
                sent.success()
            else:
                sent.failure(f"{sent.status_code}: {(sent.text or '')[:200]}")
        self.look()

    def begin(self) -> None:
        """Let the next person open the link."""
        self.client.cookiejar.clear()
        self.client.get(LINK, name="/s/{key}")
        self.client.post(LINK, name="/s/{key} (begin)", allow_redirects=False)
        self.look()

    def look(self) -> None:
        """Load the next question with its images."""
        page = self.client.get(f"{LINK}/vote", name="/s/{key}/vote")
        found = NUMBER.search(page.text or "")
        self.number = None if found is None else int(found[1])
        if self.number is not None:
            for side in "ab":
                self.client.get(f"{LINK}/questions/{self.number}/{side}", name="/s/{key}/questions/{number}/{side}")


class Analyst(HttpUser):
    """Somebody who analyses a picture every second."""

    fixed_count = ANALYSTS

    wait_time = constant_throughput(1)

    pictures = tuple(make_jpeg(seed) for seed in range(8))

    turn = 0

    @task
    def analyse(self) -> None:
        """Send a picture."""
        self.turn += 1
        files = {"image": ("picture.jpg", self.pictures[self.turn % len(self.pictures)])}
        self.client.post("/api/v1/analyses", files=files)


@events.quitting.add_listener
def judge(environment: Environment, **_: object) -> None:
    """Fail the run for slow votes and for any failure."""
    votes = environment.stats.get(VOTE, "POST")
    slowest = votes.get_response_time_percentile(0.95)
    is_slow = votes.num_requests == 0 or slowest >= LONGEST_VOTE_MILLISECONDS
    environment.process_exit_code = int(is_slow or environment.stats.total.num_failures > 0)
