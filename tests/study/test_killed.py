"""The server is killed in the middle of a class: every answer that it acknowledged is in the database, once."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
import pytest

from app.study.database.opening import open_database
from app.study.people import read_cookie
from app.study.studies import Study, arrange
from tests.lineups import RESNET18_110
from tests.study.makers import make_draft
from tests.study.site import QUESTION

VOTERS = 100

PICTURES_EACH = 8

ENOUGH = 300
"""The acknowledged votes after which the server is killed, of 1,000."""


@contextmanager
def serve(address: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A server of its own process; its address."""
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", "0"]
    own = {"CBAM_LENS_STUDY_DATABASE": address, "CBAM_LENS_LINEUPS": str(RESNET18_110)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **own}) as process:  # noqa: S603  # our own command
        assert process.stderr is not None
        try:
            line = next(line for line in process.stderr if "is ready: http://" in line)
            yield re.findall(r"http://\S+", line)[0], process
        finally:
            process.kill()


class Voter:
    """A person who answers one question after the other, until the server is gone.

    Attributes:
        cookie: the person's cookie; None before the beginning was answered.
        acknowledged: the numbers of the questions whose answers the server acknowledged.
    """

    def __init__(self) -> None:
        self.cookie: str | None = None
        self.acknowledged: list[int] = []

    async def vote(self, client: httpx2.AsyncClient, key: str, note: asyncio.Queue[int]) -> None:
        """Begin, and answer everything twice, as an impatient finger does; the server's end is the end."""
        try:
            begun = await client.post(f"/s/{key}")
            self.cookie = begun.cookies["cbam_lens_person"]
            headers = {"Cookie": f"cbam_lens_person={self.cookie}"}
            while (found := QUESTION.search((await client.get(f"/s/{key}/vote", headers=headers)).text)) is not None:
                number = int(found[1])
                form = {"number": str(number), "choice": ("a", "b", "equal")[number % 3]}
                for _ in range(2):
                    answer = await client.post(f"/s/{key}/vote", data=form, headers=headers)
                    assert answer.status_code == 303, answer.text
                self.acknowledged.append(number)
                note.put_nowait(number)
        except httpx2.TransportError:
            return


async def vote_until_killed(address: str, key: str, process: "subprocess.Popen[str]") -> list[Voter]:
    voters = [Voter() for _ in range(VOTERS)]
    note: asyncio.Queue[int] = asyncio.Queue()
    limits = httpx2.Limits(max_connections=VOTERS)
    # Each voter sends a cookie of their own; the client keeps none.
    jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    connect = httpx2.AsyncClient(base_url=address, limits=limits, timeout=60, cookies=jar)
    async with connect as client, asyncio.TaskGroup() as group:
        for voter in voters:
            group.create_task(voter.vote(client, key, note))
        for _ in range(ENOUGH):
            await note.get()
        process.send_signal(signal.SIGKILL)
    return voters


def list_expected(study: Study, voters: list[Voter]) -> set[tuple[str, int]]:
    """Each acknowledged vote's person and question."""
    expected = set()
    for voter in voters:
        person = None if voter.cookie is None else read_cookie(voter.cookie, study.secret)
        if person is not None:
            slots = arrange(study, person)
            expected |= {(person, slots[number - 1].question.id) for number in voter.acknowledged}
    return expected


@pytest.mark.slow(every=True)
def test_no_acknowledged_vote_is_lost_when_the_server_is_killed_among_100_voters(address: str) -> None:
    studies = open_database(address)
    study = studies.find(studies.create(make_draft(20, pictures_each=PICTURES_EACH)).key)
    with serve(address) as (site, process):
        voters = asyncio.run(vote_until_killed(site, study.key, process))
        assert process.wait(30) == -signal.SIGKILL
    expected = list_expected(study, voters)
    assert ENOUGH <= len(expected) < VOTERS * study.question_count
    stored = [(ballot.person, ballot.question_id) for ballot in studies.list_ballots(study)]
    assert len(set(stored)) == len(stored)
    assert expected - set(stored) == set()
    # At most the vote that each person was waiting for came on top.
    assert len(stored) - len(expected) <= VOTERS
    studies.close()
    check_that_people_go_on(address, study, voters)


def check_that_people_go_on(address: str, study: Study, voters: list[Voter]) -> None:
    """After a new start each person finds the question that they have not answered, and no vote is asked again."""
    studies = open_database(address)
    chosen = [voter for voter in voters if voter.acknowledged and len(voter.acknowledged) < study.question_count]
    with serve(address) as (site, _), httpx2.Client(base_url=site, timeout=60) as client:
        for voter in chosen[:5]:
            person = read_cookie(voter.cookie or "", study.secret)
            assert person is not None
            answered = studies.find_answered(study, person)
            page = client.get(f"/s/{study.key}/vote", headers={"Cookie": f"cbam_lens_person={voter.cookie}"}).text
            found = QUESTION.search(page)
            left = [slot.number for slot in arrange(study, person) if slot.question.id not in answered]
            assert (found is None) == (not left)
            if found is not None:
                assert int(found[1]) == left[0]
                assert int(found[1]) not in voter.acknowledged
    studies.close()
