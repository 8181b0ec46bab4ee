import argparse
import codecs
import contextlib
import datetime
import itertools
import os
import pathlib
import pickle
import random
import struct
import sys
import zipfile
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from models.checkpoints.calls import NUMPY_SCALARS, Passed
from models.checkpoints.diagnosis import CheckpointError
from models.checkpoints.files import read_file
from models.checkpoints.pickles import MAX_OPCODES
from models.checkpoints.torch_files import LEGACY_START
from models.checkpoints.wrapping import unwrap
from models.checkpoints.zip_directory import MAX_DIRECTORY_BYTES
from tests.models.checkpoints.hostile import (
    Call,
    LegacyClaimPickler,
    Storage,
    describe_tensor,
    dump,
    speak_python_2,
    write_legacy,
    write_zip,
)

MAX_BYTES = 1_000_000
FOUR_FLOATS = struct.pack("<4f", 1, 2, 3, 4)

Writer = Callable[[Path, Any], Path]


def write_as_zip(path: Path, value: Any) -> Path:
    return write_zip(path, dump(value), {"0": FOUR_FLOATS})


def write_as_legacy(path: Path, value: Any) -> Path:
    return write_legacy(path, dump(value, pickler=LegacyClaimPickler), {"0": FOUR_FLOATS})


both_formats = pytest.mark.parametrize("write", [write_as_zip, write_as_legacy])


def read(path: Path, *, max_bytes: int = MAX_BYTES) -> Any:
    return read_file(path, max_bytes=max_bytes).root


def refuse(path: Path, sentence: str, *, max_bytes: int = MAX_BYTES) -> None:
    with pytest.raises(CheckpointError, match=sentence) as caught:
        read(path, max_bytes=max_bytes)
    assert "\n" not in str(caught.value)


@both_formats
@pytest.mark.parametrize("version", ["", "_v2"])
def test_read_file_reads_what_torch_wrote_of_old(write: Writer, version: str, tmp_path: Path) -> None:
    value = {
        "a": describe_tensor(Storage(4), (2,), (1,), offset=1, version=version),
        "epoch": 3,
        "lr": (0.1, None, True),
    }
    found = read(write(tmp_path / "old.pth", value))
    assert found["a"].tolist() == [2, 3]
    assert (found["epoch"], found["lr"]) == (3, (0.1, None, True))


@pytest.mark.parametrize("is_zip", [True, False])
def test_read_file_reads_all_that_a_training_program_saves(is_zip: bool, tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(4, 3)).sum().backward()
    optimizer.step()
    value = {
        "state_dict": network.state_dict(),
        "parameter": nn.Parameter(torch.ones(2)),
        "half": torch.ones(2, dtype=torch.bfloat16),
        "optimizer": optimizer.state_dict(),
        "milestones": Counter([30, 60, 30]),
        "best_prec1": np.float64(77.622),
        "loss": np.float32(0.5),
        "device": torch.device("cuda:1"),
        "size": torch.ones(2, 3).shape,
        "type": torch.float16,
    }
    path = tmp_path / "training.pth"
    torch.save(value, path, _use_new_zipfile_serialization=is_zip)
    found = read(path)
    assert found.keys() == value.keys()
    assert torch.equal(found["state_dict"]["0.weight"], network.state_dict()["0.weight"])
    assert (found["best_prec1"], found["milestones"][30], found["size"]) == (77.622, 2, (2, 3))


@pytest.mark.parametrize("name", NUMPY_SCALARS)
def test_read_file_knows_numpys_scalars_by_both_names(name: str, tmp_path: Path) -> None:
    path = tmp_path / "best.pth"
    torch.save({"best_prec1": np.float64(77.622)}, path, _use_new_zipfile_serialization=False)
    module = name.removesuffix(".scalar").encode()
    path.write_bytes(path.read_bytes().replace(b"numpy._core.multiarray", module))
    assert read(path)["best_prec1"] == 77.622


