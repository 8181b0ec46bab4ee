"""An evaluation from the rows of a survey, which can continue after a stop, here or on a cluster.

The rows explain each picture's true class, so they have all that is counted here, and the heat maps of that class.
The survey decodes large pictures at a reduced size, as the server does; `run` decodes them whole.
"""

from collections.abc import Sequence
from pathlib import Path

from app.analysis.options import TargetOptions
from app.engine.loading import load_chosen_lineup
from app.evaluation.labelled import list_labelled
from app.evaluation.measures.answers import RankedTruth, compare_answers, summarise_answers
from app.evaluation.results.options import EvaluationOptions
from app.evaluation.results.report import Evaluation
from app.settings import Settings
from app.survey.rows import Row
from app.survey.run import Survey, SurveyOptions
from app.survey.store import RowStore
from models.names import NetworkName


def evaluate_by_rows(
    settings: Settings, options: EvaluationOptions, directory: Path, *, has_maps: bool, survey: Survey
) -> Evaluation:
    """Measure every network, with one row per picture.

    Args:
        settings: the lineup and the device.
        options: the pictures and their geometry; without focus.
        directory: the folder of the rows.
        has_maps: whether each picture's maps are kept too.
        survey: the function that makes the rows.

    Raises:
        InvalidOption: see `list_labelled`, and for a directory with the rows of other options.
        OSError: when pictures cannot be found, or the directory cannot be written.
        LineupError: when the networks cannot be loaded.
    """
    lineup = load_chosen_lineup(settings.model_copy(update={"device": "cpu"}))
    sources = list_labelled(lineup, options.data, options.listing)
    asked = SurveyOptions(
        target=TargetOptions(), geometry=options.geometry, directory=directory, has_maps=has_maps, is_labelled=True
    )
    survey(settings, sources, asked)
    wanted = {source.key for source in sources}
    rows = [
        row
        for row in RowStore(directory, asked.identify(lineup.card), lineup.names).read_rows()
        if row["file"] in wanted
    ]
    answered = [row for row in rows if row["error"] is None]
    answers = {name: read_answers(answered, name) for name in lineup.names}
    preprocessing = lineup.card.preprocessing
    return Evaluation(
        lineup=lineup.card.name,
        sha256={name: lineup.card.networks[name].sha256 for name in lineup.names},
        data=options.data.resolve().name,
        listing=None if options.listing is None else options.listing.name,
        geometry=options.geometry.geometry or preprocessing.geometry,
        resolution=options.geometry.resolution or preprocessing.resolution,
        pictures=len(answered),
        unreadable=sorted(f"{row['file']}: {row['problem']}" for row in rows if row["error"] is not None),
        unknown=0,
        networks={name: summarise_answers(values) for name, values in answers.items()},
        top1_differences=compare_answers(answers),
        focus=None,
    )


def read_answers(rows: Sequence[Row], name: NetworkName) -> list[RankedTruth]:
    """Read one network's answers from rows about the true classes.

    A row lists the likeliest classes alone; a true class beyond them gets the next rank.
    """
    answers = []
    for row in rows:
        classes: list[int] = row[f"{name}_classes"]
        truth = row["target_index"]
        rank = classes.index(truth) if truth in classes else len(classes)
        answers.append(RankedTruth(rank, row[f"{name}_probabilities"][0], row[f"{name}_target_probability"]))
    return answers
