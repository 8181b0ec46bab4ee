"""Several pictures at once: a page with one row per picture, the contact sheet, and all files as a ZIP file."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from functools import partial
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse, StreamingResponse
from pydantic import BaseModel, Field

from app.analysis.compared_sheets import ComparedRow, SheetLens
from app.analysis.kept_analyses import KeptAnalyses
from app.analysis.lens import Lens
from app.analysis.lenses import Lenses
from app.analysis.options import PageOptions, SheetOptions, SheetPageOptions, SheetSort
from app.analysis.sheet_view import arrange_rows, move_row, read_row_targets
from app.analysis.sheets import MOST_ROWS, Sheet, SheetRow, clean_name, refuse_count
from app.analysis.timing import Timings
from app.errors import InvalidOption, LensError
from app.output.archive import Member, list_analysis_members, list_sheet_members, pack
from app.output.sheet import draw_sheet
from app.output.sheet_numbers import write_sheet_numbers
from app.pages.addresses import add_query
from app.pages.analysis.downloads import name_files
from app.pages.sheet import TargetProblems, build_sheet_page, list_asked
from app.render.figure import MEDIA_TYPES, FigureFormat
from app.routes.dependencies import (
    AnalysisDependency,
    KeptDependency,
    LensDependency,
    LensesDependency,
    SettingsDependency,
    SheetDependency,
    TimingsDependency,
    read_upload,
)
from app.routes.intake.uploads import SHEETS_PATH, UploadRoute, read_form_name
from app.routes.pages import PageForm, locate_analysis, refuse_upload, render_timed, take_upload
from app.routes.study_visits import may_create

DEADLINE_SHARE = 0.8
"""The share of a request's time for the networks; a picture that comes too late becomes a row with an error."""

router = APIRouter(include_in_schema=False, route_class=UploadRoute)


async def make_sheet_lens(lenses: LensesDependency, kept: KeptDependency, timings: TimingsDependency) -> SheetLens:
    """What compares the rows of a request's sheet."""
    return SheetLens(lenses, kept, timings)


SheetLensDependency = Annotated[SheetLens, Depends(make_sheet_lens)]


class AnalysedPicture(BaseModel):
    """A picture that the page sent in its own request: its analysis, or the reason why there is none."""

    name: str = Field(max_length=1000)
    analysis: str | None = Field(default=None, max_length=64)
    problem: str | None = Field(default=None, max_length=500)


class AnalysedPictures(BaseModel):
    """Fields of `POST /sheets/rows`."""

    rows: list[AnalysedPicture] = Field(min_length=1, max_length=MOST_ROWS)


class SheetAddress(BaseModel):
    """The path of the new sheet."""

    address: str


@router.get(SHEETS_PATH)
def lead_to_upload(request: Request) -> Response:
    """Redirect to the form: a browser shows this address after a refused upload, and may load it again."""
    return RedirectResponse(request.url_for("show_upload").path)


@router.post(SHEETS_PATH)
async def take_uploads(
    request: Request,
    lenses: LensesDependency,
    kept: KeptDependency,
    settings: SettingsDependency,
    timings: TimingsDependency,
    options: Annotated[PageForm, Form()],
    image: Annotated[list[UploadFile] | None, File()] = None,
) -> Response:
    """Analyse every picture and redirect to their sheet; a single picture leads to its own page."""
    images = [upload for upload in image or [] if upload.filename or upload.size]
    if len(images) <= 1:
        only = images[0] if images else None
        return await take_upload(request, lenses, kept, settings, timings, options, only)
    try:
        if len(images) > settings.sheet_pictures:
            raise refuse_count(len(images), settings.sheet_pictures)
        lenses.choose(options.lineup)
    except LensError as error:
        return refuse_upload(request, lenses, settings, error)
    names = [
        clean_name(read_form_name(upload.filename), position=position) for position, upload in enumerate(images, 1)
    ]
    sheet_lens = SheetLens(lenses, kept, timings)
    rows: list[SheetRow] = []
    seconds = DEADLINE_SHARE * settings.deadline_seconds
    with anyio.move_on_after(seconds):
        for name, upload in zip(names, images, strict=True):
            try:
                data = await read_upload(upload, settings)
            except LensError as error:
                rows.append(SheetRow(name, problem=str(error)))
                continue
            # This frees the upload, whose bytes are read now.
            await upload.close()
            rows.append(await sheet_lens.analyse(name, data, options))
    late = f"not analysed: together the pictures took longer than {seconds:g} s; send fewer at once"
    sheet = Sheet((*rows, *(SheetRow(name, problem=late) for name in names[len(rows) :])))
    await kept.add_sheet(sheet)
    return RedirectResponse(_address(request, sheet), status_code=303)


@router.post("/sheets/rows", status_code=201)
async def create_sheet(
    request: Request, pictures: AnalysedPictures, kept: KeptDependency, settings: SettingsDependency
) -> SheetAddress:
    """Make a sheet of pictures that were analysed one by one."""
    if len(pictures.rows) > settings.sheet_pictures:
        raise refuse_count(len(pictures.rows), settings.sheet_pictures)
    rows = []
    for position, picture in enumerate(pictures.rows, 1):
        if (picture.analysis is None) == (picture.problem is None):
            raise InvalidOption(
                f"row {position} must have either an analysis or a problem; give one of them", option="rows"
            )
        rows.append(SheetRow(clean_name(picture.name, position=position), picture.analysis, picture.problem))
    sheet = Sheet(tuple(rows))
    await kept.add_sheet(sheet)
    return SheetAddress(address=_address(request, sheet))


