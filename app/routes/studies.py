"""A blind study for its voters: the beginning, the questions with their images, and the end."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import RedirectResponse

from app.errors import StudyGone
from app.pages.study.voting import (
    build_closed_page,
    build_full_page,
    build_question_page,
    build_start_page,
    build_thanks_page,
    find_next,
)
from app.pages.templating import render_page
from app.routes.study_turns import StudyRoute
from app.routes.study_visits import PERSON_COOKIE, StudyKey, Visit, find_visit
from app.study.ballots import Vote
from app.study.kinds import Choice
from app.study.links import PREFIX
from app.study.people import make_cookie
from app.study.studies import NO_STUDY, Slot, arrange, resolve

router = APIRouter(include_in_schema=False, prefix=f"{PREFIX}/{{key}}", route_class=StudyRoute)

PERSON_SECONDS = 30 * 86_400

NOT_KEPT = {"Cache-Control": "no-store"}
"""The next question is under the same address."""

KEPT = {"Cache-Control": "private, max-age=3600"}
"""An image never changes under a person's address."""


@router.get("")
def show_study(request: Request, key: StudyKey) -> Response:
    """The beginning, or that the study takes no votes."""
    visit = find_visit(request, key)
    answered = 0 if visit.person is None else len(visit.studies.find_answered(visit.study, visit.person))
    if (closed := _answer_closed(request, visit, answered)) is not None:
        return closed
    is_done = answered >= visit.study.question_count
    page = build_thanks_page() if is_done else build_start_page(visit.study, answered, links=visit.links)
    return render_page(request, page, headers=NOT_KEPT)


@router.post("")
def begin_study(request: Request, key: StudyKey) -> Response:
    """Make somebody new a person of the study, and lead to the first question.

    Only a form does it: programs that preview links do not become people.
    """
    visit = find_visit(request, key)
    answer = RedirectResponse(visit.links.vote, status_code=303)
    if visit.person is None and not visit.studies.is_full(visit.study):
        set_cookie = partial(answer.set_cookie, httponly=True, samesite="lax", secure=request.url.scheme == "https")
        set_cookie(PERSON_COOKIE, make_cookie(visit.study.secret), path=visit.links.voters, max_age=PERSON_SECONDS)
    return answer


@router.get("/vote")
def show_question(request: Request, key: StudyKey) -> Response:
    """The first question that the person has not answered."""
    visit = find_visit(request, key)
    if visit.person is None:
        # The beginning also says that the study takes no votes.
        return RedirectResponse(visit.links.voters, status_code=303)
    answered = visit.studies.find_answered(visit.study, visit.person)
    if (closed := _answer_closed(request, visit, len(answered))) is not None:
        return closed
    slot = find_next(arrange(visit.study, visit.person), answered)
    page = build_thanks_page() if slot is None else build_question_page(visit.study, slot, links=visit.links)
    return render_page(request, page, headers=NOT_KEPT)


@router.post("/vote")
def take_vote(
    request: Request, key: StudyKey, number: Annotated[int, Form(ge=1)], choice: Annotated[Choice, Form()]
) -> Response:
    """Write an answer, and lead to the next question; a second answer to one question changes nothing."""
    visit = find_visit(request, key)
    answer = RedirectResponse(visit.links.vote, status_code=303)
    if visit.person is None:
        # Its cookie is gone: the question's page leads to the beginning.
        return answer
    slot = _find_slot(visit, number)
    outcome = resolve(choice, is_swapped=slot.is_swapped)
    # After the end, or without room for this person, it is not written, and the question's page says so.
    visit.studies.vote(Vote(visit.study, visit.person, slot.question.id, outcome, slot.is_swapped))
    return answer


@router.get("/questions/{number}/{side}")
def read_study_image(
    request: Request, key: StudyKey, number: Annotated[int, Path(ge=1)], side: Literal["a", "b"]
) -> Response:
    """One side of one of the person's questions; its address does not tell the network."""
    visit = find_visit(request, key)
    if visit.person is None:
        raise StudyGone(NO_STUDY)
    image = visit.studies.read_image(visit.study, _find_slot(visit, number).images["ab".index(side)])
    return Response(image.content, media_type=image.media_type, headers=KEPT)


def _find_slot(visit: Visit, number: int) -> Slot:
    slots = arrange(visit.study, visit.person or "")
    if number > len(slots):
        raise StudyGone(f"question {number} does not exist, the last one is {len(slots)}; open the study's link again")
    return slots[number - 1]


def _answer_closed(request: Request, visit: Visit, answered: int) -> Response | None:
    """The page of a study that takes no votes of somebody who has answered some; None for one that does."""
    if visit.is_open:
        if answered or not visit.studies.is_full(visit.study):
            return None
        page = build_full_page()
    else:
        page = build_closed_page(has_ended=visit.has_ended, links=visit.links)
    return render_page(request, page, headers=NOT_KEPT)
