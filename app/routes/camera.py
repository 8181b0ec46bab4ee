"""The live camera: its page, and the WebSocket that answers frames one by one."""

import asyncio
import math
from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, WebSocket, WebSocketDisconnect
from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import HTTPConnection
from starlette.status import WS_1008_POLICY_VIOLATION, WS_1013_TRY_AGAIN_LATER
from starlette.types import Message

from app.analysis.lens import Lens
from app.analysis.prepared import REDUCTION_MARGIN
from app.api import links
from app.api.schemas import ApiModel
from app.errors import LensError, QueueFull
from app.pages.camera import build_camera_page
from app.pages.templating import render_page
from app.routes.dependencies import LensesDependency, SettingsDependency
from app.server import camera
from app.server.camera import CameraOptions, Cameras, Ready, Refusal, answer_frame, check_options
from app.server.guard.rates import Rates
from app.server.problems import build_problem, explain_invalid

router = APIRouter(include_in_schema=False)


async def get_cameras(connection: HTTPConnection) -> Cameras:
    """The connected cameras and their limit."""
    cameras: Cameras = connection.app.state.cameras
    return cameras


CamerasDependency = Annotated[Cameras, Depends(get_cameras)]


@router.get("/camera")
def show_camera(request: Request, lenses: LensesDependency, cameras: CamerasDependency) -> Response:
    """The page of the live camera."""
    page = build_camera_page(
        [lens.lineup for lens in lenses],
        connection=request.url_for("answer_camera").path,
        is_on=cameras.limit > 0,
    )
    return render_page(request, page)


@router.websocket(links.PREFIX + links.CAMERA)
async def answer_camera(
    websocket: WebSocket,
    lenses: LensesDependency,
    cameras: CamerasDependency,
    settings: SettingsDependency,
) -> None:
    """Answer each binary frame with JSON, one after the other; the query has the `CameraOptions`."""
    await websocket.accept()
    rates: Rates = websocket.app.state.rates
    client = rates.identify(websocket.scope)
    try:
        with cameras.connect(client):
            options = read_options(websocket.query_params)
            lens = lenses.choose(options.lineup)
            await check_options(lens, options, seconds=settings.deadline_seconds)
            await _answer_frames(websocket, lens, options, settings.deadline_seconds, partial(rates.count, client))
    except LensError as error:
        await _send(websocket, Refusal(problem=build_problem(error)))
        is_full = isinstance(error, QueueFull)
        await websocket.close(WS_1013_TRY_AGAIN_LATER if is_full else WS_1008_POLICY_VIOLATION, error.title)
    except WebSocketDisconnect:
        # The client left while its frame was computed.
        return


def read_options(query: QueryParams) -> CameraOptions:
    """Read the options of a connection.

    Raises:
        InvalidOption: for a value that is not allowed, with the same message as REST.
    """
    given: dict[str, object] = dict(query)
    if "interventions" in query:
        given["interventions"] = query.getlist("interventions")
    try:
        return CameraOptions.model_validate(given)
    except ValidationError as error:
        raise explain_invalid([{**entry, "loc": ("query", *entry["loc"])} for entry in error.errors()]) from error


async def _answer_frames(
    websocket: WebSocket, lens: Lens, options: CameraOptions, seconds: float, count: Callable[[], None]
) -> None:
    card = lens.lineup.card
    enough = math.ceil((options.resolution or card.preprocessing.resolution) * REDUCTION_MARGIN)
    ready = Ready(
        shorter_side_pixels=enough,
        lineup=card.title,
        trained=card.trained,
        networks={name: card.title_network(name) for name in card.names},
    )
    await _send(websocket, ready)
    while (message := await _receive(websocket))["type"] == "websocket.receive":
        answer = await answer_frame(lens, message.get("bytes"), options, seconds=seconds, count=count)
        await _send(websocket, answer)


async def _receive(websocket: WebSocket) -> Message:
    """The next message; raises `QueueFull` if none comes."""
    try:
        async with asyncio.timeout(camera.IDLE_SECONDS):
            return await websocket.receive()
    except TimeoutError as error:
        raise camera.refuse_idleness() from error


async def _send(websocket: WebSocket, answer: ApiModel) -> None:
    await websocket.send_text(answer.model_dump_json(exclude_none=True))
