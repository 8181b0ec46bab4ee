"""Uploaded pictures and their decoded copies."""

import gc
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Barrier

import pytest

from app.analysis.analyses import PREVIEW_SIDE_PIXELS, Picture
from app.decoding.parts import DECODER, DecodedParts, DecodingRequest, decode_parts
from models.pictures.errors import PictureTooLarge
from tests.conftest import encode, make_picture

WIDTH = PREVIEW_SIDE_PIXELS + 200

DRAWERS = 3


class CountingDecoder:
    """Decodes in this process, and counts."""

    def __init__(self) -> None:
        self.count = 0
        self.problem: Exception | None = None

    def __call__(self, data: bytes, request: DecodingRequest) -> DecodedParts:
        self.count += 1
        if self.problem is not None:
            raise self.problem
        return decode_parts(data, request)


@pytest.fixture
def decoder() -> Iterator[CountingDecoder]:
    counting = CountingDecoder()
    token = DECODER.set(counting)
    yield counting
    DECODER.reset(token)


def make_large() -> Picture:
    data = encode(make_picture(WIDTH, 90))
    decoded = decode_parts(data, DecodingRequest(WIDTH * 90, longer_side=PREVIEW_SIDE_PIXELS))
    return Picture(data, decoded, max_pixels=WIDTH * 90)


def test_panels_that_are_drawn_at_once_share_one_decoding(decoder: CountingDecoder) -> None:
    picture, meeting = make_large(), Barrier(DRAWERS)

    def draw() -> tuple[int, int]:
        drawn = picture.draw(max_side=None)
        meeting.wait(20)  # Nobody lets go of the picture before all have it.
        return drawn.size

    with ThreadPoolExecutor(DRAWERS) as pool:
        drawn = [pool.submit(copy_context().run, draw) for _ in range(DRAWERS)]
        assert {future.result() for future in drawn} == {(WIDTH, 90)}
    assert decoder.count == 1


def test_picture_of_full_size_is_not_kept(decoder: CountingDecoder) -> None:
    picture = make_large()
    for count in (1, 2):
        assert picture.draw(max_side=None).width == WIDTH
        gc.collect()
        assert decoder.count == count


def test_picture_is_decoded_again_after_a_failure(decoder: CountingDecoder) -> None:
    picture, decoder.problem = make_large(), PictureTooLarge("too large")
    with pytest.raises(PictureTooLarge):
        picture.draw(max_side=None)
    decoder.problem = None
    assert picture.draw(max_side=None).width == WIDTH


def test_picture_goes_to_another_process_without_its_copies(decoder: CountingDecoder) -> None:
    picture = make_large()
    picture.draw(max_side=None)
    sent = pickle.loads(pickle.dumps(picture))  # noqa: S301  # our own bytes
    assert sent.draw(max_side=None).tobytes() == picture.draw(max_side=None).tobytes()
    assert sent.draw(max_side=200).size == picture.draw(max_side=200).size
