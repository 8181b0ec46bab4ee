"""Shared fixtures: the shipped lineup, running applications, pictures, and the distribution of tests to workers."""

import io
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import pillow_heif
import pytest
import torch
from fastapi.testclient import TestClient
from PIL import Image

from app.main import create_app
from models.lineups.lineup import Lineup, load_lineup
from tests.lineups import RESNET18_110
from tests.on_ray.site import ON_RAY, Site, run_contract_server
from tests.patience import PATIENT
from tests.photographs import read_photograph

ROOT = Path(__file__).parent.parent


def skip_here(reason: str) -> NoReturn:
    """Skip a test for something that this machine lacks; in CI, which lacks nothing, this is a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def is_on_ray(nodeid: str) -> bool:
    """Whether a test belongs to those that start Ray."""
    return nodeid.startswith("tests/on_ray/") or f"[{ON_RAY}" in nodeid


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough",
        action="store_true",
        help="ask slow tests with all of their parameters, and also the rare ones; for hours in which nobody waits",
    )


CONTRACT_TESTS = 2
"""Tests of each file of the contract that ask the server on Ray, unless all are wanted: the routes are the same."""


def thin_out(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests to run, and those that are left out: all but the first parameter of each slow test, here and on Ray.

    A test whose parameters have little in common keeps all of them with `slow(every=True)`; one that takes minutes and
    guards little that others do not is left out with `slow(rare=True)`. The contract is asked of the server on Ray by
    the first tests of each file.
    """
    seen: set[tuple[str, bool]] = set()
    asked_on_ray = Counter[str]()
    left_out = []
    for item in items:
        marks = list(item.iter_markers("slow"))
        if not marks:
            continue
        file, _, _ = item.nodeid.partition("::")
        name = (item.nodeid.partition("[")[0], is_on_ray(item.nodeid))
        is_rare = any(mark.kwargs.get("rare") for mark in marks)
        has_every = any(mark.kwargs.get("every") for mark in marks)
        is_contract = f"[{ON_RAY}" in item.nodeid
        if is_rare or (name in seen and not has_every) or (is_contract and asked_on_ray[file] == CONTRACT_TESTS):
            left_out.append(item)
        elif is_contract:
            asked_on_ray[file] += 1
        seen.add(name)
    gone = set(left_out)
    return [item for item in items if item not in gone], left_out


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests on Ray come first: one worker is busy with them for as long as the others with everything else.

    Among them those of the contract are the last but those that kill parts of its server, and the contract over several
    lineups has a server of its own before.
    """
    for item in items:
        if is_on_ray(item.nodeid) and "test_without_ray" not in item.nodeid:
            item.add_marker("ray")
    # One that was asked for by its own name runs.
    if not config.getoption("thorough") and not any("::" in argument for argument in config.args):
        items[:], left_out = thin_out(items)
        config.hook.pytest_deselected(items=left_out)

    def rank(item: pytest.Item) -> int:
        if not is_on_ray(item.nodeid):
            return 3
        return (
            2
            if "test_serving" in item.nodeid
            else int(f"[{ON_RAY}" in item.nodeid and "test_lineups.py" not in item.nodeid)
        )

    items.sort(key=rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Files go to workers whole, and everything on Ray to one worker: one cluster runs at a time."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler.loadfile import LoadFileScheduling  # noqa: PLC0415  # xdist need not be installed

    class FilesAndRay(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return ON_RAY if is_on_ray(nodeid) else str(super()._split_scope(nodeid))

    return FilesAndRay(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than cores: browsers, servers and training threads leave them idle now and then."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def lineup() -> Lineup:
    """The shipped lineup on the CPU."""
    return load_lineup(RESNET18_110)


@pytest.fixture(scope="session")
def local_client(lineup: Lineup) -> Iterator[TestClient]:
    """A client of an application in this process with default settings, but patient, see `PATIENT`."""
    with TestClient(create_app(PATIENT, lineups=[lineup])) as client:
        yield client


@pytest.fixture(scope="session")
def client(local_client: TestClient) -> TestClient:
    """A client of an application as in `local_client`; in the tests of the contract also of one on Ray."""
    return local_client


@pytest.fixture(scope="session")
def ray_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server on Ray: two replicas of the application and two with the networks."""
    with run_contract_server(tmp_path_factory.mktemp("ray") / "log.txt") as site:
        yield site


@pytest.fixture(scope="session")
def motorcycle() -> bytes:
    """A photograph of a class that the lineup knows, 741 x 500, PNG."""
    return read_photograph("motorcycle")


@pytest.fixture(scope="session")
def node() -> str:
    """Node's path."""
    return shutil.which("node") or skip_here("no node on the search path; install nodejs")


@pytest.fixture
def generator() -> torch.Generator:
    """Random numbers that are the same in every run."""
    return torch.Generator().manual_seed(20181008)


def encode(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    if form == "HEIF":
        pillow_heif.from_pillow(picture).save(buffer, **options)
    else:
        picture.save(buffer, format=form, **options)
    return buffer.getvalue()


def make_picture(width: int, height: int, *, seed: int = 0) -> Image.Image:
    """A smooth colour picture that differs at every place, so that errors of geometry show."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def decode(content: bytes) -> Image.Image:
    """The picture in a file."""
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture
