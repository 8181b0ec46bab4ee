"""`cbam-lens study`: blind studies, which people vote in with their phones."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from app.analysis.options import GeometryOptions
from app.commands.options import (
    DeviceOption,
    GeometryOption,
    LabelsOption,
    LineupOption,
    OfflineOption,
    ResolutionOption,
    as_list,
    errors,
    or_explain,
    parse_resolution,
    prepare_settings,
    read_settings,
)
from app.explain.methods import METHOD_HELP, Method
from app.study.access.opening import StudyAccess
from app.study.links import PREFIX
from models.names import Stage

if TYPE_CHECKING:
    from app.study.database.store import Studies
    from app.study.studies import Study

studies_app = typer.Typer(
    name="study", help="Ask people which network's map shows the object better, without naming the networks."
)

StudyArgument = Annotated[str, typer.Argument(help="The voters' link, or the key at its end.", metavar="LINK")]
AddressOption = Annotated[
    str, typer.Option(help="Address of the server as phones reach it, for the links.", metavar="URL")
]

HERE = "http://127.0.0.1:8000"


@studies_app.command()
def create(
    *,
    pictures: Annotated[
        str,
        typer.Option(
            help="Directory with one folder of pictures per class, or with pictures alone, whose class the networks "
            "guess; or the address of a sheet that CBAM_LENS_STORE keeps.",
            metavar="DIR|SHEET",
        ),
    ],
    networks: Annotated[
        str,
        typer.Option(help="The two networks; the baseline and the last one by default.", metavar="NAME,NAME"),
    ] = "",
    title: Annotated[str, typer.Option(help="Name of the study for yourself.")] = "Blind study",
    threshold: Annotated[
        float,
        typer.Option(
            help="Show each picture where a map is above this share of its maximum; 0 shows whole maps.",
            min=0,
            max=0.99,
        ),
    ] = 0.6,
    only_both_right: Annotated[
        bool, typer.Option("--only-both-right", help="Leave out pictures whose class not both networks name.")
    ] = False,
    pictures_each: Annotated[int, typer.Option(help="Pictures that each person sees.", min=1)] = 10,
    catches: Annotated[int, typer.Option(help="Catch questions of each of the two kinds.", min=0, max=5)] = 1,
    people: Annotated[
        int, typer.Option(help="Stopping rule: the people who have answered everything; 0 for no such limit.", min=0)
    ] = 100,
    until: Annotated[
        datetime | None,
        typer.Option(help="Stopping rule: a time of this machine.", formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d"]),
    ] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Open the study later, with cbam-lens study open.")] = False,
    address: AddressOption = HERE,
    method: Annotated[Method, typer.Option(help=METHOD_HELP)] = Method.GRADCAM,
    stage: Annotated[int, typer.Option(help="Stage to explain, 1 (fine) to 4 (deep).", min=1, max=4)] = 4,
    geometry: GeometryOption = None,
    resolution: ResolutionOption = None,
    lineup: LineupOption = None,
    labels: LabelsOption = None,
    offline: OfflineOption = False,
    device: DeviceOption = None,
) -> None:
    """Draw the questions of a new study, and print its links.

    The stopping rule is part of the study and cannot be changed. Voting needs no network: a server that reads the same
    database (CBAM_LENS_STUDY_DATABASE) answers the voters. Keep the second link, which shows the results, to yourself.
    """
    if not people and until is None:
        raise typer.BadParameter("a study needs a stopping rule, fixed beforehand; give --people or --until")
    if until is not None and until <= datetime.now():  # both are this machine's time
        raise typer.BadParameter(f"--until {until:%Y-%m-%dT%H:%M} is over; give a later time")
    settings = prepare_settings(as_list(lineup), as_list(labels), device, offline=offline)
    if people > settings.study_people:
        raise typer.BadParameter(
            f"--people {people} is never reached: a study has places for {settings.study_people} people; give fewer, "
            "or set CBAM_LENS_STUDY_PEOPLE here and for the server"
        )
    studies = _open()
    with errors.status("loading the networks"):
        from app.study.making.drafting import DraftOptions
        from app.study.making.run import StudyOptions, make_study

    draft_options = DraftOptions(
        title=title,
        threshold=threshold,
        only_both_right=only_both_right,
        pictures_each=pictures_each,
        catches=catches,
        people=people or None,
        until=None if until is None else int(until.timestamp()),
        method=method,
        stage=Stage(stage),
    )
    options = StudyOptions(
        pictures=pictures,
        networks=networks,
        geometry=GeometryOptions(geometry=geometry, resolution=parse_resolution(resolution)),
        draft=draft_options,
    )
    draft = or_explain(make_study, settings, options)
    keys = or_explain(studies.create, draft, is_open=not closed)
    from app.study.announcing import announce

    announce(or_explain(studies.find, keys.key), keys.admin_key, address.rstrip("/"), typer.echo)


@studies_app.command("list")
def list_studies(*, address: AddressOption = HERE) -> None:
    """List the studies with their voters' links."""
    studies = _open()
    # After the check that its packages are there.
    from app.study.announcing import tabulate_studies

    found = or_explain(studies.list_all)
    counts = {study.key: or_explain(studies.count_people, study) for study in found}
    Console().print(tabulate_studies(found, counts, address.rstrip("/")))


@studies_app.command("open")
def open_study(*, study: StudyArgument) -> None:
    """Accept votes; a study that has ended stays ended."""
    _change(study, lambda studies, found: studies.open(found), "open")


@studies_app.command()
def close(*, study: StudyArgument) -> None:
    """End a study before its stopping rule does, which the results will say."""
    _change(study, lambda studies, found: studies.end(found), "ended")


@studies_app.command()
def delete(*, study: StudyArgument) -> None:
    """End a study, and delete its votes and pictures."""
    _change(study, lambda studies, found: studies.delete(found), "deleted")


@studies_app.command()
def results(
    *,
    study: StudyArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    csv: Annotated[Path | None, typer.Option(help="CSV file for every vote.", dir_okay=False)] = None,
) -> None:
    """Print a study's results."""
    studies = _open()
    import time

    from app.study.announcing import tabulate_report
    from app.study.export import write_report, write_votes
    from app.study.report import build_report

    found = _find(studies, study)
    ballots = or_explain(studies.list_ballots, found)
    report = build_report(found, ballots, time.time())
    if csv is not None:
        or_explain(csv.write_text, write_votes(found, ballots), encoding="utf-8", newline="")
    if as_json:
        typer.echo(write_report(report), nl=False)
        return
    Console().print(tabulate_report(report))


def _open() -> "Studies":
    return or_explain(StudyAccess(read_settings().study_address).create)


def _change(link: str, change: Callable[["Studies", "Study"], None], state: str) -> None:
    """Change the study of a link, and print its new state."""
    studies = _open()
    found = _find(studies, link)
    or_explain(change, studies, found)
    typer.echo(f"{found.plan.title}: {state}")


def _find(studies: "Studies", link: str) -> "Study":
    """The study of a voters' link, or of the key at its end."""
    key = link.partition(f"{PREFIX}/")[2] or link
    return or_explain(studies.find, key.strip("/").partition("/")[0])