def test_read_file_reads_what_python_2_wrote(tmp_path: Path) -> None:
    items = [["a", describe_tensor(Storage(4, kind=torch.cuda.FloatStorage), (4,), (1,))], ["arch", "resnet"]]
    pickled = speak_python_2(dump(Call(OrderedDict, (items,)), pickler=LegacyClaimPickler))
    assert b"X\x01" not in pickled
    found = read(write_legacy(tmp_path / "old.pth", pickled, {"0": FOUR_FLOATS}))
    assert found["a"].tolist() == [1, 2, 3, 4]
    assert found["arch"] == "resnet"


# Code


def touch(path: Path) -> Call:
    """A payload that writes a file when it is run."""
    return Call(os.system, (f"touch {path}",))


def write_raw(path: Path, value: Any, *, protocol: int) -> Path:
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


@pytest.mark.parametrize(
    "write",
    [
        write_as_zip,
        write_as_legacy,
        lambda path, value: write_raw(path, value, protocol=2),
        lambda path, value: write_raw(path, value, protocol=4),
        lambda path, value: write_raw(path, value, protocol=5),
        lambda path, value: write_zip(path, pickle.dumps(value, protocol=4)),
    ],
    ids=["zip", "legacy", "raw 2", "raw 4", "raw 5", "zip 4"],
)
def test_read_file_names_the_code_that_a_file_wants_and_runs_none(write: Writer, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    payload = {"state_dict": touch(trace)}
    pickle.loads(pickle.dumps(payload))  # noqa: S301  # the payload does what it is for
    assert trace.exists()
    trace.unlink()
    refuse(write(tmp_path / "evil.pth", payload), "asks for posix.system, which is code")
    assert not trace.exists()


def test_read_file_names_code_that_hides_behind_the_memo(tmp_path: Path) -> None:
    # 'os' and 'system' are pushed, remembered, dropped and recalled.
    hidden = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940000h\x00h\x01\x93\x8c\x04true\x85R."
    path = tmp_path / "evil.pth"
    path.write_bytes(hidden)
    refuse(path, "asks for os.system")


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (Call(eval, ("1",)), "__builtin__.eval"),
        (Call(torch.load, ("x",)), "torch.serialization.load"),
        (Call(torch.storage._load_from_bytes, (b"x",)), "torch.storage._load_from_bytes"),
        (Call(np.load, ("x",)), "numpy.load"),
        (Call(getattr, ("x", "y")), "getattr"),
    ],
)
@both_formats
def test_read_file_allows_no_name_that_weights_do_not_need(
    write: Writer, call: Call, name: str, tmp_path: Path
) -> None:
    refuse(write(tmp_path / "evil.pth", {"a": call}), name)


class Net(nn.Module):
    """A user's own network."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 1, 1)


@pytest.mark.parametrize("is_zip", [True, False])
def test_read_file_says_that_a_whole_module_is_one(is_zip: bool, tmp_path: Path) -> None:
    path = tmp_path / "module.pth"
    torch.save({"model": Net(), "epoch": 1}, path, _use_new_zipfile_serialization=is_zip)
    sentence = r"whole Python object of class tests\.models\.checkpoints\.test_torch_files\.Net.*save model\.state_dict"
    with pytest.raises(CheckpointError, match=sentence):
        unwrap(read(path), use_ema=False)
    torch.save(Net(), path, _use_new_zipfile_serialization=is_zip)
    refuse(path, sentence)


def test_read_file_names_the_code_that_hides_in_a_whole_module(tmp_path: Path) -> None:
    path = tmp_path / "module.pth"
    torch.save({"model": Net(), "epoch": touch(tmp_path / "trace")}, path)
    refuse(path, "asks for posix.system")


def test_read_file_refuses_torchscript_without_a_module(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "script.pt", dump({"a": 1}))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/constants.pkl", dump(()))
        archive.writestr("archive/code/__torch__.py", "", compress_type=zipfile.ZIP_DEFLATED)
    refuse(path, "a TorchScript archive without a module; save the module's state_dict")


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_read_file_takes_the_weights_of_torchscript(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.BatchNorm2d(2), nn.ReLU()))
    path = tmp_path / "script.pt"
    torch.jit.save(torch.jit.script(module), path)
    expected = module.state_dict()
    found = read(path)
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor)


def test_read_file_of_torchscript_modules_that_contain_each_other_ends(tmp_path: Path) -> None:
    # Each of forty modules holds the next one twice: 2^40 ways to the last.
    inner = b"c__torch__\nNet\n)\x81}b"
    for place in range(40):
        inner = b"c__torch__\nNet\n)\x81}(U\x01a" + inner + b"q" + bytes([place]) + b"U\x01bh" + bytes([place]) + b"ub"
    path = write_zip(tmp_path / "twins.pt", b"\x80\x02" + inner + b".")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/constants.pkl", dump(()))
    with contextlib.suppress(CheckpointError):
        read(path)


BESIDE = {
    "arguments": argparse.Namespace(lr=0.1, output=pathlib.PurePosixPath("/x")),
    "path": pathlib.PosixPath("/x/y"),
    "set": {"a", "b"},
    "frozen set": frozenset({1}),
    "defaults": defaultdict(list, {"a": [1]}),
    "queue": deque([1, 2]),
    "time": datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC),
    "duration": datetime.timedelta(days=1),
    "array": np.arange(500),
    "objects": np.array(["a", None], dtype=object),
    "numpy's random state": np.random.RandomState(1).get_state(),  # what training programs store
    "python's random state": random.Random(1).getstate(),  # noqa: S311  # no secret
    "torch's random state": torch.Generator().manual_seed(1).get_state(),
    "loss": nn.CrossEntropyLoss(),
    "function": nn.functional.relu,
    "keyed by paths": {pathlib.PosixPath("/x"): 1},
    "bytes": b"x" * 100,
}
"""What training programs store beside their weights."""


@pytest.mark.parametrize("is_zip", [True, False])
@pytest.mark.parametrize("kind", BESIDE)
def test_read_file_passes_over_what_lies_beside_the_weights(kind: str, is_zip: bool, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pth"
    weights = {"conv1.weight": torch.arange(4.0), "fc.weight": torch.ones(2, 3)}
    torch.save({"state_dict": weights, "beside": BESIDE[kind], "epoch": 3}, path, _use_new_zipfile_serialization=is_zip)
    unwrapped = unwrap(read(path), use_ema=False)
    assert unwrapped.tensors.keys() == weights.keys()
    for name, tensor in weights.items():
        assert torch.equal(unwrapped.tensors[name], tensor)
    assert set(unwrapped.dropped) == {"beside", "epoch"}


class Trap:
    """An object whose making, filling and hash would be seen."""

    ran: list[str] = []  # noqa: RUF012  # one list for all

    def __init__(self, *_arguments: object) -> None:
        self.ran.append("made")

    def __setstate__(self, state: object) -> None:
        self.ran.append("filled")

    def __hash__(self) -> int:
        self.ran.append("hashed")
        return 1

    def __reduce__(self) -> Any:
        return Trap, (1,), {"a": 1}


@both_formats
def test_read_file_runs_nothing_of_what_it_passes_over(write: Writer, tmp_path: Path) -> None:
    value = {"a": describe_tensor(Storage(4), (4,), (1,)), "trap": Trap(), "key": {Trap(): 1}}
    path = write(tmp_path / "trap.pth", value)
    Trap.ran.clear()
    assert read(path)["a"].tolist() == [1, 2, 3, 4]
    assert not Trap.ran


# Claims


@both_formats
@pytest.mark.parametrize(
    ("tensor", "sentence"),
    [
        (describe_tensor(Storage(4), (5,), (1,)), r"shape \(5,\) needs 5 elements of storage 0, which has 4"),
        (describe_tensor(Storage(4), (2,), (1,), offset=3), "needs 5 elements"),
        (describe_tensor(Storage(4), (2, 2), (10**15, 1)), "needs 1,000,000,000,000,002 elements"),
        (describe_tensor(Storage(4), (10**12,), (0,)), r"tensors of 4,000,000,000,000 bytes; the limit is 1,000,000"),
        (describe_tensor(Storage(4), (10**6, 10**6), (0, 0)), "tensors of 4,000,000,000,000 bytes"),
        # As many bytes as 64 bits can count, and one more.
        (describe_tensor(Storage(4), (2**31, 2**31), (0, 0)), "tensors of 18,446,744,073,709,551,616 bytes"),
        (describe_tensor(Storage(10**12), (4,), (1,)), "storage 0 has 16 bytes, the pickle says 4,000,000,000,000"),
        (describe_tensor(Storage(4), (-4,), (1,)), "damaged at an opcode REDUCE"),
        (describe_tensor(Storage(4), (4,), (-1,)), "damaged at an opcode REDUCE"),
        (describe_tensor(Storage(4), (4,), (1, 1)), "damaged at an opcode REDUCE"),
        (describe_tensor(Storage(-4), (4,), (1,)), "damaged at an opcode BINPERSID"),
        (describe_tensor(Storage(3), (3,), (1,)), "storage 0 has 16 bytes, the pickle says 12"),
        ([describe_tensor(Storage(4), (4,), (1,)), Storage(3)], "describes storage 0 twice"),
        ([Storage(4), Storage(4, kind=torch.IntStorage)], "describes storage 0 twice"),
    ],
)
def test_read_file_refuses_claims_that_cannot_be_true(
    write: Writer, tensor: Any, sentence: str, tmp_path: Path
) -> None:
    refuse(write(tmp_path / "liar.pth", {"a": tensor}), sentence)


def test_read_file_counts_a_storage_as_often_as_tensors_use_it(tmp_path: Path) -> None:
    tensors = [describe_tensor(Storage(4), (1000, 4), (0, 1)) for _ in range(100)]
    refuse(write_as_zip(tmp_path / "liar.pth", {"a": tensors}), "tensors of 1,600,000 bytes")


@both_formats
@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({(1, 2): 3}, "damaged at an opcode SETITEM"),
        ({"a": 10**1000}, "uses LONG4"),
        ({"a": Call(OrderedDict, ([[(1, 2), 3]],))}, "damaged at an opcode REDUCE"),
        ({"a": Call(torch.Size, ((1,) * 9,))}, "damaged at an opcode REDUCE"),
        ({"a": Call(torch.device, ("nowhere",))}, "damaged at an opcode REDUCE"),
        ({"a": describe_tensor("0", (4,), (1,))}, "damaged at an opcode REDUCE"),  # type: ignore[arg-type]
        ({"a": Storage(4, key=("0", "1"))}, "damaged at an opcode BINPERSID"),  # type: ignore[arg-type]
        ({"a": Storage(4, kind="torch.FloatStorage")}, "damaged at an opcode BINPERSID"),
    ],
)
def test_read_file_refuses_what_weights_are_not_made_of(
    write: Writer, value: Any, sentence: str, tmp_path: Path
) -> None:
    refuse(write(tmp_path / "odd.pth", value), sentence)


def test_read_file_refuses_a_shape_that_a_tensor_gives(tmp_path: Path) -> None:
    # Torch takes it for a number, and the products of such numbers wrap around at 2^63.
    storage = Storage(4, kind=torch.IntStorage)
    number = describe_tensor(storage, (), ())
    tensor = describe_tensor(storage, (number, number), (0, 0))  # type: ignore[arg-type]
    refuse(write_as_zip(tmp_path / "odd.pth", {"a": tensor}), "damaged at an opcode REDUCE")


def test_read_file_refuses_a_tensor_whose_values_are_to_be_negated(tmp_path: Path) -> None:
    path = tmp_path / "negative.pth"
    torch.save({"a": torch._neg_view(torch.ones(2))}, path)
    refuse(path, "damaged at an opcode REDUCE")


def test_read_file_refuses_a_storage_that_is_a_view(tmp_path: Path) -> None:
    class ViewPickler(LegacyClaimPickler):
        def persistent_id(self, value: Any) -> Any:
            claim = super().persistent_id(value)
            return claim and (*claim[:-1], ("view", 1, 2))

    pickled = dump({"a": describe_tensor(Storage(4), (2,), (1,))}, pickler=ViewPickler)
    refuse(write_legacy(tmp_path / "view.pth", pickled, {"0": FOUR_FLOATS}), "damaged at an opcode BINPERSID")


@pytest.mark.parametrize("is_zip", [True, False])
def test_read_file_reads_tensors_without_values(is_zip: bool, tmp_path: Path) -> None:
    path = tmp_path / "empty.pth"
    torch.save({"a": torch.empty(0), "b": torch.empty(2, 0)}, path, _use_new_zipfile_serialization=is_zip)
    found = read(path)
    assert (found["a"].shape, found["b"].shape) == ((0,), (2, 0))


def test_read_file_refuses_another_pickle_protocol_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "new.pth"
    torch.save({"a": torch.ones(1)}, path, pickle_protocol=4)
    refuse(path, "protocol 4; only 2 is read without running code; save it again")


@pytest.mark.parametrize(
    ("opcodes", "opcode"),
    [
        pytest.param(b"}Na", "APPEND", id="item of a list in a dict"),
        pytest.param(b"](NNu", "SETITEMS", id="items of a dict in a list"),
        pytest.param(b"}(Nu", "SETITEMS", id="key without a value"),
        pytest.param(b"]}b", "BUILD", id="attributes of a list"),
        pytest.param(b"N)R", "REDUCE", id="call of nothing"),
        pytest.param(b"ccollections\nOrderedDict\n]R", "REDUCE", id="arguments in a list"),
        pytest.param(
            b"(U\x06tensorctorch\nFloatStorage\nU\x010U\x03cpuK\x00tQ",
            "BINPERSID",
            id="persistent object of a new kind",
        ),
    ],
)
def test_read_file_refuses_a_pickle_that_makes_no_sense(opcodes: bytes, opcode: str, tmp_path: Path) -> None:
    refuse(write_pickle(tmp_path / "odd.pth", opcodes), f"damaged at an opcode {opcode};")


def test_read_file_refuses_a_number_of_another_byte_order_than_there_are(tmp_path: Path) -> None:
    pickled = dump({"a": np.float64(1)})
    assert pickled.count(b"X\x01\0\0\0<") == 1
    path = write_zip(tmp_path / "odd.pth", pickled.replace(b"X\x01\0\0\0<", b"X\x01\0\0\x001"))
    refuse(path, "damaged at an opcode BUILD")


def test_read_file_names_the_code_that_a_damaged_pickle_wants(tmp_path: Path) -> None:
    refuse(write_pickle(tmp_path / "evil.pth", b"cposix\nsystem\nNR"), "asks for posix.system")


@pytest.mark.slow
def test_read_file_refuses_an_amplified_pickle(tmp_path: Path) -> None:
    # One list of 2,000 items in the memo, and 2,000 dicts made from it.
    items = [(number, 0) for number in range(2000)]
    refuse(
        write_zip(tmp_path / "copies.pth", dump([Call(OrderedDict, (items,)) for _ in range(2000)])),
        "copies more than 2,000,000 items",
    )


def test_read_file_refuses_a_pickle_with_too_many_opcodes(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "long.pth", b"\x80\x02]" + b"N" * MAX_OPCODES + b".")
    refuse(path, "more than 2,000,000 opcodes", max_bytes=10 * MAX_BYTES)


# Damage


@pytest.mark.parametrize("is_zip", [True, False])
@pytest.mark.parametrize("kept_share", [0.02, 0.3, 0.9, 0.999])
def test_read_file_refuses_a_truncated_file(is_zip: bool, kept_share: float, tmp_path: Path) -> None:
    path = tmp_path / "cut.pth"
    torch.save({"a": torch.ones(1000), "b": torch.ones(1000)}, path, _use_new_zipfile_serialization=is_zip)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept_share)])
    refuse(path, "truncated.*get it again")


@pytest.mark.parametrize("is_zip", [True, False])
def test_read_file_answers_any_damaged_byte_with_values_or_its_own_error(is_zip: bool, tmp_path: Path) -> None:
    path = tmp_path / "bits.pth"
    torch.save({"a": torch.ones(2), "epoch": 3}, path, _use_new_zipfile_serialization=is_zip)
    content = path.read_bytes()
    for position in range(0, len(content), 7):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0x55]) + content[position + 1 :])
        with contextlib.suppress(CheckpointError):  # and nothing else
            read(path)


def test_read_file_refuses_a_legacy_file_that_lists_other_storages(tmp_path: Path) -> None:
    pickled = dump({"a": describe_tensor(Storage(4), (4,), (1,))}, pickler=LegacyClaimPickler)
    refuse(write_legacy(tmp_path / "odd.pth", pickled, {"1": FOUR_FLOATS}), "list of storages does not match")


def test_read_file_refuses_a_legacy_file_without_a_list_of_storages(tmp_path: Path) -> None:
    path = write_legacy(tmp_path / "odd.pth", dump({}), {})
    path.write_bytes(path.read_bytes().removesuffix(dump([])) + dump(None))
    refuse(path, "its list of storages does not match")


def test_read_file_refuses_a_zip_without_a_storage(tmp_path: Path) -> None:
    pickled = dump({"a": describe_tensor(Storage(4), (4,), (1,))})
    refuse(write_zip(tmp_path / "odd.pth", pickled), "storage 0 has 0 bytes, the pickle says 16")


@pytest.mark.parametrize("names", [("model.pth",), ("a/version", "b/data.pkl"), ("a/data.pkl", "b/data.pkl")])
def test_read_file_refuses_a_zip_that_is_none_of_torchs(names: tuple[str, ...], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        for name in names:
            archive.writestr(name, dump({}))
    refuse(tmp_path / "other.zip", "a zip file that torch.save did not write; unpack it first")


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_read_file_refuses_a_zip_bomb(compression: int, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.pth", b"N" * 10_000_000, compression=compression)
    refuse(path, "entry archive/data.pkl is compressed, 10,000,000 bytes in")


def test_read_file_refuses_entries_that_lie_over_each_other(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "quoted.pth", dump({}), {str(number): b"x" * 1000 for number in range(3)})
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    for key in range(3):  # each entry claims 2,000 bytes, its own and its neighbour's
        position = content.index(f"archive/data/{key}".encode(), directory) - 46
        struct.pack_into("<II", content, position + 20, 2000, 2000)
    path.write_bytes(content)
    refuse(path, "claims 6,0.. bytes of content in a file of")


def change_directory(path: Path, offset: int, form: str, *values: int) -> None:
    """Overwrite a field in the first entry of a zip's directory."""
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, content.index(b"PK\x01\x02") + offset, *values)
    path.write_bytes(content)


@pytest.mark.parametrize(("offset", "value"), [(10, zipfile.ZIP_DEFLATED), (20, 1)], ids=["method", "size"])
def test_read_file_refuses_an_entry_that_is_called_compressed(offset: int, value: int, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "packed.pth", dump({}))
    change_directory(path, offset, "<H", value)
    refuse(path, "entry archive/data.pkl is compressed")


def test_read_file_refuses_an_entry_that_ends_behind_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cut.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", dump({}))
    size = path.stat().st_size
    change_directory(path, 20, "<II", size, size)
    refuse(path, "a damaged zip file")


def test_read_file_refuses_an_entry_that_begins_before_the_file(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "early.pth", dump({}))
    content = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", content, len(content) - 6)  # the directory's, by which all others are shifted
    struct.pack_into("<I", content, len(content) - 6, start + 10)
    path.write_bytes(content)
    refuse(path, "cannot be read: Invalid argument")


def test_read_file_refuses_a_storage_whose_header_is_cut(tmp_path: Path) -> None:
    pickled = dump({"a": describe_tensor(Storage(4), (4,), (1,))})
    with zipfile.ZipFile(tmp_path / "cut.pth", "w") as archive:
        archive.writestr("archive/data/0", FOUR_FLOATS)
        archive.writestr("archive/data.pkl", pickled)
    change_directory(tmp_path / "cut.pth", 42, "<I", (tmp_path / "cut.pth").stat().st_size - 10)
    refuse(tmp_path / "cut.pth", "damaged at an opcode BINPERSID")


@pytest.mark.parametrize(("limit", "size"), [("MAX_ENTRIES", 1), ("MAX_DIRECTORY_BYTES", 50)])
def test_read_file_refuses_a_directory_beyond_the_limits(
    limit: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "wide.pth", dump({}))
    assert read(path) == {}
    monkeypatch.setattr(f"models.checkpoints.zip_directory.{limit}", size)
    refuse(path, f"more than {size}$|the limit is {size}$")


@pytest.mark.parametrize("name", ["data.pkl", "byteorder"])
def test_read_file_refuses_an_entry_beyond_the_limit_for_pickles(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "long.pth", dump({"a": "x" * (200 if name == "data.pkl" else 1)}))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/byteorder", "little".ljust(200 if name == "byteorder" else 0))
    assert read(path).keys() == {"a"}
    monkeypatch.setattr("models.checkpoints.torch_files.MAX_PICKLE_BYTES", 100)
    refuse(path, f"its archive/{name} has .* bytes; the limit is 100")


def test_read_file_reads_no_more_of_a_legacy_file_than_pickles_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_legacy(tmp_path / "long.pth", dump({"a": "x" * 200}), {})
    assert read(path).keys() == {"a"}
    monkeypatch.setattr("models.checkpoints.torch_files.MAX_PICKLE_BYTES", 100)
    refuse(path, "damaged or truncated")


