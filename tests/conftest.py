"""What many tests share: the shipped pair, a running application, pictures."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from PIL import Image

from app.main import create_app
from app.pages.gallery import read_sample
from app.settings import Settings
from models.lineups.pair import NetworkPair, load_pair

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def pair() -> NetworkPair:
    """The shipped pair on the CPU."""
    return load_pair()


@pytest.fixture(scope="session")
def client(pair: NetworkPair) -> Iterator[TestClient]:
    """A client of an application with default settings."""
    with TestClient(create_app(Settings(), pairs=[pair])) as client:
        yield client


@pytest.fixture(scope="session")
def motorcycle() -> bytes:
    """A photograph of a class that the pair knows, 741 x 500, PNG."""
    return read_sample("motorcycle")


@pytest.fixture
def generator() -> torch.Generator:
    """Random numbers that are the same in every run."""
    return torch.Generator().manual_seed(20181008)


def encode(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    picture.save(buffer, format=form, **options)
    return buffer.getvalue()


def make_picture(width: int, height: int, *, seed: int = 0) -> Image.Image:
    """A smooth colour picture that is unlike at every place, for geometry to be seen in."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def decode(content: bytes) -> Image.Image:
    """The picture in a file."""
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture
