from dataclasses import replace

from app.pages.study.results import build_results_page
from app.study.ballots import Ballot
from app.study.kinds import Ending, QuestionKind
from app.study.links import StudyLinks
from app.study.report import build_report
from app.study.statistics.votes import Outcome
from tests.pages.study.test_voting import make_study

LINKS = StudyLinks("key")

BALLOTS = [
    Ballot(person, question, outcome, is_swapped=False)
    for person, question, outcome in (
        ("ann", 0, Outcome.SECOND),
        ("ben", 0, Outcome.SECOND),
        ("ann", 1, Outcome.FIRST),
        ("ben", 2, Outcome.EQUAL),
    )
]


def test_shares_are_in_the_order_of_the_answers_and_named() -> None:
    page = build_results_page(build_report(make_study(), BALLOTS, now=100), is_holder=True, links=LINKS)
    assert [(share.title, share.votes, share.shown) for share in page.everyone.shares] == [
        ("EfficientNet-Lite0 better", "1", "25 %"),
        ("EfficientNet-Lite0 + CBAM better", "2", "50 %"),
        ("Equal", "1", "25 %"),
        ("Cannot tell", "0", "0 %"),
    ]
    assert [share.is_network for share in page.everyone.shares] == [True, True, False, False]
    assert page.everyone.preference.shown == "67 %"
    assert page.everyone.size == "2 people, 4 votes"
    assert [picture.name for picture in page.pictures] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert page.pictures[0].images[1][1].address == "/s/key/results/0/cbam"
    assert page.pictures[3].preference == "nobody preferred a side"


def test_only_the_holder_of_a_running_study_can_end_it() -> None:
    running = make_study()
    ended = replace(running, closed_at=60, closed_by=Ending.HAND)
    pages = [
        build_results_page(build_report(study, BALLOTS, now=100), is_holder=is_holder, links=LINKS)
        for study in (running, ended)
        for is_holder in (True, False)
    ]
    assert [bool(page.close) for page in pages] == [True, False, False, False]
    assert [page.is_running for page in pages] == [True, True, False, False]
    assert "preliminary" in pages[0].state
    assert pages[2].state == "It ended by hand, 1 January 1970, 00:01 UTC."


def test_state_says_what_ended_it() -> None:
    plans = (
        (make_study(people=2), Ending.PEOPLE, "enough people"),
        (make_study(people=2), Ending.HAND, "before its stopping rule did"),
    )
    for study, ending, words in plans:
        ended = replace(study, closed_at=60, closed_by=ending)
        page = build_results_page(build_report(ended, BALLOTS, now=100), is_holder=True, links=LINKS)
        assert words in page.state
    timed = make_study(until=60)
    page = build_results_page(build_report(timed, BALLOTS, now=100), is_holder=True, links=LINKS)
    assert page.state == "It ended by its stopping rule: its time is over, 1 January 1970, 00:01 UTC."


def test_page_without_votes_claims_nothing() -> None:
    page = build_results_page(build_report(make_study(), [], now=100), is_holder=True, links=LINKS)
    assert {share.shown for share in page.everyone.shares} == {"none"}
    assert {share.over_units for share in page.everyone.shares} == {"none yet"}


def test_catch_questions_are_those_that_the_study_has() -> None:
    study = make_study()
    same = replace(study.questions[0], id=100, kind=QuestionKind.SAME)
    with_same = replace(study, questions=(*study.pairs, same))
    without = replace(study, questions=study.pairs)
    ballots = [*BALLOTS, Ballot("ann", 100, Outcome.FIRST, is_swapped=False)]
    asked = build_results_page(build_report(with_same, ballots, now=100), is_holder=True, links=LINKS)
    assert asked.catches == ("1 of 1 answers: the same map twice, a side preferred",)
    silent = build_results_page(build_report(with_same, [], now=100), is_holder=True, links=LINKS)
    assert silent.catches == ("0 of 0 answers: the same map twice, a side preferred",)
    none = build_results_page(build_report(without, BALLOTS, now=100), is_holder=True, links=LINKS)
    assert none.catches == ("This study has none.",)
