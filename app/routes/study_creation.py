"""A new blind study on the page: the form for a sheet's rows, and what becomes of it."""

import math
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import anyio
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from app.analysis.compared_sheets import ComparedRow, SheetLens, list_comparisons
from app.analysis.kept_analyses import KeptAnalyses
from app.analysis.lens import Lens
from app.analysis.lenses import Lenses
from app.analysis.options import SheetFilter, SheetOptions, TargetOptions
from app.analysis.sheet_view import arrange_rows, read_row_targets
from app.analysis.sheets import Sheet
from app.analysis.timing import Timings
from app.errors import AnalysisGone, InvalidOption, StudiesOff, TooManyStudies
from app.pages.addresses import add_query
from app.pages.sheet import list_asked
from app.pages.study.creation import FilledForm, build_form_page, fill_defaults
from app.pages.templating import render_page
from app.routes.dependencies import (
    KeptDependency,
    LensesDependency,
    SettingsDependency,
    SheetDependency,
    TimingsDependency,
)
from app.routes.sheets import DEADLINE_SHARE, SheetLensDependency
from app.routes.studies import NOT_KEPT
from app.routes.study_visits import give_admin_cookie, may_create
from app.settings import Settings
from app.study.access.opening import StudyAccess
from app.study.forms import FIELDS, StudyForm, StudyWishes
from app.study.links import StudyLinks
from app.study.making.drafting import DraftOptions
from app.study.making.from_sheet import draft_study
from app.study.tickets import Tickets, make_ticket

if TYPE_CHECKING:
    from app.study.database.creating import StudyKeys
    from app.study.drafts import DraftStudy

router = APIRouter(include_in_schema=False)

MOST_CHARACTERS = 200
"""The longest text of a field that is looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The rows of a sheet of which a study is made.

    Attributes:
        sheet: the sheet.
        options: the sheet's options, which also choose its rows.
        lens: the lens of the sheet's first picture that is kept.
        rows: compares the rows.
        settings: the server's settings.
    """

    sheet: Sheet
    options: SheetOptions
    lens: Lens
    rows: SheetLens
    settings: Settings

    @property
    def count(self) -> int:
        """The number of the chosen rows that have a picture."""
        chosen, removed = set(self.options.rows), set(self.options.without)
        return sum(
            row.analysis_id is not None and position not in removed and (not chosen or position in chosen)
            for position, row in enumerate(self.sheet.rows, 1)
        )


async def find_source(
    request: Request,
    sheet: SheetDependency,
    options: Annotated[SheetOptions, Query()],
    lenses: LensesDependency,
    kept: KeptDependency,
    sheet_lens: SheetLensDependency,
    settings: SettingsDependency,
    timings: TimingsDependency,
) -> Source:
    """Find the rows of the path and the query; raises `StudiesOff` where the page creates no studies."""
    if not may_create(request, settings):
        raise StudiesOff("this server's page creates no studies; ask its operator, or use cbam-lens study create")
    lens = await _find_lens(sheet, lenses, kept, timings)
    return Source(sheet, options, lens, sheet_lens, settings)


SourceDependency = Annotated[Source, Depends(find_source)]


@router.get("/sheets/{sheet_id}/study")
async def show_study_form(request: Request, source: SourceDependency) -> Response:
    """The form of a new study of a sheet's rows."""
    return await _show_form(request, source, FilledForm(fill_defaults(source.lens.lineup.card), {}, make_ticket()))


@router.post("/sheets/{sheet_id}/study")
async def create_study(request: Request, source: SourceDependency) -> Response:
    """Draw a study of a sheet's rows, and lead its holder to its links; errors are shown beside the fields."""
    sent = await request.form()
    values = {name: str(sent.get(name, ""))[:MOST_CHARACTERS] for name in FIELDS}
    ticket = values.pop("ticket") or make_ticket()
    names, settings = source.lens.lineup.card.names, source.settings
    form = StudyForm(values, networks=names, max_people=settings.study_people)
    wishes = form.read()
    if wishes is None:
        return await _show_form(request, source, FilledForm(values, form.problems, ticket))
    tickets: Tickets[StudyKeys] = request.app.state.study_tickets
    try:
        keys = await tickets.once(ticket, partial(_create, request.app.state.studies, source, wishes))
    except (InvalidOption, TooManyStudies) as error:
        return await _show_form(request, source, FilledForm(values, _explain(error), ticket))
    links = StudyLinks(keys.key, root=request.scope.get("root_path", ""))
    answer = RedirectResponse(links.holder, status_code=303)
    give_admin_cookie(request, answer, links, keys.admin_key)
    return answer


