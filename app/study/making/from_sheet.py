"""A study of a sheet's rows: their comparisons are there, and only the questions are drawn."""

from collections.abc import Collection, Sequence

from app.analysis.compared_sheets import ComparedRow
from app.analysis.lens import Lens
from app.errors import InvalidOption
from app.study.drafts import DraftStudy
from app.study.making.drafting import Drafter, DraftOptions
from app.study.plan import ClassSource
from models.names import NetworkName


async def draft_study(
    lens: Lens,
    rows: Sequence[ComparedRow],
    named: Collection[int],
    networks: tuple[NetworkName, NetworkName],
    options: DraftOptions,
) -> DraftStudy:
    """Draw the questions of a study, one picture after the other.

    Args:
        lens: the lens of the rows' lineup, whose threads draw.
        rows: the sheet's rows with their comparisons, by the method and stage of the options.
        named: the positions of the rows whose class a person has set.
        networks: the two networks.
        options: what is asked of the study.

    Raises:
        InvalidOption: for no usable row, and for `only_both_right` where no row's class is known.
    """
    if options.only_both_right and not any(row.position in named for row in rows):
        raise InvalidOption(
            "nobody knows which guesses are right, because no row of the sheet has a class that you set; set the rows' "
            "classes on the sheet, or leave this choice out",
            option="only_both_right",
        )
    card = lens.lineup.card
    drafter = Drafter(card, networks, options)
    used: list[int] = []
    for row in rows:
        if row.comparison is None:
            drafter.leave_out(f"not compared ({row.name}: {row.problem})")
        elif row.comparison.analysis.card.name != card.name:
            drafter.leave_out("analysed with another lineup")
        elif options.only_both_right and row.position not in named:
            drafter.leave_out("without a class that a person set")
        else:
            await lens.run(drafter.add, row.name, row.comparison)
            used.append(row.position)
    return await lens.run(drafter.finish, _name_source(used, named))


def _name_source(used: Sequence[int], named: Collection[int]) -> ClassSource:
    """Who names the classes of the rows that are used."""
    count = sum(position in named for position in used)
    if count == 0:
        return "guess"
    return "sheet" if count == len(used) else "mixed"
