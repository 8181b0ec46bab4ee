"""Wrappers around a state dict: dicts with an epoch and an optimiser, averaged weights, prefixes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch

from models.checkpoints.calls import Symbol
from models.checkpoints.checking import list_some
from models.checkpoints.diagnosis import CheckpointError

PLAIN_KEYS = ("state_dict", "model", "model_state_dict")
EMA_KEYS = ("state_dict_ema", "model_ema", "ema")
"""Keys under which training programs store the exponential moving average of the weights."""

AVERAGED = re.compile(r"(^|_)(ema|averaged?)(_|$)")
"""Found in other keys of averaged weights, such as `params_ema`."""

OPTIMISER_KEYS = frozenset({"state", "param_groups"})

WRAPPERS = ("_fsdp_wrapped_module.", "_orig_mod.", "_checkpoint_wrapped_module.")
"""What FSDP, torch.compile and activation checkpointing write into names, at any depth."""

AVERAGE_COUNT = "n_averaged"
"""How many models an `AveragedModel` (SWA, EMA) has averaged; no weight."""

MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """A state dict, and its removed wrappers.

    Attributes:
        tensors: the tensors, by their names without prefixes.
        keys: the removed keys and prefixes, outermost first.
        dropped: names of the content beside the tensors.
        warnings: sentences about choices that were made.
    """

    tensors: Mapping[str, torch.Tensor]
    keys: tuple[str, ...]
    dropped: tuple[str, ...]
    warnings: tuple[str, ...]


def unwrap(root: object, *, use_ema: bool) -> Unwrapped:
    """Find the state dict in a saved object.

    Args:
        root: the saved object.
        use_ema: take the averaged weights if there are both averaged and plain ones.

    Raises:
        CheckpointError: there is no dict of tensors, or it is not clear which one is meant.
    """
    keys: list[str] = []
    dropped: list[str] = []
    warnings: list[str] = []
    level = check_mapping(root)
    while (key := choose_key(level, use_ema=use_ema, warnings=warnings)) is not None and len(keys) < MAX_DEPTH:
        dropped += [".".join([*keys, str(other)]) for other in level if other != key]
        keys.append(key)
        level = check_mapping(level[key])
    if use_ema and not any(key in EMA_KEYS or AVERAGED.search(key) for key in keys):
        raise CheckpointError(
            f"averaged weights were requested, but it has none under a key such as {' or '.join(EMA_KEYS)}"
        )
    dropped += [".".join([*keys, str(name)]) for name, value in level.items() if not isinstance(value, torch.Tensor)]
    tensors = check_names({name: value for name, value in level.items() if isinstance(value, torch.Tensor)}, level)
    if tensors.pop(AVERAGE_COUNT, None) is not None:
        dropped.append(".".join([*keys, AVERAGE_COUNT]))
    prefixes: list[str] = []
    for wrapper in WRAPPERS:
        if any(wrapper in name for name in tensors):
            prefixes.append(wrapper)
            tensors = join_names({name: name.replace(wrapper, "") for name in tensors}, tensors)
    while (prefix := find_prefix(tensors)) is not None and len(prefixes) < MAX_DEPTH:
        prefixes.append(prefix)
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return Unwrapped(tensors, (*keys, *prefixes), tuple(dropped), tuple(warnings))


def check_mapping(value: object) -> Mapping[object, object]:
    """Check that a value is a dict; raises `CheckpointError` for anything else."""
    if not isinstance(value, Mapping):
        raise CheckpointError(f"it holds a {type(value).__name__}, not a dict of tensors; save model.state_dict()")
    return value


def choose_key(level: Mapping[object, object], *, use_ema: bool, warnings: list[str]) -> str | None:
    """The key of the next level; None if `level` is the state dict itself.

    Where no usual key has weights, any other one may: `net`, `weights`, `student`.
    """
    plain = [key for key in PLAIN_KEYS if may_hold_weights(level.get(key))]
    averaged = [key for key in EMA_KEYS if may_hold_weights(level.get(key))]
    if not plain and not averaged and not any(isinstance(value, torch.Tensor) for value in level.values()):
        others = [key for key, value in level.items() if isinstance(key, str) and is_state_dict(value)]
        plain = [key for key in others if not AVERAGED.search(key)]
        averaged = [key for key in others if AVERAGED.search(key)]
    if len(plain) > 1 or len(averaged) > 1:
        twins = plain if len(plain) > 1 else averaged
        raise CheckpointError(f"it has weights under {' and '.join(twins)}; save only the ones that you mean")
    if averaged and not plain:
        warnings.append(f"The file has averaged weights (EMA) under {averaged[0]} and no others; these were used.")
    elif averaged:
        taken, left = (averaged, plain) if use_ema else (plain, averaged)
        warnings.append(
            f"The file has plain weights under {plain[0]} and averaged ones (EMA) under {averaged[0]}; "
            f"those under {taken[0]} were used, those under {left[0]} were not."
        )
        return taken[0]
    return next(iter(plain + averaged), None)


def may_hold_weights(value: object) -> bool:
    """Whether a value is a dict with tensors or further dicts in it."""
    return isinstance(value, Mapping) and any(isinstance(part, torch.Tensor | Mapping) for part in value.values())


def is_state_dict(value: object) -> bool:
    """Whether a value is a dict with tensors of modules, `layer.weight`; an optimiser's are numbered."""
    return isinstance(value, Mapping) and any(
        isinstance(name, str) and "." in name and isinstance(part, torch.Tensor) for name, part in value.items()
    )


def check_names(tensors: Mapping[object, torch.Tensor], level: Mapping[object, object]) -> dict[str, torch.Tensor]:
    """The tensors by name; raises `CheckpointError` if there are none or a name is not a text."""
    if not tensors:
        whole = [
            (key, value.name)
            for key, value in level.items()
            if isinstance(value, Symbol) and key in (*PLAIN_KEYS, *EMA_KEYS)
        ]
        if whole:
            key, name = whole[0]
            raise CheckpointError(
                f"it holds a whole Python object of class {name} under {key}, which only its own code can read; save "
                "model.state_dict() instead"
            )
        if any(isinstance(part, Mapping) and set(part) >= OPTIMISER_KEYS for part in (level, *level.values())):
            raise CheckpointError("it holds an optimiser's state and no network's weights; save model.state_dict()")
        held = list_some(map(str, level)) or "nothing"
        raise CheckpointError(f"it has no tensors under {', '.join(PLAIN_KEYS)} or at the top; it has {held}")
    if strange := [name for name in tensors if not isinstance(name, str)]:
        raise CheckpointError(f"its tensors are numbered ({strange[0]!r}), not named; save model.state_dict()")
    return {str(name): tensor for name, tensor in tensors.items()}


def join_names(renamed: Mapping[str, str], tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors under shorter names; raises `CheckpointError` if two of them would get the same one."""
    if len(set(renamed.values())) < len(renamed):
        raise CheckpointError("two of its tensors differ in a wrapper's name alone; save one network's state_dict()")
    return {renamed[name]: tensor for name, tensor in tensors.items()}


def find_prefix(names: Iterable[str]) -> str | None:
    """The first part that all names share, if any: the name of a training program's module around the network."""
    firsts = {name.partition(".")[0] for name in names if "." in name}
    is_shared = len(firsts) == 1 and all(name.count(".") > 1 for name in names)
    return f"{firsts.pop()}." if is_shared else None
