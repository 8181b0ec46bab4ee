"""The live camera: who may be connected, what a frame may be, and what is answered. Nothing of it is kept."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from pydantic import Field

from app.analysis.comparison import Comparison
from app.analysis.lens import Lens
from app.analysis.options import GeometryOptions, PictureOptions, TargetOptions
from app.analysis.timing import Timings
from app.api.map_values import MapsAnswer, build_maps_answer
from app.api.schemas import ApiModel, PredictionAnswer, Problem
from app.errors import CameraOff, DeadlinePassed, LensError, QueueFull, UnsupportedFormat
from app.server.limits import refuse_bytes, refuse_seconds
from app.server.problems import build_problem
from models.names import NetworkName

MAX_FRAME_BYTES = 1_000_000
"""A frame of twice the largest resolution is a tenth of it."""

MESSAGE_BYTES = 2 * MAX_FRAME_BYTES
"""The longest message that a server reads before it ends the connection; a shorter one gets an error that explains."""

RETRY_AFTER_SECONDS = 10
"""When a place may be free again: somebody has to stop a camera."""


class CameraOptions(PictureOptions, TargetOptions):
    """The question about every frame of a connection."""


class Ready(ApiModel):
    """The first message: frames may come, one after each answer."""

    kind: Literal["ready"] = "ready"
    shorter_side_pixels: int = Field(description="What is enough of a frame; more is only longer under way.")
    max_frame_bytes: int = MAX_FRAME_BYTES
    lineup: str = Field(description="The lineup's title.")
    trained: bool
    networks: dict[NetworkName, str] = Field(description="The networks' titles, in their order.")


class FrameNetwork(ApiModel):
    """One network's answer to a frame."""

    probability: float = Field(ge=0, le=1, description="P of the explained class.")
    first: PredictionAnswer


class Frame(ApiModel):
    """The answer to a frame."""

    kind: Literal["frame"] = "frame"
    class_index: int
    class_name: str
    chosen_by: str = Field(
        description="`mean` where the networks' first class is explained, else how it was asked for."
    )
    networks: dict[NetworkName, FrameNetwork]
    maps: MapsAnswer


class Busy(ApiModel):
    """A frame was dropped because too much waits; the newest one is welcome after a while."""

    kind: Literal["busy"] = "busy"
    retry_after_seconds: int
    problem: Problem


class Refusal(ApiModel):
    """The problem of a frame, or of the connection."""

    kind: Literal["problem"] = "problem"
    problem: Problem


class Cameras:
    """How many cameras are connected.

    Args:
        limit: the most at once; 0 for none at all.

    Attributes:
        connected: how many at present.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.connected = 0

    @contextmanager
    def connect(self) -> Iterator[None]:
        """Take a place while the camera is connected; for one event loop.

        Raises:
            CameraOff: where there are no places.
            QueueFull: where all of them are taken.
        """
        if not self.limit:
            raise CameraOff("this server takes no live pictures; upload one, or set CBAM_LENS_CAMERA_CONNECTIONS")
        if self.connected >= self.limit:
            raise QueueFull(
                f"{self.connected} cameras are connected, which is the limit; stop one or try again in a while",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )
        self.connected += 1
        try:
            yield
        finally:
            self.connected -= 1


async def answer_frame(
    lens: Lens, data: bytes | None, options: CameraOptions, *, seconds: float
) -> Frame | Busy | Refusal:
    """Compare one frame; whatever is wrong with it is an answer too.

    Args:
        lens: the lineup that looks.
        data: the frame's file; None for a message that was text.
        options: class, method and stage.
        seconds: how long it may take.
    """
    try:
        return await _compare(lens, _check(data), options, seconds)
    except QueueFull as full:
        return Busy(retry_after_seconds=full.retry_after_seconds, problem=build_problem(full))
    except LensError as error:
        return Refusal(problem=build_problem(error))


def build_frame_answer(comparison: Comparison) -> Frame:
    """A comparison as the camera's page needs it."""
    label = comparison.target.label
    return Frame(
        class_index=label.index,
        class_name=label.name,
        chosen_by=comparison.target.chosen_by,
        networks={name: _build_frame_network(comparison, name) for name in comparison.names},
        maps=build_maps_answer([comparison]),
    )


async def _compare(lens: Lens, data: bytes, options: CameraOptions, seconds: float) -> Frame:
    geometry = GeometryOptions(geometry=options.geometry, resolution=options.resolution)
    try:
        async with asyncio.timeout(seconds):
            # One frame after another, so a connection never has two jobs in the engine's queue.
            return build_frame_answer(await lens.compare_picture(data, geometry, options, Timings()))
    except TimeoutError as error:
        passed: DeadlinePassed = refuse_seconds(seconds)
        raise passed from error


def _check(data: bytes | None) -> bytes:
    if data is None:
        raise UnsupportedFormat("a text message; send each frame as a binary one that holds a JPEG")
    if len(data) > MAX_FRAME_BYTES:
        raise refuse_bytes(len(data), MAX_FRAME_BYTES)
    return data


def _build_frame_network(comparison: Comparison, name: NetworkName) -> FrameNetwork:
    (first,) = comparison.predictions(name, count=1)
    return FrameNetwork(
        probability=comparison.target_probability(name),
        first=PredictionAnswer(
            class_index=first.label.index, class_name=first.label.name, probability=first.probability
        ),
    )
