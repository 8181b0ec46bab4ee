"""Studies in the terminal: the links of a new one, with a QR code, the list of all, and results."""

import io
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import segno
from rich.console import Group
from rich.table import Table

from app.numbers import format_share
from app.study.links import StudyLinks
from app.study.plan import format_time
from app.study.report import StudyReport
from app.study.statistics.summary import Share, Summary
from app.study.studies import Study
from app.study.wording import count_people, count_votes, describe_ending, describe_plan, describe_signs, title_outcomes


def announce(study: Study, admin_key: str, address: str, say: Callable[[str], None]) -> None:
    """Print a new study's links, its stopping rule, and a QR code for its voters.

    Args:
        study: the study.
        admin_key: the secret of its second link, which is stored nowhere.
        address: the server's address as phones reach it.
        say: prints a line.
    """
    links = StudyLinks(study.key, root=address)
    code = io.StringIO()
    segno.make(links.voters, error="m").terminal(out=code, compact=True)
    say(code.getvalue())
    say(f"{study.plan.title}: {len(study.pairs):,} pictures, {study.question_count} questions for each person")
    for line in describe_plan(study):
        say(line)
    if study.opened_at is None:
        say(f"Not open yet: cbam-lens study open {study.key}")
    say(f"\nVoters:   {links.voters}")
    say(f"Results:  {links.admin(admin_key)}")
    say("The second link shows the results and ends the study. It is printed only here; keep it to yourself.")


def tabulate_studies(studies: Sequence[Study], people: Mapping[str, int], address: str) -> Table:
    """Tabulate studies, with the number of people who have voted, by key."""
    table = Table("study", "people", "state", "voters' link")
    now = datetime.now(tz=UTC).timestamp()
    for study in studies:
        ending = study.find_end(now)
        opened = "open" if study.opened_at is not None else "not open yet"
        state = opened if ending is None else describe_ending(study, ending)
        table.add_row(study.plan.title, f"{people[study.key]:,}", state, StudyLinks(study.key, root=address).voters)
    return table


def tabulate_report(report: StudyReport) -> Group:
    """Tabulate results: everyone's, then those who passed and those who failed the catch questions."""
    study = report.study
    groups = (
        ("everyone", report.everyone),
        ("failed no catch question", report.passed),
        ("failed a catch question", report.failed),
    )
    tables = [_tabulate_summary(title, summary, study) for title, summary in groups]
    ended = "It goes on; results before the end are preliminary."
    if report.ending is not None:
        ended = describe_ending(study, report.ending)
        if study.closed_at is not None:
            ended += f", {format_time(study.closed_at)}"
    return Group(f"{study.plan.title}\n{study.plan.stopping_rule} {ended}", *tables, _tabulate_pictures(report))


def _tabulate_summary(title: str, summary: Summary, study: Study) -> Table:
    signs = "; ".join(describe_signs(test, study.plan) for test in summary.signs)
    table = Table(
        "answer",
        "votes",
        "share",
        "over votes",
        "over people and pictures",
        title=f"{title}: {count_people(summary.people)}, {count_votes(summary.votes)}",
        caption=f"Sign tests: {signs}",
    )
    outcomes = title_outcomes(study.plan)
    for outcome, share in zip(outcomes, summary.shares, strict=True):
        table.add_row(outcomes[outcome], *_describe(share))
    table.add_section()
    table.add_row(f"{study.plan.networks[1].title} among those who prefer one", *_describe(summary.preference))
    return table


def _tabulate_pictures(report: StudyReport) -> Table:
    outcomes = title_outcomes(report.study.plan)
    table = Table("picture", "class", *outcomes.values(), title="pictures")
    for row in report.ranking:
        table.add_row(row.question.name, row.question.class_name, *map(str, row.votes.counts))
    return table


def _describe(share: Share) -> tuple[str, ...]:
    intervals = (
        "none" if interval is None else f"{format_share(interval.low)} to {format_share(interval.high)}"
        for interval in (share.over_votes, share.over_people_and_pictures)
    )
    return f"{share.votes:,}", "none" if share.share is None else format_share(share.share), *intervals
