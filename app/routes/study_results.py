"""A blind study for its holder, and after its end for everybody with its link: results, files, and the QR code."""

import io
import time
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import RedirectResponse

from app.errors import InvalidOption, StudyGone
from app.pages.study.creation import build_links_page
from app.pages.study.results import StudyCodePage, build_results_page
from app.pages.study.voting import build_deleted_page
from app.pages.templating import render_page
from app.routes.studies import NOT_KEPT
from app.routes.study_turns import StudyRoute
from app.routes.study_visits import ADMIN_COOKIE, StudyKey, Visit, find_visit, give_admin_cookie
from app.server.guard.hosts import THIS_MACHINE, strip_port
from app.study.export import write_report, write_votes
from app.study.links import PREFIX
from app.study.report import StudyReport
from app.study.report_cache import ReportCache
from app.study.studies import NO_STUDY

router = APIRouter(include_in_schema=False, prefix=f"{PREFIX}/{{key}}", route_class=StudyRoute)


@router.get("/admin/{admin_key}")
def open_admin_link(request: Request, key: StudyKey, admin_key: Annotated[str, Path(max_length=64)]) -> Response:
    """Exchange the admin link's secret for a cookie: the projector shows the next page's address to everybody."""
    visit = find_visit(request, key)
    visit.studies.find_for_admin(visit.study.key, admin_key)
    answer = RedirectResponse(visit.links.results, status_code=303)
    give_admin_cookie(request, answer, visit.links, admin_key)
    return answer


@router.get("/results")
def show_study_results(request: Request, key: StudyKey) -> Response:
    """The results."""
    visit = find_visit(request, key)
    page = build_results_page(_report(request, visit), is_holder=visit.is_holder, links=visit.links)
    return render_page(request, page, headers=NOT_KEPT)


@router.get("/results.json")
def read_study_results(request: Request, key: StudyKey) -> Response:
    """Every number of the results."""
    visit = find_visit(request, key)
    return Response(write_report(_report(request, visit)), media_type="application/json")


@router.get("/votes.csv")
def read_study_votes(request: Request, key: StudyKey) -> Response:
    """Every vote."""
    visit = find_visit(request, key)
    visit.check_results()
    text = write_votes(visit.study, visit.studies.list_ballots(visit.study))
    return Response(text, media_type="text/csv; charset=utf-8")


@router.get("/results/{question_id}/{network}")
def read_named_image(request: Request, key: StudyKey, question_id: int, network: str) -> Response:
    """A network's map of a picture of the ranking."""
    visit = find_visit(request, key)
    visit.check_results()
    names = [found.name for found in visit.study.plan.networks]
    question = next((found for found in visit.study.pairs if found.id == question_id), None)
    if question is None or network not in names:
        raise StudyGone(NO_STUDY)
    chosen = (question.first_image, question.second_image)[names.index(network)]
    image = visit.studies.read_image(visit.study, chosen)
    return Response(image.content, media_type=image.media_type, headers={"Cache-Control": "private, max-age=3600"})


@router.post("/close")
def close_study(request: Request, key: StudyKey) -> Response:
    """End the study by hand."""
    visit = find_visit(request, key)
    visit.check_holder()
    visit.studies.end(visit.study)
    return RedirectResponse(visit.links.results, status_code=303)


@router.get("/links")
def show_study_links(request: Request, key: StudyKey) -> Response:
    """The study's links and its plan, for the holder, whose cookie has the secret of the second link."""
    visit = find_visit(request, key)
    visit.check_holder()
    links, address = visit.links, find_address(request, visit)
    admin = links.admin(request.cookies[ADMIN_COOKIE])
    page = build_links_page(
        visit.study,
        links=links,
        voters=address,
        admin=f"{address}{admin.removeprefix(links.voters)}",
        is_local=_is_local(request),
    )
    return render_page(request, page, headers=NOT_KEPT)


@router.post("/delete")
def delete_study(request: Request, key: StudyKey, sure: Annotated[bool, Form()] = False) -> Response:
    """Delete the study with its votes and pictures."""
    visit = find_visit(request, key)
    visit.check_holder()
    if not sure:
        raise InvalidOption("deleting cannot be undone; go back and tick that you are sure", option="sure")
    visit.studies.delete(visit.study)
    request.app.state.study_reports.forget(visit.study)
    return render_page(request, build_deleted_page(visit.study), headers=NOT_KEPT)


@router.get("/code")
def show_study_code(request: Request, key: StudyKey) -> Response:
    """The voters' link for the projector."""
    visit = find_visit(request, key)
    address = find_address(request, visit)
    page = StudyCodePage(
        address=address,
        image=visit.links.code_image,
        is_local=_is_local(request),
    )
    return render_page(request, page)


@router.get("/code.svg")
def draw_study_code(request: Request, key: StudyKey) -> Response:
    """The voters' link as a QR code."""
    visit = find_visit(request, key)
    # Late, as the whole database: a server without studies does not have it.
    import segno  # noqa: PLC0415

    buffer = io.BytesIO()
    code = segno.make(find_address(request, visit), error="m")
    code.save(buffer, kind="svg", border=4, dark="#000", light="#fff", xmldecl=False, omitsize=True)
    return Response(buffer.getvalue(), media_type="image/svg+xml")


def find_address(request: Request, visit: Visit) -> str:
    """The voters' link as this request's client reached the server."""
    return str(request.url.replace(path=visit.links.voters, query="", fragment=""))


def _is_local(request: Request) -> bool:
    """Whether only this machine can open the address that the request's client used."""
    return strip_port(request.headers.get("host", "")) in THIS_MACHINE


def _report(request: Request, visit: Visit) -> StudyReport:
    visit.check_results()
    cache: ReportCache = request.app.state.study_reports
    study, studies = visit.study, visit.studies
    return cache.find(study, studies.count_votes(study), studies.list_ballots, time.time())
