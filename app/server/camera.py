"""The live camera: its connections, frames and answers. No frame is kept."""

import asyncio
import base64
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

from pydantic import Field

from app.analysis.comparison import Comparison
from app.analysis.contrasts import check_contrast
from app.analysis.lens import Lens
from app.analysis.options import GeometryOptions, PictureOptions, TargetOptions
from app.analysis.prepared import choose_resolution
from app.analysis.timing import Timings
from app.api.map_values import MapsAnswer, build_maps_answer
from app.api.schemas import ApiModel, PredictionAnswer, Problem
from app.engine.callers import in_series
from app.errors import CameraOff, DeadlinePassed, InvalidOption, LensError, QueueFull, TryLater, UnsupportedFormat
from app.explain.methods import LIVE_METHODS
from app.server.limits import refuse_bytes, refuse_seconds
from app.server.problems import build_problem
from models.names import NetworkName

Result = TypeVar("Result")

MAX_FRAME_BYTES = 1_000_000
"""The size limit of a frame; a JPEG of twice the largest resolution has a tenth of it."""

MESSAGE_BYTES = 2 * MAX_FRAME_BYTES
"""The longest message that the server reads before it closes the connection; a shorter one gets an error message."""

ONE_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A GIF."""

IDLE_SECONDS = 30.0
"""The time without a frame after which a camera loses its place."""

SHARE = 0.5
"""The part of the places that one client may take."""

RETRY_AFTER_SECONDS = 10
"""The time for Retry-After while all places are taken; one is free when somebody stops a camera."""


class CameraOptions(PictureOptions, TargetOptions):
    """The options for every frame of a connection."""


class Ready(ApiModel):
    """The first message: the client may send frames, one after each answer."""

    kind: Literal["ready"] = "ready"
    shorter_side_pixels: int = Field(
        description="The shorter side that is enough for the networks; a larger frame only takes longer to send."
    )
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
        description="`mean` for the networks' top guess, otherwise `index` or `name`, as the class was chosen."
    )
    networks: dict[NetworkName, FrameNetwork]
    maps: MapsAnswer


class Busy(ApiModel):
    """A frame was dropped: the queue is full, or the client too fast. It may send its newest frame after a while."""

    kind: Literal["busy"] = "busy"
    retry_after_seconds: int
    problem: Problem


class Refusal(ApiModel):
    """The problem of a frame, or of the connection."""

    kind: Literal["problem"] = "problem"
    problem: Problem


class Cameras:
    """The number of connected cameras and its limit.

    Args:
        limit: the largest number at once; 0 switches the camera off.

    Attributes:
        connected: the present number.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.connected = 0
        self._of_clients: Counter[str] = Counter()

    @contextmanager
    def connect(self, client: str) -> Iterator[None]:
        """Count a camera while it is connected; for one event loop.

        Args:
            client: the client's identity, see `RateLimit`.

        Raises:
            CameraOff: when the limit is 0.
            QueueFull: when the limit is reached, or this client's share of it.
        """
        if not self.limit:
            raise CameraOff("this server accepts no live pictures; upload one, or set CBAM_LENS_CAMERA_CONNECTIONS")
        if self.connected >= self.limit:
            raise QueueFull(
                f"{self.connected} cameras are connected, the limit; stop one or try again later",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )
        share = math.ceil(SHARE * self.limit)
        if self._of_clients[client] >= share:
            raise QueueFull(
                f"{share} of your cameras are connected, the share of one client; stop one",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )
        self.connected += 1
        self._of_clients[client] += 1
        try:
            yield
        finally:
            self.connected -= 1
            self._of_clients -= Counter({client: 1})


def refuse_idleness() -> QueueFull:
    """The error for a camera that sends no frames."""
    return QueueFull(
        f"no frame came for {IDLE_SECONDS:g} s, so another camera may have this place; start the camera again",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )


async def check_options(lens: Lens, options: CameraOptions, *, seconds: float) -> None:
    """Refuse the options that would be refused with every frame.

    Args:
        lens: the lineup's lens.
        options: class, method, stage and changed gates.
        seconds: the time limit.

    Raises:
        InvalidOption: for a resolution, a class or a change of gates that the lineup does not have, and for a method
            that takes longer than a frame lasts.
        LensError: see `Engine.submit`.
    """
    if options.method not in LIVE_METHODS:
        raise InvalidOption(
            f"{options.method.value} takes a forward pass per channel for each frame, which is too slow for a camera; "
            "choose another method, or upload one picture",
            option="method",
            allowed=LIVE_METHODS,
        )
    choose_resolution(lens.lineup.card, options)
    lens.find_class(options.target)
    check_contrast(lens.lineup.labels, options)
    if options.interventions:
        # The names of the blocks come with an analysis, and no frame is there yet.
        analysis = await _limit(lens.analyse(ONE_PIXEL, options, Timings()), seconds)
        lens.find_interventions(analysis, options.interventions)


async def answer_frame(
    lens: Lens, data: bytes | None, options: CameraOptions, *, seconds: float, count: Callable[[], None]
) -> Frame | Busy | Refusal:
    """Compare one frame; an error becomes an answer too.

    Args:
        lens: the lineup's lens.
        data: the frame's file; None for a text message.
        options: class, method and stage.
        seconds: the time limit.
        count: counts the frame for the client's rate; raises `TooManyRequests`.
    """
    try:
        count()
        return await _compare(lens, _check(data), options, seconds)
    except TryLater as full:
        return Busy(retry_after_seconds=full.retry_after_seconds, problem=build_problem(full))
    except LensError as error:
        return Refusal(problem=build_problem(error))


def build_frame_answer(comparison: Comparison) -> Frame:
    """Build the camera page's answer from a comparison."""
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
    # A connection's frames are answered one after another, so it never has two jobs in the engine's queue.
    with in_series():
        return build_frame_answer(await _limit(lens.compare_picture(data, geometry, options, Timings()), seconds))


async def _limit(work: Awaitable[Result], seconds: float) -> Result:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        passed: DeadlinePassed = refuse_seconds(seconds)
        raise passed from error


def _check(data: bytes | None) -> bytes:
    if data is None:
        raise UnsupportedFormat("the message is text; send each frame as a binary message with a JPEG")
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
