"""Uploads: the bodies that are taken, the names that are known, and a file's name in the message about its picture."""

import re
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import unquote_to_bytes

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from app.analysis.sheets import clean_name
from app.api import links
from app.errors import InvalidOption, InvalidPicture, LensError, PictureTooLarge, UnsupportedFormat
from app.routes.intake.bodies import IMAGE_TYPES, JSON, read_json_body, read_picture_body
from app.routes.intake.names import PICTURE, check_form, check_names, list_names

EXTENDED_NAME = b"filename*="

SHEETS_PATH = "/sheets"
"""The path that accepts more bytes than those of one picture."""

PICTURE_PATHS = frozenset(
    {
        "/",
        SHEETS_PATH,
        *(links.PREFIX + path for path in (links.HEAT_MAP, links.FIGURE, links.ATTENTION, links.ANALYSES)),
    }
)
"""The paths that accept pictures in forms, by themselves or in JSON."""

LONGEST_TYPE = 80

OPTION_BYTES = 64 * 1024
"""The limit of one option beside the picture, far above the longest that is accepted."""


def takes_pictures(path: str) -> bool:
    """Whether a path accepts pictures; bodies for all others are short."""
    return path in PICTURE_PATHS or links.KSERVE_PICTURE_PATH.fullmatch(path) is not None


def name_file(file_name: str | None) -> str:
    """An uploaded file's name for people; empty where it came without one."""
    return clean_name(read_form_name(file_name), position=1) if file_name else ""


def read_form_name(file_name: str | None) -> str:
    """A form file's own name: browsers write its quotes and line breaks as `%22`, `%0D` and `%0A`, and nothing else so.

    https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
    """
    return re.sub("%(22|0D|0A)", lambda found: chr(int(found[1], 16)), file_name or "")


def name_picture(error: LensError, file_name: str | None) -> LensError:
    """The error with the name of the file that it is about, if it is about a picture that has one."""
    if not file_name or not isinstance(error, (InvalidPicture, PictureTooLarge, UnsupportedFormat)):
        return error
    named = type(error)(f"“{name_file(file_name)}”: {error}")
    named.__cause__ = error
    return named


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class UploadRoute(APIRoute):
    """A route whose forms may name a file by `filename*` alone (RFC 5987), as some clients do."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_upload(request: Request) -> Response:
            return await handle(UploadRequest(request.scope, request.receive))

        return handle_upload


class ApiRoute(APIRoute):
    """A route of the REST API: a name that it does not know is an error, and a picture may come without a form."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        known = list_names(self.dependant)

        async def handle_known(request: Request) -> Response:
            check_names(request.query_params, known)
            upload = UploadRequest(request.scope, request.receive, takes_pictures=PICTURE in known)
            if PICTURE in known:
                try:
                    form = await upload.form()
                except ClientDisconnect as error:
                    raise HTTPException(status_code=400, detail="the client left before the end of the body") from error
                check_form(form, known)
            return await handle(upload)

        return handle_known


def refuse_type(kind: str) -> InvalidOption:
    """The error for a body of a type that has no picture, such as what `curl -d @dog.jpg` sends."""
    stated = f"is of type {kind[:LONGEST_TYPE]}" if kind else "came without a Content-Type"
    return InvalidOption(
        f"the body {stated}; send the picture in a form, curl -F image=@dog.jpg, or by itself, "
        "curl --data-binary @dog.jpg -H 'Content-Type: image/jpeg'",
        option="Content-Type",
    )


class UploadRequest(Request):
    """A request that parses its form with `_NamedFileParser`.

    Args:
        scope: the request's scope.
        receive: its messages.
        takes_pictures: whether a picture by itself, or JSON with one, is a form too.
    """

    def __init__(self, scope: Scope, receive: Receive, *, takes_pictures: bool = False) -> None:
        super().__init__(scope, receive)
        self._takes_pictures = takes_pictures

    async def _get_form(
        self,
        *,
        max_files: int | float = 1000,
        max_fields: int | float = 1000,
        max_part_size: int = OPTION_BYTES,
    ) -> FormData:
        kind, _ = parse_options_header(self.headers.get("Content-Type"))
        if self._form is None and self._takes_pictures and kind.startswith(IMAGE_TYPES.encode()):
            self._form = read_picture_body(await self.body(), kind.decode("latin-1"))
        if self._form is None and self._takes_pictures and kind == JSON.encode():
            # Long texts are decoded beside other requests.
            self._form = await run_in_threadpool(read_json_body, await self.body())
        if self._form is None and kind == b"multipart/form-data":
            parser = _NamedFileParser(
                self.headers,
                self.stream(),
                max_files=max_files,
                max_fields=max_fields,
                max_part_size=max_part_size,
            )
            try:
                self._form = await parser.parse()
            except MultiPartException as error:
                raise HTTPException(status_code=400, detail=error.message) from error
        if self._form is None and self._takes_pictures and await self.body():
            raise refuse_type(kind.decode("latin-1"))
        return await super()._get_form(max_files=max_files, max_fields=max_fields, max_part_size=max_part_size)


class _NamedFileParser(MultiPartParser):
    """Starlette's parser, which takes a part for text if its name is given by `filename*` alone."""

    def on_headers_finished(self) -> None:
        part = self._current_part
        _, options = parse_options_header(part.content_disposition)
        if part.content_disposition and b"filename" not in options and EXTENDED_NAME in part.content_disposition:
            part.content_disposition += b'; filename="' + _read_extended_name(part.content_disposition) + b'"'
        super().on_headers_finished()


def _read_extended_name(disposition: bytes) -> bytes:
    """The name in `filename*=UTF-8''h%C3%BCnd.jpg`; any name where it cannot be read."""
    value = disposition.partition(EXTENDED_NAME)[2].split(b";")[0].strip().strip(b'"')
    name = unquote_to_bytes(value.rpartition(b"'")[2])
    return name.replace(b"\\", b"/").replace(b'"', b"'") or b"picture"
