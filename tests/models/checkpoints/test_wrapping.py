from typing import Any

import pytest
import torch

from models.checkpoints.diagnosis import CheckpointError
from models.checkpoints.wrapping import unwrap

PLAIN, AVERAGED = torch.tensor([1.0]), torch.tensor([2.0])


OPTIMISER = {"state": {0: {"step": PLAIN, "exp_avg": PLAIN}}, "param_groups": [{"lr": 0.1}]}


def state(tensor: torch.Tensor = PLAIN, *, prefix: str = "") -> dict[str, Any]:
    return {f"{prefix}conv1.weight": tensor, f"{prefix}fc.weight": tensor}


@pytest.mark.parametrize(
    ("root", "keys"),
    [
        (state(), ()),
        ({"state_dict": state(), "epoch": 1}, ("state_dict",)),
        ({"model": state()}, ("model",)),
        ({"model_state_dict": state(prefix="module.")}, ("model_state_dict", "module.")),
        ({"model": {"state_dict": state()}}, ("model", "state_dict")),
        (state(prefix="module.model."), ("module.", "model.")),
        (state(prefix="model.module."), ("model.", "module.")),
        (state(prefix="_orig_mod.module."), ("_orig_mod.", "module.")),
        ({"state_dict": state(prefix="module._orig_mod.")}, ("state_dict", "_orig_mod.", "module.")),
    ],
)
def test_unwrap_takes_off_keys_and_prefixes(root: Any, keys: tuple[str, ...]) -> None:
    unwrapped = unwrap(root, use_ema=False)
    assert set(unwrapped.tensors) == {"conv1.weight", "fc.weight"}
    assert unwrapped.keys == keys


@pytest.mark.parametrize("prefix", ["net.", "model.backbone.", "1.", "module.model.encoder.body."])
def test_unwrap_takes_off_prefixes_of_any_name_and_depth(prefix: str) -> None:
    unwrapped = unwrap(state(prefix=prefix), use_ema=False)
    assert set(unwrapped.tensors) == {"conv1.weight", "fc.weight"}
    assert "".join(unwrapped.keys) == prefix


def test_unwrap_takes_out_what_fsdp_writes_into_names() -> None:
    wrapped = {
        "_fsdp_wrapped_module.layer1._fsdp_wrapped_module.0.weight": PLAIN,
        "_fsdp_wrapped_module.fc.weight": PLAIN,
    }
    assert set(unwrap(wrapped, use_ema=False).tensors) == {"layer1.0.weight", "fc.weight"}
    with pytest.raises(CheckpointError, match="differ in a wrapper's name alone"):
        unwrap(wrapped | {"fc.weight": PLAIN}, use_ema=False)


@pytest.mark.parametrize("key", [None, "model_ema"])
def test_unwrap_leaves_the_count_of_averaged_models(key: str | None) -> None:
    averaged = {"n_averaged": torch.tensor(3), **state(prefix="module.")}
    unwrapped = unwrap(averaged if key is None else {key: averaged}, use_ema=key is not None)
    assert set(unwrapped.tensors) == {"conv1.weight", "fc.weight"}
    assert unwrapped.dropped[-1].endswith("n_averaged")


def test_unwrap_lists_everything_that_it_leaves() -> None:
    root = {"epoch": 3, "model": {"state_dict": state() | {"note": "text"}, "best": PLAIN}, "optimizer": {"lr": 1}}
    assert unwrap(root, use_ema=False).dropped == ("epoch", "optimizer", "model.best", "model.state_dict.note")


def test_unwrap_takes_a_dict_without_tensors_for_no_weights() -> None:
    unwrapped = unwrap(state() | {"model": {"name": "resnet18"}}, use_ema=False)
    assert (unwrapped.keys, unwrapped.dropped) == ((), ("model",))


def test_unwrap_leaves_a_prefix_that_only_some_names_have() -> None:
    root = {"module.conv1.weight": PLAIN, "fc.weight": PLAIN}
    assert set(unwrap(root, use_ema=False).tensors) == set(root)


@pytest.mark.parametrize("key", ["state_dict_ema", "model_ema", "ema"])
@pytest.mark.parametrize(("use_ema", "taken"), [(False, PLAIN), (True, AVERAGED)])
def test_unwrap_takes_plain_weights_unless_averaged_ones_are_asked_for(
    key: str, use_ema: bool, taken: torch.Tensor
) -> None:
    unwrapped = unwrap({"state_dict": state(), key: state(AVERAGED)}, use_ema=use_ema)
    assert unwrapped.tensors["fc.weight"] is taken
    assert len(unwrapped.warnings) == 1
    assert key in unwrapped.warnings[0]
    assert unwrapped.dropped == (("state_dict",) if use_ema else (key,))


@pytest.mark.parametrize(
    ("root", "use_ema", "keys"),
    [
        ({"net": state(), "acc": 93.2, "optimizer": OPTIMISER}, False, ("net",)),
        ({"generation": {"weights": state()}, "net": state()}, False, ("net",)),
        ({"params": state(), "params_ema": state(AVERAGED)}, False, ("params",)),
        ({"params": state(), "params_ema": state(AVERAGED)}, True, ("params_ema",)),
        ({"ema": {"module": state()}}, True, ("ema", "module")),
    ],
)
def test_unwrap_takes_weights_under_a_key_of_any_name_if_no_other_has_some(
    root: Any, use_ema: bool, keys: tuple[str, ...]
) -> None:
    unwrapped = unwrap(root, use_ema=use_ema)
    assert unwrapped.keys == keys
    assert unwrapped.tensors["fc.weight"] is (AVERAGED if keys == ("params_ema",) else PLAIN)


def test_unwrap_takes_averaged_weights_that_are_alone_and_says_so() -> None:
    unwrapped = unwrap({"model_ema": state(AVERAGED)}, use_ema=False)
    assert unwrapped.tensors["fc.weight"] is AVERAGED
    assert "no others" in unwrapped.warnings[0]


@pytest.mark.parametrize(
    ("root", "use_ema", "sentence"),
    [
        ([PLAIN], False, "holds a list, not a dict of tensors"),
        (PLAIN, False, "holds a Tensor, not a dict of tensors"),
        ({"epoch": 3, "curve": {"loss": PLAIN}}, False, "no tensors under state_dict.*it has epoch, curve"),
        ({"student": state(), "teacher": state()}, False, "weights under student and teacher"),
        (OPTIMISER, False, "an optimiser's state and no network's weights"),
        ({"epoch": 3, "optimizer": OPTIMISER}, False, "an optimiser's state and no network's weights"),
        ({0: PLAIN, 1: PLAIN}, False, r"numbered \(0\), not named"),
        ({"model": state(), "state_dict": state()}, False, "weights under state_dict and model"),
        ({"ema": state(), "model_ema": state()}, False, "weights under model_ema and ema"),
        ({"state_dict": state()}, True, "averaged weights were requested, but it has none"),
    ],
)
def test_unwrap_refuses_what_could_be_anything(root: Any, use_ema: bool, sentence: str) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        unwrap(root, use_ema=use_ema)
