"""Bodies of KServe's protocol: JSON with pictures in base64, parsed beside other requests and within limits."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool

from app.errors import InvalidOption, InvalidPicture, LensError, PictureTooLarge, UnsupportedFormat
from app.routes.intake.bodies import JSON, decode_base64, parse_json
from app.routes.intake.names import check_names
from app.routes.intake.uploads import Handler

EXAMPLE = '{"instances": [{"image": {"b64": "BASE64"}}]}'


class InstancesRoute(APIRoute):
    """A route whose body is JSON alone, and whose address has no options."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_instances(request: Request) -> Response:
            check_names(request.query_params, frozenset())
            if self.body_field is not None:
                _check_type(request.headers.get("Content-Type", ""))
            return await handle(_InstancesRequest(request.scope, request.receive))

        return handle_instances


class _InstancesRequest(Request):
    """A request whose JSON has few values; FastAPI reads it by this method."""

    async def json(self) -> Any:  # noqa: ANN401  # as in Starlette
        # Long texts are parsed beside other requests.
        return await run_in_threadpool(parse_json, await self.body(), example=EXAMPLE)


def _check_type(media_type: str) -> None:
    kind, _ = parse_options_header(media_type)
    if kind != JSON.encode():
        raise InvalidOption(
            f"the body's type is {media_type[:80]!r}; this call takes {JSON}; send {EXAMPLE}", option="body"
        )


async def decode_pictures(texts: Sequence[str]) -> list[bytes]:
    """Decode the pictures of all instances, before anything is computed.

    Raises:
        LensError: for a text that is not base64, and for one of 0 bytes; it names the instance.
    """
    return [await _decode(text, position) for position, text in enumerate(texts)]


async def _decode(text: str, position: int) -> bytes:
    try:
        data = await run_in_threadpool(decode_base64, text)
        if not data:
            raise InvalidPicture("the picture has 0 bytes; send a file")
    except LensError as error:
        raise name_instance(error, position) from error
    return data


def name_instance(error: LensError, position: int) -> LensError:
    """The error with the instance that it is about, if it is about one."""
    place = f"instances.{position}"
    if isinstance(error, InvalidOption):
        return InvalidOption(f"{place}: {error}", option=f"{place}.{error.option}", allowed=error.allowed)
    if isinstance(error, (InvalidPicture, PictureTooLarge, UnsupportedFormat)):
        return type(error)(f"{place}: {error}")
    return error
