"""The holder's pages: results for the projector, and the voters' link as a QR code."""

from dataclasses import dataclass
from typing import ClassVar

from app.numbers import format_share
from app.pages.addresses import Download, PageImage
from app.study.kinds import QuestionKind
from app.study.links import StudyLinks
from app.study.plan import format_time
from app.study.report import CatchCount, RankedPicture, StudyReport
from app.study.statistics.intervals import Interval
from app.study.statistics.summary import DECIDED, Share, Summary
from app.study.wording import (
    count_people,
    count_votes,
    describe_ending,
    describe_plan,
    describe_signs,
    title_outcomes,
)

CATCH_TITLES = {
    QuestionKind.SAME: "the same map twice, a side preferred",
    QuestionKind.TURNED: "a map and the same one upside down, the latter preferred",
}


@dataclass(frozen=True, slots=True)
class ShareView:
    """A share: its title, whether it is a network's, votes, the share 0..1, and its intervals in words."""

    title: str
    is_network: bool
    votes: str
    share: float
    shown: str
    over_votes: str
    over_units: str


@dataclass(frozen=True, slots=True)
class SummaryView:
    """The results of some people: who they are, how many, the shares, the preference, and the sign tests."""

    title: str
    size: str
    shares: tuple[ShareView, ...]
    preference: ShareView
    signs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PictureView:
    """A picture in the ranking: its name, class, both maps with their networks' titles, and its votes."""

    name: str
    class_name: str
    images: tuple[tuple[str, PageImage], ...]
    counts: tuple[tuple[str, int], ...]
    preference: str


@dataclass(frozen=True, slots=True)
class StudyResultsPage:
    """The results.

    Attributes:
        title: the study's name.
        rule: the stopping rule.
        state: whether the study goes on, or what ended it.
        is_running: whether votes come in; the page then loads its results again and again.
        progress: how many people have answered.
        everyone: everybody's results.
        others: those of the people who failed no catch question, and of those who failed one.
        catches: how many answers to catch questions failed, in words.
        pictures: the ranking.
        plan: what was fixed beforehand, a sentence each.
        second: the title of the network by which pictures are ranked.
        downloads: the files.
        code: the path of the QR code's page.
        holder: the path of the study's links, where it is also deleted; empty for others than its holder.
        close: where the form that ends the study is sent; empty for others than its holder, and after the end.
    """

    template: ClassVar[str] = "study_results.html"
    title: str
    rule: str
    state: str
    is_running: bool
    progress: str
    everyone: SummaryView
    others: tuple[SummaryView, ...]
    catches: tuple[str, ...]
    pictures: tuple[PictureView, ...]
    plan: tuple[str, ...]
    second: str
    downloads: tuple[Download, ...]
    code: str
    holder: str
    close: str


@dataclass(frozen=True, slots=True)
class StudyCodePage:
    """The voters' link for the projector.

    Attributes:
        address: the link, as this page's reader reached the server.
        image: the path of the QR code.
        is_local: whether only this machine can open the link.
    """

    template: ClassVar[str] = "study_code.html"
    address: str
    image: str
    is_local: bool


def build_results_page(report: StudyReport, *, is_holder: bool, links: StudyLinks) -> StudyResultsPage:
    """Build the results.

    Args:
        report: the results.
        is_holder: whether the page is for the study's holder, who can end it.
        links: the study's paths.
    """
    study = report.study
    is_running = report.ending is None
    return StudyResultsPage(
        title=study.plan.title,
        rule=study.plan.stopping_rule,
        state=_describe_state(report),
        is_running=is_running,
        progress=f"{count_people(report.complete)} answered everything; {count_people(report.everyone.people)} cast "
        f"{count_votes(report.everyone.votes)} about pictures.",
        everyone=_view_summary("Everyone", report.everyone, report),
        others=(
            _view_summary("People who failed no catch question", report.passed, report),
            _view_summary("People who failed a catch question", report.failed, report),
        ),
        catches=_describe_catches(report),
        pictures=tuple(_view_picture(row, report, links) for row in report.ranking),
        plan=describe_plan(study),
        second=study.plan.networks[1].title,
        downloads=(
            Download("Every number, JSON", links.numbers, "study.json"),
            Download("Every vote, CSV", links.votes, "study-votes.csv"),
        ),
        code=links.code,
        holder=links.holder if is_holder else "",
        close=links.close if is_holder and is_running else "",
    )


def _describe_state(report: StudyReport) -> str:
    study = report.study
    if report.ending is not None:
        when = study.closed_at if study.closed_at is not None else study.plan.until
        return f"It {describe_ending(study, report.ending)}, {format_time(when or 0)}."
    if study.opened_at is None:
        return "It is not open yet."
    return "Votes are coming in, and these results are preliminary. Who sees them may vote differently."


def _view_summary(title: str, summary: Summary, report: StudyReport) -> SummaryView:
    plan = report.study.plan
    titles = title_outcomes(plan)
    shares = tuple(
        _view_share(titles[outcome], share, is_network=outcome in DECIDED)
        for outcome, share in zip(titles, summary.shares, strict=True)
    )
    return SummaryView(
        title=title,
        size=f"{count_people(summary.people)}, {count_votes(summary.votes)}",
        shares=shares,
        preference=_view_share(plan.networks[1].title, summary.preference, is_network=True),
        signs=tuple(describe_signs(test, plan) for test in summary.signs),
    )


def _view_share(title: str, share: Share, *, is_network: bool) -> ShareView:
    value = share.share
    return ShareView(
        title=title,
        is_network=is_network,
        votes=f"{share.votes:,}",
        share=value or 0.0,
        shown="none" if value is None else format_share(value, 0),
        over_votes=_describe_interval(share.over_votes),
        over_units=_describe_interval(share.over_people_and_pictures),
    )


def _describe_interval(interval: Interval | None) -> str:
    return "none yet" if interval is None else f"{format_share(interval.low, 0)} to {format_share(interval.high, 0)}"


def _describe_catches(report: StudyReport) -> tuple[str, ...]:
    """A sentence for each kind of catch question that the study has."""
    kinds = {question.kind for question in report.study.catches}
    return tuple(_describe_catch(count) for count in report.catches if count.kind in kinds) or ("This study has none.",)


def _describe_catch(count: CatchCount) -> str:
    return f"{count.failed:,} of {count.answers:,} answers: {CATCH_TITLES[count.kind]}"


def _view_picture(row: RankedPicture, report: StudyReport, links: StudyLinks) -> PictureView:
    question, plan = row.question, report.study.plan
    images = tuple(
        (
            network.title,
            PageImage(
                links.named_image(question.id, network.name),
                f"{question.name}, {network.title}",
                question.width,
                question.height,
            ),
        )
        for network in plan.networks
    )
    titles = title_outcomes(plan)
    counts = tuple((titles[outcome], row.votes.counts[outcome]) for outcome in titles)
    share = row.votes.preference
    preference = (
        "nobody preferred a side"
        if share.share is None
        else (f"{format_share(share.share, 0)} of those who prefer one ({_describe_interval(share.over_votes)})")
    )
    return PictureView(question.name, question.class_name, images, counts, preference)
