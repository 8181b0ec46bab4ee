"""The evidence page: the recorded evaluations of the served lineups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from app.api.schemas import LineupDescription
from app.evaluation.results.metrics import MEANINGS, Metric
from app.evaluation.results.report import (
    BlockResult,
    Contrast,
    Evaluation,
    Focus,
    Interval,
    MetricResult,
    PictureResult,
    Subset,
)
from app.evaluation.results.trial_records import is_of
from app.evaluation.results.wording import (
    Verdict,
    format_difference,
    format_explained_share,
    format_mean,
    judge,
    title_metric,
)
from app.numbers import format_count, format_probability, format_thousandths, typeset_minus
from app.pages.evidence import sentences
from app.pages.evidence.commands import write_command
from app.pages.evidence.forest import build_forest_plot
from app.pages.evidence.pictures import find_picture
from app.pages.evidence.seeds import build_seeds_view
from app.pages.evidence.store import DIRECTORY, find_records, read_seeds
from app.pages.evidence.trials import build_trial_view
from app.pages.evidence.views import (
    AccuracyView,
    ContrastView,
    GateRow,
    MetricView,
    MissingView,
    PictureView,
    RecordView,
    Remark,
    SeedsView,
    SubsetView,
    Tone,
    TrialView,
)
from models.names import NetworkName

TONES: dict[Verdict, Tone] = {Verdict.BETTER: "better", Verdict.WORSE: "worse"}

VERDICT_SENTENCES = {
    Verdict.BETTER: "better; the interval excludes 0",
    Verdict.WORSE: "worse; the interval excludes 0",
    Verdict.OPEN: "no difference shown; the interval includes 0",
    Verdict.UNKNOWN: "too few pictures for an interval",
}

Titles = Mapping[NetworkName, str]
"""The networks' names for people."""

NO_RECORD = "No evaluation was recorded for this lineup."
NO_FOCUS = "Where the networks of this lineup look was not measured."
OTHER_WEIGHTS = "The evaluation recorded under this lineup’s name used other weights, so it says nothing about these."


@dataclass(frozen=True, slots=True)
class EvidencePage:
    """The measurements of the paper's claim.

    Attributes:
        question: the page's heading.
        claim, source: the claim, and its place in the paper.
        records: the lineups with a recorded evaluation.
        trials: the lineups that were trained on one's own pictures and measured on held-out ones.
        missing: the other lineups.
        seeds: the variation between seeds; None if it was not measured.
    """

    template: ClassVar[str] = "evidence.html"
    question: str
    claim: str
    source: str
    records: tuple[RecordView, ...]
    trials: tuple[TrialView, ...]
    missing: tuple[MissingView, ...]
    seeds: SeedsView | None


def build_evidence_page(
    lineups: Sequence[LineupDescription],
    *,
    options: Mapping[str, str],
    folders: Mapping[str, Path] = MappingProxyType({}),
    directory: Path = DIRECTORY,
    picture_folders: Sequence[Path] = (),
) -> EvidencePage:
    """Build the page for the served lineups.

    Args:
        lineups: each lineup, as in the REST API.
        options: the options of the command line that choose each lineup, by its name.
        folders: the folders of the lineups' own TOML files, by the lineups' names.
        directory: the folder of the recorded evaluations.
        picture_folders: the folders of the data whose pictures are shown.
    """
    records, trials, missing = [], [], []
    for lineup in _tell_apart(lineups):
        weights = {name: network.sha256 for name, network in lineup.networks.items()}
        found = [
            (record, record.focus)
            for record in find_records(lineup.name, directory=directory)
            if record.focus is not None
        ]
        own = [
            build_record_view(lineup, record, focus, picture_folders)
            for record, focus in found
            if is_of(record, weights)
        ]
        records += own
        trial = build_trial_view(lineup, folders[lineup.name]) if lineup.name in folders else None
        trials += [] if trial is None else [trial]
        if not own:
            reason = OTHER_WEIGHTS if found else NO_RECORD if trial is None else NO_FOCUS
            missing.append(
                MissingView(
                    lineup.name, lineup.title, reason, write_command("DIR", "MASKS", options=options[lineup.name])
                )
            )
    return EvidencePage(
        question=sentences.ask(lineups),
        claim=sentences.CLAIM,
        source=sentences.SOURCE,
        records=tuple(records),
        trials=tuple(trials),
        missing=tuple(missing),
        seeds=build_seeds_view(read_seeds(directory=directory)),
    )


def _tell_apart(lineups: Sequence[LineupDescription]) -> list[LineupDescription]:
    """The same lineups, with the name added to each title that several of them share."""
    titles = [lineup.title for lineup in lineups]
    return [
        lineup.model_copy(update={"title": f"{lineup.title} (‘{lineup.name}’)"})
        if titles.count(lineup.title) > 1
        else lineup
        for lineup in lineups
    ]


