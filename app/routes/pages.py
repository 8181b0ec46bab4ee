"""The page: choose a picture, see the comparison."""

from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from app.analysis.analyses import Analysis, AnalysisStore
from app.analysis.comparison import Comparison, Lens
from app.analysis.lenses import Lenses
from app.analysis.options import FigureOptions, Interventions, PictureOptions, TargetOptions
from app.analysis.sanity import check_sanity
from app.analysis.timing import Timings
from app.api.blocks import build_open_block_answer
from app.api.map_values import MapsAnswer, build_maps_answer
from app.api.schemas import build_pair_description
from app.errors import InvalidPicture, LensError
from app.output.network_table import build_count_rows, list_remarks
from app.pages.analysis import PANEL_SIDE_PIXELS, Addresses, build_analysis_page
from app.pages.block import build_block_page
from app.pages.choices import list_geometries, list_pairs, list_resolutions
from app.pages.contexts import ModelsPage, UploadForm, UploadPage
from app.pages.evidence.page import build_evidence_page
from app.pages.gallery import SAMPLES, read_sample
from app.pages.sanity import build_sanity_page
from app.pages.templating import render_page
from app.pages.wording import build_pair_view
from app.render.png import encode_jpeg
from app.routes.dependencies import (
    AnalysisDependency,
    LensDependency,
    LensesDependency,
    LinksDependency,
    SettingsDependency,
    StoreDependency,
    TimingsDependency,
    read_upload,
)
from app.server.problems import build_problem
from app.settings import Settings
from models.networks.counting import read_recorded_counts
from models.pictures.decoding import decode_picture
from models.pictures.fitting import shrink

THUMBNAIL_SIDE_PIXELS = 320

router = APIRouter(include_in_schema=False)


class PageForm(PictureOptions):
    """What the page's form sends beside a picture: a gallery picture, or one that was analysed before."""

    sample: str | None = None
    analysis: str | None = None


class PageOptions(FigureOptions):
    """What the page shows: a second class beside the explained one."""

    versus: str = Field(default="", max_length=200)


@router.get("/")
def show_upload(request: Request, lenses: LensesDependency, settings: SettingsDependency) -> Response:
    """The first page."""
    return render_upload(request, lenses, settings)


@router.get("/models")
def show_models(request: Request) -> Response:
    """What attention costs, network by network."""
    counts = read_recorded_counts()
    page = ModelsPage(rows=build_count_rows(counts), remarks=list_remarks(counts))
    return render_page(request, page)


@router.get("/evidence")
def show_evidence(request: Request, lenses: LensesDependency) -> Response:
    """What was measured of the paper's claim."""
    return render_page(request, build_evidence_page([build_pair_description(lens.pair) for lens in lenses]))


