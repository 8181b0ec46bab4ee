"""The pages: the upload form, the comparison and the pages linked from them."""

import re
from dataclasses import replace
from functools import cache
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from pydantic import Field

from app.analysis.analyses import Analysis
from app.analysis.kept_analyses import KeptAnalyses
from app.analysis.lens import Lens
from app.analysis.lenses import Lenses
from app.analysis.options import ConceptOptions, Interventions, PageOptions, PictureOptions, Tab
from app.analysis.sanity import SanityCheck, check_sanity
from app.analysis.timing import Timings
from app.api.lineups import build_lineup_description
from app.api.map_values import MapsAnswer, build_maps_answer
from app.errors import InvalidPicture, LensError, TryLater
from app.explain.methods import LIVE_METHODS, Method
from app.pages.addresses import PANEL_SIDE_PIXELS, Addresses, add_query
from app.pages.analysis.page import add_cost, add_sanity, build_analysis_page
from app.pages.block import build_block_page
from app.pages.cbam import CbamPage, build_cbam_page
from app.pages.concepts import build_concepts_page
from app.pages.evidence.pictures import read_picture
from app.pages.gallery import find_sample, read_sample
from app.pages.models import build_models_page
from app.pages.templating import PageContext, render_page
from app.pages.upload import build_upload_form, build_upload_page
from app.render.png import encode_jpeg
from app.render.thumbnails import encode_thumbnail
from app.routes.dependencies import (
    AnalysisDependency,
    KeptDependency,
    LensDependency,
    LensesDependency,
    SettingsDependency,
    TimingsDependency,
    link_analysis,
    read_upload,
)
from app.routes.intake.uploads import UploadRoute, name_file, name_picture
from app.server.problems import build_problem
from app.settings import Settings
from models.names import Stage
from models.networks.counting import read_recorded_counts

router = APIRouter(include_in_schema=False, route_class=UploadRoute)


class PageForm(PictureOptions):
    """Fields of the page's form beside a picture: a picture of ours or an earlier analysis, and what is asked of it.

    `sample` names a gallery picture, `evidence` a picture of the evidence page.

    The question is the address's business: it goes into the address that answers, and is checked there.
    """

    sample: str | None = Field(default=None, max_length=64)
    evidence: str | None = Field(default=None, max_length=400)
    analysis: str | None = Field(default=None, max_length=64)
    target: str | None = Field(default=None, max_length=200)
    method: Method | None = None
    stage: Stage | None = None

    @property
    def question(self) -> str:
        """The part of the address that asks it; empty if nothing was asked."""
        asked = self.model_dump(mode="json", include={"target", "method", "stage"}, exclude_none=True)
        return f"?{urlencode(asked)}" if asked else ""


@router.get("/")
def show_upload(request: Request, lenses: LensesDependency, settings: SettingsDependency) -> Response:
    """The first page."""
    return render_page(request, build_upload_page([lens.lineup for lens in lenses], settings))


@router.get("/models")
def show_models(request: Request) -> Response:
    """The cost of attention, network by network."""
    return render_page(request, build_models_page(read_recorded_counts()))


@router.get("/cbam")
def show_cbam(request: Request) -> Response:
    """CBAM in 60 seconds."""
    return render_page(request, CbamPage())


