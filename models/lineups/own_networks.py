"""A user's own networks as members of a lineup: given as objects, or by the place of a function that makes them."""

import copy
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.checkpoints.diagnosis import GateState
from models.errors import LineupError
from models.foreign.description import InputForm, Reading
from models.foreign.examination import Examined, examine
from models.lineups.card import ClassLabel, LineupCard, NetworkCard
from models.lineups.label_files import name_classes
from models.lineups.sources import PYTHON, Member
from models.names import Attention, Geometry, NetworkName, StridePlacement
from models.networks.staged import StagedNetwork
from models.networks.titles import BASELINE_TITLE, OWN, join_words
from models.pictures.preparation import Preprocessing

GREY = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNetwork:
    """A user's own network, with what only the user can say about it.

    Attributes:
        module: any network; a copy of it is made, in evaluation mode, and it is not changed.
        reading: its stages, gates, head and score.
        form: its input.
        classes: the classes' names in index order; empty for numbers.
    """

    module: nn.Module
    reading: Reading = field(default_factory=Reading)
    form: InputForm = field(default_factory=InputForm)
    classes: Sequence[str] = ()


def make_member(network: OwnNetwork, *, origin: str) -> Member:
    """Examine a network and make it a lineup's member; raises `ValueError` with what to give.

    Args:
        network: the network.
        origin: where it comes from, for the card.
    """
    form = network.form
    if isinstance(network.module, StagedNetwork):
        examined = _take_known(network.module, form)
    else:
        examined = examine(network.module, network.reading, form)
    preprocessing = form.preprocessing
    if examined.is_fixed_size and preprocessing.geometry is not Geometry.CENTER_CROP:
        raise ValueError(
            f"{type(network.module).__name__} accepts only square pictures, and geometry is "
            f"{preprocessing.geometry.value}; give center_crop"
        )
    return Member(
        network=examined.network,
        architecture=OWN,
        attention=Attention.OWN if examined.blocks else Attention.NONE,
        stride_placement=StridePlacement.V1_5,
        class_count=examined.class_count,
        is_trained=True,
        gates=GateState.TRAINED if examined.blocks else GateState.NONE,
        recipe=None,
        provenance=origin,
        labels=_name_classes(network.classes, examined.class_count),
        preprocessing=preprocessing,
        stages=examined.stages,
        is_fixed_size=examined.is_fixed_size,
    )


def make_own_card(name: str, members: Mapping[NetworkName, Member]) -> LineupCard:
    """The card of a lineup of own networks, which go by the names that they were given."""
    class_count = next(iter(members.values())).class_count
    titles = {
        own: BASELINE_TITLE if position == 0 and own == BASELINE_TITLE.lower() else own
        for position, own in enumerate(members)
    }
    return LineupCard(
        name=name,
        title=f"{join_words(list(titles.values()))}, {class_count:,} classes",
        architecture=OWN,
        trained=True,
        provenance=" ".join(f"{titles[own]}: {member.provenance}." for own, member in members.items()),
        networks={
            own: NetworkCard(title=titles[own], attention=member.attention, file=OWN) for own, member in members.items()
        },
    )


def read_form(preprocessing: Preprocessing | Mapping[str, Any] | None) -> InputForm:
    """Read an input's form; one mean and one deviation mean grey.

    Args:
        preprocessing: the whole; or its fields by name, of which `mean` and `standard_deviation` have three numbers for
            RGB, or one for grey; None for ImageNet's.

    Raises:
        ValueError: for an unknown field or a value out of its range.
    """
    if preprocessing is None:
        return InputForm()
    if isinstance(preprocessing, Preprocessing):
        return InputForm(preprocessing=preprocessing)
    fields = dict(preprocessing)
    means = [_list_numbers(fields.get(field)) for field in ("mean", "standard_deviation")]
    if [len(numbers) for numbers in means] != [GREY, GREY]:
        return InputForm(preprocessing=Preprocessing(**fields))
    fields |= {"mean": means[0] * 3, "standard_deviation": means[1] * 3}
    return InputForm(preprocessing=Preprocessing(**fields), channels=GREY)


def run_source(place: str) -> Member:
    """Run a function of the user's that makes a network.

    This imports the module and runs it. Modules are looked for where Python looks, and then in the current directory,
    whose names so cannot take the place of installed ones.

    Args:
        place: `pkg.module:function`; the function takes no argument, and returns a module or an `OwnNetwork`.

    Raises:
        LineupError: there is no such function, it fails, or it returns something else.
    """
    module_name, colon, function_name = place.partition(":")
    if not (colon and module_name and function_name):
        raise LineupError(f"{PYTHON}{place} names no function; write {PYTHON}package.module:function")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        made = getattr(import_module(module_name), function_name)()
    except Exception as error:  # the user's code may raise anything
        raise LineupError(f"{PYTHON}{place} failed: {type(error).__name__}: {error}") from error
    if isinstance(made, nn.Module):
        made = OwnNetwork(module=made)
    if not isinstance(made, OwnNetwork):
        raise LineupError(
            f"{PYTHON}{place} returned {type(made).__name__}; return a torch module, or what cbam_lens.network makes "
            "of one"
        )
    return make_member(made, origin=f"made by {place}")


def _list_numbers(value: object) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, Iterable) else [value]


def _take_known(module: StagedNetwork, form: InputForm) -> Examined:
    """A network that tells its stages and gates itself, such as one with inserted CBAM."""
    network = copy.deepcopy(module).eval().requires_grad_(False)
    side = form.preprocessing.resolution
    with torch.no_grad():
        trace = network.trace(
            torch.zeros(1, 3, side, side, dtype=network.dtype, device=next(network.parameters()).device)
        )
    return Examined(
        network=network,
        class_count=trace.logits.shape[1],
        stages=tuple(sorted(trace.features)),
        blocks=tuple(trace.attentions),
        is_fixed_size=False,
    )


def _name_classes(names: Sequence[str], class_count: int) -> tuple[ClassLabel, ...]:
    if names and len(names) != class_count:
        raise ValueError(f"it has {class_count} classes, and classes= has {len(names)} names; give one for each")
    if len({name.strip() for name in names} - {""}) < len(names):
        raise ValueError("classes= has an empty name, or one of them twice; a class is chosen by its name")
    return name_classes(names)
