"""Dependencies of the routes, by type.

All are asynchronous, even those that wait for nothing: FastAPI would call each of the others in a thread, and the
upload of a picture needs five of them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, TypeVar, cast

from fastapi import Depends, File, Form, Query, Request, UploadFile
from starlette.datastructures import UploadFile as FormFile
from starlette.requests import HTTPConnection

from app.analysis.analyses import Analysis
from app.analysis.kept_analyses import KeptAnalyses
from app.analysis.lens import Lens
from app.analysis.lenses import Lenses
from app.analysis.options import Options
from app.analysis.sheets import Sheet
from app.analysis.timing import Timings
from app.api.links import AnalysisLinks
from app.errors import InvalidOption, InvalidPicture, LensError
from app.routes.intake.uploads import name_file, name_picture
from app.server.limits import refuse_bytes
from app.server.watch.metrics import Metrics
from app.settings import Settings

AnyOptions = TypeVar("AnyOptions", bound=Options)


async def get_lenses(connection: HTTPConnection) -> Lenses:
    """The application's lenses, for a request or a WebSocket."""
    lenses: Lenses = connection.app.state.lenses
    return lenses


async def get_kept(request: Request) -> KeptAnalyses:
    """The kept analyses and sheets."""
    kept: KeptAnalyses = request.app.state.kept
    return kept


async def get_settings(connection: HTTPConnection) -> Settings:
    """The server's settings, for a request or a WebSocket."""
    settings: Settings = connection.app.state.settings
    return settings


async def make_timings(connection: HTTPConnection) -> Timings:
    """Make a request's timings, which also go to the application's metrics."""
    metrics: Metrics = connection.app.state.metrics
    return Timings(metrics.time_step)


async def find_analysis(
    analysis_id: str,
    kept: Annotated[KeptAnalyses, Depends(get_kept)],
    timings: Annotated[Timings, Depends(make_timings)],
) -> Analysis:
    """The analysis of the path."""
    return await kept.find(analysis_id, timings)


async def get_lens(
    analysis: Annotated[Analysis, Depends(find_analysis)], lenses: Annotated[Lenses, Depends(get_lenses)]
) -> Lens:
    """The lens that made the analysis of the path."""
    return lenses.of(analysis)


async def find_sheet(sheet_id: str, kept: Annotated[KeptAnalyses, Depends(get_kept)]) -> Sheet:
    """The sheet of the path."""
    return await kept.find_sheet(sheet_id)


def link_analysis(request: Request, analysis_id: str) -> AnalysisLinks:
    """Make the links to an analysis, as the client reaches it."""
    return AnalysisLinks(request.url_for("read_analysis", analysis_id=analysis_id).path)


async def get_links(request: Request, analysis_id: str) -> AnalysisLinks:
    """`link_analysis` for the analysis of the path."""
    return link_analysis(request, analysis_id)


LensesDependency = Annotated[Lenses, Depends(get_lenses)]
LensDependency = Annotated[Lens, Depends(get_lens)]
KeptDependency = Annotated[KeptAnalyses, Depends(get_kept)]
SettingsDependency = Annotated[Settings, Depends(get_settings)]
AnalysisDependency = Annotated[Analysis, Depends(find_analysis)]
LinksDependency = Annotated[AnalysisLinks, Depends(get_links)]
SheetDependency = Annotated[Sheet, Depends(find_sheet)]
TimingsDependency = Annotated[Timings, Depends(make_timings)]
Upload = Annotated[
    UploadFile,
    File(
        description="The picture: JPEG, PNG, WebP, BMP, GIF (first frame), TIFF (first page), AVIF or HEIC; at most "
        "20 MB."
    ),
]


MULTIPLE = "there are several fields named image; send one picture per request, or several to the page"


async def read_only_upload(request: Request, image: Upload, settings: SettingsDependency) -> AsyncIterator[bytes]:
    """Read the bytes of the only uploaded picture; see `read_upload`.

    An error about the picture, here or while it is answered, gets the file's name.

    Raises:
        InvalidOption: for several pictures.
    """
    # FastAPI has parsed the form already, for the parameter.
    if len((await request.form()).getlist("image")) > 1:
        raise InvalidOption(MULTIPLE, option="image")
    try:
        yield await read_upload(image, settings)
    except LensError as error:
        raise name_picture(error, image.filename) from error


async def read_upload(image: UploadFile, settings: Settings) -> bytes:
    """Read the bytes of an uploaded picture.

    Raises:
        PictureTooLarge: for more bytes than the settings allow.
        InvalidPicture: for 0 bytes.
    """
    data = await image.read(settings.max_upload_bytes + 1)
    if len(data) > settings.max_upload_bytes:
        raise refuse_bytes(image.size or len(data), settings.max_upload_bytes)
    if not data:
        raise InvalidPicture("the picture has 0 bytes; choose a file and send it again")
    return data


async def read_name(request: Request) -> str:
    """Read the uploaded picture's name for people; empty where it has none."""
    image = (await request.form()).get("image")
    return name_file(image.filename if isinstance(image, FormFile) else None)


PictureBytes = Annotated[bytes, Depends(read_only_upload)]
PictureName = Annotated[str, Depends(read_name)]


def merge_options(options: type[AnyOptions]) -> Callable[..., Awaitable[AnyOptions]]:
    """Make a dependency that reads options from the form and the query; the form overrides the query."""

    async def merge(form: Annotated[Options, Form()], query: Annotated[Options, Query()]) -> AnyOptions:
        given = {name: getattr(form, name) for name in form.model_fields_set}
        return cast("AnyOptions", query.model_copy(update=given))

    # FastAPI reads the annotations at run time, and only here can they use the argument's type.
    merge.__annotations__ |= {"form": Annotated[options, Form()], "query": Annotated[options, Query()]}
    return merge