@router.get("/sheets/{sheet_id}")
async def show_sheet(
    request: Request,
    sheet: SheetDependency,
    options: Annotated[SheetPageOptions, Query()],
    lenses: LensesDependency,
    kept: KeptDependency,
    settings: SettingsDependency,
    timings: TimingsDependency,
) -> Response:
    """The page of a sheet, with one row per picture; an unknown class is answered beside its field."""
    address = _address(request, sheet)
    problems = TargetProblems()
    if options.change_row is not None:
        changed = await _change_row(sheet, options, options.change_row, lenses, kept, timings)
        if isinstance(changed, str):
            return RedirectResponse(f"{address}{changed}#row-{options.change_row}", status_code=303)
        problems = TargetProblems(row=options.change_row, row_target=options.change_target, row_problem=str(changed))
    lens, seconds = SheetLens(lenses, kept, timings), DEADLINE_SHARE * settings.deadline_seconds
    own = read_row_targets(options.row_target, len(sheet.rows))
    try:
        compared = await lens.compare(sheet, options, own, seconds=seconds)
    except InvalidOption as error:
        if error.option != "target":
            raise
        problems = replace(problems, target=options.target, problem=str(error))
        options = options.model_copy(update={"target": ""})
        compared = await lens.compare(sheet, options, own, seconds=seconds)
    moved = options.move_up or options.move_down
    if moved is not None:
        order = move_row(compared, options, moved, places=-1 if options.move_up else 1)
        asked = list_asked(options.model_copy(update={"sort": SheetSort.HAND, "order": order}))
        return RedirectResponse(f"{address}{add_query('', asked)}#row-{moved}", status_code=303)
    shown = arrange_rows(compared, options)
    page = build_sheet_page(shown, options, problems, address=address, locate=partial(locate_analysis, request))
    page = replace(page, can_study=may_create(request, settings))
    return render_timed(request, page, timings, status_code=422 if problems.exist else 200)


async def _compare_rows(sheet: Sheet, options: SheetOptions, lens: SheetLens) -> list[ComparedRow]:
    """Compare the rows of a sheet, and choose and sort them as the options say; see `SheetLens.compare`."""
    own = read_row_targets(options.row_target, len(sheet.rows))
    return arrange_rows(await lens.compare(sheet, options, own), options)


async def _change_row(
    sheet: Sheet, options: SheetPageOptions, position: int, lenses: Lenses, kept: KeptAnalyses, timings: Timings
) -> str | InvalidOption:
    """The query of the page on which one row explains another class; or what is wrong with that class."""
    targets = read_row_targets(options.row_target, len(sheet.rows))
    targets.pop(position, None)
    text = options.change_target
    row = sheet.rows[position - 1] if position <= len(sheet.rows) else None
    if row is not None and row.analysis_id is not None and text.strip():
        try:
            label, _ = lenses.of(await kept.find(row.analysis_id, timings)).find_class(text)
        except InvalidOption as error:
            return error
        if label is not None:
            targets[position] = str(label.index)
    texts = tuple(f"{place}:{target}" for place, target in sorted(targets.items()))
    return add_query("", list_asked(options.model_copy(update={"row_target": texts})))


@router.get("/sheets/{sheet_id}/sheet.{format}")
async def read_sheet(
    sheet: SheetDependency,
    format: FigureFormat,  # noqa: A002  # the path's own word
    options: Annotated[SheetOptions, Query()],
    lenses: LensesDependency,
    sheet_lens: SheetLensDependency,
) -> Response:
    """The contact sheet."""
    rows = await _compare_rows(sheet, options, sheet_lens)
    content = await lenses.default.run(draw_sheet, rows, options, format)
    return Response(content, media_type=MEDIA_TYPES[format])


@router.get("/sheets/{sheet_id}/numbers.csv")
async def read_numbers(
    sheet: SheetDependency,
    options: Annotated[SheetOptions, Query()],
    sheet_lens: SheetLensDependency,
) -> Response:
    """All numbers of a sheet, one row per picture and network."""
    rows = await _compare_rows(sheet, options, sheet_lens)
    headers = {"Content-Disposition": 'attachment; filename="cbam-lens-sheet.csv"'}
    return Response(write_sheet_numbers(rows), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/sheets/{sheet_id}/everything.zip")
async def read_everything_of_sheet(
    sheet: SheetDependency,
    options: Annotated[SheetOptions, Query()],
    lenses: LensesDependency,
    sheet_lens: SheetLensDependency,
) -> Response:
    """The contact sheet and all files about every picture, as a ZIP file."""
    rows = await _compare_rows(sheet, options, sheet_lens)
    return _send_archive(list_sheet_members(rows, options), lenses.default, name="sheet")


@router.get("/analyses/{analysis_id}/everything.zip")
async def read_everything(
    analysis: AnalysisDependency,
    options: Annotated[PageOptions, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
) -> Response:
    """All files about one picture, as a ZIP file."""
    # Nothing can be refused once its first bytes are sent.
    comparisons = await lens.compare_classes(analysis, options, options.versus, timings)
    return _send_archive(list_analysis_members(comparisons, options), lens, name=name_files(comparisons[0]))


def _send_archive(members: Iterable[Member], lens: Lens, *, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="cbam-lens-{name}.zip"'}
    return StreamingResponse(_stream(members, lens), media_type="application/zip", headers=headers)


async def _stream(members: Iterable[Member], lens: Lens) -> AsyncIterator[bytes]:
    """Yield the archive in parts; one member at a time is in memory, drawn in the drawing threads."""
    chunks = pack(members)
    while (chunk := await lens.run(next, chunks, None)) is not None:
        yield chunk


def _address(request: Request, sheet: Sheet) -> str:
    return request.url_for("show_sheet", sheet_id=sheet.id).path
