"""`cbam-lens study create`: compares the pictures and draws every question once, so that voting needs no network."""

import asyncio
from dataclasses import dataclass

from app.analysis.lens import Lens
from app.analysis.options import GeometryOptions, TargetOptions
from app.analysis.timing import Timings
from app.engine.loading import build_engine, load_chosen_lineup
from app.errors import InvalidOption, LensError
from app.services import open_upload_folder
from app.settings import Settings
from app.study.drafts import DraftStudy
from app.study.making.drafting import Drafter, DraftOptions, choose_pair
from app.study.making.pictures import StudyPicture, find_pictures
from models.progress import track


@dataclass(frozen=True, slots=True)
class StudyOptions:
    """The options of the command.

    Attributes:
        pictures: a folder, or a sheet's address.
        networks: two networks' names, separated by a comma; empty for the first and the last one.
        geometry: how a picture becomes the input.
        draft: what is asked of the study.
    """

    pictures: str
    networks: str
    geometry: GeometryOptions
    draft: DraftOptions


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
    if options.draft.only_both_right and found.class_source == "guess":
        raise InvalidOption(
            f"{options.pictures} has no class folders, so nobody knows which guesses are right; leave out "
            "--only-both-right, or give one folder per class",
            option="only-both-right",
        )
    drafter = Drafter(lineup.card, networks, options.draft)
    engine = build_engine(settings)
    engine.start()
    try:
        lens = Lens(engine, lineup, max_pixels=settings.max_picture_pixels)
        asyncio.run(_compare_all(lens, found.pictures, options, drafter))
    finally:
        engine.close()
    return drafter.finish(found.class_source)


async def _compare_all(lens: Lens, pictures: tuple[StudyPicture, ...], options: StudyOptions, drafter: Drafter) -> None:
    """Compare one picture after the other."""
    for picture in track(pictures, "comparing"):
        asked = TargetOptions(target=picture.target, method=options.draft.method, stage=options.draft.stage)
        try:
            data = await lens.run(picture.read)
            comparison = await lens.compare_picture(data, options.geometry, asked, Timings())
        except InvalidOption:
            raise
        except (LensError, OSError) as error:
            drafter.leave_out(f"not readable ({picture.name}: {error})")
            continue
        drafter.add(picture.name, comparison)
