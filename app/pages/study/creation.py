"""The form of a new study, and its links once it is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from app.pages.choices import Choice
from app.study.forms import DEFAULTS, MOST_CATCHES, MOST_MINUTES, MOST_PICTURES_EACH, MOST_TITLE_CHARACTERS
from app.study.links import StudyLinks
from app.study.studies import Study
from app.study.wording import describe_plan
from models.lineups.card import LineupCard


@dataclass(frozen=True, slots=True)
class NumberField:
    """A field for a whole number.

    Attributes:
        name, label: the field's.
        lowest, highest: its range.
        hint: a sentence about it.
        value: its text.
        problem: what is wrong with it; empty if nothing is.
    """

    name: str
    label: str
    lowest: int
    highest: int
    hint: str
    value: str = ""
    problem: str = ""


QUESTIONS = (
    NumberField(
        "threshold",
        "Threshold in per cent",
        0,
        99,
        "People see the part of the picture where a map is above this share of its maximum; 0 shows whole maps.",
    ),
    NumberField("pictures_each", "Pictures for each person", 1, MOST_PICTURES_EACH, "Drawn at random for each person."),
    NumberField(
        "catches", "Catch questions of each kind", 0, MOST_CATCHES, "The same map twice, and a map upside down."
    ),
)


@dataclass(frozen=True, slots=True)
class NetworkField:
    """A select box for one of the two networks.

    Attributes:
        name, label: the field's.
        choices: the networks.
        problem: what is wrong with it; empty if nothing is.
    """

    name: str
    label: str
    choices: tuple[Choice, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class StudyFormPage:
    """The form of a new study of a sheet's rows.

    Attributes:
        address: where the form is sent, with the sheet's options.
        sheet: the path of the sheet's page.
        rows: the rows that become pictures of the study, in words.
        ticket: lets a form that is sent twice make one study.
        title, title_problem: the study's name, and what is wrong with it.
        longest_title: the limit of its characters.
        networks: the two networks.
        questions: the fields about pictures and catch questions.
        rule: the fields of the stopping rule.
        only_both_right, only_both_right_problem: whether that is chosen, and what is wrong with it.
        problem: what is wrong with the study as a whole; empty if nothing is.
        has_problems: whether anything is wrong.
    """

    template: ClassVar[str] = "study_form.html"
    address: str
    sheet: str
    rows: str
    ticket: str
    title: str
    title_problem: str
    longest_title: int
    networks: tuple[NetworkField, ...]
    questions: tuple[NumberField, ...]
    rule: tuple[NumberField, ...]
    only_both_right: bool
    only_both_right_problem: str
    problem: str
    has_problems: bool


@dataclass(frozen=True, slots=True)
class StudyLinksPage:
    """A study's links, for its holder.

    Attributes:
        title: the study's name.
        voters: the address for the voters.
        image: the path of its QR code.
        is_local: whether only this machine can open the address.
        admin: the secret address of the results.
        code: the path of the QR code's page, for the projector.
        results: the path of the results.
        plan: what is fixed, a sentence each.
        delete: where the form that deletes the study is sent.
    """

    template: ClassVar[str] = "study_links.html"
    title: str
    voters: str
    image: str
    is_local: bool
    admin: str
    code: str
    results: str
    plan: tuple[str, ...]
    delete: str


@dataclass(frozen=True, slots=True)
class FilledForm:
    """A form, empty or filled in.

    Attributes:
        values: the text of each field, by its name.
        problems: what is wrong, by the field's name; under an empty name, with the study as a whole.
        ticket: see `StudyFormPage`.
    """

    values: Mapping[str, str]
    problems: Mapping[str, str]
    ticket: str


def fill_defaults(card: LineupCard) -> dict[str, str]:
    """What stands in the form at first: the baseline and the last network, as the command has it."""
    return {**DEFAULTS, "first": card.names[0], "second": card.last}


def build_form_page(
    card: LineupCard, row_count: int, form: FilledForm, *, max_people: int, sheet: str
) -> StudyFormPage:
    """Build the form.

    Args:
        card: the rows' lineup.
        row_count: the number of rows.
        form: the fields' texts and problems.
        max_people: the limit of people per study.
        sheet: the path of the sheet's page, with its options.
    """
    problems = form.problems
    path, mark, asked = sheet.partition("?")
    return StudyFormPage(
        address=f"{path}/study{mark}{asked}",
        sheet=sheet,
        rows="1 picture" if row_count == 1 else f"{row_count} pictures",
        ticket=form.ticket,
        title=form.values.get("title", ""),
        title_problem=problems.get("title", ""),
        longest_title=MOST_TITLE_CHARACTERS,
        networks=(
            _list_networks("first", "Network", card, form),
            _list_networks("second", "Compared with", card, form),
        ),
        questions=_fill(QUESTIONS, form),
        rule=_fill(_list_rule(max_people), form),
        only_both_right=bool(form.values.get("only_both_right")),
        only_both_right_problem=problems.get("only_both_right", ""),
        problem=problems.get("", ""),
        has_problems=bool(problems),
    )


def build_links_page(study: Study, *, links: StudyLinks, voters: str, admin: str, is_local: bool) -> StudyLinksPage:
    """Build the links.

    Args:
        study: the study.
        links: its paths.
        voters: the address for the voters, as the page's reader reached the server.
        admin: the address with the holder's secret.
        is_local: whether only this machine can open them.
    """
    return StudyLinksPage(
        title=study.plan.title,
        voters=voters,
        image=links.code_image,
        is_local=is_local,
        admin=admin,
        code=links.code,
        results=links.results,
        plan=describe_plan(study),
        delete=links.delete,
    )


def _list_networks(name: str, label: str, card: LineupCard, form: FilledForm) -> NetworkField:
    chosen = form.values.get(name)
    choices = tuple(Choice(network, card.title_network(network), network == chosen) for network in card.names)
    return NetworkField(name, label, choices, form.problems.get(name, ""))


def _list_rule(max_people: int) -> tuple[NumberField, ...]:
    who = "Counted when they have answered everything; empty for no such limit."
    return (
        NumberField("people", "After so many people", 1, max_people, who),
        NumberField("minutes", "After so many minutes", 1, MOST_MINUTES, "From now; empty for no such limit."),
    )


def _fill(fields: Sequence[NumberField], form: FilledForm) -> tuple[NumberField, ...]:
    return tuple(
        replace(field, value=form.values.get(field.name, ""), problem=form.problems.get(field.name, ""))
        for field in fields
    )