async def _find_lens(sheet: Sheet, lenses: Lenses, kept: KeptAnalyses, timings: Timings) -> Lens:
    for row in sheet.rows:
        if row.analysis_id is not None:
            try:
                return lenses.of(await kept.find(row.analysis_id, timings))
            except AnalysisGone:
                continue
    raise AnalysisGone("none of this sheet's pictures is kept any more; send the pictures again")


async def _create(access: StudyAccess, source: Source, wishes: StudyWishes) -> "StudyKeys":
    """Draw the study and write it; raises `InvalidOption` and `TooManyStudies`."""
    limit = source.settings.page_studies
    studies = await run_in_threadpool(access.find_or_make)
    # Before anything is drawn.
    await run_in_threadpool(studies.check_room, limit)
    seconds = DEADLINE_SHARE * source.settings.deadline_seconds
    try:
        with anyio.fail_after(seconds):
            draft = await _draft(source, wishes)
    except TimeoutError as error:
        raise InvalidOption(
            f"together the pictures took longer than {seconds:g} s; choose fewer rows on the sheet, or use cbam-lens "
            "study create",
            option="pictures",
        ) from error
    return await run_in_threadpool(studies.create, draft, max_studies=limit)


async def _compare(source: Source, *, seconds: float = math.inf) -> list[ComparedRow]:
    """Compare the rows that the sheet shows; those that take longer than `seconds` get a problem."""
    options = source.options
    # Without changed gates: a study compares the networks as they were learned.
    asked = TargetOptions(target=options.target, method=options.method, stage=options.stage, against=options.against)
    own = read_row_targets(options.row_target, len(source.sheet.rows))
    return arrange_rows(await source.rows.compare(source.sheet, asked, own, seconds=seconds), options)


async def _draft(source: Source, wishes: StudyWishes) -> "DraftStudy":
    options = source.options
    rows = await _compare(source)
    if not rows:
        raise InvalidOption("the sheet shows no picture; go back to it and show all rows", option="pictures")
    own = read_row_targets(options.row_target, len(source.sheet.rows))
    named = {row.position for row in rows} if options.target.strip() else set(own)
    draft_options = DraftOptions(
        title=wishes.title,
        threshold=wishes.threshold,
        only_both_right=wishes.only_both_right,
        pictures_each=wishes.pictures_each,
        catches=wishes.catches,
        people=wishes.people,
        until=None if wishes.minutes is None else int(time.time()) + 60 * wishes.minutes,
        method=options.method,
        stage=options.stage,
    )
    first, second = wishes.networks
    return await draft_study(source.lens, rows, named, (first, second), draft_options)


def _explain(error: InvalidOption | TooManyStudies) -> dict[str, str]:
    """The sentence about an error, by the name of its field; an empty name for the study as a whole."""
    option = error.option if isinstance(error, InvalidOption) else ""
    sentence = str(error)
    end = "" if sentence.endswith("?") else "."
    return {option if option in FIELDS else "": f"{sentence[0].upper()}{sentence[1:]}{end}"}


async def _count(source: Source) -> int:
    """The number of the rows that the sheet shows and that have a picture."""
    if source.options.only is SheetFilter.ALL:
        return source.count
    seconds = DEADLINE_SHARE * source.settings.deadline_seconds
    return len(list_comparisons(await _compare(source, seconds=seconds)))


async def _show_form(request: Request, source: Source, form: FilledForm) -> Response:
    sheet = request.url_for("show_sheet", sheet_id=source.sheet.id).path
    page = build_form_page(
        source.lens.lineup.card,
        await _count(source),
        form,
        max_people=source.settings.study_people,
        sheet=add_query(sheet, list_asked(source.options)),
    )
    return render_page(request, page, status_code=422 if form.problems else 200, headers=NOT_KEPT)
