"""`cbam-lens study create`: compares the pictures and draws every question once, so that voting needs no network."""

import asyncio
from collections import Counter
from dataclasses import dataclass

from app.analysis.lens import Lens
from app.analysis.networks import choose_networks
from app.analysis.options import GeometryOptions, TargetOptions
from app.analysis.timing import Timings
from app.engine.loading import build_engine, load_chosen_lineup
from app.errors import InvalidOption, LensError
from app.explain.methods import Method
from app.services import open_upload_folder
from app.settings import Settings
from app.study.drafts import DraftQuestion, DraftStudy
from app.study.making.pictures import StudyPicture, StudyPictures, find_pictures
from app.study.making.questions import (
    ComparedPicture,
    draw_catches,
    draw_pair,
    find_fault,
    measure_turned,
)
from app.study.plan import StudiedNetwork, StudyPlan
from models.lineups.card import LineupCard
from models.names import NetworkName, Stage
from models.progress import track

CATCH_CANDIDATES = 16
"""The comparisons that stay in memory for catch questions."""


@dataclass(frozen=True, slots=True)
class StudyOptions:
    """The options of a new study.

    Attributes:
        pictures: a folder, or a sheet's address.
        networks: two networks' names, separated by a comma; empty for the first and the last one.
        title: the study's name for its holder.
        threshold: see `StudyPlan`.
        only_both_right: whether to leave out pictures that not both networks name rightly.
        pictures_each: how many pictures each person sees.
        catches: the number of catch questions of each kind.
        people, until: the stopping rule.
        method, stage: how the maps are made.
        geometry: how a picture becomes the input.
    """

    pictures: str
    networks: str
    title: str
    threshold: float
    only_both_right: bool
    pictures_each: int
    catches: int
    people: int | None
    until: int | None
    method: Method
    stage: Stage
    geometry: GeometryOptions


def make_study(settings: Settings, options: StudyOptions) -> DraftStudy:
    """Compare the pictures and draw the questions.

    Raises:
        InvalidOption: for other than two networks, for no usable pictures, and for `only_both_right` without classes.
        LensError: for a sheet that is gone.
        LineupError: when the networks cannot be loaded.
        OSError: when the pictures cannot be listed.
    """
    lineup = load_chosen_lineup(settings)
    networks = choose_pair(lineup.card, options.networks)
    found = find_pictures(options.pictures, lineup, open_upload_folder(settings))
    if options.only_both_right and found.class_source == "guess":
        raise InvalidOption(
            f"{options.pictures} has no class folders, so nobody knows which guesses are right; leave out "
            "--only-both-right, or give one folder per class",
            option="only-both-right",
        )
    engine = build_engine(settings)
    engine.start()
    try:
        maker = _Maker(Lens(engine, lineup, max_pixels=settings.max_picture_pixels), networks, options)
        asyncio.run(maker.compare_all(found.pictures))
    finally:
        engine.close()
    return _assemble(maker, lineup.card, found, options)


def choose_pair(card: LineupCard, text: str) -> tuple[NetworkName, NetworkName]:
    """The two networks of a study; raises `InvalidOption`."""
    names = choose_networks(card, text) if text else (card.names[0], card.last)
    if len(names) != 2:
        raise InvalidOption(
            f"networks {text!r} names {len(names)} networks, and a study compares two; choose two of "
            f"{', '.join(card.names)}",
            option="networks",
            allowed=card.names,
        )
    return names[0], names[1]


class _Maker:
    """Compares one picture after the other, and keeps its question in place of its maps."""

    def __init__(self, lens: Lens, networks: tuple[NetworkName, NetworkName], options: StudyOptions) -> None:
        self._lens = lens
        self.networks = networks
        self._options = options
        self.pairs: list[DraftQuestion] = []
        self.left_out: Counter[str] = Counter()
        self.candidates: list[ComparedPicture] = []

    async def compare_all(self, pictures: tuple[StudyPicture, ...]) -> None:
        for picture in track(pictures, "comparing"):
            try:
                await self._compare(picture)
            except InvalidOption:
                raise
            except (LensError, OSError) as error:
                self.left_out[f"not readable ({picture.name}: {error})"] += 1

    async def _compare(self, picture: StudyPicture) -> None:
        options = self._options
        asked = TargetOptions(target=picture.target, method=options.method, stage=options.stage)
        data = await self._lens.run(picture.read)
        comparison = await self._lens.compare_picture(data, options.geometry, asked, Timings())
        fault = find_fault(comparison, self.networks, only_both_right=options.only_both_right)
        if fault:
            self.left_out[fault] += 1
            return
        self.pairs.append(draw_pair(picture.name, comparison, self.networks, options.threshold))
        evidence = measure_turned(comparison, self.networks, options.threshold)
        self.candidates.append(ComparedPicture(picture.name, comparison, evidence))
        if len(self.candidates) > CATCH_CANDIDATES:
            # The middle ones serve neither kind of catch question best.
            self.candidates.sort(key=lambda candidate: candidate.turned_evidence)
            self.candidates.pop(CATCH_CANDIDATES // 2)


def _assemble(maker: _Maker, card: LineupCard, found: StudyPictures, options: StudyOptions) -> DraftStudy:
    if not maker.pairs:
        reasons = "; ".join(f"{count} {reason}" for reason, count in maker.left_out.items())
        raise InvalidOption(f"none of the pictures can be used: {reasons}; give other pictures", option="pictures")
    catches = draw_catches(maker.candidates, maker.networks[1], options.threshold, options.catches)
    first, second = (StudiedNetwork(name=name, title=card.title_network(name)) for name in maker.networks)
    plan = StudyPlan(
        title=options.title,
        lineup=card.name,
        networks=(first, second),
        method=options.method.value,
        stage=options.stage.value,
        threshold=options.threshold,
        class_source=found.class_source,
        only_both_right=options.only_both_right,
        left_out=dict(maker.left_out),
        pictures_each=min(options.pictures_each, len(maker.pairs)),
        people=options.people,
        until=options.until,
    )
    return DraftStudy(plan, (*maker.pairs, *catches))