@router.get("/analyses/{analysis_id}/cbam")
def show_own_cbam(
    request: Request,
    analysis: AnalysisDependency,
    block: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """CBAM in 60 seconds, with the gates of a picture."""
    page = build_cbam_page(analysis, block=block, addresses=locate_analysis(request, analysis.id))
    return render_page(request, page, headers={"Cache-Control": "no-store"})


@router.post("/")
async def take_upload(
    request: Request,
    lenses: LensesDependency,
    kept: KeptDependency,
    settings: SettingsDependency,
    timings: TimingsDependency,
    options: Annotated[PageForm, Form()],
    image: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Analyse a picture and redirect to its page; an error is shown beside the form."""
    try:
        data = await _read_choice(image, options, kept, settings, timings)
        analysis = await lenses.choose(options.lineup).analyse(data, options, timings)
        analysis = replace(analysis, name=await _name_choice(image, options, kept, timings))
    except LensError as error:
        # A picture of ours has no file's name.
        named = name_picture(error, None if options.sample or options.evidence or image is None else image.filename)
        return refuse_upload(request, lenses, settings, named)
    await kept.add(analysis)
    return RedirectResponse(locate_analysis(request, analysis.id).page + options.question, status_code=303)


@router.get("/analyses/{analysis_id}")
async def show_analysis(
    request: Request,
    analysis: AnalysisDependency,
    options: Annotated[PageOptions, Query()],
    lens: LensDependency,
    lenses: LensesDependency,
    settings: SettingsDependency,
    timings: TimingsDependency,
) -> Response:
    """The comparison."""
    addresses = replace(locate_analysis(request, analysis.id), sheet=_locate_sheet(request, options.sheet))
    page = build_analysis_page(
        await lens.compare_classes(analysis, options, options.versus, timings),
        options,
        lineup=build_lineup_description(lens.lineup),
        upload=build_upload_form([lens.lineup for lens in lenses], settings, selected=analysis.card.name),
        addresses=addresses,
    )
    page = add_cost(page, analysis, options, lens.picture_seconds)
    if options.tab is Tab.SANITY and options.method in LIVE_METHODS:
        check = await _check_sanity(lens, analysis, options, timings)
        page = add_sanity(page, check, addresses=addresses)
    return render_timed(request, page, timings)


@router.get("/analyses/{analysis_id}/blocks/{network}/{block}")
async def show_block(
    request: Request,
    analysis: AnalysisDependency,
    network: str,
    block: str,
    lens: LensDependency,
    timings: TimingsDependency,
    interventions: Annotated[Interventions, Query()] = (),
) -> Response:
    """An opened block."""
    opened = await lens.open_block(analysis, network, block, interventions, timings)
    page = build_block_page(
        await lens.alter(analysis, interventions, timings),
        opened,
        network=network,
        addresses=locate_analysis(request, analysis.id),
        interventions=tuple(interventions),
    )
    return render_timed(request, page, timings)


@router.get("/analyses/{analysis_id}/concepts")
async def show_concepts(
    request: Request,
    analysis: AnalysisDependency,
    options: Annotated[ConceptOptions, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
) -> Response:
    """The picture's concepts."""
    page = build_concepts_page(
        await lens.find_concepts(analysis, options, timings),
        options,
        addresses=locate_analysis(request, analysis.id),
        own_address=request.url_for("show_concepts", analysis_id=analysis.id).path,
    )
    return render_timed(request, page, timings)


@router.get("/analyses/{analysis_id}/sanity")
def show_sanity(request: Request, analysis: AnalysisDependency) -> Response:
    """The former address of the sanity check, which is now a tab."""
    asked = {**request.query_params, "tab": Tab.SANITY.value}
    return RedirectResponse(add_query(locate_analysis(request, analysis.id).page, asked) + "#sanity", status_code=308)


@router.get("/analyses/{analysis_id}/maps.json")
async def read_map_values(
    response: Response,
    analysis: AnalysisDependency,
    options: Annotated[PageOptions, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
) -> MapsAnswer:
    """The maps that the page draws."""
    comparisons = await lens.compare_classes(analysis, options, options.versus, timings)
    # An analysis never changes, and its id is never used again.
    response.headers["Cache-Control"] = "private, max-age=3600"
    return build_maps_answer(comparisons)


@router.get("/analyses/{analysis_id}/picture.jpg")
async def show_picture(analysis: AnalysisDependency, lens: LensDependency) -> Response:
    """The upright picture at the panels' size."""
    picture = await lens.run(analysis.picture, max_side=PANEL_SIDE_PIXELS)
    return Response(await lens.run(encode_jpeg, picture), media_type="image/jpeg")


@router.get("/samples/{name}.jpg")
async def show_sample(name: str, lenses: LensesDependency) -> Response:
    """A gallery picture's thumbnail."""
    thumbnail = await lenses.default.run(_draw_thumbnail, name)
    return Response(thumbnail, media_type="image/jpeg", headers={"Cache-Control": "public, max-age=86400"})


@cache
def _draw_thumbnail(name: str) -> bytes:
    """A gallery picture's thumbnail as JPEG, which is drawn once; raises `InvalidOption`."""
    return encode_thumbnail(read_sample(name))


def _locate_sheet(request: Request, sheet: str) -> str:
    """The address of the sheet from which an analysis was opened; empty if there was none."""
    sheet_id = re.split("[?#]", sheet)[0]
    return request.url_for("show_sheet", sheet_id=sheet_id).path + sheet.removeprefix(sheet_id) if sheet else ""


def locate_analysis(request: Request, analysis_id: str) -> Addresses:
    """Find an analysis's addresses."""
    routes = ("show_analysis", "show_picture", "read_map_values", "show_own_cbam")
    page, picture, maps, primer = (request.url_for(route, analysis_id=analysis_id).path for route in routes)
    return Addresses(page=page, answer=link_analysis(request, analysis_id), picture=picture, maps=maps, primer=primer)


async def _check_sanity(lens: Lens, analysis: Analysis, options: PageOptions, timings: Timings) -> SanityCheck:
    """Check the explained class's maps, with all gates as learned."""
    learned = await lens.compare(analysis, options.model_copy(update={"interventions": ()}), timings)
    return await check_sanity(lens, learned, timings)


def render_timed(request: Request, page: PageContext, timings: Timings, *, status_code: int = 200) -> Response:
    """Render a page with the `Server-Timing` header, which no cache may store."""
    return render_page(
        request, page, status_code=status_code, headers={"Server-Timing": timings.header(), "Cache-Control": "no-store"}
    )


async def _read_choice(
    image: UploadFile | None, form: PageForm, kept: KeptAnalyses, settings: Settings, timings: Timings
) -> bytes:
    # The button of a gallery picture overrides a file that was chosen before.
    if form.sample:
        return read_sample(form.sample)
    if form.evidence:
        return read_picture(form.evidence, settings.evidence_pictures)
    if form.analysis:
        return (await kept.find(form.analysis, timings)).source.data
    if image is not None and (image.filename or image.size):
        return await read_upload(image, settings)
    raise InvalidPicture("no picture was chosen; choose a file or a gallery picture")


async def _name_choice(image: UploadFile | None, form: PageForm, kept: KeptAnalyses, timings: Timings) -> str:
    """The picture's name for people; empty where it came without one."""
    if form.sample:
        return find_sample(form.sample).title
    if form.evidence:
        return name_file(form.evidence)
    if form.analysis:
        return (await kept.find(form.analysis, timings)).name
    return name_file(None if image is None else image.filename)


def refuse_upload(request: Request, lenses: Lenses, settings: Settings, error: LensError) -> Response:
    """Render the first page with the error of an upload."""
    page = build_upload_page([lens.lineup for lens in lenses], settings, error=str(error))
    headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, TryLater) else {}
    return render_page(request, page, status_code=build_problem(error).status, headers=headers)
