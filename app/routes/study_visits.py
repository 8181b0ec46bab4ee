"""Who opens a study's page: the study of the link, and the person or holder of the cookie."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Path, Request, Response

from app.errors import ResultsHidden, StudyGone
from app.server.guard.rates import Rates
from app.settings import Settings
from app.study.access.opening import StudyAccess
from app.study.links import StudyLinks
from app.study.people import read_cookie
from app.study.studies import Study

if TYPE_CHECKING:
    from app.study.database.store import Studies

PERSON_COOKIE = "cbam_lens_person"

ADMIN_COOKIE = "cbam_lens_study"


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """A request for a study's page.

    Attributes:
        studies: the studies.
        study: the study of the link.
        person: the person of the cookie; None for somebody new.
        is_holder: whether the cookie of the admin link came too.
        links: the study's paths, as the client reaches them.
    """

    studies: "Studies"
    study: Study
    person: str | None
    is_holder: bool
    links: StudyLinks

    @property
    def is_open(self) -> bool:
        """Whether votes are accepted."""
        return self.study.is_open(time.time())

    @property
    def has_ended(self) -> bool:
        """Whether the study has ended."""
        return self.study.find_end(time.time()) is not None

    def check_results(self) -> None:
        """Refuse the results before the end to others than the holder; raises `ResultsHidden`."""
        if not self.is_holder and not self.has_ended:
            raise ResultsHidden("results are shown after the study's end; come back then, or open its second link")

    def check_holder(self) -> None:
        """Refuse others than the holder; raises `ResultsHidden`."""
        if not self.is_holder:
            raise ResultsHidden("only the study's holder may do this; open its second link, then try again")


StudyKey = Annotated[str, Path(max_length=64)]
"""The secret of a voters' link, in a path."""


def find_visit(request: Request, key: str) -> Visit:
    """Find the study of a link, and count the request: per person, or per address for somebody new.

    Routes call this themselves: as a dependency it would wait for a thread of its own, and a class sends many requests.

    A whole class may share one address. Nobody gets a person's rate without a cookie that the study signed.

    Raises:
        StudyGone: for an unknown link.
        TooManyRequests: beyond the rate limit.
    """
    rates: Rates = request.app.state.rates
    client = rates.identify(request.scope)
    try:
        studies: Studies = request.app.state.studies.find()
        study = studies.find(key)
    except StudyGone:
        rates.count(client)
        raise
    person = read_cookie(request.cookies.get(PERSON_COOKIE, ""), study.secret)
    rates.count(client if person is None else f"person {person}")
    is_holder = _is_holder(studies, key, request.cookies.get(ADMIN_COOKIE))
    # Not by the routes' names: looking those up takes longer than the database.
    links = StudyLinks(key, root=request.scope.get("root_path", ""))
    return Visit(studies, study, person, is_holder, links)


def may_create(request: Request, settings: Settings) -> bool:
    """Whether this server's page creates studies."""
    access: StudyAccess = request.app.state.studies
    return settings.page_studies > 0 and access.is_possible


def give_admin_cookie(request: Request, answer: Response, links: StudyLinks, admin_key: str) -> None:
    """Let an answer make its reader the study's holder."""
    is_secure = request.url.scheme == "https"
    answer.set_cookie(ADMIN_COOKIE, admin_key, path=links.voters, httponly=True, samesite="lax", secure=is_secure)


def _is_holder(studies: "Studies", key: str, admin_key: str | None) -> bool:
    if admin_key is None:
        return False
    try:
        studies.find_for_admin(key, admin_key)
    except StudyGone:
        return False
    return True