def test_read_file_refuses_a_large_directory_that_only_a_wide_record_tells(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "wide.pth", dump({}))
    content, end = path.read_bytes()[:-22], path.read_bytes()[-22:]
    record = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 2, 2, 2**40, 0)
    locator = struct.pack("<IIQI", 0x07064B50, 0, len(content), 1)
    path.write_bytes(content + record + locator + end[:12] + b"\xff" * 8 + end[20:])
    refuse(path, "directory of 1,099,511,627,776 bytes")


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + bytes(60)])
def test_read_file_refuses_a_zip_that_is_only_begun(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "cut.pth").write_bytes(content)
    refuse(tmp_path / "cut.pth", "truncated.*get it again")


def test_read_file_refuses_an_encrypted_entry(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "secret.pth", dump({}))
    change_directory(path, 8, "<H", 1)
    refuse(path, "is encrypted")


@pytest.mark.parametrize("flag", [1 << 5, 1 << 6], ids=["patch", "strong encryption"])
def test_read_file_refuses_an_entry_of_a_kind_that_python_does_not_read(flag: int, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "odd.pth", dump({}))
    change_directory(path, 8, "<H", flag)
    refuse(path, "a damaged zip file")


def test_read_file_refuses_a_directory_of_any_size(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "wide.pth", dump({}))
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, len(content) - 10, 2**31)
    path.write_bytes(content)
    refuse(path, rf"directory of 2,147,483,648 bytes.*limit is {MAX_DIRECTORY_BYTES:,}")