@router.post("/")
async def take_upload(
    request: Request,
    lenses: LensesDependency,
    store: StoreDependency,
    settings: SettingsDependency,
    timings: TimingsDependency,
    options: Annotated[PageForm, Form()],
    image: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Analyse a picture and lead to its page; say beside the form what was wrong with the picture."""
    try:
        data = await _read_choice(image, options, store, settings)
        analysis = await lenses.choose(options.pair).analyse(data, options, timings)
    except LensError as error:
        status = build_problem(error).status
        return render_upload(request, lenses, settings, error=str(error), status_code=status)
    await run_in_threadpool(store.add, analysis)
    return RedirectResponse(request.url_for("show_analysis", analysis_id=analysis.id).path, status_code=303)


@router.get("/analyses/{analysis_id}")
async def show_analysis(
    request: Request,
    analysis: AnalysisDependency,
    own_links: LinksDependency,
    options: Annotated[PageOptions, Query()],
    lens: LensDependency,
    lenses: LensesDependency,
    settings: SettingsDependency,
    timings: TimingsDependency,
) -> Response:
    """The comparison."""
    page = build_analysis_page(
        await _compare(lens, analysis, options, timings),
        options,
        pair=build_pair_description(lens.pair),
        upload=_build_upload_form(lenses, settings, pair=analysis.card.name),
        addresses=Addresses(
            page=request.url_for("show_analysis", analysis_id=analysis.id).path,
            answer=own_links,
            picture=request.url_for("show_picture", analysis_id=analysis.id).path,
            maps=request.url_for("read_map_values", analysis_id=analysis.id).path,
        ),
    )
    return render_page(request, page, headers={"Server-Timing": timings.header(), "Cache-Control": "no-store"})


@router.get("/analyses/{analysis_id}/blocks/{block}")
async def show_block(
    request: Request,
    analysis: AnalysisDependency,
    own_links: LinksDependency,
    block: str,
    lens: LensDependency,
    timings: TimingsDependency,
    interventions: Annotated[Interventions, Query()] = (),
) -> Response:
    """A block opened."""
    opened = await lens.open_block(analysis, block, interventions, timings)
    query = f"?interventions={','.join(interventions)}" if interventions else ""
    page = build_block_page(
        await lens.alter(analysis, interventions, timings),
        build_open_block_answer(opened, links=own_links, query=query),
        links=own_links,
        page=request.url_for("show_analysis", analysis_id=analysis.id).path,
        interventions=tuple(interventions),
    )
    return render_page(request, page, headers={"Server-Timing": timings.header(), "Cache-Control": "no-store"})


@router.get("/analyses/{analysis_id}/sanity")
async def show_sanity(
    request: Request,
    analysis: AnalysisDependency,
    own_links: LinksDependency,
    options: Annotated[TargetOptions, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
) -> Response:
    """Whether the maps depend on what was learned."""
    learned = await lens.compare(analysis, options.model_copy(update={"interventions": ()}), timings)
    check = await check_sanity(lens, learned, timings)
    address = request.url_for("show_analysis", analysis_id=analysis.id).path
    page = build_sanity_page(check, links=own_links, address=address)
    return render_page(request, page, headers={"Server-Timing": timings.header(), "Cache-Control": "no-store"})


@router.get("/analyses/{analysis_id}/maps.json")
async def read_map_values(
    response: Response,
    analysis: AnalysisDependency,
    options: Annotated[PageOptions, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
) -> MapsAnswer:
    """The maps that the page draws."""
    comparisons = await _compare(lens, analysis, options, timings)
    # An analysis never changes, and its name is never used again.
    response.headers["Cache-Control"] = "private, max-age=3600"
    return build_maps_answer(comparisons)


@router.get("/analyses/{analysis_id}/picture.jpg")
async def show_picture(analysis: AnalysisDependency, lens: LensDependency) -> Response:
    """The upright picture at the panels' size."""
    picture = await lens.run(analysis.picture, max_side=PANEL_SIDE_PIXELS)
    return Response(await lens.run(encode_jpeg, picture), media_type="image/jpeg")


@router.get("/samples/{name}.jpg")
async def show_sample(name: str, lenses: LensesDependency, settings: SettingsDependency) -> Response:
    """A gallery picture's thumbnail."""
    run = lenses.default.run
    picture = await run(decode_picture, read_sample(name), max_pixels=settings.max_picture_pixels)
    thumbnail = await run(encode_jpeg, shrink(picture, THUMBNAIL_SIDE_PIXELS))
    return Response(thumbnail, media_type="image/jpeg", headers={"Cache-Control": "public, max-age=86400"})


async def _compare(lens: Lens, analysis: Analysis, options: PageOptions, timings: Timings) -> list[Comparison]:
    """The comparison for the explained class, and for the second class where there is another one."""
    comparison = await lens.compare(analysis, options, timings)
    label, _ = lens.find_class(options.versus)
    if label in (None, comparison.target.label):
        return [comparison]
    second = options.model_copy(update={"target": options.versus})
    return [comparison, await lens.compare(analysis, second, timings)]


async def _read_choice(image: UploadFile | None, form: PageForm, store: AnalysisStore, settings: Settings) -> bytes:
    # A gallery picture is a button that was pressed; a file may have been chosen before that.
    if form.sample:
        return read_sample(form.sample)
    if form.analysis:
        return (await run_in_threadpool(store.get, form.analysis)).source.data
    if image is not None and (image.filename or image.size):
        return await read_upload(image, settings)
    raise InvalidPicture("no picture was chosen; choose a file or one of the gallery")


def render_upload(
    request: Request, lenses: Lenses, settings: Settings, *, error: str | None = None, status_code: int = 200
) -> Response:
    """The first page, with what was wrong with what was sent."""
    page = UploadPage(
        pairs=tuple(build_pair_view(build_pair_description(lens.pair)) for lens in lenses),
        upload=_build_upload_form(lenses, settings, pair=lenses.default.pair.card.name, error=error),
    )
    return render_page(request, page, status_code=status_code)


def _build_upload_form(lenses: Lenses, settings: Settings, *, pair: str, error: str | None = None) -> UploadForm:
    cards = [lens.pair.card for lens in lenses]
    is_only = len(cards) == 1
    # With several to choose from, what is a pair's own is known only when it was chosen.
    own = cards[0].preprocessing if is_only else None
    return UploadForm(
        samples=SAMPLES,
        pairs=() if is_only else list_pairs(cards, selected=pair),
        geometries=list_geometries(own.geometry if own else None),
        resolutions=list_resolutions(own.resolution if own else None),
        max_upload_bytes=settings.max_upload_bytes,
        error=error,
        sheet_pictures=settings.sheet_pictures,
    )