def build_record_view(
    lineup: LineupDescription, evaluation: Evaluation, focus: Focus, folders: Sequence[Path] = ()
) -> RecordView:
    """Build the view of a lineup's recorded evaluation, by its first method."""
    result = focus.maps[0]
    titles = {name: network.title for name, network in lineup.networks.items()}
    pictures = PictureViews(titles, evaluation.data, folders)
    return RecordView(
        name=lineup.name,
        title=f"{lineup.title}: {sentences.HEADINGS.get(evaluation.data, evaluation.data)}",
        protocol=sentences.state_protocol(evaluation, focus, result),
        pictures=format_count(evaluation.pictures),
        accuracy=_build_accuracy_views(evaluation, titles),
        contrasts=tuple(
            _build_contrast_view(name, pictures, contrast, focus.gates.get(name, []))
            for name, contrast in result.contrasts.items()
        ),
        limits=sentences.state_limits(result, title=lineup.title, warnings=lineup.warnings),
        command=write_command(
            evaluation.data,
            f"{evaluation.data}/boxes.csv" if focus.protocol.objects == "boxes" else evaluation.data,
            options=f"--lineup {lineup.name}",
            objects=focus.protocol.objects,
        ),
    )


def _build_contrast_view(
    name: NetworkName, pictures: "PictureViews", contrast: Contrast, gates: Sequence[BlockResult]
) -> ContrastView:
    title = pictures.titles[name]
    helped, hurt = pictures.build(contrast.helped), pictures.build(contrast.hurt)
    return ContrastView(
        name=name,
        title=title,
        answer=sentences.state_answer(contrast, title),
        verdict=sentences.state_verdict(contrast, title),
        plot=build_forest_plot(contrast.both_right.metrics),
        subsets=(
            _build_subset_view(
                f"The {format_count(contrast.both_right.pictures)} pictures that both networks get right",
                contrast.both_right,
            ),
            _build_subset_view(f"All {format_count(contrast.all.pictures)} pictures", contrast.all),
        ),
        failures=sentences.state_failures(contrast, title),
        gains=sentences.state_gains(contrast, title),
        gates=tuple(_build_gate_row(block) for block in gates),
        gate_sentences=sentences.state_gates(gates),
        helped=helped,
        hurt=hurt,
        extremes=sentences.state_extremes(contrast),
        pictures_note=sentences.state_pictures(pictures.data, (*helped, *hurt)),
    )


def _build_accuracy_views(evaluation: Evaluation, titles: Titles) -> tuple[AccuracyView, ...]:
    return tuple(
        AccuracyView(
            title=titles[name],
            top1=format_mean(None, accuracy.top1),
            top5=format_mean(None, accuracy.top5),
            calibration=format_thousandths(accuracy.calibration.error),
        )
        for name, accuracy in evaluation.networks.items()
    )


def _build_subset_view(title: str, subset: Subset) -> SubsetView:
    references = (
        ("Object’s share of the seen picture", "A flat map would have this share inside.", subset.object_share),
        (
            "Pointing game of the centre",
            "A map that always points at the picture’s centre would score this.",
            subset.centre_hits,
        ),
    )
    return SubsetView(
        title=title,
        remarks=tuple(
            Remark(name, explanation, format_mean(None, value))
            for name, explanation, value in references
            if value is not None
        ),
        metrics=tuple(_build_metric_view(metric, result) for metric, result in subset.metrics.items()),
    )


def _build_metric_view(metric: Metric, result: MetricResult) -> MetricView:
    verdict = judge(metric, result.difference)
    return MetricView(
        title=title_metric(metric),
        explanation=MEANINGS[metric].explanation,
        baseline=format_mean(metric, result.baseline),
        other=format_mean(metric, result.other),
        difference=typeset_minus(format_difference(metric, result.difference)),
        verdict=VERDICT_SENTENCES[verdict],
        tone=TONES.get(verdict, "open"),
    )


def _build_gate_row(block: BlockResult) -> GateRow:
    spatial, channel = block.spatial, block.channel
    return GateRow(
        name=block.name,
        spatial_deviation="none" if spatial is None else format_thousandths(spatial.deviation),
        spatial_explained="none" if spatial is None else format_explained_share(spatial.explained),
        pointing="none" if spatial is None else format_mean(None, spatial.pointing),
        share_inside="none" if spatial is None else format_mean(None, spatial.share_inside),
        excess="none" if spatial is None else typeset_minus(format_difference(None, spatial.excess)),
        channel_deviation="none" if channel is None else format_thousandths(channel.deviation),
        channel_explained="none" if channel is None else format_explained_share(channel.explained),
    )


@dataclass(frozen=True, slots=True)
class PictureViews:
    """Builds the views of a record's pictures.

    Attributes:
        titles: the networks' names for people.
        data: the name of the data's folder.
        folders: where that folder may lie.
    """

    titles: Titles
    data: str
    folders: Sequence[Path]

    def build(self, pictures: Sequence[PictureResult]) -> tuple[PictureView, ...]:
        """Build the views of the pictures that differ most."""
        return tuple(self._build(picture) for picture in pictures)

    def _build(self, picture: PictureResult) -> PictureView:
        baseline, other = picture.share_inside
        right = [self.titles[name] for name, is_right in picture.right.items() if is_right]
        is_at_hand = find_picture(self.data, picture.file, self.folders) is not None
        return PictureView(
            file=picture.file,
            address=f"{self.data}/{picture.file}" if is_at_hand else None,
            class_name=picture.class_name,
            object_share=format_mean(None, picture.object_share),
            baseline=format_mean(None, picture.share_inside[baseline]),
            other=format_mean(None, picture.share_inside[other]),
            difference=typeset_minus(format_difference(None, Interval(mean=picture.difference, low=None, high=None))),
            probabilities=" | ".join(format_probability(picture.probability[name]) for name in (baseline, other)),
            right={0: "neither", 2: "both"}.get(len(right), "".join(right)),
        )