@pytest.mark.parametrize("tail", [b"more", b"more\0\0"])
def test_read_file_refuses_a_zip_with_something_behind_it(tail: bytes, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "tail.pth", dump({}))
    path.write_bytes(path.read_bytes() + tail)
    refuse(path, "has no end record")


def test_read_file_refuses_two_entries_by_one_name(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "twins.pth", dump({}), {"0": b"", "1": b""})
    path.write_bytes(path.read_bytes().replace(b"archive/data/1", b"archive/data/0"))
    refuse(path, "4 entries, some repeated")


def test_read_file_reads_a_zip_under_the_name_of_safetensors(tmp_path: Path) -> None:
    # torch.load goes by this name, not by the content.
    value = {"a": describe_tensor(Storage(4), (4,), (1,))}
    assert read(write_as_zip(tmp_path / "weights.safetensors", value))["a"].tolist() == [1, 2, 3, 4]


# Files that torch.load itself accepts


def write_pickle(path: Path, opcodes: bytes) -> Path:
    return write_zip(path, b"\x80\x02" + opcodes + b".")


@pytest.mark.slow
def test_read_file_refuses_a_deep_tuple_as_a_key_whose_hash_would_crash(tmp_path: Path) -> None:
    refuse(write_pickle(tmp_path / "deep.pth", b"})" + b"\x85" * 500_000 + b"Ns"), "damaged at an opcode SETITEM")


