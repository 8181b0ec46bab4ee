"""The page: choose a picture, see the comparison."""

from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse

from app.analyses import shrink
from app.analysis_page import PANEL_SIDE_PIXELS, Addresses, build_analysis_page
from app.comparison import Lens
from app.errors import InvalidPicture, LensError
from app.explain.image_input import decode_picture
from app.options import FigureOptions, GeometryOptions
from app.page_choices import list_geometries, list_resolutions
from app.page_contexts import UploadForm, UploadPage
from app.page_sentences import describe_pair_view
from app.problems import describe_error
from app.render.png import encode_jpeg
from app.routes.dependencies import (
    AnalysisDependency,
    LensDependency,
    SettingsDependency,
    StoreDependency,
    TimingsDependency,
    read_upload,
)
from app.samples import SAMPLES, read_sample
from app.schemas import describe_pair
from app.settings import Settings
from app.templating import render_page

THUMBNAIL_SIDE_PIXELS = 320

router = APIRouter(include_in_schema=False)


@router.get("/")
def show_upload(request: Request, lens: LensDependency, settings: SettingsDependency) -> Response:
    """The first page."""
    return _render_upload(request, lens, settings)


@router.post("/")
async def take_upload(
    request: Request,
    lens: LensDependency,
    store: StoreDependency,
    settings: SettingsDependency,
    timings: TimingsDependency,
    options: Annotated[GeometryOptions, Form()],
    image: Annotated[UploadFile | None, File()] = None,
    sample: Annotated[str | None, Form()] = None,
) -> Response:
    """Analyse a picture or a sample and lead to its page; say beside the form what was wrong with a picture."""
    try:
        data = await _read_choice(image, sample, settings)
        analysis = await lens.analyse(data, options, timings)
    except LensError as error:
        status = describe_error(error).status
        return _render_upload(request, lens, settings, error=str(error), status_code=status)
    store.add(analysis)
    return RedirectResponse(request.url_for("show_analysis", analysis_id=analysis.id).path, status_code=303)


@router.get("/analyses/{analysis_id}")
async def show_analysis(
    request: Request,
    analysis: AnalysisDependency,
    options: Annotated[FigureOptions, Query()],
    lens: LensDependency,
    settings: SettingsDependency,
    timings: TimingsDependency,
) -> Response:
    """The comparison."""
    comparison = await lens.compare(analysis, options, timings)
    page = build_analysis_page(
        comparison,
        options,
        pair=describe_pair(lens.pair),
        upload=_describe_upload(lens, settings),
        addresses=Addresses(
            page=request.url_for("show_analysis", analysis_id=analysis.id).path,
            answer=request.url_for("read_analysis", analysis_id=analysis.id).path,
            picture=request.url_for("show_picture", analysis_id=analysis.id).path,
        ),
    )
    return render_page(request, page, headers={"Server-Timing": timings.header(), "Cache-Control": "no-store"})


@router.get("/analyses/{analysis_id}/picture.jpg")
async def show_picture(analysis: AnalysisDependency, lens: LensDependency) -> Response:
    """The upright picture at the panels' size."""
    picture = await lens.run(analysis.picture, max_side=PANEL_SIDE_PIXELS)
    return Response(await lens.run(encode_jpeg, picture), media_type="image/jpeg")


@router.get("/samples/{name}.jpg")
async def show_sample(name: str, lens: LensDependency, settings: SettingsDependency) -> Response:
    """A gallery picture's thumbnail."""
    picture = await lens.run(decode_picture, read_sample(name), max_pixels=settings.max_picture_pixels)
    thumbnail = await lens.run(encode_jpeg, shrink(picture, THUMBNAIL_SIDE_PIXELS))
    return Response(thumbnail, media_type="image/jpeg", headers={"Cache-Control": "public, max-age=86400"})


async def _read_choice(image: UploadFile | None, sample: str | None, settings: Settings) -> bytes:
    # A gallery picture is a button that was pressed; a file may have been chosen before that.
    if sample:
        return read_sample(sample)
    if image is not None and (image.filename or image.size):
        return await read_upload(image, settings)
    raise InvalidPicture("no picture was chosen; choose a file or one of the gallery")


def _render_upload(
    request: Request, lens: Lens, settings: Settings, *, error: str | None = None, status_code: int = 200
) -> Response:
    page = UploadPage(
        pair=describe_pair_view(describe_pair(lens.pair)), upload=_describe_upload(lens, settings, error=error)
    )
    return render_page(request, page, status_code=status_code)


def _describe_upload(lens: Lens, settings: Settings, *, error: str | None = None) -> UploadForm:
    own = lens.pair.card.preprocessing
    return UploadForm(
        samples=SAMPLES,
        geometries=list_geometries(own.geometry),
        resolutions=list_resolutions(own.resolution),
        max_upload_bytes=settings.max_upload_bytes,
        error=error,
    )
