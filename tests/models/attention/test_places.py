"""Attention in the last one or two stages alone: its names, its networks, and files of it."""

import pytest
import torch

from models.attention.interventions import list_allowed_changes
from models.attention.places import PLACED, STAGES, find_base, find_place, find_stages, put
from models.checkpoints.architectures import build_shapes
from models.checkpoints.diagnosis import CheckpointError
from models.checkpoints.gates import list_lookalikes, read_gates
from models.insertion import insert_cbam
from models.names import Attention, AttentionPlace, Stage
from models.networks.fresh_gates import load_with_fresh_gates
from models.networks.titles import title_in_lineup
from models.networks.zoo import build_network, count_parameters
from tests.models.networks.known_answers import fill_by_rule, make_picture

NAMES = [(place, base) for place, names in PLACED.items() for base in names]
SMALL = ["resnet18", "mobilenet_0.7", "efficientnet_lite0", "cifar_resnet18"]


@pytest.mark.parametrize(("place", "attention"), NAMES)
def test_name_has_the_place_and_what_stands_there(place: AttentionPlace, attention: Attention) -> None:
    name = put(attention, place)
    assert name.value == f"{attention.value}-{place.value}"
    assert (find_base(name), find_place(name)) == (attention, place)
    assert find_stages(name) == STAGES[place] < set(Stage)
    assert (find_base(attention), find_place(attention)) == (attention, AttentionPlace.EVERY_BLOCK)
    assert find_stages(attention) == set(Stage)
    assert put(attention, AttentionPlace.EVERY_BLOCK) is attention
    assert list_allowed_changes(name) == list_allowed_changes(attention) != {}
    # Beside the same attention at another place, the name says where it is.
    title = f"{title_in_lineup(attention)} ({place.value.replace('-', ' ')})"
    assert (title_in_lineup(name, [attention]), title_in_lineup(name)) == (title, title_in_lineup(attention))


def test_attention_without_such_a_form_is_refused() -> None:
    with pytest.raises(ValueError, match="bam has no form in the last stage alone; choose se, cbam"):
        put(Attention.BAM, AttentionPlace.LAST_STAGE)
    with pytest.raises(ValueError, match="bam has no form in the last two stages alone; choose se, cbam"):
        put(Attention.BAM, AttentionPlace.LAST_TWO_STAGES)


@pytest.mark.parametrize(
    ("attention", "stages"),
    [(Attention.CBAM_LAST_STAGE, ("layer4.",)), (Attention.CBAM_LAST_TWO_STAGES, ("layer3.", "layer4."))],
)
@pytest.mark.parametrize("architecture", SMALL)
def test_only_these_stages_blocks_have_gates(
    architecture: str, attention: Attention, stages: tuple[str, ...], generator: torch.Generator
) -> None:
    networks = {
        name: build_network(architecture, attention=name, class_count=4).eval()
        for name in (Attention.NONE, attention, Attention.CBAM)
    }
    batch = torch.randn(2, 3, 64, 64, generator=generator)
    with torch.no_grad():
        placed, everywhere = (networks[name].trace(batch) for name in (attention, Attention.CBAM))
        for stage in Stage:
            again = networks[attention].resume(placed.features[stage], after=stage)
            torch.testing.assert_close(again, placed.logits)
    names = [name for name in everywhere.attentions if name.startswith(stages)]
    assert list(placed.attentions) == names != list(everywhere.attentions)
    sizes = [count_parameters(network) for network in networks.values()]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize(
    ("attention", "groups"),
    [(Attention.CBAM_LAST_STAGE, ("cbam.4.",)), (Attention.CBAM_LAST_TWO_STAGES, ("cbam.3.", "cbam.4."))],
)
def test_vgg_has_it_behind_its_last_groups(attention: Attention, groups: tuple[str, ...]) -> None:
    with torch.device("meta"):
        every, last, none = (
            set(build_network("vgg16_bn", attention=name).state_dict())
            for name in (Attention.CBAM, attention, Attention.NONE)
        )
    assert {name.rpartition("Gate")[0].split(".")[1] for name in every - none} == {"0", "1", "2", "3", "4"}
    assert last - none == {name for name in every if name.startswith(groups)}


@pytest.mark.parametrize("attention", [put(base, place) for place, base in NAMES if base is not Attention.SIMAM])
@pytest.mark.parametrize("architecture", ["resnet18", "vgg16_bn"])
def test_tensors_tell_the_place(architecture: str, attention: Attention) -> None:
    assert list_lookalikes(read_gates(build_shapes(architecture, attention, 4))) == [attention]
    everywhere = list_lookalikes(read_gates(build_shapes(architecture, find_base(attention), 4)))
    assert find_base(attention) in everywhere
    assert attention not in everywhere


@pytest.mark.parametrize(("block", "place"), [("layer4.0", "last stage"), ("layer3.0", "last two stages")])
def test_gates_in_these_stages_that_no_attention_has_are_refused(block: str, place: str) -> None:
    shapes = {
        f"{block}.cbam.SpatialGate.spatial.conv.weight": torch.Size((1, 1, 3, 3)),
        f"{block}.cbam.SpatialGate.reduce.weight": torch.Size((1, 512, 1, 1)),
    }
    with pytest.raises(CheckpointError, match="no known attention has this form"):
        list_lookalikes(read_gates(shapes))
    with pytest.raises(CheckpointError, match=f"its gates are in the {place} alone, and no known"):
        list_lookalikes(read_gates({f"{block}.cbam.other.weight": torch.Size((4, 16))}))


def test_new_gates_in_the_last_stage_leave_the_function_as_it_is() -> None:
    baseline = build_network("resnet18", class_count=4).eval()
    fill_by_rule(baseline)
    network = build_network("resnet18", attention=Attention.CBAM_LAST_STAGE, class_count=4).eval()
    load_with_fresh_gates(network, baseline)
    with torch.no_grad():
        expected, trace = baseline(make_picture(65, 70)), network.trace(make_picture(65, 70))
    torch.testing.assert_close(trace.logits, expected, rtol=1e-5, atol=1e-5)
    assert list(trace.attentions) == ["layer4.0", "layer4.1"]


def test_foreign_network_names_its_points_instead() -> None:
    with pytest.raises(ValueError, match="name the operations after which it belongs in `points`"):
        insert_cbam(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)), attention=Attention.CBAM_LAST_STAGE)