def test_read_file_refuses_a_tuple_as_a_key_whose_hash_would_take_forever(tmp_path: Path) -> None:
    doubled = b"".join(b"q%ch%c\x86" % (place, place) for place in range(40))
    refuse(write_pickle(tmp_path / "twins.pth", b"})" + doubled + b"Ns"), "damaged at an opcode SETITEM")


def test_read_file_refuses_integers_as_keys_that_all_have_one_hash(tmp_path: Path) -> None:
    keys = [(place << 100) * sys.hash_info.modulus for place in range(1, 1001)]
    assert len(set(map(hash, keys))) == 1
    refuse(write_as_zip(tmp_path / "collisions.pth", dict.fromkeys(keys)), "damaged at an opcode SETITEM")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("\u0101" * 64, "idna"), ("\u0101" * 64, "punycode"), ("a" * 65, "latin1"), ("a" * 8, "utf-16")],
)
def test_read_file_runs_no_codec_but_latin1_on_a_short_text(text: str, encoding: str, tmp_path: Path) -> None:
    path = write_as_zip(tmp_path / "codec.pth", {"a": Call(codecs.encode, (text, encoding))})
    assert isinstance(read(path)["a"], Passed)


@pytest.mark.slow
@both_formats
def test_read_file_refuses_many_tensors_made_of_one_memo(write: Writer, tmp_path: Path) -> None:
    tensor = describe_tensor(Storage(4), (4,), (1,))
    path = write(tmp_path / "many.pth", [Call(tensor.function, tensor.arguments) for _ in range(110_000)])
    refuse(path, "copies more than 2,000,000 items", max_bytes=10**9)


@pytest.mark.parametrize("names", list(itertools.permutations(["data.pkl", "DATA.PKL", "Data.pkl"])))
def test_read_file_reads_the_pickle_that_it_checked(names: tuple[str, ...], tmp_path: Path) -> None:
    # torch.load takes either for data.pkl.
    path = tmp_path / "twins.pth"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(f"archive/{name}", dump({"name": name}))
    assert read(path) == {"name": "data.pkl"}


def test_read_file_reads_values_in_the_other_byte_order(tmp_path: Path) -> None:
    value = {
        "a": describe_tensor(Storage(4), (4,), (1,)),
        "b": describe_tensor(Storage(2, "1", torch.HalfStorage), (2,), (1,)),
    }
    path = write_zip(
        tmp_path / "big.pth", dump(value), {"0": struct.pack(">4f", 1, 2, 3, 4), "1": struct.pack(">2e", 5, 6)}
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/byteorder", "big")
    found = read(path)
    assert (found["a"].tolist(), found["b"].tolist()) == ([1, 2, 3, 4], [5, 6])
    assert torch.equal(found["b"], torch.load(path, weights_only=True, map_location="cpu")["b"])


def test_read_file_asks_for_a_bounded_number_of_names(tmp_path: Path) -> None:
    names = b"".join(b"cmodule\nname%d\n0" % number for number in range(10_001))
    refuse(write_pickle(tmp_path / "names.pth", names + b"}"), "module.name0")


@pytest.mark.parametrize("depth", [28, 100_000])
def test_read_file_takes_texts_alone_as_names_of_storages(depth: int, tmp_path: Path) -> None:
    doubled = b"U\x03lol" + (b"q\x00h\x00\x86" * depth if depth < 100 else b"\x85" * depth)
    content = pickle.dumps({}, protocol=2)
    path = tmp_path / "laugh.pth"
    path.write_bytes(LEGACY_START + pickle.dumps(1001, protocol=2) + content + content + b"\x80\x02]" + doubled + b"a.")
    refuse(path, "its list of storages does not match its tensors")


def test_read_file_writes_no_long_names_of_torchscript(tmp_path: Path) -> None:
    name = b"X" + struct.pack("<I", 2_000_000) + b"a" * 2_000_000
    module = b"c__torch__\nNet\n)\x81}(" + name + b"c__torch__\nNet\n)\x81}U\x01bNsbub"
    path = write_pickle(tmp_path / "script.pt", module)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/constants.pkl", dump(()))
    refuse(path, "names that no network has", max_bytes=10_000_000)
